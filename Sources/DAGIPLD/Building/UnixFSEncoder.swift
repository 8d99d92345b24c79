internal import DAGBytes
public import DAGMultiformats

/// Writes the blocks of UnixFS that have no builder: leaves, symlinks, and the data of other blocks.
///
/// ```
/// directory  08 01
/// file       08 02   12 size bytes, if any   18 file size   20 block size, for each link
/// symlink    08 04   12 size target
/// HAMT       08 05   12 size bitfield        28 22          30 fanout
/// ```
///
/// Source: IPFS specifications, "UnixFS"; the order of fields is that of the protobuf libraries.
public enum UnixFSEncoder {
    /// The data of a directory.
    static let directory: [UInt8] = [1 << 3, 1]

    /// The bytes around the content of a leaf.
    ///
    /// A writer that knows the size of a chunk can read it to its place in the block.
    public struct LeafFrame: Hashable, Sendable {
        /// The multicodec of the block.
        public let codec: UInt64
        /// The bytes before the content.
        public let head: [UInt8]
        /// The bytes after it.
        public let tail: [UInt8]

        /// Creates the frame of a leaf with `size` bytes of a file.
        ///
        /// - Parameters:
        ///   - size: The size of the chunk.
        ///   - isRaw: Whether the block is the chunk alone.
        public init(size: Int, isRaw: Bool) {
            precondition(size >= 0)
            guard !isRaw else {
                self.codec = Codec.raw
                self.head = []
                self.tail = []
                return
            }
            var tail: [UInt8] = [3 << 3]
            Varint.append(UInt64(size), to: &tail)
            let field = size == 0 ? 0 : DagPBEncoder.fieldSize(size)
            var head: [UInt8] = [1 << 3 | 2]
            Varint.append(UInt64(2 + field + tail.count), to: &head)
            head += [1 << 3, 2]
            if size > 0 {
                head.append(2 << 3 | 2)
                Varint.append(UInt64(size), to: &head)
            }
            self.codec = Codec.dagPB
            self.head = head
            self.tail = tail
        }
    }

    /// Makes the block of a symlink.
    ///
    /// - Parameters:
    ///   - target: The bytes of the path that it leads to.
    ///   - sink: Takes the block.
    /// - Returns: The symlink, for the directory above.
    /// - Throws: The error of `sink`.
    public static func symlink(to target: [UInt8], _ sink: BlockSink) throws -> UnixFSPart {
        var data: [UInt8] = [1 << 3, 4, 2 << 3 | 2]
        Varint.append(UInt64(target.count), to: &data)
        data += target
        var block: [UInt8] = []
        DagPBEncoder.append(data: data, to: &block)
        let cid = try sink(Codec.dagPB, block)
        return UnixFSPart(cid: cid, contentSize: 0, totalSize: UInt64(block.count))
    }

    /// Returns the data of a file's block with links.
    static func file(_ blockSizes: some Sequence<UInt64>) -> [UInt8] {
        var data: [UInt8] = [1 << 3, 2, 3 << 3]
        Varint.append(blockSizes.reduce(0, +), to: &data)
        for size in blockSizes {
            data.append(4 << 3)
            Varint.append(size, to: &data)
        }
        return data
    }

    /// Returns the data of a shard.
    ///
    /// - Parameters:
    ///   - bitfield: A bit for each place that has a link, the highest place first, without zeros at its start.
    ///   - fanout: The number of places.
    /// - Returns: The data, for a block with the links.
    static func shard(_ bitfield: [UInt8], fanout: Int) -> [UInt8] {
        var data: [UInt8] = [1 << 3, 5]
        if !bitfield.isEmpty {
            data.append(2 << 3 | 2)
            Varint.append(UInt64(bitfield.count), to: &data)
            data += bitfield
        }
        data.append(5 << 3)
        Varint.append(Murmur3.code, to: &data)
        data.append(6 << 3)
        Varint.append(UInt64(fanout), to: &data)
        return data
    }
}
