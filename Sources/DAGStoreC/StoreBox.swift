internal import CDAGStore
internal import CDAGSystem
internal import DAGBytes
internal import DAGCAR
internal import DAGMultiformats
internal import DAGStorage
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The object of a store handle.
final class StoreBox: Sendable {
    let store: DAGStore
    /// Runs completions, one after the other.
    private let completions = DispatchQueue(label: "dagstore.completions")
    /// The _async calls without a result.
    let calls = PendingCalls()
    private let isClosed = Atomic<Bool>(false)
    private let forkCount = dagstore_fork_count()

    /// Whether this process opened the store; a forked child lacks the threads of its parent.
    var isOfThisProcess: Bool { dagstore_fork_count() == forkCount }

    init(_ store: DAGStore) {
        self.store = store
        Log.add(store)
    }

    deinit { Log.remove(store) }

    /// Runs a callback on the store's thread for completions.
    func complete(_ body: @escaping @Sendable () -> Void) {
        completions.async { runCallback(body) }
    }

    /// Closes the store, and waits until all completions have returned.
    ///
    /// In a callback it returns at once, and the store closes when the callback has returned.
    func close(cancellingJobs isCancelling: Bool) {
        guard !isInCallback else {
            DispatchQueue(label: "dagstore.closing").async { [self] in
                closeNow(isCancelling)
            }
            return
        }
        closeNow(isCancelling)
    }

    private func closeNow(_ isCancelling: Bool) {
        let store = store
        // Closing throws nothing; `waitForTask` may.
        _ = try? waitForTask { await store.close(cancellingJobs: isCancelling) }
        completions.sync {}
        Log.remove(store)
        if !isClosed.exchange(true, ordering: .relaxed) { Log.write(.info) { "store closed" } }
    }
}

extension Configuration {
    /// Converts the configuration of a C caller.
    ///
    /// - Throws: `INVALID_ARGUMENT`, `INVALID_CONFIGURATION`.
    init(_ config: dagstore_config_t) throws(Failure) {
        self.init()
        try checkFlags(
            config.flags,
            DAGSTORE_OPEN_READ_ONLY,
            DAGSTORE_OPEN_RELAXED,
            DAGSTORE_OPEN_UNMAPPED,
            DAGSTORE_OPEN_REFUSES_NULL_PADDING,
            DAGSTORE_OPEN_CHECKS_PAGES,
            DAGSTORE_OPEN_LEAVES_INTERRUPTED,
            DAGSTORE_OPEN_ALLOWS_PRIVATE
        )
        func hasFlag(_ flag: Int) -> Bool { config.flags & UInt32(flag) != 0 }
        isReadOnly = hasFlag(DAGSTORE_OPEN_READ_ONLY)
        durability = hasFlag(DAGSTORE_OPEN_RELAXED) ? .relaxed : .full
        mapping = hasFlag(DAGSTORE_OPEN_UNMAPPED) ? .never : .whenPossible
        let policy = try Self.check(config.page_policy, 0...2, "page_policy")
        pagePolicy = [.smallest, .zstd, .direct][policy]
        let recovery = try Self.check(config.recovery, 0...2, "recovery")
        self.recovery = [.manual, .onAcquire, .atOpen][recovery]
        mapSize = try Self.check(config.map_size, 0...1 << 47, "map_size")
        sortBudget = try Self.check(config.sort_budget, 0...1 << 47, "sort_budget")
        pageCacheSize = try Self.check(config.page_cache_size, 0...1 << 47, "page_cache_size")
        limits = CARLimits(
            headerSizeMax: min(config.header_size_max, 1 << 40),
            sectionSizeMax: min(config.section_size_max, 1 << 40),
            nullPadding: hasFlag(DAGSTORE_OPEN_REFUSES_NULL_PADDING) ? .refused : .endsData
        )
        let jobs: ClosedRange<UInt32> = 1...1024
        concurrentIndexing = try Self.check(config.concurrent_indexing, jobs, "concurrent_indexing")
        let fetches = config.concurrent_ready_fetches
        concurrentReadyFetches = try Self.check(fetches, jobs, "concurrent_ready_fetches")
        automaticRecoveries = Int(config.automatic_recoveries)
        idleShardsMax = Int(config.idle_shards_max)
        idleBytesMax = limit(config.idle_bytes_max)
        idleTimeMax = limit(config.idle_time_max_ms).map { .milliseconds(Int64(clamping: $0)) }
        transientQuota = limit(config.transient_quota)
        checksPages = hasFlag(DAGSTORE_OPEN_CHECKS_PAGES)
        continuesInterrupted = !hasFlag(DAGSTORE_OPEN_LEAVES_INTERRUPTED)
        if config.fetch_timeout_ms > 0 {
            fetchTimeout = .milliseconds(Int64(clamping: config.fetch_timeout_ms))
        }
        transientHighWatermark = config.transient_high_watermark
        transientLowWatermark = config.transient_low_watermark
        // SAFETY: the caller's function and its context, which are kept for it.
        if let select = unsafe config.select_shards {
            selectShards = unsafe ShardSelection(select, Context(config.select_context)).choose
        }
        // SAFETY: the caller's function and its context, which are kept for it.
        if let index = unsafe config.index {
            indexer = unsafe CIndexer(index, Context(config.index_context)).index
        }
        guard config.reserved == 0 else { throw .argument("reserved is not zero") }
        // SAFETY: the caller's function and its context, which are kept for it.
        observer = unsafe CObserver(config.observe, Context(config.observe_context))
    }

    /// Checks a number against its limits.
    ///
    /// - Throws: `INVALID_CONFIGURATION`.
    private static func check<Number: FixedWidthInteger>(
        _ number: Number,
        _ range: ClosedRange<Number>,
        _ name: String
    ) throws(Failure) -> Int {
        guard range.contains(number) else {
            throw Failure(
                dagstore_status_t(DAGSTORE_INVALID_CONFIGURATION),
                "\(name) is \(number); it may be \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return Int(number)
    }

    /// The configuration for a C caller.
    var forC: dagstore_config_t {
        var config = dagstore_config_t()
        config.size = UInt32(MemoryLayout<dagstore_config_t>.size)
        config.map_size = UInt64(mapSize)
        config.sort_budget = UInt64(sortBudget)
        config.page_cache_size = UInt64(pageCacheSize)
        config.header_size_max = limits.headerSizeMax
        config.section_size_max = limits.sectionSizeMax
        config.concurrent_indexing = UInt32(concurrentIndexing)
        config.concurrent_ready_fetches = UInt32(concurrentReadyFetches)
        config.automatic_recoveries = UInt32(automaticRecoveries)
        config.idle_shards_max = UInt32(idleShardsMax)
        config.idle_bytes_max = .max
        config.idle_time_max_ms = .max
        config.transient_quota = .max
        config.transient_high_watermark = transientHighWatermark
        config.transient_low_watermark = transientLowWatermark
        return config
    }
}

/// The _async calls of a store that have no result, by the context of their callers.
final class PendingCalls: Sendable {
    private let tickets = Lock<[UInt: Set<UInt64>]>([:])

    private static func place(of context: Context) -> UInt {
        // SAFETY: a context is only compared.
        unsafe UInt(bitPattern: context.pointer)
    }

    /// Adds a call, and returns its number.
    func begin(_ context: Context) -> UInt64 {
        let ticket = DAGStore.newTicket()
        _ = tickets.withLock { $0[Self.place(of: context), default: []].insert(ticket) }
        return ticket
    }

    /// Removes a call, which has a result.
    func end(_ ticket: UInt64, _ context: Context) {
        let place = Self.place(of: context)
        tickets.withLock { tickets in
            tickets[place]?.remove(ticket)
            if tickets[place]?.isEmpty == true { tickets[place] = nil }
        }
    }

    /// The calls of a context.
    func tickets(of context: Context) -> Set<UInt64> {
        tickets.withLock { $0[Self.place(of: context)] ?? [] }
    }
}

/// Passes measurements to a caller's function, and lines to the log.
@safe struct CObserver: StoreObserver, @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on threads of the library.
    private let observe: dagstore_observe_fn?
    private let context: Context

    @safe init(_ observe: dagstore_observe_fn?, _ context: Context) {
        // SAFETY: only kept.
        unsafe self.observe = observe
        self.context = context
    }

    func receive(_ measurement: StoreMeasurement) {
        // SAFETY: the caller's function, with its context; the text stays for the call.
        guard let observe = unsafe observe else { return }
        let (seconds, attoseconds) = measurement.duration.components
        let nanoseconds =
            UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        let kind = CText(measurement.kind.rawValue)
        runCallback {
            unsafe observe(context.pointer, kind.start, nanoseconds, measurement.isSuccess)
        }
    }

    func receive(_ line: StoreLogLine) {
        let level: Log.Level =
            switch line.level {
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        Log.write(level) {
            let subject = line.key.map { "shard \($0): " } ?? ""
            let details = line.details.map { ", \($0.name) \($0.value)" }.joined()
            return subject + line.message + details
        }
    }
}

/// Asks a caller which of the shards that may have a block shall be read.
@safe struct ShardSelection: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on any thread.
    private let select: dagstore_select_fn
    private let context: Context

    @safe init(_ select: @escaping dagstore_select_fn, _ context: Context) {
        // SAFETY: only kept.
        unsafe self.select = select
        self.context = context
    }

    func choose(_ cid: CID, _ keys: [ShardKey]) -> [ShardKey] {
        let texts = keys.map { CText($0.text) }
        // SAFETY: `texts` and the arrays stay for the call, and `order` has room for as many as there are keys.
        let starts = unsafe texts.map { unsafe Optional($0.start) }
        var order = [Int](repeating: 0, count: keys.count)
        let count = unsafe cid.bytes.withUnsafeBufferPointer { bytes in
            unsafe starts.withUnsafeBufferPointer { starts in
                runCallback {
                    unsafe select(
                        context.pointer,
                        bytes.baseAddress,
                        bytes.count,
                        starts.baseAddress,
                        keys.count,
                        &order
                    )
                }
            }
        }
        let chosen = withExtendedLifetime(texts) { order.prefix(max(0, min(count, keys.count))) }
        return chosen.filter { keys.indices.contains($0) }.map { keys[$0] }
    }
}
