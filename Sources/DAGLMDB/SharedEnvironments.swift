internal import SharedReads

/// Environments that their owners have left while somebody still reads them.
///
/// A process may open an environment once. Whoever opens one that is here again gets the same one, so that nobody is locked
/// out by readers that take long.
///
/// *Concurrency*: any thread.
enum SharedEnvironments {
    private static let all = Lock<[FileClaim.Identity: Environment]>([:])

    /// Notes that an environment may be opened again while it is open.
    static func add(_ environment: Environment, _ identity: FileClaim.Identity) {
        all.withLock { $0[identity] = environment }
    }

    /// One more owner of the environment with a data file, if it is here and was opened in a way that serves this one.
    ///
    /// - Throws: `.alreadyOpen` if it was opened read-only, and is to be written.
    static func join(
        _ identity: FileClaim.Identity,
        _ options: Environment.Options
    ) throws(LMDBError) -> Environment? {
        try all.withLock { all throws(LMDBError) in
            guard let environment = all[identity] else { return nil }
            guard options.isReadOnly || !environment.isReadOnly,
                options.tables.allSatisfy(environment.has)
            else {
                throw LMDBError(
                    .alreadyOpen,
                    words:
                        "this process still has leases of a store that was opened read-only: release them first"
                )
            }
            try environment.join(options)
            return environment
        }
    }

    /// Lets an owner go; the last one closes the environment.
    static func leave(_ environment: Environment) {
        // Whoever opens it at this moment waits, and opens it anew.
        all.withLock { all in
            guard environment.leave() else { return }
            if let identity = environment.identity, all[identity] === environment {
                all[identity] = nil
            }
        }
    }
}

/// A snapshot that outlives the calls around it: what it sees stays where it is, whoever writes.
///
/// *Concurrency*: any thread; it is ended once, and before its environment is closed.
package final class LastingSnapshot: Sendable {
    private let environment: Environment
    /// LMDB lets several threads use a read transaction, one at a time.
    private let transaction: Lock<TransactionHandle>

    init(_ environment: Environment, _ transaction: TransactionHandle) {
        self.environment = environment
        self.transaction = Lock(transaction)
    }

    /// Calls `body` with the snapshot.
    ///
    /// - Parameter body: As in `Environment.read`; others wait meanwhile, so that it must not read through this again.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package func read<R>(
        _ body: (borrowing ReadTransaction) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        try transaction.withLock { transaction throws(LMDBError) in
            try body(ReadTransaction(transaction))
        }
    }

    /// Lets the pages of the snapshot be used again.
    package func end() {
        transaction.withLock { $0.abort() }
        environment.endUse()
    }
}
