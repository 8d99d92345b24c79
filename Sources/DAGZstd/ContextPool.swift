internal import SharedReads

/// Contexts that wait to be used again, because making one costs more than a small call.
///
/// *Limits*: as many wait as the pool has room for; one that comes back to a full pool is freed.
///
/// *Concurrency*: any thread; the lock is held for one push or pop.
final class ContextPool: Sendable {
    /// A context that somebody must use alone, free or give back.
    @safe struct Context: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: zstd's contexts are bound to no thread, and the pool gives each
        // to one user at a time.
        let pointer: OpaquePointer
    }

    private let idle = Lock<[Context]>([])
    private let idleMax: Int
    private let make: @Sendable () -> Context
    private let free: @Sendable (Context) -> Void

    init(
        idleMax: Int,
        make: @escaping @Sendable () -> Context,
        free: @escaping @Sendable (Context) -> Void
    ) {
        self.idleMax = idleMax
        self.make = make
        self.free = free
    }

    deinit {
        for context in idle.withLock({ $0 }) { free(context) }
    }

    /// Calls `body` with a context that nobody else uses meanwhile.
    func withContext<R, E: Error>(_ body: (Context) throws(E) -> R) throws(E) -> R {
        let context = idle.withLock { $0.popLast() } ?? make()
        defer { giveBack(context) }
        return try body(context)
    }

    private func giveBack(_ context: Context) {
        let isKept = idle.withLock { idle in
            guard idle.count < idleMax else { return false }
            idle.append(context)
            return true
        }
        if !isKept { free(context) }
    }
}
