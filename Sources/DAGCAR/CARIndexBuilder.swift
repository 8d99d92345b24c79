public import DAGBytes
internal import DAGMultiformats

/// Collects sections and writes them as an index in go-car's formats, equal byte for byte.
///
/// It orders records with equal digests by offset; go-car leaves their order open.
///
/// *Cost*: keeps the records in memory, each a digest and 8 bytes; writing sorts each bucket.
public struct CARIndexBuilder: Sendable {
    private struct Key: Hashable {
        let hashCode: UInt64
        let digestSize: Int
    }

    /// Whether the builder records sections with identity CIDs.
    public let storesIdentity: Bool
    private var buckets: [Key: [UInt8]] = [:]

    /// Creates a builder without records.
    public init(storesIdentity: Bool = false) {
        self.storesIdentity = storesIdentity
    }

    /// Records a section.
    ///
    /// - Parameters:
    ///   - hashCode: The hash function of its CID.
    ///   - digest: The digest; the builder copies it.
    ///   - offset: The section's offset in the payload.
    public mutating func append(hashCode: UInt64, digest: ByteView, offset: UInt64) {
        guard storesIdentity || hashCode != HashCode.identity else { return }
        let key = Key(hashCode: hashCode, digestSize: digest.count)
        buckets[key, default: []].appendRecord(digest, offset)
    }

    /// The number of records.
    public var count: Int {
        buckets.reduce(0) { $0 + $1.value.count / ($1.key.digestSize + 8) }
    }

    /// Returns the index in the format of `codec`.
    ///
    /// - Parameter codec: `CARIndex.sorted` or `CARIndex.multihashSorted`.
    /// - Returns: The bytes, with the codec.
    public consuming func encoded(codec: UInt64 = CARIndex.multihashSorted) -> [UInt8] {
        precondition(codec == CARIndex.sorted || codec == CARIndex.multihashSorted)
        var bytes: [UInt8] = []
        Varint.append(codec, to: &bytes)
        if codec == CARIndex.sorted {
            var merged: [Int: [UInt8]] = [:]
            for (key, records) in buckets { merged[key.digestSize, default: []] += records }
            Self.appendBuckets(merged, to: &bytes)
            return bytes
        }
        let codes = Set(buckets.keys.map(\.hashCode)).sorted()
        bytes.append(littleEndian: UInt32(codes.count))
        for code in codes {
            bytes.append(littleEndian: code)
            var widths: [Int: [UInt8]] = [:]
            for (key, records) in buckets where key.hashCode == code {
                widths[key.digestSize] = records
            }
            Self.appendBuckets(widths, to: &bytes)
        }
        return bytes
    }

    private static func appendBuckets(_ buckets: [Int: [UInt8]], to bytes: inout [UInt8]) {
        bytes.append(littleEndian: UInt32(buckets.count))
        for (digestSize, records) in buckets.sorted(by: { $0.key < $1.key }) {
            bytes.append(littleEndian: UInt32(digestSize + 8))
            bytes.append(littleEndian: UInt64(records.count))
            records.withView { view in
                appendSorted(view, digestSize: digestSize, to: &bytes)
            }
        }
    }

    /// Appends the records of one bucket to `bytes`, in the order of an index.
    ///
    /// *Cost*: a sort, with 16 bytes of memory a record.
    ///
    /// - Parameters:
    ///   - view: The records, each a digest and its section's offset in 8 bytes.
    ///   - digestSize: The size of each digest in bytes.
    ///   - bytes: Receives the records.
    package static func appendSorted(
        _ view: ByteView,
        digestSize: Int,
        to bytes: inout [UInt8]
    ) {
        let width = digestSize + 8
        // The first eight bytes of a digest decide nearly every comparison.
        var order: [(prefix: UInt64, start: Int)] = []
        order.reserveCapacity(view.count / width)
        for start in stride(from: 0, to: view.count, by: width) {
            order.append((view.bigEndianPrefix(at: start, size: min(8, digestSize)), start))
        }
        order.sort { one, other in
            guard one.prefix == other.prefix else { return one.prefix < other.prefix }
            let mine = view[one.start..<one.start + digestSize]
            let theirs = view[other.start..<other.start + digestSize]
            if mine.elementsEqual(theirs) {
                return view.loadUInt64(at: one.start + digestSize)
                    < view.loadUInt64(at: other.start + digestSize)
            }
            return mine.lexicographicallyPrecedes(theirs)
        }
        for (_, start) in order { bytes.append(view[start..<start + width]) }
    }
}

extension [UInt8] {
    fileprivate mutating func appendRecord(_ digest: ByteView, _ offset: UInt64) {
        append(digest)
        append(littleEndian: offset)
    }
}

extension ByteView {
    fileprivate func bigEndianPrefix(at start: Int, size: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<8 {
            value = value << 8 | (index < size ? UInt64(self[start + index]) : 0)
        }
        return value
    }
}
