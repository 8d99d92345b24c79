internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardIndex
internal import SharedReads

/// One check of a store.
final class StoreCheck: Sendable {
    /// The largest number of findings in the catalog's rows.
    private static let findingsMax = 10_000

    let engine: StoreEngine
    let options: CheckOptions
    private let progress: (@Sendable (CheckProblem) -> Void)?
    /// A pool of one thread, so that long reads do not delay the store's own jobs.
    let pool = JobPool(label: "dagstore.check", width: 1)

    init(
        _ engine: StoreEngine,
        _ options: CheckOptions,
        _ progress: (@Sendable (CheckProblem) -> Void)?
    ) {
        self.engine = engine
        self.options = options
        self.progress = progress
    }

    func run() async throws -> CheckReport {
        var report = CheckReport()
        // The next steps walk with LMDB, which trusts its pages.
        let pages = try await pool.run { [engine] in
            try translating { try engine.catalog.damagedPages(limit: 100) }
        }
        guard pages.isEmpty else {
            for page in pages {
                add(
                    CheckProblem(kind: .catalogPage, key: nil, detail: page, repair: nil),
                    to: &report
                )
            }
            return report
        }
        for damage in try await pool.run({ [self] in try catalogDamage() }) {
            add(try await pool.run { [self] in mend(damage) }, to: &report)
        }
        let chart = try await pool.run { [self] in InverseChartBox(inverseChart()) }
        let damage = chart.chart.withLock { $0.damage }
        if let damage { try await resolveInverse(damage.message, in: &report) }
        var last: UInt32?
        while true {
            try Task.checkCancellation()
            let records = try await pool.run { [engine, last] in
                try translating { try engine.catalog.records(after: last, limit: 64) }
            }
            guard let end = records.last else { break }
            last = end.number
            for record in records {
                try Task.checkCancellation()
                try await examine(record, &report, chart)
            }
        }
        // Once for all shards, because a rebuilt index has all entries.
        if chart.chart.withLock({ $0.hasGaps }) {
            try await resolveInverse("the inverse index lacks what shards have", in: &report)
        }
        if report.failed > 0, report.failed == report.shards {
            let detail = "all shards have failed, \(report.failed) of them: see `status` of each"
            add(CheckProblem(kind: .failed, key: nil, detail: detail, repair: nil), to: &report)
        }
        return report
    }

    func add(_ problem: CheckProblem, to report: inout CheckReport) {
        report.problems.append(problem)
        progress?(problem)
    }

    // MARK: The catalog

    /// Returns the contradictions that two scans find; one scan may misread rows that are written meanwhile.
    private func catalogDamage() throws -> [CatalogDamage] {
        try translating {
            let first = try engine.catalog.damage(limit: Self.findingsMax)
            guard !first.isEmpty else { return [] }
            let second = try engine.catalog.damage(limit: Self.findingsMax)
            return second.filter { finding in
                first.contains {
                    $0.kind == finding.kind && $0.shard == finding.shard
                        && $0.generation == finding.generation
                }
            }
        }
    }

    private func mend(_ damage: CatalogDamage) -> CheckProblem {
        let kind: CheckProblem.Kind =
            switch damage.kind {
            case .countersWrong: .counters
            case .generationOrphaned, .runOrphaned: .orphanIndex
            case .generationWithoutRoot, .generationNamedTwice: .index
            default: .catalogRow
            }
        var isMended = false
        if options.repairs { isMended = (try? repair(damage)) ?? false }
        return CheckProblem(
            kind: kind,
            key: damage.key.map { ShardKey(stored: $0) },
            detail: damage.detail,
            repair: isMended ? .mended : nil
        )
    }

    /// Repairs damage, if this loses nothing.
    ///
    /// - Returns: Whether the damage is repaired.
    private func repair(_ damage: CatalogDamage) throws -> Bool {
        try engine.writer.sync {
            switch damage.kind {
            case .countersWrong: try engine.catalog.repairCounters()
            case .generationOrphaned:
                guard let generation = damage.generation else { return false }
                try engine.catalog.dropOrphanGeneration(generation)
            case .runOrphaned:
                guard let generation = damage.generation else { return false }
                try engine.catalog.dropOrphanRun(generation)
            case .recordWithoutKey:
                guard let number = damage.shard, let record = try engine.catalog.record(number)
                else { return false }
                try engine.catalog.restoreKeyRow(record)
            case .pendingWithoutRecord:
                guard let number = damage.shard else { return false }
                try engine.catalog.dropPending(number)
            default: return false
            }
            return true
        }
    }

    // MARK: Shards

    private func examine(
        _ record: ShardRecord,
        _ report: inout CheckReport,
        _ chart: InverseChartBox
    ) async throws {
        report.shards += 1
        guard record.state != .failed else { return try await resolve(failed: record, &report) }
        guard record.state == .available else { return }
        let key = ShardKey(stored: record.key)
        let faults = try await pool.run { [self] in try indexFaults(record) }
        report.entries += record.sectionCount
        if let fault = faults.first {
            let more = faults.count > 1 ? " (and \(faults.count - 1) more)" : ""
            let error = DAGStoreError(.catalogCorrupt, fault + more)
            return try await resolve(.index, record, error, in: &report)
        }
        try await compare(record, chart, &report)
        guard !record.isIncomplete else { return try await resolve(unread: record, &report) }
        do {
            guard try await pool.run({ [self] in try isWithinReach(record) }) else {
                report.skipped += 1
                return
            }
        } catch let error as DAGStoreError {
            // Resources that this process lacks say nothing about the shard.
            guard !error.code.isOwn else { throw error }
            let isOther = error.code == .sourceChanged
            let kind: CheckProblem.Kind = isOther ? .sourceChanged : .sourceUnreachable
            return try await resolve(kind, record, error, in: &report)
        }
        guard options.isDeep else { return }
        do {
            let shard = try engine.openShards.lease(key) ?? engine.requests.leaseBlocking(key)
            guard let shard else {
                report.skipped += 1
                return
            }
            defer { shard.release() }
            let hashed = try await pool.run { [self] in try hashBlocks(of: shard.reader) }
            report.blocks += hashed.blocks
            report.bytes += hashed.bytes
            report.unverified += hashed.unverified
            if let ignored = hashed.ignored {
                report.ignoredBytes += ignored.count
                report.warnings.append(
                    CheckWarning(key: key, offset: ignored.offset, detail: ignored.detail)
                )
            }
        } catch let error as DAGStoreError where error.code == .shardUnknown {
            return
        } catch let error as DAGStoreError {
            guard !error.code.isOwn else { throw error }
            try await resolve(.block, record, error, in: &report)
        }
    }

    /// Recovers a failed shard whose source is back, with repairs.
    ///
    /// A shard that stays failed has its own error, and is no problem of the store.
    private func resolve(failed record: ShardRecord, _ report: inout CheckReport) async throws {
        let key = ShardKey(stored: record.key)
        guard options.repairs, (try? await engine.requests.ask(.recover, key)) != nil else {
            report.failed += 1
            return
        }
        add(
            CheckProblem(
                kind: .failed,
                key: key,
                detail: record.errorText,
                repair: .reindexed
            ),
            to: &report
        )
    }

    /// Reads the CAR of a migrated shard, with repairs.
    private func resolve(unread record: ShardRecord, _ report: inout CheckReport) async throws {
        guard options.repairs else {
            report.unread += 1
            return
        }
        let key = ShardKey(stored: record.key)
        do {
            _ = try await engine.requests.ask(.initialize, key)
        } catch let error as DAGStoreError {
            guard !error.code.isOwn else { throw error }
            let after = try await pool.run { [engine] in try engine.catalog.record(record.number) }
            guard let after else { return }
            let isFailed = after.state == .failed
            add(
                CheckProblem(
                    kind: error.code == .sourceChanged ? .sourceChanged : .sourceUnreachable,
                    key: key,
                    detail: error.message,
                    repair: isFailed ? .markedFailed : nil
                ),
                to: &report
            )
        }
    }

    /// Compares a shard's index with the inverse index.
    private func compare(
        _ record: ShardRecord,
        _ chart: InverseChartBox,
        _ report: inout CheckReport
    ) async throws {
        report.staleEntries += try await pool.run { [self] in
            try chart.chart.withLock { chart in
                guard chart.damage == nil else { return 0 }
                let gaps = try translating { try inverseGaps(of: record, &chart) }
                chart.hasGaps = chart.hasGaps || gaps.missing > 0
                return gaps.stale
            }
        }
    }

    /// Reports a problem of a shard; with repairs, first indexes the shard again or marks it as failed.
    private func resolve(
        _ kind: CheckProblem.Kind,
        _ record: ShardRecord,
        _ error: DAGStoreError,
        in report: inout CheckReport
    ) async throws {
        // A shard that was destroyed or indexed again meanwhile has no such problem.
        let now = try await pool.run { [engine] in try engine.catalog.record(record.number) }
        guard now?.generation == record.generation, now?.state == .available || kind == .block
        else { return }
        var repair: CheckProblem.Repair?
        let key = ShardKey(stored: record.key)
        // An absent source may come back by itself, so the shard stays available. Wrong bytes of one block leave the
        // others readable, and indexing reads the same bytes again: only another copy of the CAR mends them.
        if options.repairs, !error.code.isAway, error.code != .hashMismatch {
            engine.loop.post(.lost(key, generation: record.generation, error))
            do {
                _ = try await engine.requests.ask(.recover, key)
                repair = .reindexed
            } catch is DAGStoreError {
                let after = try await pool.run { [engine] in
                    try engine.catalog.record(record.number)
                }
                repair = after?.state == .failed ? .markedFailed : nil
            }
        }
        let problem = CheckProblem(kind: kind, key: key, detail: error.message, repair: repair)
        add(problem, to: &report)
    }

    /// Returns the faults of an index, without its source.
    private func indexFaults(_ record: ShardRecord) throws -> [String] {
        let catalog = engine.catalog
        let generation = record.generation
        let pin = engine.indexes.pin(record)
        defer { withExtendedLifetime(pin) {} }
        do {
            let root = try catalog.root(generation)
            var faults: [String] = []
            if root.sectionCount != record.sectionCount || root.payloadSize != record.payloadSize {
                faults.append("the root page has other counts than the record")
            }
            let pinned = try root.segmentSizes.indices.map {
                try catalog.segment(generation, UInt32($0))
            }
            let segments = try pinned.map { try LocatorSegment(reading: $0.bytes) }
            var check = IndexCheck(root: root, segments: segments, hash: catalog.hash)
            check.run { try IndexReader.decodedPage($0, of: root, generation, in: catalog) }
            return withExtendedLifetime(pinned) { faults + check.problems }
        } catch {
            guard !DAGStoreError(any: error).code.isOwn else { throw error }
            let isGone = try catalog.record(record.number)?.generation != generation
            return isGone ? [] : ["\(DAGStoreError(any: error).message)"]
        }
    }
}
