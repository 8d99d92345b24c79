/// Sends the requests of callers to the loop, and waits for the answers.
///
/// *Concurrency*: any thread or task.
final class LoopRequests: Sendable {
    private let access: CatalogAccess
    private let loop: LoopInbox
    private let events: EventStreams

    init(_ access: CatalogAccess, _ loop: LoopInbox, _ events: EventStreams) {
        self.access = access
        self.loop = loop
        self.events = events
    }

    /// Sends a request, and waits for the answer in a task.
    ///
    /// - Parameters:
    ///   - kind: The kind of the request.
    ///   - key: The shard.
    ///   - deadline: The time when the caller stops waiting.
    /// - Returns: The answer.
    /// - Throws: `closed`, `deadlineExceeded`, `CancellationError`, and the loop's refusal.
    func ask(
        _ kind: Request.Kind,
        _ key: ShardKey,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Request.Answer {
        let ticket = Request.newTicket()
        let withdraw: @Sendable () -> Void = { [loop] in
            loop.post(.withdraw(ticket: ticket, DAGStoreError(.cancelled, "cancelled")))
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                send(
                    Request(kind: kind, key: key, ticket: ticket, deadline: deadline) {
                        continuation.resume(returning: $0)
                    }
                )
                // It may have been cancelled before the loop could know of it.
                if Task.isCancelled { withdraw() }
            }
        } onCancel: {
            withdraw()
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

    /// Sends a request, and blocks the thread until the loop has answered.
    ///
    /// - Throws: As `ask`, without `CancellationError`.
    func askBlocking(
        _ kind: Request.Kind,
        _ key: ShardKey,
        deadline: ContinuousClock.Instant? = nil
    ) throws(DAGStoreError) -> Request.Answer {
        let answer = FirstAnswer<Request.Answer, DAGStoreError>()
        send(
            Request(kind: kind, key: key, ticket: Request.newTicket(), deadline: deadline) {
                answer.deliver($0)
            }
        )
        return try answer.wait()
    }

    /// Takes a lease on a shard without fetching or indexing; blocks the thread.
    ///
    /// - Returns: The lease; nil if the lease needs fetching or indexing.
    func leaseBlocking(_ key: ShardKey) throws(DAGStoreError) -> Shard? {
        guard case .lease(let shard) = try askBlocking(.acquire(waits: false), key) else {
            return nil
        }
        return shard
    }

    /// Sends a request to the loop, which calls its reply.
    func send(_ request: Request) {
        events.stopRecording()
        guard !access.isClosed, loop.post(.request(request)) else {
            return request.refuse(.storeIsClosed)
        }
    }
}
