internal import DAGCatalog
internal import DAGHashing
public import DAGStorage
internal import Dispatch
internal import ShardIndex
internal import SystemPackage

/// Single parts of the inverse index.
extension Measurement {
    /// A digest of 32 bytes, as four little-endian words.
    public typealias Digest = (UInt64, UInt64, UInt64, UInt64)

    /// Registers a shard that has multihashes and no blocks, with the same inverse entries as a real registration.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - store: The store.
    ///   - digests: The number of digests.
    ///   - digest: Returns the digest of a number.
    /// - Throws: `catalogFull`, `readOnly`, `closed`.
    public static func addShard(
        _ key: ShardKey,
        to store: DAGStore,
        digests: Int,
        digest: (Int) -> Digest
    ) throws {
        let engine = store.engine
        engine.merger.waitForRoom()
        let pieces = GenerationWriter(
            catalog: engine.catalog,
            queue: engine.writer,
            temporaryDirectory: engine.directory.appending("tmp"),
            isLoopBusy: { false }
        )
        var builder = InverseBuilder()
        for number in 0..<digests { builder.append(engine.catalog.hash.hash(digest(number)).high) }
        let inverse = try builder.finish(to: pieces)
        let rest = try pieces.finish()
        let parts = IndexParts(
            root: IndexRoot().encoded(policy: .direct),
            generation: rest.generation,
            pieces: rest.pieces,
            inverse: inverse
        )
        var record = ShardRecord(number: 0, key: key.text, mountURL: "", state: .available)
        record.sectionCount = UInt64(digests)
        // The commits of a registration that has been indexed.
        try engine.loop.perform { [record] in
            let inserted = try engine.writer.sync {
                try engine.catalog.commit([.insert(record, pending: nil)])[0]
            }
            let published = try engine.writer.sync {
                try engine.catalog.commit([.publish(inserted, parts)])[0]
            }
            engine.merger.add(inverse, of: published)
        }
    }

    /// Counts the shards that the inverse index names for a digest.
    public static func candidateCount(of digest: Digest, in store: DAGStore) throws -> Int {
        let hash = InverseEntry.hash(of: store.engine.catalog.hash.hash(digest).high)
        return try store.engine.access.reading {
            try store.engine.inverse.candidates(of: hash).count
        }
    }

    /// Waits until the merger has no work.
    public static func waitForMerges(in store: DAGStore) async throws {
        let engine = store.engine
        engine.merger.wake()
        try await engine.merger.run {}
    }
}
