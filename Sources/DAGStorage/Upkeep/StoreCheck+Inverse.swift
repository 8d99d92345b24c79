internal import DAGCatalog
internal import ShardIndex
internal import SharedReads

/// The content of the inverse index for a check of all shards.
///
/// *Concurrency*: one thread at a time.
final class InverseChartBox: Sendable {
    let chart: Lock<InverseChart>
    init(_ chart: InverseChart) { self.chart = Lock(chart) }
}

/// The content of an `InverseChartBox`, which is large and never copied.
struct InverseChart: Sendable {
    /// The hashes of recent entries, by shard.
    var recent: [UInt32: Set<UInt64>] = [:]
    /// The number of entries in runs, by shard.
    var counts: [UInt32: UInt64] = [:]
    var checked = CheckedSegments()
    /// The error that made the inverse index unreadable; nil if it is readable.
    var damage: DAGStoreError?
    /// Whether the inverse index lacks entries of a shard.
    var hasGaps = false
}

extension StoreCheck {
    /// Whether there is no inverse index yet, and the read-only store cannot build one.
    private var lacksInverse: Bool { engine.catalog.lacksInverse && engine.catalog.isReadOnly }

    /// Reads the inverse index from end to end.
    func inverseChart() -> InverseChart {
        var chart = InverseChart()
        guard !lacksInverse else { return chart }
        do {
            for entry in try engine.catalog.recentEntries() {
                chart.recent[entry.shard, default: []].insert(entry.hash)
            }
            var counts: [UInt32: UInt64] = [:]
            try engine.catalog.forEachInverseEntry { counts[$0.shard, default: 0] += 1 }
            chart.counts = counts
            let next = try engine.catalog.counters().nextShard
            if let stranger = counts.keys.first(where: { $0 >= next }) {
                chart.damage = DAGStoreError(
                    .catalogCorrupt,
                    "the inverse index names shard number \(stranger), which never was"
                )
            }
        } catch {
            chart.damage = DAGStoreError(any: error)
        }
        return chart
    }

    /// Counts the multihashes of a shard that the inverse index lacks, and its stale entries.
    ///
    /// - Throws: `catalogCorrupt` if the inverse index is unreadable.
    func inverseGaps(
        of record: ShardRecord,
        _ chart: inout InverseChart
    ) throws -> (missing: Int, stale: UInt64) {
        guard !lacksInverse else { return (0, 0) }
        let found = try engine.indexes.withLastingIndex(of: record) { reader in
            var missing = 0
            var hashes: [UInt64] = []
            try reader.forEachHash { hash in
                hashes.append(hash)
                guard hashes.count >= 1 << 14 else { return }
                missing += try count(hashes, missingOf: record.number, &chart)
                hashes.removeAll(keepingCapacity: true)
            }
            missing += try count(hashes, missingOf: record.number, &chart)
            let known = chart.counts[record.number, default: 0]
            return (missing: missing, stale: known - min(known, reader.root.multihashCount))
        }
        return found ?? (0, 0)
    }

    private func count(
        _ hashes: [UInt64],
        missingOf shard: UInt32,
        _ chart: inout InverseChart
    ) throws -> Int {
        let recent = chart.recent[shard, default: []]
        let wanted = hashes.filter { !recent.contains($0) }.sorted()
        let left = try engine.catalog.missing(wanted, of: shard, checked: &chart.checked)
        guard !left.isEmpty else { return 0 }
        // Shards that were indexed meanwhile have newer rows.
        let entries = try engine.catalog.recentEntries()
        let newer = Set(entries.lazy.filter { $0.shard == shard }.map(\.hash))
        chart.recent[shard] = newer
        let rest = left.filter { !newer.contains($0) }
        return try engine.catalog.missing(rest, of: shard, checked: &chart.checked).count
    }

    /// Reports a problem of the whole inverse index; with repairs, rebuilds it first.
    func resolveInverse(_ detail: String, in report: inout CheckReport) async throws {
        var isMended = false
        if options.repairs {
            isMended = (try? await engine.merger.rebuild()) != nil
        }
        add(
            CheckProblem(
                kind: .inverse,
                key: nil,
                detail: detail,
                repair: isMended ? .mended : nil
            ),
            to: &report
        )
    }
}
