internal import DAGBytes
internal import DAGMultiformats

/// Writes blocks of dag-pb, in the one form that its specification permits.
///
/// ```
/// block  12 size link, repeated        0a size data
/// link   0a size CID   12 size name   18 total size
/// ```
///
/// Source: ipld.io/specs/codecs/dag-pb, "Protobuf Strictness".
enum DagPBEncoder {
    /// Returns the bytes that a link adds to a block.
    static func size(cidSize: Int, nameSize: Int, totalSize: UInt64) -> Int {
        let content = contentSize(cidSize, nameSize, totalSize)
        return 1 + Varint.size(of: UInt64(content)) + content
    }

    private static func contentSize(_ cidSize: Int, _ nameSize: Int, _ totalSize: UInt64) -> Int {
        fieldSize(cidSize) + fieldSize(nameSize) + 1 + Varint.size(of: totalSize)
    }

    /// Returns the bytes that a field of `size` bytes takes, with its head.
    static func fieldSize(_ size: Int) -> Int { 1 + Varint.size(of: UInt64(size)) + size }

    /// Appends a link to a block.
    ///
    /// - Parameters:
    ///   - cid: The binary CID.
    ///   - prefix: The start of the name: a place in a HAMT.
    ///   - name: The rest of the name.
    ///   - totalSize: The size of all that the link leads to.
    ///   - block: The block, without data so far.
    static func append(
        cid: ByteView,
        prefix: [UInt8] = [],
        name: ByteView,
        totalSize: UInt64,
        to block: inout [UInt8]
    ) {
        let nameSize = prefix.count + name.count
        block.append(2 << 3 | 2)
        Varint.append(UInt64(contentSize(cid.count, nameSize, totalSize)), to: &block)
        block.append(1 << 3 | 2)
        Varint.append(UInt64(cid.count), to: &block)
        block.append(cid)
        // An empty name is written too, as in all implementations.
        block.append(2 << 3 | 2)
        Varint.append(UInt64(nameSize), to: &block)
        block += prefix
        block.append(name)
        block.append(3 << 3)
        Varint.append(totalSize, to: &block)
    }

    /// Appends the data, which end a block.
    static func append(data: [UInt8], to block: inout [UInt8]) {
        block.append(1 << 3 | 2)
        Varint.append(UInt64(data.count), to: &block)
        block += data
    }
}
