internal import DAGSystem
internal import SharedReads
internal import SystemPackage

extension Environment {
    /// Calls `body` with a snapshot of the environment.
    ///
    /// - Parameter body: Reads, synchronously, and keeps no pointer into the map. It should be short, because no
    ///   writer can reuse a replaced page meanwhile.
    /// - Returns: The result of `body`.
    /// - Throws: What `body` throws; `.readersFull` if all slots are taken.
    ///
    /// *Cost*: about 50 ns around `body`, because a pool keeps and renews read transactions.
    package func read<R: ~Copyable>(
        _ body: (borrowing ReadTransaction) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        let reader = try acquireReader()
        defer { returnReader(reader) }
        return try body(ReadTransaction(reader))
    }

    /// Calls `body` with the write transaction and commits it, unless `body` throws.
    ///
    /// - Parameters:
    ///   - durability: Whether a crash of the machine may undo the commit.
    ///   - body: Reads and writes, synchronously. It must not begin another write.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body` or of the commit; the transaction has written nothing then.
    package func write<R: ~Copyable>(
        _ durability: CommitDurability = .full,
        _ body: (borrowing WriteTransaction) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        let transaction = try beginWrite()
        let result = try body(transaction)
        try transaction.commit(durability)
        return result
    }

    /// Begins the write transaction; waits for the end of the one before it.
    ///
    /// A thread that has one already would wait for itself, so the call traps.
    ///
    /// - Throws: `.permission` if the environment is read-only; `.reopenNeeded` if an earlier write failed.
    package func beginWrite() throws(LMDBError) -> WriteTransaction {
        let environment = state.withLock { state in
            precondition(state.writer != .current, "a thread begins two write transactions")
            return beginUse(&state)
        }
        do {
            let handle = try TransactionHandle.begin(in: environment, isReadOnly: false)
            state.withLock { $0.writer = .current }
            return WriteTransaction(owning: handle, of: self)
        } catch {
            state.withLock { $0.running -= 1 }
            throw error
        }
    }

    /// Sets whether the commit of the open write transaction waits for LMDB's meta page.
    ///
    /// Only the thread of the write transaction calls it, right before the commit, because LMDB reads the flag there.
    func setMetaSync(_ isOn: Bool) throws(LMDBError) {
        try withHandle { (handle) throws(LMDBError) in try handle.setMetaSync(isOn) }
    }

    /// Records the end of this thread's write transaction.
    func endWrite() {
        state.withLock { state in
            // The next writer may have begun already.
            if state.writer == .current { state.writer = nil }
            state.running -= 1
        }
    }

    /// Returns the error of a failed commit with its real cause.
    func explaining(_ error: LMDBError) -> LMDBError {
        guard error.code == .io(Errno.ioError.rawValue) else { return error }
        let isFull = state.withLock { $0.handle?.isDiskFull ?? false }
        return isFull ? LMDBError(.diskFull, number: error.number) : error
    }

    /// Calls `body` with the open environment, which stays open until `body` returns.
    func withHandle<R>(
        _ body: (EnvironmentHandle) throws(LMDBError) -> R
    ) throws(LMDBError) -> R {
        let handle = state.withLock { beginUse(&$0) }
        defer { state.withLock { $0.running -= 1 } }
        return try body(handle)
    }

    /// Counts one more user of the handle.
    func beginUse(_ state: inout State) -> EnvironmentHandle {
        guard let handle = state.handle else { preconditionFailure("the environment is closed") }
        state.running += 1
        return handle
    }

    /// Counts one user less, after `beginUse`.
    func endUse() { state.withLock { $0.running -= 1 } }

    /// Returns a read transaction with a fresh snapshot.
    private func acquireReader() throws(LMDBError) -> TransactionHandle {
        let (environment, idle) = state.withLock { (beginUse(&$0), $0.idle.popLast()) }
        do throws(LMDBError) {
            guard let idle else { return try Self.beginReader(in: environment) }
            do {
                try idle.renew()
            } catch {
                idle.abort()
                throw error
            }
            return idle
        } catch {
            state.withLock { $0.running -= 1 }
            throw error
        }
    }

    /// How many milliseconds a reader waits for a slot, in steps of one.
    private static let slotWaitsMax = 50

    /// Begins a read transaction.
    ///
    /// If all slots are taken, it clears those of dead processes, or waits for a short time.
    private static func beginReader(
        in environment: EnvironmentHandle
    ) throws(LMDBError) -> TransactionHandle {
        var waits = 0
        while true {
            do {
                return try TransactionHandle.begin(in: environment, isReadOnly: true)
            } catch  where error.code == .readersFull {
                guard waits < slotWaitsMax else { throw error }
                if try environment.clearDeadReaders() == 0, waits > 0 { usleep(1000) }
                waits += 1
            }
        }
    }

    private func returnReader(_ reader: TransactionHandle) {
        reader.reset()
        let isKept = state.withLock { state in
            let isKept = state.idle.count < Self.idleReadersMax
            if isKept {
                state.idle.append(reader)
                state.running -= 1
            }
            return isKept
        }
        guard !isKept else { return }
        reader.abort()
        state.withLock { $0.running -= 1 }
    }
}
