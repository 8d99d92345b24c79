internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardIndex
internal import SharedReads
internal import Synchronization

/// Makes runs of the recent entries, and merges runs, in the background.
///
/// *Concurrency*: does one step at a time, on a thread of its own; any thread may wake it.
package final class InverseMerger: Sendable {
    /// The number of recent entries above which an indexing job waits for the merger.
    static let recentMax = 1 << 20
    /// The number of runs above which an indexing job waits for the merger.
    static let runsMax = 24
    /// The number of segments of a merge's result in one transaction.
    private static let segmentsPerBatch = 4

    private struct State {
        /// The first row of the growing table: all earlier rows belong to frozen tables.
        ///
        /// Nil if no table is frozen, or the row is unknown.
        var frozenEnd: UInt64?
        /// The number of entries after the last merge of all runs; some may be stale, which the merger cannot
        /// recognize.
        var cleanedTo: UInt64 = 0
        var waiters: [DispatchSemaphore] = []
    }

    let access: CatalogAccess
    let catalog: Catalog
    let inverse: InverseIndex
    let indexes: ShardIndexes
    let configuration: Configuration
    /// The queue of all write transactions.
    let writer: DispatchQueue
    private let loop: LoopInbox
    private let deleter: GenerationDeleter
    private let runPins: GenerationPins
    private let pool = JobPool(label: "dagstore.inverse", width: 1)
    private let isAwake = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let state = Lock(State())

    init(
        _ parts: StoreEngine.Parts,
        _ inverse: InverseIndex,
        _ indexes: ShardIndexes,
        _ deleter: GenerationDeleter
    ) {
        access = parts.access
        catalog = parts.access.catalog
        self.inverse = inverse
        self.indexes = indexes
        configuration = parts.configuration
        writer = parts.writer
        loop = parts.loop
        self.deleter = deleter
        runPins = GenerationPins { deleter.deleteRunLater($0) }
    }

    /// Runs `first` on the merger's thread, and then looks for work.
    func begin(after first: @escaping @Sendable () -> Void) {
        guard access.beginWork() else { return }
        pool.submit { [self] in
            first()
            access.endUse()
        }
        wake()
    }

    /// Asks the merger to look for work soon.
    package func wake() {
        guard !isStopped.load(ordering: .relaxed),
            !isAwake.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        guard access.beginWork() else { return isAwake.store(false, ordering: .relaxed) }
        pool.submit { [self] in
            isAwake.store(false, ordering: .releasing)
            // The next change retries a failed step; its entries are safe meanwhile.
            while !isStopped.load(ordering: .relaxed), (try? step()) == true { resumeWaiters() }
            resumeWaiters()
            access.endUse()
        }
    }

    /// Stops the merger at the next step; the next open continues merges.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Blocks the thread until the next step of the merger has ended, if too much work waits.
    package func waitForRoom() {
        let snapshot = inverse.snapshot
        guard
            snapshot.runs.count > Self.runsMax
                || snapshot.tables.contains(where: { $0.count > Self.recentMax })
        else { return }
        let bell = DispatchSemaphore(value: 0)
        state.withLock { $0.waiters.append(bell) }
        wake()
        // If the store is closed or cannot write, no signal comes.
        _ = bell.wait(timeout: .now() + .seconds(1))
    }

    private func resumeWaiters() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for bell in waiters { bell.signal() }
    }

    /// Does the next step.
    ///
    /// - Returns: Whether there may be further steps.
    private func step() throws -> Bool {
        // The merger leaves a damaged index as it is; a check rebuilds it.
        guard inverse.isSound else { return false }
        if try flush() { return true }
        if try retire() { return true }
        if let merge = try catalog.pendingMerge() {
            return try reporter.measure(.merge) { try resume(merge) }
        }
        let runs = inverse.snapshot.runs
        let live = max(try catalog.counters().sections, state.withLock { $0.cleanedTo })
        let chosen = MergePolicy.choose(runs.map(\.shape.entryCount), live: live)
        guard !chosen.isEmpty else { return false }
        let inputs = chosen.map { runs[$0] }
        let pending = PendingMerge(
            inputs: inputs.map(\.generation),
            shape: InverseMerge.shape(of: inputs.map(\.shape))
        )
        let merge = try writer.sync { try catalog.beginMerge(pending) }
        return try reporter.measure(.merge) { try run(merge, inputs) }
    }

    private var reporter: StoreReporter { StoreReporter(observer: configuration.observer) }

    // MARK: Newest entries

    /// Makes a run of the recent entries, if there are many, or if a table is frozen.
    private func flush() throws -> Bool {
        var tables = inverse.snapshot.tables
        let isFull = (tables.last?.count ?? 0) >= configuration.inverseFlushFrom
        guard tables.count > 1 || isFull else { return false }
        var end = state.withLock { $0.frozenEnd }
        if end == nil || tables.count == 1 {
            end = freezeTables()
            tables = inverse.snapshot.tables
        }
        guard let end else { return false }
        // All frozen tables together, because the rows before `end` belong to all of them.
        let frozen = Array(tables.dropLast())
        let entries = try entriesWithRecord(frozen.flatMap(\.entries))
        let reader = entries.isEmpty ? nil : try writeRun(entries, forgetting: end)
        if entries.isEmpty {
            try writer.sync { try catalog.retireInverse([], forgetting: end) }
        }
        inverse.change(tables: frozen, adding: reader.map { [$0] } ?? [])
        state.withLock { $0.frozenEnd = nil }
        return true
    }

    /// Returns the entries of shards that have a record.
    ///
    /// A run with stale entries would need more contiguous pages, which are scarce after many destructions.
    ///
    /// *Cost*: a look-up of the record of each shard.
    func entriesWithRecord(
        _ entries: [InverseEntry]
    ) throws -> [InverseEntry] {
        var isThere: [UInt32: Bool] = [:]
        for entry in entries where isThere[entry.shard] == nil {
            isThere[entry.shard] = try catalog.hasRecord(entry.shard)
        }
        return entries.filter { isThere[$0.shard] ?? true }
    }

    /// Asks the loop to begin a new table between two commits, and waits for the loop.
    ///
    /// - Returns: The first row of the new table; nil if the store is closed.
    private func freezeTables() -> UInt64? {
        state.withLock { $0.frozenEnd = nil }
        let end = try? loop.perform { [self] in
            let end = try catalog.recentEnd()
            return inverse.beginTable() == nil ? nil : end
        }
        guard let end else { return nil }
        state.withLock { $0.frozenEnd = end }
        return end
    }

    /// Runs `body` on the merger's thread, between two steps.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await pool.run(body)
    }

    /// Returns the whole inverse index between two commits; nil if the store is closed.
    func stateBetweenCommits() -> OldInverse? {
        guard let end = freezeTables() else { return nil }
        let runs = (try? catalog.runGenerations()) ?? []
        let tables = inverse.snapshot.tables.dropLast()
        return OldInverse(runs: runs, tables: Array(tables), end: end)
    }

    /// Forgets the frozen tables, which were replaced.
    func forgetFrozenTables() { state.withLock { $0.frozenEnd = nil } }

    /// Writes entries as a run.
    ///
    /// - Parameters:
    ///   - entries: At least one entry, in any order.
    ///   - end: The row of recent entries before which the call deletes rows.
    /// - Returns: The run.
    /// - Throws: `catalogFull`, `readOnly`.
    func writeRun(
        _ entries: [InverseEntry],
        forgetting end: UInt64
    ) throws -> InverseRunReader {
        let sorted = entries.sorted(by: <)
        var least = UInt32.max
        var greatest: UInt32 = 0
        for entry in sorted {
            least = min(least, entry.shard)
            greatest = max(greatest, entry.shard)
        }
        let shape = InverseRunShape(entries: UInt64(sorted.count), shards: least...greatest)
        let segments = SegmentList()
        var builder = InverseRunBuilder(shape) { segments.all.append(($0, $1)) }
        for entry in sorted { try builder.append(entry) }
        let written = try builder.finish()
        let generation = try writer.sync {
            try catalog.publishRun(written, segments.all.map(\.bytes), forgetting: end)
        }
        return try openPublishedRun(generation, written)
    }

    // MARK: Runs

    /// Opens a run of the catalog.
    func openRun(_ generation: UInt64, _ shape: InverseRunShape) throws -> InverseRunReader {
        try InverseRunReader(generation, shape, in: catalog, pin: runPins.pin(generation))
    }

    /// Opens a published run; if this fails, later searches throw, because they would miss its entries.
    func openPublishedRun(
        _ generation: UInt64,
        _ shape: InverseRunShape
    ) throws -> InverseRunReader {
        do {
            return try openRun(generation, shape)
        } catch {
            inverse.markDamaged()
            throw error
        }
    }

    /// Deletes a removed run, now or after its last reader.
    func deleteWhenUnread(_ generation: UInt64) {
        if runPins.isUnread(generation) { deleter.deleteRunLater(generation) }
    }

    /// Removes the runs whose only shard is destroyed, or has a newer run.
    private func retire() throws -> Bool {
        var isChanged = false
        for run in inverse.snapshot.runs {
            guard let shard = run.onlyShard else { continue }
            guard isOutdated(run, shard) else { continue }
            try writer.sync {
                try catalog.retireRun(run.generation, dropping: run.shape.entryCount)
            }
            inverse.change(removing: [run.generation])
            deleteWhenUnread(run.generation)
            isChanged = true
        }
        return isChanged
    }

    /// Returns whether a run's only shard is destroyed, or has a newer run with all its entries.
    ///
    /// A shard with an unreadable record counts as existing.
    private func isOutdated(
        _ run: InverseRunReader,
        _ shard: UInt32
    ) -> Bool {
        do {
            guard let record = try catalog.record(shard) else { return true }
            guard run.generation != record.generation else { return false }
            // Only a shard's own run certainly has all its entries; other runs may have some of them.
            return inverse.snapshot.runs.contains { $0.generation == record.generation }
        } catch {
            return false
        }
    }

    /// Continues a merge that the end of a process interrupted.
    private func resume(_ merge: PendingMerge) throws -> Bool {
        let runs = inverse.snapshot.runs
        let inputs = merge.inputs.compactMap { input in runs.first { $0.generation == input } }
        let shape = merge.shape ?? InverseMerge.shape(of: inputs.map(\.shape))
        guard inputs.count == merge.inputs.count, !inputs.isEmpty,
            merge.nextSegment <= UInt64(shape.segmentCount)
        else {
            try writer.sync { try catalog.abandonMerge(merge) }
            return true
        }
        return try run(merge, inputs)
    }

    /// Merges runs, a few segments at a time.
    ///
    /// - Returns: Whether the merge is complete; false if the merger was stopped.
    private func run(
        _ begun: PendingMerge,
        _ inputs: [InverseRunReader]
    ) throws -> Bool {
        var pending = begun
        // Damage of an input must not get into the result.
        for input in inputs { try input.check() }
        let shapes = inputs.map(\.shape)
        let live = try LiveShards(of: shapes, in: catalog)
        let merge = InverseMerge(inputs.map(\.run), shape: begun.shape) { live.contains($0) }
        var next = Int(pending.nextSegment)
        while next < merge.shape.segmentCount {
            guard !isStopped.load(ordering: .relaxed) else { return false }
            let end = min(next + Self.segmentsPerBatch, merge.shape.segmentCount)
            let segments = SegmentList()
            var builder = InverseRunBuilder(merge.shape, from: next) {
                segments.all.append(($0, $1))
            }
            pending.dropped += try merge.run(next..<end, into: &builder)
            let written = try builder.finish(before: end)
            pending.entryCount += written.entryCount
            pending.byteCount += written.byteCount
            pending.nextSegment = UInt64(end)
            let progress = pending
            try writer.sync { try catalog.append(segments.all, to: progress) }
            next = end
        }
        var shape = merge.shape
        shape.entryCount = pending.entryCount
        shape.byteCount = pending.byteCount
        let (done, result) = (pending, shape)
        try writer.sync { try catalog.finishMerge(done, result) }
        let isWhole = done.inputs.count == inverse.snapshot.runs.count
        if isWhole { state.withLock { $0.cleanedTo = result.entryCount } }
        let reader = result.entryCount > 0 ? try openPublishedRun(done.output, result) : nil
        inverse.change(removing: Set(done.inputs), adding: reader.map { [$0] } ?? [])
        for input in done.inputs { deleteWhenUnread(input) }
        if reader == nil { deleteWhenUnread(done.output) }
        return true
    }
}

/// The segments from a builder.
private final class SegmentList {
    var all: [(number: Int, bytes: [UInt8])] = []
}

/// The shards that exist in a range of numbers.
private struct LiveShards {
    private let least: UInt32
    /// A bit for each shard; nil if no shard was ever destroyed.
    private var words: [UInt64]?

    /// Reads the numbers of the existing shards.
    ///
    /// *Cost*: a look at every record in the range; nothing if no shard was ever destroyed.
    init(of shapes: [InverseRunShape], in catalog: Catalog) throws {
        least = shapes.map(\.leastShard).min() ?? 0
        let counters = try catalog.counters()
        guard counters.shards != UInt64(counters.nextShard) - 1 else { return }
        var words: [UInt64] = []
        let least = least
        try catalog.forEachShard(from: least) { number in
            let place = Int(number - least)
            while words.count <= place >> 6 { words.append(0) }
            words[place >> 6] |= 1 << UInt64(place & 63)
        }
        self.words = words
    }

    func contains(_ shard: UInt32) -> Bool {
        guard let words else { return true }
        let place = Int(shard) - Int(least)
        guard place >= 0, place >> 6 < words.count else { return false }
        return words[place >> 6] & 1 << UInt64(place & 63) != 0
    }
}
