internal import DAGBytes
internal import DAGCAR
internal import DAGMultiformats
internal import DAGStorage

/// Writes the records of a shard in the order of go-car's index files, in bounded memory.
///
/// The store's indexes are in CAR order; index files are sorted by hash function, size and digest. The records of
/// each bucket are counted first. Then each walk over the index collects as many buckets, or as much of one bucket,
/// as fit the budget.
///
/// *Cost*: two walks over the index and a sort; a further walk for each part. *Concurrency*: one thread.
struct DigestOrder {
    /// Calls its argument with every record, in any order, the same at each call.
    typealias Walk = ((ImportedEntry) throws -> Void) throws -> Void

    private struct Bucket: Hashable {
        /// The hash function; nil in codec 0x0400.
        let hashCode: UInt64?
        let digestSize: Int
    }

    /// Records that are sorted together: whole buckets, or those of one bucket between two prefixes.
    private struct Part {
        var buckets: [Bucket]
        var prefixes: ClosedRange<Int>
    }

    private let codec: UInt64
    private let walk: Walk
    private let budget: UInt64
    private var counts: [Bucket: UInt64] = [:]

    private static let prefixBits = 12
    /// The bytes of a record in memory without its digest: its offset, and its place in the sorted order.
    private static let recordSize: UInt64 = 24

    /// The number of records.
    var count: UInt64 { counts.values.reduce(0, +) }

    /// Counts the records.
    ///
    /// - Parameters:
    ///   - codec: `CARIndex.sorted` or `CARIndex.multihashSorted`.
    ///   - hasIdentity: Whether records with the identity function are written.
    ///   - budget: The bytes of memory for sorting. The records of one prefix of 12 bits may exceed it.
    ///   - walk: Enumerates the records.
    /// - Throws: What `walk` throws.
    init(codec: UInt64, hasIdentity: Bool, budget: Int, walk: @escaping Walk) throws {
        self.codec = codec
        self.budget = UInt64(budget)
        self.walk = { body in
            try walk { entry in
                guard hasIdentity || entry.hashCode != HashCode.identity else { return }
                try body(entry)
            }
        }
        var last: (bucket: Bucket, count: UInt64)?
        try self.walk { [codec] entry in
            let bucket = Self.bucket(of: entry, codec)
            if last?.bucket == bucket {
                last?.count += 1
            } else {
                if let last { counts[last.bucket, default: 0] += last.count }
                last = (bucket, 1)
            }
        }
        if let last { counts[last.bucket, default: 0] += last.count }
    }

    private static func bucket(of entry: ImportedEntry, _ codec: UInt64) -> Bucket {
        let hashCode = codec == CARIndex.sorted ? nil : entry.hashCode
        return Bucket(hashCode: hashCode, digestSize: entry.digest.count)
    }

    /// Writes the index file, including the codec.
    ///
    /// - Parameter write: Receives the bytes in order.
    /// - Returns: Whether every walk found the same records; otherwise the written file is no index.
    /// - Throws: What the walk and `write` throw.
    func encode(_ write: ([UInt8]) throws -> Void) throws -> Bool {
        var head: [UInt8] = []
        Varint.append(codec, to: &head)
        let codes = Set(counts.keys.map(\.hashCode)).sorted { ($0 ?? 0) < ($1 ?? 0) }
        if codec == CARIndex.multihashSorted {
            head.append(littleEndian: UInt32(codes.count))
        } else if codes.isEmpty {
            head.append(littleEndian: UInt32(0))
        }
        // In the file the header of each bucket precedes its records.
        var heads: [Bucket: [UInt8]] = [:]
        var order: [Bucket] = []
        for code in codes {
            if let code { head.append(littleEndian: code) }
            let buckets = counts.keys.filter { $0.hashCode == code }
                .sorted { $0.digestSize < $1.digestSize }
            head.append(littleEndian: UInt32(buckets.count))
            for bucket in buckets {
                head.append(littleEndian: UInt32(bucket.digestSize + 8))
                head.append(littleEndian: UInt64(bucket.digestSize + 8) * (counts[bucket] ?? 0))
                heads[bucket] = head
                head = []
            }
            order += buckets
        }
        try write(head)
        var written: [Bucket: UInt64] = [:]
        for part in try parts(order) {
            let records = try collect(part)
            for bucket in part.buckets {
                if part.prefixes.lowerBound == 0 { try write(heads[bucket] ?? []) }
                var sorted: [UInt8] = []
                records[bucket, default: []].withView { view in
                    sorted.reserveCapacity(view.count)
                    CARIndexBuilder.appendSorted(
                        view,
                        digestSize: bucket.digestSize,
                        to: &sorted
                    )
                }
                try write(sorted)
                written[bucket, default: 0] += UInt64(sorted.count / (bucket.digestSize + 8))
            }
        }
        return written == counts
    }

    /// Divides the buckets into parts that fit the budget.
    private func parts(_ order: [Bucket]) throws -> [Part] {
        let all = 0...(1 << Self.prefixBits - 1)
        var parts: [Part] = []
        var together: [Bucket] = []
        var size: UInt64 = 0
        for bucket in order {
            let bucketSize = (counts[bucket] ?? 0) * Self.recordSize(bucket)
            if size + bucketSize > budget, !together.isEmpty {
                parts.append(Part(buckets: together, prefixes: all))
                together = []
                size = 0
            }
            if bucketSize > budget {
                parts += try split(bucket)
            } else {
                together.append(bucket)
                size += bucketSize
            }
        }
        if !together.isEmpty { parts.append(Part(buckets: together, prefixes: all)) }
        return parts
    }

    private static func recordSize(_ bucket: Bucket) -> UInt64 {
        UInt64(bucket.digestSize) + recordSize
    }

    /// Returns the first bits of a digest, by which a bucket is split.
    private static func prefix(of digest: ByteView) -> Int {
        let first = digest.count > 0 ? Int(digest[0]) : 0
        let second = digest.count > 1 ? Int(digest[1]) : 0
        return (first << 8 | second) >> (16 - prefixBits)
    }

    /// Splits a bucket into ranges of prefixes that fit the budget.
    private func split(_ bucket: Bucket) throws -> [Part] {
        var sizes = [UInt64](repeating: 0, count: 1 << Self.prefixBits)
        try walk { [codec] entry in
            guard Self.bucket(of: entry, codec) == bucket else { return }
            sizes[Self.prefix(of: entry.digest)] += Self.recordSize(bucket)
        }
        var parts: [Part] = []
        var start = 0
        var size: UInt64 = 0
        for (prefix, prefixSize) in sizes.enumerated() {
            if size + prefixSize > budget, prefix > start {
                parts.append(Part(buckets: [bucket], prefixes: start...prefix - 1))
                start = prefix
                size = 0
            }
            size += prefixSize
        }
        parts.append(Part(buckets: [bucket], prefixes: start...sizes.count - 1))
        return parts
    }

    /// Returns the records of a part, by bucket.
    private func collect(_ part: Part) throws -> [Bucket: [UInt8]] {
        var records: [Bucket: [UInt8]] = [:]
        let isSplit = part.prefixes.count < 1 << Self.prefixBits
        for bucket in part.buckets {
            let size = UInt64(bucket.digestSize + 8) * (counts[bucket] ?? 0)
            records[bucket] = []
            records[bucket]?.reserveCapacity(Int(isSplit ? min(size, budget) : size))
        }
        try walk { [codec] entry in
            let bucket = Self.bucket(of: entry, codec)
            guard !isSplit || part.prefixes.contains(Self.prefix(of: entry.digest)) else { return }
            guard records[bucket] != nil else { return }
            records[bucket]?.append(entry.digest)
            records[bucket]?.append(littleEndian: entry.offset)
        }
        return records
    }
}
