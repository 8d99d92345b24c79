internal import CDAGStore
internal import CDAGSystem
internal import DAGBytes
internal import DAGCAR
internal import DAGMultiformats
internal import DAGStorage
internal import Dispatch
internal import Synchronization

/// The object of a store handle.
final class StoreBox: Sendable {
    let store: DAGStore
    /// Runs completions, one after the other.
    private let completions = DispatchQueue(label: "dagstore.completions")
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
            DAGSTORE_OPEN_LEAVES_INTERRUPTED
        )
        func has(_ flag: Int) -> Bool { config.flags & UInt32(flag) != 0 }
        isReadOnly = has(DAGSTORE_OPEN_READ_ONLY)
        durability = has(DAGSTORE_OPEN_RELAXED) ? .relaxed : .full
        mapping = has(DAGSTORE_OPEN_UNMAPPED) ? .never : .whenPossible
        pagePolicy = try Self.choice(
            config.page_policy,
            [.smallest, .zstd, .direct],
            "page_policy"
        )
        recovery = try Self.choice(
            config.recovery,
            [.manual, .onAcquire, .atOpen],
            "recovery"
        )
        mapSize = try Self.size(config.map_size, "map_size")
        sortBudget = try Self.size(config.sort_budget, "sort_budget")
        pageCacheSize = try Self.size(config.page_cache_size, "page_cache_size")
        limits = CARLimits(
            headerSizeMax: min(config.header_size_max, 1 << 40),
            sectionSizeMax: min(config.section_size_max, 1 << 40),
            nullPadding: has(DAGSTORE_OPEN_REFUSES_NULL_PADDING) ? .refused : .endsData
        )
        concurrentIndexing = try Self.count(
            config.concurrent_indexing,
            "concurrent_indexing"
        )
        concurrentReadyFetches = try Self.count(
            config.concurrent_ready_fetches,
            "concurrent_ready_fetches"
        )
        automaticRecoveries = Int(config.automatic_recoveries)
        idleShardsMax = Int(config.idle_shards_max)
        idleBytesMax = limit(config.idle_bytes_max)
        idleTimeMax = limit(config.idle_time_max_ms).map {
            .milliseconds(Int64(clamping: $0))
        }
        transientQuota = limit(config.transient_quota)
        checksPages = has(DAGSTORE_OPEN_CHECKS_PAGES)
        continuesInterrupted = !has(DAGSTORE_OPEN_LEAVES_INTERRUPTED)
        if config.fetch_timeout_ms > 0 {
            fetchTimeout = .milliseconds(Int64(clamping: config.fetch_timeout_ms))
        }
        transientHighWatermark = config.transient_high_watermark
        transientLowWatermark = config.transient_low_watermark
        // SAFETY: the caller's function and its context, which are kept for it.
        if let select = unsafe config.select_shards {
            selectShards = unsafe ShardSelection(select, Context(config.select_context)).choose
        }
    }

    private static func choice<Value>(
        _ number: UInt32,
        _ values: [Value],
        _ name: String
    ) throws(Failure) -> Value {
        guard number < values.count else {
            throw Failure(
                invalidConfiguration,
                "\(name) is \(number); it may be 0 to \(values.count - 1)"
            )
        }
        return values[Int(number)]
    }

    private static func size(_ size: UInt64, _ name: String) throws(Failure) -> Int {
        guard size <= 1 << 47 else {
            throw Failure(invalidConfiguration, "\(name) is \(size); it may be at most 128 TiB")
        }
        return Int(size)
    }

    /// Checks a number of threads or jobs against a limit that no machine needs to exceed.
    private static func count(_ count: UInt32, _ name: String) throws(Failure) -> Int {
        guard (1...1024).contains(count) else {
            throw Failure(invalidConfiguration, "\(name) is \(count); it may be 1 to 1024")
        }
        return Int(count)
    }

    private static var invalidConfiguration: dagstore_status_t {
        dagstore_status_t(DAGSTORE_INVALID_CONFIGURATION)
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

/// Asks a caller which of the shards that may have a block shall be read.
@safe private struct ShardSelection: @unchecked Sendable {
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
        var chosen: [ShardKey] = []
        for index in withExtendedLifetime(texts, { order.prefix(max(0, min(count, keys.count))) })
        where keys.indices.contains(index) {
            chosen.append(keys[index])
        }
        return chosen
    }
}
