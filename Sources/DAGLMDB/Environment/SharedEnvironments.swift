internal import SharedReads

/// Environments that are still read after their owners have closed them.
///
/// A process may open an environment once. A new owner of such an environment gets the same object, so it need not
/// wait for slow readers.
///
/// *Concurrency*: any thread.
enum SharedEnvironments {
    private static let all = Lock<[FileClaim.Identity: Environment]>([:])

    /// Lets this process open an open environment again.
    static func add(_ environment: Environment, _ identity: FileClaim.Identity) {
        all.withLock { $0[identity] = environment }
    }

    /// Adds an owner to the environment of a data file; nil if there is none.
    ///
    /// - Throws: `.alreadyOpen` if the environment is read-only or lacks a table, and the new owner needs more.
    static func addOwner(
        _ identity: FileClaim.Identity,
        _ options: Environment.Options
    ) throws(LMDBError) -> Environment? {
        try all.withLock { all throws(LMDBError) in
            guard let environment = all[identity] else { return nil }
            guard options.isReadOnly || !environment.isReadOnly,
                options.tables.allSatisfy(environment.hasTable)
            else {
                throw LMDBError(
                    .alreadyOpen,
                    words:
                        "this process still has leases of a store that was opened read-only: release them first"
                )
            }
            try environment.addOwner(options)
            return environment
        }
    }

    /// Removes an owner; the last one closes the environment.
    static func removeOwner(_ environment: Environment) {
        // A thread that opens the environment at this moment waits, and opens it again.
        all.withLock { all in
            guard environment.removeOwner() else { return }
            if let identity = environment.identity, all[identity] === environment {
                all[identity] = nil
            }
        }
    }
}

/// A snapshot that outlives the call that took it.
///
/// A snapshot that outlives the call that took it. Writers leave its pages in place.
///
/// *Concurrency*: any thread. It is ended once, before its environment is closed.
package final class LastingSnapshot: Sendable {
    private let environment: Environment
    /// Several threads may use an LMDB read transaction, one at a time.
    private let transaction: Lock<TransactionHandle>

    init(_ environment: Environment, _ transaction: TransactionHandle) {
        self.environment = environment
        self.transaction = Lock(transaction)
    }

    /// Calls `body` with the snapshot.
    ///
    /// - Parameter body: As in `Environment.read`. Other threads wait meanwhile, so `body` must not read through this
    ///   snapshot again.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`.
    package func read<R>(
        _ body: (borrowing ReadTransaction) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        try transaction.withLock { transaction throws(LMDBError) in
            try body(ReadTransaction(transaction))
        }
    }

    /// Ends the snapshot, so that writers can reuse its pages.
    package func end() {
        transaction.withLock { $0.abort() }
        environment.endUse()
    }
}
