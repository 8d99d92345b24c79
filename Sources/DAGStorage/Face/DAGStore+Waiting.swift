internal import DAGBytes
package import DAGCARFiles
internal import DAGMounts
package import DAGMultiformats
internal import Dispatch
package import SystemPackage

/// The store for callers without tasks: threads that block, and callbacks.
///
/// These calls do not use Swift's task pool, so they work while every thread of the pool is blocked.
extension DAGStore {
    /// Receives the outcome, once, on a thread of the store.
    package typealias Reply<Success> = @Sendable (Result<Success, DAGStoreError>) -> Void

    // MARK: Replies

    /// Returns a new number, which names a call so that `cancel` finds it.
    package static func newTicket() -> UInt64 { Request.newTicket() }

    /// Cancels a call that has no result yet.
    ///
    /// The `reply` of the call gets `cancelled`, and the work goes on.
    package func cancel(_ ticket: UInt64) {
        let error = DAGStoreError(.cancelled, "the caller cancelled the call")
        _ = engine.loop.post(.withdraw(ticket: ticket, error))
    }

    /// Registers a shard, and calls `reply`; see `register(_:from:indexing:)`.
    ///
    /// The `ticket`, of `newTicket()`, names the call for `cancel`.
    ///
    /// - Throws: An error in the arguments; then `reply` gets no call.
    package func register(
        _ key: ShardKey,
        from url: MountURL,
        indexing: Indexing,
        policy: MountPolicy = .automatic,
        existingTransient: FilePath?,
        progress: (@Sendable (IndexingProgress) -> Void)?,
        ticket: UInt64 = newTicket(),
        reply: @escaping Reply<Void>
    ) throws(DAGStoreError) {
        let registration = try registration(
            key,
            url,
            indexing,
            policy,
            existingTransient,
            progress
        )
        post(.register(registration), key, ticket, reply)
    }

    /// Fetches and indexes a shard, and calls `reply`; see `initialize(_:)`.
    package func initialize(
        _ key: ShardKey,
        ticket: UInt64 = newTicket(),
        reply: @escaping Reply<Void>
    ) {
        post(.initialize, key, ticket, reply)
    }

    /// Recovers a shard, and calls `reply`; see `recover(_:)`.
    package func recover(
        _ key: ShardKey,
        ticket: UInt64 = newTicket(),
        reply: @escaping Reply<Void>
    ) {
        post(.recover, key, ticket, reply)
    }

    /// Removes a shard, and calls `reply`; see `destroy(_:)`.
    package func destroy(
        _ key: ShardKey,
        ticket: UInt64 = newTicket(),
        reply: @escaping Reply<Void>
    ) {
        post(.destroy, key, ticket, reply)
    }

    /// Asks for a lease, and calls `reply`; see `acquire(_:deadline:)`.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - patience: How long the caller waits.
    ///   - ticket: The number of the call, of `newTicket()`.
    ///   - reply: Receives the lease.
    package func acquire(
        _ key: ShardKey,
        _ patience: Patience,
        ticket: UInt64 = newTicket(),
        reply: @escaping Reply<Shard>
    ) {
        let kind = Request.Kind.acquire(waits: patience != .none)
        post(kind, key, ticket, until: patience.deadline) { result in
            reply(result.flatMap { Self.lease($0, key) })
        }
    }

    private func post(
        _ kind: Request.Kind,
        _ key: ShardKey,
        _ ticket: UInt64,
        _ reply: @escaping Reply<Void>
    ) {
        post(kind, key, ticket, until: nil) { reply($0.map { _ in () }) }
    }

    private func post(
        _ kind: Request.Kind,
        _ key: ShardKey,
        _ ticket: UInt64,
        until deadline: ContinuousClock.Instant?,
        _ reply: @escaping Reply<Request.Answer>
    ) {
        engine.requests.send(
            Request(
                kind: kind,
                key: key,
                ticket: ticket,
                deadline: deadline,
                reply: reply
            )
        )
    }

    private static func lease(_ answer: Request.Answer, _ key: ShardKey) -> Result<
        Shard, DAGStoreError
    > {
        guard case .lease(let shard) = answer else {
            return .failure(
                DAGStoreError(
                    .deadlineExceeded,
                    "there is no lease without fetching or indexing",
                    shard: key
                )
            )
        }
        return .success(shard)
    }

    // MARK: Blocking

    /// Closes the store, and cancels its jobs; the thread blocks.
    ///
    /// See `close(cancellingJobs:)`.
    package func closeWaiting() {
        let bell = DispatchSemaphore(value: 0)
        let task = OwnedTask { [self] in
            await close(cancellingJobs: true)
            bell.signal()
        }
        withExtendedLifetime(task) { bell.wait() }
    }

    /// How long a caller waits for fetching and indexing.
    package enum Patience: Equatable, Sendable {
        case none
        case until(ContinuousClock.Instant)
        case endless

        var deadline: ContinuousClock.Instant? {
            if case .until(let deadline) = self { deadline } else { nil }
        }
    }

    /// Takes a lease on a shard; the thread blocks.
    ///
    /// The caller has the only reference to the lease.
    ///
    /// *Cost*: as `acquire(_:deadline:)`.
    ///
    /// - Throws: As `acquire(_:deadline:)`; `deadlineExceeded` also if `patience` is `.none`.
    package func acquire(_ key: ShardKey, _ patience: Patience) throws -> Shard {
        try checkOpen()
        if let shard = try openShards.lease(key) { return shard }
        let kind = Request.Kind.acquire(waits: patience != .none)
        let answer = try engine.requests.askBlocking(kind, key, deadline: patience.deadline)
        return try Self.lease(answer, key).get().moved()
    }

    /// Returns the bytes of a block from any shard; nil if no shard has the block.
    ///
    /// The thread blocks.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - patience: How long the caller waits.
    ///   - select: Chooses among the shards in place of `Configuration.selectShards`; nil for that one.
    /// - Returns: The bytes.
    /// - Throws: As `block(for:)`; `deadlineExceeded`.
    package func bytes(
        of cid: CID,
        _ patience: Patience,
        selecting select: ShardSelector? = nil
    ) throws -> BlockBytes? {
        let candidates: Candidates
        switch try lookup.answer(for: cid, selecting: select) {
        case .found(let block): return block.content
        case .nowhere: return nil
        case .candidates(let others): candidates = others
        }
        return try ask(candidates) { key in
            let shard = try acquire(key, patience)
            defer { shard.release() }
            return try cid.bytes.withView { view throws(DAGStoreError) in
                try shard.bytes(of: view, cid.layout)
            }
        }
    }
}
