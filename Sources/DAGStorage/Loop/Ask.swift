internal import DAGCARFiles
internal import DAGMounts
internal import Synchronization
internal import SystemPackage

/// What a caller wants of a shard, on its way to the loop.
struct Ask: Sendable {
    /// What is wanted.
    enum Wish: Sendable {
        case register(Registration)
        case initialize
        /// A lease; unless `waits`, only if nothing has to be fetched or indexed for it.
        case acquire(waits: Bool)
        case recover
        case destroy
    }

    /// What a caller is told.
    enum Answer: Sendable {
        case done
        /// The shard is registered, and this is what is known of it.
        case registered(ShardStatus)
        case lease(Shard)
        /// There will be a lease, but not now, and the caller does not wait.
        case notNow
    }

    let wish: Wish
    let key: ShardKey
    /// Names the caller while it waits; nobody else has the number.
    let ticket: UInt64
    /// When the caller gives up.
    var deadline: ContinuousClock.Instant?
    /// Tells the caller; called once, on the loop's thread or a thread of the store.
    let reply: @Sendable (Result<Answer, DAGStoreError>) -> Void

    private static let tickets = Atomic<UInt64>(0)
    /// A number that no ask has.
    static func newTicket() -> UInt64 { tickets.add(1, ordering: .relaxed).newValue }

    /// Refuses.
    func refuse(_ error: DAGStoreError) { reply(.failure(error.about(key))) }
}

/// What a registration says.
struct Registration: Sendable {
    let url: MountURL
    let indexing: Indexing
    let transient: FilePath?
    let progress: (@Sendable (IndexingProgress) -> Void)?
}

/// When a shard that is being registered is indexed.
public enum Indexing: Sendable {
    /// At once, and the caller waits until it is available.
    case now
    /// At once, and the caller waits only until the registration is on disk.
    case inBackground
    /// When somebody first asks for a lease, or for its initialization.
    case onFirstUse
}

/// What a loop is told.
enum Letter: Sendable {
    case ask(Ask)
    /// A small CAR was indexed before its shard is known; nil if that is to be done as for any other.
    case prepared(Ask, IndexedSource?)
    /// A parked caller asks again, after what it waited for has ended.
    case retry(Ask)
    /// A parked caller goes away.
    case giveUp(ticket: UInt64, DAGStoreError)
    /// A job has come to its end.
    case ended(ShardJob, JobOutcome)
    /// An opening waits for its source, so that those who do not wait go.
    case opensSlowly(ShardJob)
    /// A shard's bytes are not what was indexed.
    case lost(ShardKey, generation: UInt64, DAGStoreError)
    /// A shard that is not open lost its last lease.
    case settle(ShardKey)
    /// There are too many open shards without leases.
    case trim
    /// A passing state was interrupted when the store was last open.
    case resume(number: UInt32)
    /// Which transients must stay is asked for.
    case protect(@Sendable (Set<UInt32>) -> Void)
    /// A shard has another mount.
    case relocate(Relocation)
    /// Something is to be done between two commits.
    case perform(@Sendable () -> Void)
    /// No new work comes: tell when the last job has ended, or end them.
    case drain(cancelling: Bool, @Sendable () -> Void)
    /// Shows what passes in memory.
    case look(ShardKey, @Sendable (ShardPassing?) -> Void)

    /// The caller that waits for an answer to it.
    var ask: Ask? {
        switch self {
        case .ask(let ask), .retry(let ask): ask
        default: nil
        }
    }
}

/// What is known of a shard in memory only.
struct ShardPassing: Sendable {
    /// Callers that wait for it.
    var waiting: Int
    /// What its job is doing, if it has one.
    var phase: ShardJob.Phase?
}
