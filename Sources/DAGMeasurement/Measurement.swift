internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGHashing
internal import DAGMounts
public import DAGMultiformats
public import DAGStorage
internal import ShardIndex
public import SystemPackage

/// Single parts of the store, for the benchmark harness; not part of the stable interface.
public enum Measurement {
    /// A sink that drops all pieces.
    private final class Dropped: IndexSink {
        func writePages(_ number: Int, _ bytes: [UInt8]) {}
        func writeSegment(_ number: Int, _ bytes: [UInt8]) {}
        func writeInverse(_ number: Int, _ bytes: [UInt8]) {}
        func spill(_ bytes: ByteView) throws -> UInt64 {
            throw DAGStoreError(.quotaExceeded, "the benchmark does not spill")
        }
        func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) {}
    }

    /// The size of an index that was built.
    public struct Built: Sendable {
        /// The number of sections.
        public let sections: UInt64
        /// The bytes of pages and locator.
        public let bytes: UInt64
        /// The number of index pages.
        public let pages: Int
        /// The number of pages whose body or digests are compressed with zstd.
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

    /// Walks over the sections of a CAR as indexing does, and returns their number.
    public static func scan(_ path: FilePath) throws -> UInt64 {
        var count: UInt64 = 0
        var walk = try CARFile(LocalFile(opening: path), limits: CARLimits()).walk()
        try walk.forEach { _, _ in count += 1 }
        return count
    }

    /// Calls `body` with every section's number and a function that makes its CID, in CAR order, until it returns
    /// false.
    public static func forEachCID(
        of shard: Shard,
        _ body: (_ ordinal: UInt64, _ cid: () throws -> CID) throws -> Bool
    ) throws {
        for number in shard.reader.root.pages.indices {
            let page = try shard.reader.index.page(number)
            for slot in 0..<page.count {
                let isWanted = try body(page.firstOrdinal + UInt64(slot)) {
                    guard let cid = page.entry(slot).cid else {
                        throw DAGStoreError(
                            .catalogCorrupt,
                            "an index page has a section without a CID"
                        )
                    }
                    return cid
                }
                guard isWanted else { return }
            }
        }
    }

    /// Hashes every block of a CAR, and returns whether all digests are right and the size of the payload.
    public static func verify(
        _ path: FilePath,
        workers: Int
    ) throws -> (isSound: Bool, bytes: UInt64) {
        let car = try CARFile(opening: path)
        return (car.verify(workers: workers).isSound, car.layout.dataSize)
    }

    /// Returns the first offset that the locator names, unconfirmed.
    public static func firstCandidate(in shard: Shard, of cid: CID) -> UInt64? {
        shard.reader.firstCandidate(of: cid)
    }

    /// Returns the size of a shard's locator in bytes.
    public static func locatorSize(of shard: Shard) -> UInt64 {
        shard.reader.root.segmentSizes.reduce(0) { $0 + UInt64($1) }
    }

    /// Returns the CIDs from number `ordinal` on, in CAR order.
    public static func cids(of shard: Shard, from ordinal: UInt64 = 0) throws -> [CID] {
        var all: [CID] = []
        try shard.forEachEntry(from: ordinal) { entry in
            if let cid = entry.cid { all.append(cid) }
            return true
        }
        return all
    }

    /// Walks over all sections through the page cache, and returns the sum of their sizes.
    public static func walkPages(of shard: Shard) throws -> UInt64 {
        var sum: UInt64 = 0
        for number in shard.reader.root.pages.indices {
            let page = try shard.reader.index.page(number)
            for slot in 0..<page.count { sum &+= page.sectionSize(of: slot) ?? 0 }
        }
        return sum
    }
}
