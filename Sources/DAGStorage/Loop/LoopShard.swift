internal import DAGCARFiles
internal import DAGCatalog
internal import ShardLifecycle

/// A shard in use, as the loop knows it.
///
/// *Concurrency*: the loop's thread.
final class LoopShard {
    /// The values that a failed commit restores.
    struct Memory {
        let lifecycle: ShardLifecycle
        let record: ShardRecord
        let pending: PendingWork?
    }

    let key: ShardKey
    var lifecycle: ShardLifecycle
    /// The record on disk; during a registration, the record that the commit writes.
    var record: ShardRecord
    /// The shard's row of `pending`.
    var pending: PendingWork?
    /// Requests that wait for the passing state to end.
    var parked: [Request] = []
    /// The work of the passing state.
    var job: ShardJob?
    /// Receives the progress of the next indexing.
    var progress: (@Sendable (IndexingProgress) -> Void)?
    /// The current opening, if leases are held or possible.
    var open: OpenShard?

    init(_ key: ShardKey, _ lifecycle: ShardLifecycle, _ record: ShardRecord) {
        self.key = key
        self.lifecycle = lifecycle
        self.record = record
    }

    var memory: Memory {
        get { Memory(lifecycle: lifecycle, record: record, pending: pending) }
        set {
            lifecycle = newValue.lifecycle
            record = newValue.record
            pending = newValue.pending
        }
    }

    /// The number of leases.
    var leaseCount: Int { open?.leaseCount ?? 0 }

    /// Whether the record on disk has the whole state, so that the loop can forget the shard.
    var isAtRest: Bool {
        switch lifecycle.state {
        case .initializing, .recovering, .opening, .open: false
        // A caller may wait for the progress of the first indexing, whenever it comes.
        case .registered: parked.isEmpty && leaseCount == 0 && progress == nil
        case .absent, .available, .failed: parked.isEmpty && leaseCount == 0
        }
    }

    /// Whether a job is at work.
    var isPassing: Bool {
        switch lifecycle.state {
        case .initializing, .recovering, .opening: true
        case .absent, .registered, .available, .failed, .open: false
        }
    }

    /// The stored error.
    var error: DAGStoreError? {
        guard record.state == .failed else { return nil }
        return DAGStoreError(
            DAGStoreError.Code(rawValue: record.errorCode) ?? .shardFailed,
            record.errorText,
            shard: key
        )
    }

    /// The state for users; nil without a record.
    var publicState: ShardStatus.State? {
        switch lifecycle.state {
        case .absent: nil
        case .registered: .registered
        case .initializing: .initializing
        case .recovering: .recovering
        case .available, .opening, .open: leaseCount > 0 ? .serving : .available
        case .failed: .failed
        }
    }
}
