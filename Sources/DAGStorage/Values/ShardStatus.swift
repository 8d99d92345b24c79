internal import DAGCatalog
public import DAGMounts
public import SystemPackage

/// The status of a shard.
public struct ShardStatus: Sendable, Equatable {
    /// The state of a shard.
    public enum State: String, Sendable {
        /// The shard has a record and no index.
        case registered
        /// A job fetches and indexes the shard.
        case initializing
        /// The shard is indexed and readable.
        case available
        /// The shard is available and has leases.
        case serving
        /// A job fetches and indexes the shard after a failure.
        case recovering
        /// The shard is unreadable until it is recovered.
        case failed

        init(_ standing: Catalog.Standing, references: Int) {
            self =
                switch (standing.record.state, standing.pending?.kind) {
                case (_, .initialize?): .initializing
                case (_, .recover?): .recovering
                case (.registered, nil): .registered
                // A migrated shard whose CAR is still unread: its index answers `find` and `has`.
                case (.available, nil) where standing.record.isIncomplete: .registered
                case (.available, nil): references > 0 ? .serving : .available
                case (.failed, nil): .failed
                }
        }
    }

    /// The shard's key.
    public let key: ShardKey
    /// The shard's number: later registrations have greater ones, and no number comes again.
    public let number: UInt32
    /// The state of the shard.
    public let state: State
    /// The URL of the shard's mount.
    public let mountURL: String
    /// What stays on this machine of a CAR that is elsewhere.
    public let policy: MountPolicy
    /// Whether the registration asked for indexing at the first use.
    public let isLazy: Bool
    /// Whether the shard is migrated and its CAR is still unread: it has the index of its migration.
    public let hasGivenIndex: Bool
    /// The number of sections, repeated ones included.
    public let blockCount: UInt64
    /// The size of the payload in bytes.
    public let payloadSize: UInt64
    /// The size of index pages and locator in bytes.
    public let indexSize: UInt64
    /// The number of leases of this process.
    public let references: Int
    /// The failure of a failed shard; the last failed opening by this process of an available shard.
    public let error: DAGStoreError?
    /// The time when the shard got its state, in milliseconds since 1970.
    public let stateSince: UInt64

    /// The attributes of the local file that was indexed; nil if the CAR is elsewhere, or unread.
    package let file: FileIdentity?
    /// The path of the local copy of the CAR: the registered one, or the store's transient; nil if there is none.
    public let transient: FilePath?
    /// The requests and bytes by which this process has read the shard from elsewhere, since it opened the store.
    ///
    /// Nil if this process has not used a mount of the shard, or maps it.
    public let traffic: Traffic?

    init(
        _ record: ShardRecord,
        pending: PendingWork?,
        references: Int,
        transient: FilePath?,
        away: DAGStoreError? = nil,
        traffic: Traffic? = nil
    ) {
        let key = ShardKey(stored: record.key)
        self.key = key
        number = record.number
        state = State((record, pending), references: references)
        mountURL = record.mountURL
        policy = record.mountPolicy
        isLazy = record.isLazy
        hasGivenIndex = record.isIncomplete
        blockCount = record.sectionCount
        payloadSize = record.payloadSize
        indexSize = record.indexSize
        file =
            record.identity == .file && record.fileSize > 0 ? SourceFacts(record).file : nil
        self.references = references
        self.transient = transient
        self.traffic = traffic
        error =
            record.errorCode == 0
            ? away
            : DAGStoreError(
                DAGStoreError.Code(rawValue: record.errorCode) ?? .shardFailed,
                record.errorText,
                shard: key
            )
        stateSince = pending?.since ?? record.stateSince
    }
}
