internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGHashing
internal import DAGMounts
public import DAGMultiformats
internal import ShardIndex
public import SystemPackage

/// Parts of the store by themselves, for the benchmark harness; no part of the stable interface.
@_spi(Measurement)
public enum Measurement {
    /// Drops what it is given.
    private final class Dropped: IndexSink {
        func writePages(_ number: Int, _ bytes: [UInt8]) {}
        func writeSegment(_ number: Int, _ bytes: [UInt8]) {}
        func writeInverse(_ number: Int, _ bytes: [UInt8]) {}
        func spill(_ bytes: ByteView) throws -> UInt64 {
            throw DAGStoreError(.quotaExceeded, "nothing is put aside here")
        }
        func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {}
    }

    /// The result of building an index.
    public struct Built: Sendable {
        /// Sections indexed.
        public let sections: UInt64
        /// Bytes of pages and locator.
        public let bytes: UInt64
        /// Index pages.
        public let pages: Int
        /// Pages whose body or digests are zstd.
        public let zstdPages: Int
        /// The bytes that zstd saved.
        public let bytesSaved: Int
    }

    /// Builds the index of a CAR and drops it.
    public static func buildIndex(
        of path: FilePath,
        policy: Configuration.PagePolicy = .smallest
    ) throws -> Built {
        var configuration = Configuration()
        configuration.pagePolicy = policy
        let car = try CARFile(opening: path)
        let built = try car.buildIndex(
            IndexBuilding(
                hash: KeyedHash(key: (1, 2)),
                policy: configuration.indexPagePolicy,
                sortBudget: configuration.sortBudget,
                sink: Dropped()
            )
        )
        return Built(
            sections: built.root.sectionCount,
            bytes: built.root.indexSize,
            pages: built.statistics.pages,
            zstdPages: max(built.statistics.zstdBodies, built.statistics.zstdDigests),
            bytesSaved: built.statistics.bytesSaved
        )
    }

    /// Walks over the sections of a CAR, as indexing does.
    ///
    /// - Returns: How many there are.
    public static func scan(_ path: FilePath) throws -> UInt64 {
        var count: UInt64 = 0
        var walk = try CARFile(LocalFile(opening: path), limits: CARLimits()).walk()
        try walk.forEach { _, _ in count += 1 }
        return count
    }

    /// Calls `body` with the number of every section and what makes its CID, in CAR order, until it returns false.
    public static func forEachCID(
        of shard: Shard,
        _ body: (_ ordinal: UInt64, _ cid: () throws -> CID) throws -> Bool
    ) throws {
        for number in shard.reader.root.pages.indices {
            let page = try shard.reader.index.page(number)
            for slot in 0..<page.count {
                let isWanted = try body(page.firstOrdinal + UInt64(slot)) {
                    guard let cid = page.entry(slot).cid else {
                        throw DAGStoreError(.catalogCorrupt, "a CID is unknown")
                    }
                    return cid
                }
                guard isWanted else { return }
            }
        }
    }

    /// Hashes every block of a CAR.
    ///
    /// - Returns: Whether everything holds, and the payload's size.
    public static func verify(
        _ path: FilePath,
        workers: Int
    ) throws -> (isSound: Bool, bytes: UInt64) {
        let car = try CARFile(opening: path)
        return (car.verify(workers: workers).isSound, car.layout.dataSize)
    }

    /// The first offset that the locator names, unconfirmed.
    public static func firstCandidate(in shard: Shard, of cid: CID) -> UInt64? {
        shard.reader.firstCandidate(of: cid)
    }

    /// The size of a shard's locator in bytes.
    public static func locatorSize(of shard: Shard) -> UInt64 {
        shard.reader.root.segmentSizes.reduce(0) { $0 + UInt64($1) }
    }

    /// The CIDs from number `ordinal` on, in CAR order.
    public static func cids(of shard: Shard, from ordinal: UInt64 = 0) throws -> [CID] {
        var all: [CID] = []
        try shard.forEachEntry(from: ordinal) { entry in
            if let cid = entry.cid { all.append(cid) }
            return true
        }
        return all
    }

    /// Walks all sections through the page cache and adds up their sizes.
    public static func walkPages(of shard: Shard) throws -> UInt64 {
        var sum: UInt64 = 0
        for number in shard.reader.root.pages.indices {
            let page = try shard.reader.index.page(number)
            for slot in 0..<page.count { sum &+= page.sectionSize(of: slot) ?? 0 }
        }
        return sum
    }
}
