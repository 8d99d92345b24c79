internal import DAGCARFiles
internal import DAGMounts
internal import Synchronization
internal import SystemPackage

/// A caller's request about a shard, on its way to the loop.
struct Request: Sendable {
    /// What the caller wants.
    enum Kind: Sendable {
        case register(Registration)
        case initialize
        /// A lease; unless `waits`, only if nothing has to be fetched or indexed for it.
        case acquire(waits: Bool)
        case recover
        case destroy
    }

    /// What the loop answers.
    enum Answer: Sendable {
        case done
        /// The shard is registered, and this is what is known of it.
        case registered(ShardStatus)
        case lease(Shard)
        /// There will be a lease, but not now, and the caller does not wait.
        case notNow
    }

    let kind: Kind
    let key: ShardKey
    /// The number of this request, which no other has.
    let ticket: UInt64
    /// When the caller stops waiting.
    var deadline: ContinuousClock.Instant?
    /// Answers the caller; called once, on the loop's thread or a thread of the store.
    let reply: @Sendable (Result<Answer, DAGStoreError>) -> Void

    private static let tickets = Atomic<UInt64>(0)
    /// Returns a number that no request has.
    static func newTicket() -> UInt64 { tickets.add(1, ordering: .relaxed).newValue }

    /// A request of the store's own, whose answer is dropped.
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
}

/// A message to the loop.
enum LoopMessage: Sendable {
    case request(Request)
    /// A small CAR was indexed before its shard is known; nil if that is to be done as for any other.
    case prepared(Request, IndexedSource?)
    /// A parked caller asks again, after what it waited for has ended.
    case retry(Request)
    /// A caller stops waiting.
    case withdraw(ticket: UInt64, DAGStoreError)
    /// A job has ended.
    case ended(ShardJob, JobOutcome)
    /// An opening waits for its source: callers that do not wait get their answer.
    case opensSlowly(ShardJob)
    /// A shard's bytes are not what was indexed.
    case lost(ShardKey, generation: UInt64, DAGStoreError)
    /// A lease on a shard that is not open has ended, or an attempt to take one.
    case recountLeases(ShardKey)
    /// Close idle shards: there are too many.
    case closeIdleShards
    /// A passing state was interrupted when the store was last open.
    case resume(number: UInt32)
    /// Close idle shards that read transients, and answer with the shards whose transients must stay.
    case closeIdleCopies(@Sendable (Set<UInt32>) -> Void)
    /// A shard has another mount.
    case relocate(Relocation)
    /// Run this between two commits.
    case perform(@Sendable () -> Void)
    /// The store closes: end the jobs or wait for them, and then call back.
    case drain(cancelling: Bool, @Sendable () -> Void)

    /// The request in it, whose caller waits for an answer.
    var request: Request? {
        switch self {
        case .request(let request), .retry(let request): request
        default: nil
        }
    }
}
