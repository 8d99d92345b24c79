internal import DAGCatalog
public import SystemPackage

/// The status of a shard.
public struct ShardStatus: Sendable, Equatable {
    /// Where a shard is in its life.
    public enum State: String, Sendable {
        /// Known, not indexed.
        case registered
        /// Being fetched and indexed.
        case initializing
        /// Indexed and readable.
        case available
        /// Available, with leases.
        case serving
        /// Being fetched and indexed after a failure.
        case recovering
        /// Unreadable until recovered.
        case failed

        init(_ standing: Catalog.Standing, references: Int) {
            self =
                switch (standing.record.state, standing.pending?.kind) {
                case (_, .initialize?): .initializing
                case (_, .recover?): .recovering
                case (.registered, nil): .registered
                // It came with an index, which answers where blocks are; its CAR was not read yet.
                case (.available, nil) where standing.record.isIncomplete: .registered
                case (.available, nil): references > 0 ? .serving : .available
                case (.failed, nil): .failed
                }
        }
    }

    /// The shard's key.
    public let key: ShardKey
    /// Where it is in its life.
    public let state: State
    /// Where its bytes come from.
    public let mountURL: String
    /// Whether it was registered to be indexed at its first use.
    public let isLazy: Bool
    /// Whether an index of a shard that is not available yet came with it, and answers where blocks are.
    public let hasGivenIndex: Bool
    /// The number of sections, repeated ones included.
    public let blockCount: UInt64
    /// The size of the payload in bytes.
    public let payloadSize: UInt64
    /// The size of index pages and locator in bytes.
    public let indexSize: UInt64
    /// Leases of this process.
    public let references: Int
    /// Why it has failed; of a shard that is available, why it could not be read when this process last tried.
    public let error: DAGStoreError?
    /// Since when it is in its state, in milliseconds since 1970.
    public let stateSince: UInt64

    /// The user's own copy that the shard was registered with, or the store's copy, if there is one.
    public let transient: FilePath?

    init(
        _ record: ShardRecord,
        pending: PendingWork?,
        references: Int,
        transient: FilePath?,
        away: DAGStoreError? = nil
    ) {
        let key = ShardKey(stored: record.key)
        self.key = key
        state = State((record, pending), references: references)
        mountURL = record.mountURL
        isLazy = record.isLazy
        hasGivenIndex = record.isIncomplete
        blockCount = record.sectionCount
        payloadSize = record.payloadSize
        indexSize = record.indexSize
        self.references = references
        self.transient = transient
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
