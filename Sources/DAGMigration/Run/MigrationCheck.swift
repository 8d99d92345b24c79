internal import DAGBytes
package import DAGStorage
internal import SystemPackage

/// The difference between a shard of a store and the same shard of a source.
package struct MigrationDifference: Sendable, CustomStringConvertible {
    /// The key.
    package let key: String
    /// Whether the store has a shard of this key.
    package let isThere: Bool
    /// The number of entries that the store does not have at the source's offsets.
    package let missing: UInt64
    /// The number of multihashes whose inverse entries do not name the shard.
    package let unfindable: UInt64

    /// The difference, for people.
    package var description: String {
        guard isThere else { return "\(key): not in the store" }
        return "\(key): \(missing) entries missing, \(unfindable) not found by multihash"
    }
}

/// Compares a store with a source that was migrated to it.
package struct MigrationCheck: Sendable {
    let source: MigrationSource
    private let importer: ShardImporter
    /// The number of entries after which memory is released; they take about 25 MB of the catalog's pages.
    static let memoryStep: UInt64 = 1 << 18
    private let recordBudget: Int

    /// A comparison of `store` with `source`.
    package init(of source: MigrationSource, with store: DAGStore) {
        self.init(
            of: source,
            importer: ShardImporter(store, sortBudget: 0),
            recordBudget: 96 << 20
        )
    }

    var exporter: ShardExporter { ShardExporter(importer) }

    init(of source: MigrationSource, importer: ShardImporter, recordBudget: Int) {
        self.source = source
        self.importer = importer
        self.recordBudget = recordBudget
    }

    /// Whether the plan says that a shard cannot be migrated, so that the store rightly lacks it.
    package static func isExcused(_ shard: PlannedShard) -> Bool {
        shard.problems.contains {
            [.unusableKey, .unusableMount, .unreadableIndex].contains($0.kind)
        }
    }

    /// Compares a planned shard with the store's.
    ///
    /// The store must have every entry of the source at its offset, and must find every `inverseStep`th entry by its
    /// multihash. The store may have more entries.
    ///
    /// - Parameters:
    ///   - shard: The shard, from a plan of the source.
    ///   - inverseStep: The distance between two entries that are looked up in the inverse index.
    /// - Returns: Nil if there is no difference.
    /// - Throws: `MigrationError`, `DAGStoreError`.
    package func difference(
        of shard: PlannedShard,
        inverseStep: UInt64 = 1
    ) throws -> MigrationDifference? {
        guard let key = try? ShardKey(shard.key), let probe = try importer.inverseProbe(of: key)
        else {
            return MigrationDifference(key: shard.key, isThere: false, missing: 0, unfindable: 0)
        }
        // The migration subtracted the data offset that the store has for the shard.
        let dataOffset = try source.countsFromPieceStart ? importer.dataOffset(of: key) : 0
        guard let records = try source.records(of: shard, dataOffset: dataOffset) else {
            return nil
        }
        let order = try OffsetOrder(records, budget: recordBudget)
        var stored = exporter.sections(of: key)
        var missing: UInt64 = 0
        var unfindable: UInt64 = 0
        var number: UInt64 = 0
        try order.forEach { hashCode, digest, offset in
            if try !stored.hasSection(hashCode: hashCode, digest: digest, at: offset) {
                missing += 1
            }
            if number % inverseStep == 0, try !probe.isFound(digest) { unfindable += 1 }
            number += 1
            if number % Self.memoryStep == 0 { try exporter.giveBackMemory() }
        }
        guard missing + unfindable > 0 else { return nil }
        return MigrationDifference(
            key: shard.key,
            isThere: true,
            missing: missing,
            unfindable: unfindable
        )
    }
}
