internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardIndex
internal import SharedReads
internal import Synchronization

/// Which runs are merged next.
enum MergePolicy {
    /// So many runs a search may meet when nothing is left to merge.
    static let runsMax = 6
    /// From so many runs of about a size on they are merged.
    static let tierWidth = 4

    /// Chooses runs to merge.
    ///
    /// - Parameters:
    ///   - sizes: The entries of each run.
    ///   - live: About how many entries are of shards that are there.
    /// - Returns: Places in `sizes`, two or more; or all, to clean them; or none.
    static func choose(_ sizes: [UInt64], live: UInt64) -> [Int] {
        let all = sizes.reduce(0, +)
        // More than half of what is there leads nowhere.
        if !sizes.isEmpty, all / 2 > live + 1 << 16 { return Array(sizes.indices) }
        let order = sizes.indices.sorted { sizes[$0] < sizes[$1] }
        if let chosen = fullTier(order.map { (place: $0, size: sizes[$0]) }) { return chosen }
        guard sizes.count > runsMax else { return [] }
        // The smallest ones, as long as the next is not much larger than those before together.
        var chosen = Array(order.prefix(2))
        var sum = sizes[chosen[0]] + sizes[chosen[1]]
        for place in order.dropFirst(2) where sizes[place] <= 2 * sum {
            chosen.append(place)
            sum += sizes[place]
        }
        return chosen
    }

    private static func fullTier(_ runs: [(place: Int, size: UInt64)]) -> [Int]? {
        var start = 0
        while start < runs.count {
            let end =
                runs[start...].firstIndex { $0.size > 4 * max(1, runs[start].size) }
                ?? runs.count
            // What is smaller still goes along for nothing.
            if end - start >= tierWidth { return runs[..<end].map(\.place) }
            start = max(end, start + 1)
        }
        return nil
    }
}

/// Makes runs of the newest entries, and few runs of many, beside everything else.
///
/// *Concurrency*: works on a thread of its own, one thing at a time; any thread may wake it.
final class InverseMerger: Sendable {
    /// A shard is not indexed before the merger has had a turn while so many newest entries are there.
    static let recentMax = 1 << 20
    /// The same for so many runs.
    static let runsMax = 24
    /// Segments of a merge's result in one transaction.
    private static let segmentsPerBatch = 4

    private struct State {
        /// Rows of newest entries before this one are of the tables that take no more, and the other way
        /// round; nil if there are no such tables, or if that is not known.
        var frozenEnd: UInt64?
        /// The entries that were left when everything was cleaned: what leads nowhere and cannot be told.
        var cleanedTo: UInt64 = 0
        var waiters: [DispatchSemaphore] = []
    }

    private let pool = JobPool(label: "dagstore.inverse", width: 1)
    private let isAwake = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let state = Lock(State())

    /// Has its thread look into the store's folders, and then for work.
    func begin(_ engine: StoreEngine) {
        guard engine.beginWork() else { return }
        pool.submit {
            engine.takeUpFolders()
            engine.endCall()
        }
        wake(engine)
    }

    /// Has the merger look for work, soon.
    func wake(_ engine: StoreEngine) {
        guard !isStopped.load(ordering: .relaxed),
            !isAwake.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        guard engine.beginWork() else { return isAwake.store(false, ordering: .relaxed) }
        pool.submit { [self] in
            isAwake.store(false, ordering: .releasing)
            // What fails is tried again after the next change; nothing is lost meanwhile.
            while !isStopped.load(ordering: .relaxed), (try? step(engine)) == true { letGoOn() }
            letGoOn()
            engine.endCall()
        }
    }

    /// Ends what is under way at the next step; merges go on at the next open.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Blocks the thread for a turn of the merger, if there is too much for it to do.
    func waitForRoom(_ engine: StoreEngine) {
        let snapshot = engine.inverse.snapshot
        guard
            snapshot.runs.count > Self.runsMax
                || snapshot.tables.contains(where: { $0.count > Self.recentMax })
        else { return }
        let bell = DispatchSemaphore(value: 0)
        state.withLock { $0.waiters.append(bell) }
        wake(engine)
        // If it is closed or cannot write, nobody rings.
        _ = bell.wait(timeout: .now() + .seconds(1))
    }

    private func letGoOn() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for bell in waiters { bell.signal() }
    }

    /// Does the next thing there is to do.
    ///
    /// - Returns: Whether there may be more.
    private func step(_ engine: StoreEngine) throws -> Bool {
        // What could not be read must not be written over: the doctor builds it anew.
        guard engine.inverse.isSound else { return false }
        if try flush(engine) { return true }
        if try retire(engine) { return true }
        if let merge = try engine.catalog.pendingMerge() { return try resume(merge, engine) }
        let runs = engine.inverse.snapshot.runs
        let live = max(try engine.catalog.counters().sections, state.withLock { $0.cleanedTo })
        let chosen = MergePolicy.choose(runs.map(\.shape.entryCount), live: live)
        guard !chosen.isEmpty else { return false }
        let inputs = chosen.map { runs[$0] }
        let pending = PendingMerge(
            inputs: inputs.map(\.generation),
            shape: InverseMerge.shape(of: inputs.map(\.shape))
        )
        let merge = try engine.writer.sync { try engine.catalog.beginMerge(pending) }
        return try run(merge, inputs, engine)
    }

    // MARK: Newest entries

    /// Makes a run of the newest entries, if they are many, or if some take no more.
    private func flush(_ engine: StoreEngine) throws -> Bool {
        var tables = engine.inverse.snapshot.tables
        let isFull = (tables.last?.count ?? 0) >= engine.configuration.inverseFlushFrom
        guard tables.count > 1 || isFull else { return false }
        var end = state.withLock { $0.frozenEnd }
        if end == nil || tables.count == 1 {
            end = freeze(engine)
            tables = engine.inverse.snapshot.tables
        }
        guard let end else { return false }
        // All of them: the rows before the end are theirs together.
        let frozen = Array(tables.dropLast())
        let entries = try living(frozen.flatMap(\.entries), engine)
        let reader = entries.isEmpty ? nil : try writeRun(entries, forgetting: end, engine)
        if entries.isEmpty {
            try engine.writer.sync { try engine.catalog.retireInverse([], forgetting: end) }
        }
        engine.inverse.change(tables: frozen, adding: reader.map { [$0] } ?? [])
        state.withLock { $0.frozenEnd = nil }
        return true
    }

    /// Entries without those of shards that are gone: a run that is written only to be merged away costs pages in a row,
    /// which a catalogue has no more when many small shards come and go.
    ///
    /// *Cost*: a look at the record of each shard.
    private func living(
        _ entries: [InverseEntry],
        _ engine: StoreEngine
    ) throws -> [InverseEntry] {
        var isThere: [UInt32: Bool] = [:]
        for entry in entries where isThere[entry.shard] == nil {
            isThere[entry.shard] = try engine.catalog.hasRecord(entry.shard)
        }
        return entries.filter { isThere[$0.shard] ?? true }
    }

    /// Has the loop begin a new table, between two of its commits.
    ///
    /// - Returns: Where the rows end whose entries are in the tables before; nil if the store is closed.
    private func freeze(_ engine: StoreEngine) -> UInt64? {
        let bell = DispatchSemaphore(value: 0)
        state.withLock { $0.frozenEnd = nil }
        let letter = Letter.perform { [self] in
            if let end = try? engine.catalog.recentEnd(), engine.inverse.freeze() != nil {
                state.withLock { $0.frozenEnd = end }
            }
            bell.signal()
        }
        guard engine.loop.post(letter) else { return nil }
        bell.wait()
        return state.withLock { $0.frozenEnd }
    }

    /// Runs `body` when nothing else of the merger does.
    func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await pool.run(body)
    }

    /// Everything that is there between two commits; what comes later is not in it.
    ///
    /// - Returns: nil if the store is closed.
    func stateBetweenCommits(_ engine: StoreEngine) -> OldInverse? {
        guard let end = freeze(engine) else { return nil }
        let runs = (try? engine.catalog.runGenerations()) ?? []
        let tables = engine.inverse.snapshot.tables.dropLast()
        return OldInverse(runs: runs, tables: Array(tables), end: end)
    }

    /// Notes that the tables that took no more are gone.
    func noteReplaced() { state.withLock { $0.frozenEnd = nil } }

    /// Writes entries as a run.
    ///
    /// - Parameters:
    ///   - entries: In any order; at least one.
    ///   - end: Rows of newest entries before this one are forgotten.
    ///   - engine: The store.
    /// - Returns: The run.
    /// - Throws: `catalogFull`, `readOnly`.
    func writeRun(
        _ entries: [InverseEntry],
        forgetting end: UInt64,
        _ engine: StoreEngine
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
        let generation = try engine.writer.sync {
            try engine.catalog.publishRun(written, segments.all.map(\.bytes), forgetting: end)
        }
        return try engine.openPublishedRun(generation, written)
    }

    // MARK: Runs

    /// Takes out the runs whose only shard is gone, or has a newer run.
    private func retire(_ engine: StoreEngine) throws -> Bool {
        var isChanged = false
        for run in engine.inverse.snapshot.runs {
            guard let shard = run.onlyShard else { continue }
            guard isOutdated(run, shard, engine) else { continue }
            try engine.writer.sync {
                try engine.catalog.retireRun(run.generation, dropping: run.shape.entryCount)
            }
            engine.inverse.change(removing: [run.generation])
            engine.deleteWhenUnread(run.generation)
            isChanged = true
        }
        return isChanged
    }

    /// Whether a run's only shard is gone, or has a newer run that has all of it.
    ///
    /// A shard whose record cannot be read is there.
    private func isOutdated(
        _ run: InverseRunReader,
        _ shard: UInt32,
        _ engine: StoreEngine
    ) -> Bool {
        do {
            guard let record = try engine.catalog.record(shard) else { return true }
            guard run.generation != record.generation else { return false }
            // Only a shard's own run is known to have all of it; others may each have a part.
            return engine.inverse.snapshot.runs.contains { $0.generation == record.generation }
        } catch {
            return false
        }
    }

    /// Goes on with a merge that the end of a process interrupted.
    private func resume(_ merge: PendingMerge, _ engine: StoreEngine) throws -> Bool {
        let runs = engine.inverse.snapshot.runs
        let inputs = merge.inputs.compactMap { input in runs.first { $0.generation == input } }
        let shape = merge.shape ?? InverseMerge.shape(of: inputs.map(\.shape))
        guard inputs.count == merge.inputs.count, !inputs.isEmpty,
            merge.nextSegment <= UInt64(shape.segmentCount)
        else {
            try engine.writer.sync { try engine.catalog.abandonMerge(merge) }
            return true
        }
        return try run(merge, inputs, engine)
    }

    /// Merges runs, a few segments at a time.
    ///
    /// - Returns: Whether it is done; it is not if the merger is stopped.
    private func run(
        _ begun: PendingMerge,
        _ inputs: [InverseRunReader],
        _ engine: StoreEngine
    ) throws -> Bool {
        var pending = begun
        // What is damaged must not be merged into what is not.
        for input in inputs { try input.check() }
        let shapes = inputs.map(\.shape)
        let live = try LiveShards(of: shapes, in: engine.catalog)
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
            try engine.writer.sync { try engine.catalog.append(segments.all, to: progress) }
            next = end
        }
        var shape = merge.shape
        shape.entryCount = pending.entryCount
        shape.byteCount = pending.byteCount
        let (done, result) = (pending, shape)
        try engine.writer.sync { try engine.catalog.finishMerge(done, result) }
        let isWhole = done.inputs.count == engine.inverse.snapshot.runs.count
        if isWhole { state.withLock { $0.cleanedTo = result.entryCount } }
        let reader = result.entryCount > 0 ? try engine.openPublishedRun(done.output, result) : nil
        engine.inverse.change(removing: Set(done.inputs), adding: reader.map { [$0] } ?? [])
        for input in done.inputs { engine.deleteWhenUnread(input) }
        if reader == nil { engine.deleteWhenUnread(done.output) }
        return true
    }
}

/// Takes segments from a builder.
private final class SegmentList {
    var all: [(number: Int, bytes: [UInt8])] = []
}

/// Which shards of a range of numbers are there.
private struct LiveShards {
    private let least: UInt32
    /// A bit for each; nil if none was ever destroyed.
    private var words: [UInt64]?

    /// *Cost*: a look at every record in the range, unless none was ever destroyed.
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
