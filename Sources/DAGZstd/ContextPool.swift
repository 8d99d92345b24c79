internal import SharedReads

/// A pool of idle contexts, because making a context costs more than a small call.
///
/// *Limits*: the pool keeps `idleMax` contexts, and frees each one that returns to a full pool.
///
/// *Concurrency*: any thread; a call holds the lock for one push or pop.
final class ContextPool: Sendable {
    /// A context, which has one user at a time.
    @safe struct Context: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: zstd's contexts belong to no thread, and the pool lends each to one user at
        // a time.
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

    /// Calls `body` with a context that no other thread uses meanwhile.
    func withContext<R, E: Error>(_ body: (Context) throws(E) -> R) throws(E) -> R {
        let context = idle.withLock { $0.popLast() } ?? make()
        defer { returnContext(context) }
        return try body(context)
    }

    private func returnContext(_ context: Context) {
        let isKept = idle.withLock { idle in
            guard idle.count < idleMax else { return false }
            idle.append(context)
            return true
        }
        if !isKept { free(context) }
    }
}
