internal import DAGCARFiles
internal import DAGMounts
internal import Synchronization
internal import SystemPackage

/// A caller's request about a shard, on its way to the loop.
struct Request: Sendable {
    /// The kind of a request.
    enum Kind: Sendable {
        case register(Registration)
        case initialize
        /// Asks for a lease; without `waits`, only if the lease needs no fetching and no indexing.
        case acquire(waits: Bool)
        case recover
        case destroy
    }

    /// The loop's answer to a request.
    enum Answer: Sendable {
        case done
        /// The shard is registered, and has this status.
        case registered(ShardStatus)
        case lease(Shard)
        /// A lease needs fetching or indexing, and the caller does not wait.
        case notNow
    }

    let kind: Kind
    let key: ShardKey
    /// The unique number of this request.
    let ticket: UInt64
    /// The time when the caller stops waiting.
    var deadline: ContinuousClock.Instant?
    /// Answers the caller; called once, on the loop's thread or a thread of the store.
    let reply: @Sendable (Result<Answer, DAGStoreError>) -> Void

    private static let tickets = Atomic<UInt64>(0)
    /// Returns a new unique number.
    static func newTicket() -> UInt64 { tickets.add(1, ordering: .relaxed).newValue }

    /// Creates a request of the store's own; the loop's answer is dropped.
    init(silent kind: Kind, _ key: ShardKey) {
        self.init(kind: kind, key: key, ticket: Self.newTicket()) { _ in }
    }

    init(
        kind: Kind,
        key: ShardKey,
        ticket: UInt64,
        deadline: ContinuousClock.Instant? = nil,
        reply: @escaping @Sendable (Result<Answer, DAGStoreError>) -> Void
    ) {
        self.kind = kind
        self.key = key
        self.ticket = ticket
        self.deadline = deadline
        self.reply = reply
    }

    /// Answers with an error.
    func refuse(_ error: DAGStoreError) { reply(.failure(error.about(key))) }
}

/// The content of a registration.
struct Registration: Sendable {
    let url: MountURL
    let indexing: Indexing
    let transient: FilePath?
    let progress: (@Sendable (IndexingProgress) -> Void)?
    var policy = MountPolicy.automatic
}

/// A message to the loop.
enum LoopMessage: Sendable {
    case request(Request)
    /// A small CAR was indexed before its shard has a record; nil if the usual way must index it.
    case prepared(Request, IndexedSource?)
    /// A parked caller asks again, because the job that it waited for has ended.
    case retry(Request)
    /// A caller stops waiting.
    case withdraw(ticket: UInt64, DAGStoreError)
    /// A job has ended.
    case ended(ShardJob, JobOutcome)
    /// An opening waits for its source: callers that do not wait get their answer.
    case opensSlowly(ShardJob)
    /// A shard has other bytes than the indexed ones.
    case lost(ShardKey, generation: UInt64, DAGStoreError)
    /// A lease on a shard that is not open has ended, or an attempt to take one.
    case recountLeases(ShardKey)
    /// Close idle shards, because there are too many.
    case closeIdleShards
    /// The end of an earlier process interrupted a job of this shard.
    case resume(number: UInt32)
    /// Close idle shards that read transients, and answer with the shards whose transients must stay.
    case closeIdleCopies(@Sendable (Set<UInt32>) -> Void)
    /// Give a shard another mount.
    case relocate(Relocation)
    /// Give a shard another policy.
    case setPolicy(PolicyChange)
    /// Answer with the shards that jobs work on.
    case listPassing(@Sendable ([PassingShard]) -> Void)
    /// Run this between two commits.
    case perform(@Sendable () -> Void)
    /// The store closes: cancel the jobs or wait for them, and then call back.
    case drain(cancelling: Bool, @Sendable () -> Void)

    /// The request in the message, whose caller waits for an answer.
    var request: Request? {
        switch self {
        case .request(let request), .retry(let request): request
        default: nil
        }
    }
}
