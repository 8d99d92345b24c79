internal import DAGCatalog
internal import DAGFailpoints
internal import DAGMounts
internal import Dispatch
internal import SharedReads
internal import Synchronization
internal import SystemPackage

/// From the files of a store to its running loop, and back.
extension StoreEngine {
    /// Removes the indexes that no record names, which an end of the process left behind, and opens the inverse index.
    ///
    /// - Throws: `catalogCorrupt`, `readOnly`.
    func takeUp() throws {
        Failpoint.opened.pass()
        try translating {
            do throws(CatalogError) {
                let merge = try catalog.pendingMerge()
                for generation in try catalog.pendingGenerations()
                where generation != merge?.output {
                    try catalog.deleteGeneration(generation)
                }
                for generation in try catalog.retiredRuns() { try catalog.deleteRun(generation) }
            } catch {
                // Deleting takes room too: they stay on `pending`, and the store serves what it has.
                guard error.code == .full else { throw error }
            }
            try takeUpInverse()
        }
    }

    /// Removes what an end of the process left in the folders; who fetches meanwhile waits for that.
    func takeUpFolders() {
        SpillFile.removeLeftovers(in: directory.appending("tmp"))
        // Who fetches looks again, and is told what is wrong.
        try? transients.prepare()
    }

    /// Starts the loop, and posts what was interrupted.
    func start() {
        holdItself()
        SystemThread.start("dagstore.loop") { ShardLoop(self).run() }
        guard !catalog.isReadOnly else { return }
        merger.begin(self)
        if configuration.continuesInterrupted {
            for (number, _) in (try? catalog.pendingShards()) ?? [] {
                self.loop.post(.resume(number: number))
            }
        }
        guard configuration.recovery == .atOpen, beginWork() else { return }
        openings.submit { [self] in
            defer { endCall() }
            recoverFailed()
        }
    }

    /// Asks for the recovery of every failed shard.
    ///
    /// *Cost*: nothing if none has failed; else a look at every record.
    private func recoverFailed() {
        guard let counters = try? catalog.counters(), counters.failed > 0 else { return }
        var last: UInt32?
        while let records = try? catalog.records(after: last, limit: 256), !records.isEmpty {
            last = records.last?.number
            for record in records where record.state == .failed {
                let ask = Ask(
                    wish: .recover,
                    key: ShardKey(stored: record.key),
                    ticket: Ask.newTicket(),
                    reply: { _ in }
                )
                loop.post(.ask(ask))
            }
            guard !isClosed.load(ordering: .relaxed) else { return }
        }
    }

    /// Closes the store; see `DAGStore.close`.
    func close(cancellingJobs isCancelling: Bool) async {
        merger.stop()
        _ = refuseCalls()
        await withCheckedContinuation { continuation in
            let reply: @Sendable () -> Void = { continuation.resume() }
            if !loop.post(.drain(cancelling: isCancelling, reply)) { reply() }
        }
        await waitForCalls()
        // What the loop let go of goes before the caller hears that the store is closed.
        await Reclaimer.drained(mark)
    }

    /// Closes a store that nobody refers to any more; does not wait for what cannot be ended.
    func abandon() {
        guard refuseCalls() else { return }
        merger.stop()
        // Who lets the last reference go on the loop's own thread would wait for himself.
        guard !loop.isOwnThread else {
            loop.post(.drain(cancelling: true, {}))
            return
        }
        let bell = DispatchSemaphore(value: 0)
        if loop.post(.drain(cancelling: true, { bell.signal() })) { bell.wait() }
    }

    // MARK: Asking

    /// Asks the loop for something, and waits for the answer.
    ///
    /// - Parameters:
    ///   - wish: What is wanted.
    ///   - key: Of which shard.
    ///   - deadline: When to give up.
    /// - Returns: The answer.
    /// - Throws: `closed`, `deadlineExceeded`, `CancellationError`, and what the loop says.
    func ask(
        _ wish: Ask.Wish,
        _ key: ShardKey,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Ask.Answer {
        let ticket = Ask.newTicket()
        let leave: @Sendable () -> Void = { [loop] in
            loop.post(.giveUp(ticket: ticket, DAGStoreError(.cancelled, "cancelled")))
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                post(
                    Ask(wish: wish, key: key, ticket: ticket, deadline: deadline) {
                        continuation.resume(returning: $0)
                    }
                )
                // It may have been cancelled before the loop could know of it.
                if Task.isCancelled { leave() }
            }
        } onCancel: {
            leave()
        }
        switch result {
        case .success(.lease(let shard)) where Task.isCancelled:
            shard.release()
            throw CancellationError()
        case .success(let answer): return answer
        case .failure(let error) where error.code == .cancelled && Task.isCancelled:
            throw CancellationError()
        case .failure(let error): throw error
        }
    }

    /// Asks the loop for something, and blocks the thread until the answer is there.
    func askBlocking(
        _ wish: Ask.Wish,
        _ key: ShardKey,
        deadline: ContinuousClock.Instant? = nil
    ) throws(DAGStoreError) -> Ask.Answer {
        let bell = DispatchSemaphore(value: 0)
        let answer = AnswerBox()
        post(
            Ask(wish: wish, key: key, ticket: Ask.newTicket(), deadline: deadline) { result in
                answer.result = result
                bell.signal()
            }
        )
        bell.wait()
        guard let result = answer.result else { preconditionFailure("an answer without content") }
        return try result.get()
    }

    /// Leaves an ask with the loop, which calls its reply.
    func post(_ ask: Ask) {
        events.stopRecording()
        guard !isClosed.load(ordering: .acquiring), loop.post(.ask(ask)) else {
            return ask.refuse(.storeIsClosed)
        }
    }
}

extension Catalog {
    /// Whether the record of a copy's shard names it; true if the record cannot be read, so that the copy stays.
    func names(_ copy: TransientName) -> Bool {
        do {
            return try record(copy.number)?.transientName == copy
        } catch {
            return true
        }
    }
}
