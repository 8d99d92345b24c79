internal import CDAGStore
internal import CDAGSystem
internal import DAGBytes
internal import DAGCAR
internal import DAGMultiformats
internal import DAGStorage
internal import Dispatch
internal import Synchronization

/// What a store handle stands for.
final class StoreBox: Sendable {
    let store: DAGStore
    /// Where completions come, one after the other.
    private let completions = DispatchQueue(label: "dagstore.completions")
    private let isClosed = Atomic<Bool>(false)
    private let forkCount = dagstore_fork_count()

    /// Whether the store was opened by this process, and not by the one that it was forked from: that one has the threads.
    var isOfThisProcess: Bool { dagstore_fork_count() == forkCount }

    init(_ store: DAGStore) {
        self.store = store
        Log.add(store)
    }

    deinit { Log.remove(store) }

    /// Calls `body`, which calls the caller back, on the store's thread for completions.
    func complete(_ body: @escaping @Sendable () -> Void) {
        completions.async { callingBack(body) }
    }

    /// Closes the store, and waits until all completions were called.
    ///
    /// In a callback it returns at once, and the store closes when that is over.
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
        // Closing throws nothing; a task may.
        _ = try? awaiting { await store.close(cancellingJobs: isCancelling) }
        completions.sync {}
        Log.remove(store)
        if !isClosed.exchange(true, ordering: .relaxed) { Log.tell(.info) { "store closed" } }
    }
}

extension Configuration {
    /// What a C caller asks for.
    ///
    /// - Throws: `INVALID_ARGUMENT`, `INVALID_CONFIGURATION`.
    init(_ config: dagstore_config_t) throws(Failure) {
        self.init()
        try unsafe checkFlags(
            config.flags,
            DAGSTORE_OPEN_READ_ONLY,
            DAGSTORE_OPEN_RELAXED,
            DAGSTORE_OPEN_UNMAPPED,
            DAGSTORE_OPEN_REFUSES_NULL_PADDING,
            DAGSTORE_OPEN_CHECKS_PAGES,
            DAGSTORE_OPEN_LEAVES_INTERRUPTED
        )
        func has(_ flag: Int) -> Bool { unsafe config.flags & UInt32(flag) != 0 }
        isReadOnly = has(DAGSTORE_OPEN_READ_ONLY)
        durability = has(DAGSTORE_OPEN_RELAXED) ? .relaxed : .full
        mapping = has(DAGSTORE_OPEN_UNMAPPED) ? .never : .whenPossible
        pagePolicy = try unsafe Self.choice(
            config.page_policy,
            [.smallest, .zstd, .direct],
            "page_policy"
        )
        recovery = try unsafe Self.choice(
            config.recovery,
            [.manual, .onAcquire, .atOpen],
            "recovery"
        )
        mapSize = try unsafe Self.size(config.map_size, "map_size")
        sortBudget = try unsafe Self.size(config.sort_budget, "sort_budget")
        pageCacheSize = try unsafe Self.size(config.page_cache_size, "page_cache_size")
        limits = unsafe CARLimits(
            headerSizeMax: min(config.header_size_max, 1 << 40),
            sectionSizeMax: min(config.section_size_max, 1 << 40),
            nullPadding: has(DAGSTORE_OPEN_REFUSES_NULL_PADDING) ? .refused : .endsData
        )
        concurrentIndexing = try unsafe Self.count(
            config.concurrent_indexing,
            "concurrent_indexing"
        )
        concurrentReadyFetches = try unsafe Self.count(
            config.concurrent_ready_fetches,
            "concurrent_ready_fetches"
        )
        automaticRecoveries = unsafe Int(config.automatic_recoveries)
        idleShardsMax = unsafe Int(config.idle_shards_max)
        idleBytesMax = unsafe limit(config.idle_bytes_max)
        idleTimeMax = unsafe limit(config.idle_time_max_ms).map {
            .milliseconds(Int64(clamping: $0))
        }
        transientQuota = unsafe limit(config.transient_quota)
        checksPages = has(DAGSTORE_OPEN_CHECKS_PAGES)
        continuesInterrupted = !has(DAGSTORE_OPEN_LEAVES_INTERRUPTED)
        if unsafe config.fetch_timeout_ms > 0 {
            fetchTimeout = unsafe .milliseconds(Int64(clamping: config.fetch_timeout_ms))
        }
        transientHighWatermark = unsafe config.transient_high_watermark
        transientLowWatermark = unsafe config.transient_low_watermark
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
            throw Failure(invalidConfiguration, "\(name) is \(number)")
        }
        return values[Int(number)]
    }

    private static func size(_ size: UInt64, _ name: String) throws(Failure) -> Int {
        guard size <= 1 << 47 else { throw Failure(invalidConfiguration, "\(name) is \(size)") }
        return Int(size)
    }

    /// Threads and places, of which nobody has so many.
    private static func count(_ count: UInt32, _ name: String) throws(Failure) -> Int {
        guard (1...1024).contains(count) else {
            throw Failure(invalidConfiguration, "\(name) is \(count)")
        }
        return Int(count)
    }

    private static var invalidConfiguration: dagstore_status_t {
        dagstore_status_t(DAGSTORE_INVALID_CONFIGURATION)
    }

    /// The defaults as a C caller sees them.
    var forC: dagstore_config_t {
        var config = unsafe dagstore_config_t()
        unsafe config.size = UInt32(MemoryLayout<dagstore_config_t>.size)
        unsafe config.map_size = UInt64(mapSize)
        unsafe config.sort_budget = UInt64(sortBudget)
        unsafe config.page_cache_size = UInt64(pageCacheSize)
        unsafe config.header_size_max = limits.headerSizeMax
        unsafe config.section_size_max = limits.sectionSizeMax
        unsafe config.concurrent_indexing = UInt32(concurrentIndexing)
        unsafe config.concurrent_ready_fetches = UInt32(concurrentReadyFetches)
        unsafe config.automatic_recoveries = UInt32(automaticRecoveries)
        unsafe config.idle_shards_max = UInt32(idleShardsMax)
        unsafe config.idle_bytes_max = .max
        unsafe config.idle_time_max_ms = .max
        unsafe config.transient_quota = .max
        unsafe config.transient_high_watermark = transientHighWatermark
        unsafe config.transient_low_watermark = transientLowWatermark
        return unsafe config
    }
}

/// The caller's choice among shards that may have a block.
@safe private struct ShardSelection: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on any thread.
    private let select: dagstore_select_fn
    private let context: Context

    init(_ select: @escaping dagstore_select_fn, _ context: Context) {
        unsafe self.select = select
        self.context = context
    }

    func choose(_ cid: CID, _ keys: [ShardKey]) -> [ShardKey] {
        let texts = keys.map { CText($0.text) }
        let starts = unsafe texts.map { unsafe Optional($0.start) }
        var order = [Int](repeating: 0, count: keys.count)
        let count = unsafe cid.bytes.withUnsafeBufferPointer { bytes in
            // SAFETY: everything stays for the call, and `order` has room for as many as there are keys.
            unsafe starts.withUnsafeBufferPointer { starts in
                callingBack {
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
