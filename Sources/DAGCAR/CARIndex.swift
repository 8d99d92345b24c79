public import DAGBytes
internal import DAGMultiformats

/// An index in one of go-car's two formats, read in place.
///
/// ```
/// 0x0400  80 08  bucketset                              sorted by digest, hash functions forgotten
/// 0x0401  81 08  i32 codes { u64 code, bucketset }*     the same, grouped by hash function
/// bucketset   i32 widths { u32 width, u64 size, record* }*      `size` counts bytes, not records
/// record      digest[width - 8]  u64 offset              of the section, from the payload's start
/// ```
///
/// go-car writes this. The text of the CARv2 specification leaves the two counts out and calls `size` a count. An
/// index from a file is untrusted: the reader checks its shape here. The user of an offset checks that it leads to a
/// section with the digest.
///
/// *Cost*: reading is O(buckets) and touches no record. *Limits*: see `init(reading:)`.
public struct CARIndex: Sendable {
    /// The codec of the format without hash functions, IndexSorted.
    public static let sorted: UInt64 = 0x0400
    /// The codec of the format with hash functions, MultihashIndexSorted.
    public static let multihashSorted: UInt64 = 0x0401
    /// The widest record, in bytes; the limit of go-car.
    public static let widthMax: UInt32 = 32 << 20

    /// The records of one width and, in 0x0401, of one hash function.
    public struct Bucket: Equatable, Sendable {
        /// The hash function, or nil in 0x0400.
        public let hashCode: UInt64?
        /// The size of a record in bytes.
        public let width: Int
        /// The range of the records in the index's bytes.
        public let records: Range<Int>
        /// The number of records.
        public var count: Int { records.count / width }
    }

    /// One record.
    public struct Entry: Sendable {
        /// The hash function, or nil in 0x0400.
        public let hashCode: UInt64?
        /// The digest, in the index's bytes.
        public let digest: ByteView
        /// The section's offset in the payload.
        public let offset: UInt64
    }

    /// `sorted` or `multihashSorted`.
    public let codec: UInt64
    /// The buckets in file order.
    public let buckets: [Bucket]
    /// The bytes of the index, with its codec.
    public let bytes: ByteView

    /// Reads the shape of an index.
    ///
    /// - Parameter bytes: The index, from its codec on; more bytes may follow.
    /// - Throws: `.truncated` if it ends early; `.malformedIndex` for an unknown codec, a negative count, a width
    ///   under 8 or over 32 MiB, or a size that is not a multiple of its width.
    public init(reading bytes: ByteView) throws(CARError) {
        var reader = IndexReader(bytes: bytes)
        let codec = Varint.decode(bytes, at: 0)
        guard codec.size > 0 else {
            let isTruncated = codec.size == Varint.Decoded.truncated
            throw CARError(isTruncated ? .truncated : .malformedIndex, at: 0, "index codec")
        }
        reader.offset = codec.size
        switch codec.value {
        case Self.sorted:
            try reader.readBuckets(hashCode: nil)
        case Self.multihashSorted:
            for _ in 0..<(try reader.readCount("codes")) {
                let hashCode = try reader.readUInt64("hash code")
                try reader.readBuckets(hashCode: hashCode)
            }
        default:
            throw CARError(
                .malformedIndex,
                at: 0,
                "unknown index codec 0x" + String(codec.value, radix: 16)
            )
        }
        self.codec = codec.value
        self.buckets = reader.buckets
        self.bytes = bytes[0..<reader.offset]
    }

    /// The number of records.
    public var count: Int { buckets.reduce(0) { $0 + $1.count } }

    /// Returns a record of `bucket`.
    public func entry(_ index: Int, of bucket: Bucket) -> Entry {
        precondition(index >= 0 && index < bucket.count)
        let start = bucket.records.lowerBound + index * bucket.width
        let digestEnd = start + bucket.width - 8
        return Entry(
            hashCode: bucket.hashCode,
            digest: bytes[start..<digestEnd],
            offset: bytes.loadUInt64(at: digestEnd)
        )
    }

    /// Finds the offsets recorded for a digest, in record order.
    ///
    /// *Cost*: O(log records), a binary search; unsorted records may be missed.
    ///
    /// - Parameters:
    ///   - digest: The digest to find.
    ///   - hashCode: Its hash function; ignored in 0x0400.
    /// - Returns: The offsets. The caller checks that the sections there have the digest.
    public func offsets(of digest: ByteView, hashCode: UInt64) -> [UInt64] {
        var found: [UInt64] = []
        for bucket in buckets
        where bucket.width == digest.count + 8 && (bucket.hashCode ?? hashCode) == hashCode {
            var low = 0
            var high = bucket.count
            while low < high {
                let middle = (low + high) / 2
                if entry(middle, of: bucket).digest.lexicographicallyPrecedes(digest) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            while low < bucket.count {
                let candidate = entry(low, of: bucket)
                guard candidate.digest.elementsEqual(digest) else { break }
                found.append(candidate.offset)
                low += 1
            }
        }
        return found
    }
}

/// A reader of the fixed-width parts of an index, which checks bounds first.
private struct IndexReader {
    let bytes: ByteView
    var offset = 0
    var buckets: [CARIndex.Bucket] = []

    init(bytes: ByteView) { self.bytes = bytes }

    mutating func readBuckets(hashCode: UInt64?) throws(CARError) {
        for _ in 0..<(try readCount("widths")) {
            let start = offset
            let width = try readUInt32("width")
            let size = try readUInt64("size")
            guard width >= 8, width <= CARIndex.widthMax else {
                throw CARError(.malformedIndex, at: UInt64(start), "a width of \(width)")
            }
            guard size % UInt64(width) == 0 else {
                throw CARError(
                    .malformedIndex,
                    at: UInt64(start),
                    "\(size) bytes of records of \(width) bytes"
                )
            }
            guard size <= UInt64(bytes.count - offset) else {
                throw CARError(.truncated, at: UInt64(start), "\(size) bytes of records")
            }
            let records = offset..<offset + Int(size)
            offset = records.upperBound
            buckets.append(
                CARIndex.Bucket(hashCode: hashCode, width: Int(width), records: records)
            )
        }
    }

    mutating func readCount(_ what: String) throws(CARError) -> Int {
        let start = offset
        let count = Int32(bitPattern: try readUInt32(what))
        guard count >= 0 else {
            throw CARError(.malformedIndex, at: UInt64(start), "\(count) \(what)")
        }
        return Int(count)
    }

    mutating func readUInt32(_ what: String) throws(CARError) -> UInt32 {
        guard bytes.count - offset >= 4 else {
            throw CARError(.truncated, at: UInt64(offset), what)
        }
        defer { offset += 4 }
        return bytes.loadUInt32(at: offset)
    }

    mutating func readUInt64(_ what: String) throws(CARError) -> UInt64 {
        guard bytes.count - offset >= 8 else {
            throw CARError(.truncated, at: UInt64(offset), what)
        }
        defer { offset += 8 }
        return bytes.loadUInt64(at: offset)
    }
}
