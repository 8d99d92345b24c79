internal import Bytes
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
        var stored = StoredOffsets(of: key, in: importer)
        var missing: UInt64 = 0
        var unfindable: UInt64 = 0
        var number: UInt64 = 0
        try order.forEach { hashCode, digest, offset in
            if try !stored.has(offset, hashCode, digest) { missing += 1 }
            if number % inverseStep == 0, try !probe.isFound(digest) { unfindable += 1 }
            number += 1
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

/// The entries of a shard of the store, asked for in order of their offsets.
private struct StoredOffsets {
    private struct Entry {
        let hashCode: UInt64?
        let digest: [UInt8]
        let offset: UInt64
    }

    private let key: ShardKey
    private let importer: ShardImporter
    private var chunk: ArraySlice<Entry> = []
    private var ordinal: UInt64 = 0
    private var isAtEnd = false
    private static let chunkSize = 4096

    init(of key: ShardKey, in importer: ShardImporter) {
        self.key = key
        self.importer = importer
    }

    /// Whether the section at `offset`, not before the last one asked for, has this multihash.
    mutating func has(_ offset: UInt64, _ hashCode: UInt64?, _ digest: ByteView) throws -> Bool {
        while true {
            if chunk.isEmpty, !isAtEnd { try fill() }
            guard let entry = chunk.first, entry.offset <= offset else { return false }
            chunk.removeFirst()
            guard entry.offset == offset else { continue }
            let isSame = entry.hashCode == nil || hashCode == nil || entry.hashCode == hashCode
            return isSame && entry.digest.withView { $0.elementsEqual(digest) }
        }
    }

    private mutating func fill() throws {
        var entries: [Entry] = []
        entries.reserveCapacity(Self.chunkSize)
        _ = try ShardExporter(importer).forEachEntry(of: key, from: ordinal) { entry in
            entries.append(
                Entry(hashCode: entry.hashCode, digest: entry.digest.copied, offset: entry.offset)
            )
            return entries.count < Self.chunkSize
        }
        ordinal += UInt64(entries.count)
        isAtEnd = entries.count < Self.chunkSize
        chunk = entries[...]
    }
}
