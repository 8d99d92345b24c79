internal import DAGCatalog
internal import DAGMounts
internal import SharedReads
internal import Synchronization

/// Counts the users of the catalog, and closes it after the last one.
///
/// There are three kinds of users. A *reading* is short, and the catalog does not count it. A *call* lasts longer or
/// crosses an `await`; a closed store refuses new calls. *Work* is the store's own, and goes on until the loop has
/// ended. Leases use the catalog, too: a store that closes gives its lock back while leases are held.
///
/// *Concurrency*: any thread.
package final class CatalogAccess: Sendable {
    private struct State {
        /// Whether the store refuses new calls.
        var isClosed = false
        /// Whether the loop has ended, so that no further shard is opened.
        var isStopped = false
        /// Whether a thread gives the lock back while leases are held, or has given it back.
        var isGivingLockBack = false
        /// Whether `releaseLock` or `close` has ended, so that `DAGStore.close` need not wait for leases.
        var isSettled = false
        /// Whether a thread has begun to close the catalog.
        var isClosingCatalog = false
        /// Whether the catalog is closed, so that the store can be opened again.
        var isCatalogClosed = false
        /// The number of calls and work.
        var uses = 0
        /// Whether readings from before the end of the loop may still run.
        var hasReaders = true
        /// Open shards with leases that outlive the loop.
        var outliving: [OpenShard] = []
        /// Callers that close the store and wait for the uses to end.
        var closers: [CheckedContinuation<Void, Never>] = []

        /// Whether leases alone use the catalog.
        var isIdle: Bool {
            uses == 0 && !hasReaders && isSettled && isClosingCatalog == isCatalogClosed
        }
    }

    let catalog: Catalog
    /// The transients, closed together with the catalog.
    private let transients: TransientStore
    /// The mark under which threads read open shards, indexes, pages and the inverse index, which the loop may free.
    let mark: ReadMark
    private let state = Lock(State())
    /// The same as `State.isClosed`, for readings.
    private let closedFlag = Atomic<Bool>(false)
    /// The store's engine, from its start until its catalog is closed: leases do not count references to it.
    private let owner = Lock<(any AnyObject & Sendable)?>(nil)

    init(_ catalog: Catalog, _ transients: TransientStore, _ mark: ReadMark) {
        self.catalog = catalog
        self.transients = transients
        self.mark = mark
    }

    /// Keeps `owner` alive until the catalog is closed.
    func keepAlive(_ owner: any AnyObject & Sendable) { self.owner.withLock { $0 = owner } }

    /// Whether the store refuses new calls.
    var isClosed: Bool { closedFlag.load(ordering: .acquiring) }

    /// Throws if the store refuses new calls.
    ///
    /// - Throws: `closed`.
    @inline(__always)
    func checkOpen() throws { guard !isClosed else { throw DAGStoreError.storeIsClosed } }

    // MARK: Uses

    /// Calls `body` within a reading of the store's mark.
    ///
    /// `body` is short and does not block. It may use the catalog, and objects that the loop may free: the reclaimer
    /// frees them after the reading. A store that closes keeps its catalog open until then.
    ///
    /// *Cost*: two stores to memory of the calling thread.
    ///
    /// - Throws: `closed`, and the errors of `body`.
    package func reading<R>(_ body: () throws -> R) throws -> R {
        Reading.begin(mark)
        defer { Reading.end() }
        try checkOpen()
        return try body()
    }

    /// Calls `body`, which uses the catalog; a store that closes meanwhile waits for it.
    ///
    /// - Throws: `closed`, and the errors of `body`.
    func using<R>(_ body: () throws -> R) throws -> R {
        try beginCall()
        defer { endUse() }
        return try body()
    }

    /// Begins a call, which `endUse` ends.
    ///
    /// - Throws: `closed`.
    func beginCall() throws {
        try state.withLock { state in
            guard !state.isClosed else { throw DAGStoreError.storeIsClosed }
            state.uses += 1
        }
    }

    /// Begins work of the store's own, which `endUse` ends; it goes on while the store closes.
    ///
    /// - Returns: Whether the catalog is still open.
    func beginWork() -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.uses += 1
            return true
        }
    }

    /// Ends a use that `beginCall` or `beginWork` began.
    func endUse() {
        let isEnding = state.withLock { state in
            state.uses -= 1
            return state.isStopped
        }
        if isEnding { closeIfUnused() }
    }

    // MARK: Closing

    /// Refuses new calls.
    ///
    /// - Returns: Whether this call was the first to do so.
    func refuseCalls() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            closedFlag.store(true, ordering: .sequentiallyConsistent)
            return !state.isClosed
        }
    }

    /// Waits until all uses have ended and the catalog is closed, or leases alone hold the catalog.
    ///
    /// The loop has ended before the call.
    func waitForUses() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                guard !state.isIdle else { return true }
                state.closers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Closes the catalog after its last user; the loop calls this at its end.
    ///
    /// - Parameter shards: Open shards whose leases may outlive the loop.
    func closeAfterUses(outliving shards: [OpenShard]) {
        state.withLock { state in
            state.outliving = shards
            state.isStopped = true
        }
        Reclaimer.after(readersOf: mark) { [self] in
            state.withLock { $0.hasReaders = false }
            closeIfUnused()
        }
    }

    /// Closes the catalog after the last user, and resumes the callers that wait for the end of all uses.
    func closeIfUnused() {
        // Counted outside of the lock, because a shard has a lock of its own. All leases have begun before.
        let outliving = state.withLock { $0.isStopped ? $0.outliving : nil }
        let hasLeases = outliving?.contains { $0.leaseCount > 0 } ?? true
        let isLast = state.withLock { state in
            guard !hasLeases, !state.hasReaders, state.uses == 0, !state.isClosingCatalog else {
                return false
            }
            state.isClosingCatalog = true
            return true
        }
        if hasLeases { releaseLock() }
        if isLast { close() }
        let closers = state.withLock { state in
            guard state.isStopped, state.isIdle else {
                return [] as [CheckedContinuation<Void, Never>]
            }
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
    }

    private func close() {
        transients.close()
        catalog.close()
        // A lease that has just ended may still read its shard and the engine.
        let shards = state.withLock { state in
            state.isCatalogClosed = true
            state.isSettled = true
            defer { state.outliving = [] }
            return state.outliving
        }
        Reclaimer.after(readersOf: mark) { [self] in
            withExtendedLifetime(shards) { owner.withLock { $0 = nil } }
        }
    }

    /// Gives the store's lock back, if leases alone use the catalog, so that a process can open the store again.
    private func releaseLock() {
        let isDue = state.withLock { state in
            guard state.isStopped, !state.hasReaders, state.uses == 0, !state.isGivingLockBack,
                !state.isClosingCatalog
            else { return false }
            state.isGivingLockBack = true
            // No thread may close the catalog meanwhile.
            state.uses += 1
            return true
        }
        guard isDue else { return }
        transients.close()
        // If this fails, the last lease gives it back.
        try? catalog.releaseLock()
        state.withLock { $0.isSettled = true }
        endUse()
    }
}

extension DAGStoreError {
    static var storeIsClosed: DAGStoreError { DAGStoreError(.closed, "the store is closed") }
    static var storeIsReadOnly: DAGStoreError {
        DAGStoreError(.readOnly, "the store was opened read-only")
    }
}
