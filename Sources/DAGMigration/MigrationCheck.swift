internal import DAGBytes
public import DAGStorage
internal import SystemPackage

/// How a shard of a store differs from its source.
public struct MigrationDifference: Sendable, CustomStringConvertible {
    /// The key.
    public let key: String
    /// Whether the store has a shard of this key.
    public let isThere: Bool
    /// The entries of the source that the store does not have at their offsets.
    public let missing: UInt64
    /// The multihashes whose inverse entries do not lead to the shard.
    public let unfindable: UInt64

    /// What is different, for people.
    public var description: String {
        guard isThere else { return "\(key): not in the store" }
        return "\(key): \(missing) entries missing, \(unfindable) not found by multihash"
    }
}

/// Compares a store with a source that was taken over.
public struct MigrationCheck: Sendable {
    let source: MigrationSource
    private let importer: ShardImporter
    /// After so many entries the catalogue's pages are given back, some 25 MB.
    static let memoryStep: UInt64 = 1 << 18
    private let recordBudget: Int

    /// A comparison of `store` with `source`.
    public init(of source: MigrationSource, with store: DAGStore) {
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

    /// Whether a plan says that a shard cannot come over, so that it is no fault if it is not there.
    public static func isExcused(_ shard: PlannedShard) -> Bool {
        shard.problems.contains {
            [.unusableKey, .unusableMount, .unreadableIndex].contains($0.kind)
        }
    }

    /// How a planned shard differs from the store's.
    ///
    /// Every entry of the source must stand in the store at its offset, and every `inverseStep`th must be found
    /// by its multihash; that the store has more is no difference.
    ///
    /// - Parameters:
    ///   - shard: The shard, of a plan of the source.
    ///   - inverseStep: Of how many entries one is looked up in the inverse index.
    /// - Returns: Nil if nothing is different.
    /// - Throws: `MigrationError`, `DAGStoreError`.
    public func difference(
        of shard: PlannedShard,
        inverseStep: UInt64 = 1
    ) throws -> MigrationDifference? {
        guard let key = try? ShardKey(shard.key), let probe = try importer.inverseProbe(of: key)
        else {
            return MigrationDifference(key: shard.key, isThere: false, missing: 0, unfindable: 0)
        }
        // Boost counts from the start of the piece; what was subtracted is known of the shard.
        let dataOffset = try source.layout == .boostLID ? importer.dataOffset(of: key) : 0
        guard let records = try source.records(of: shard, dataOffset: dataOffset) else {
            return nil
        }
        let order = try OffsetOrder(records, budget: recordBudget)
        var stored = exporter.sections(of: key)
        var missing: UInt64 = 0
        var unfindable: UInt64 = 0
        var number: UInt64 = 0
        try order.forEach { hashCode, digest, offset in
            if try !stored.has(hashCode: hashCode, digest: digest, at: offset) { missing += 1 }
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
