extension ShardLifecycle {
    /// The states that a record may have when the store opens.
    package enum Resting: Equatable, Sendable {
        /// The shard has no record.
        case absent
        /// Registered, without an index.
        case registered
        /// Indexed.
        case available
        /// Unreadable until recovered.
        case failed
    }

    /// The state of a shard.
    ///
    /// *Serving* is no state: it means `leases > 0`, and is never on disk.
    package enum State: Equatable, Sendable {
        /// Never registered, or destroyed. Next: `registered`, `initializing`.
        case absent
        /// Registered, without an index. Next: `initializing`, `absent`.
        case registered
        /// `job` fetches and indexes the shard. Next: `available`, `failed`, `registered`, `absent`.
        case initializing(job: JobNumber)
        /// Indexed, and not in memory. Next: `opening`, `failed`, `absent`.
        case available
        /// Indexed; `job` opens its bytes. Next: `open`, `failed`, `available`.
        case opening(job: JobNumber)
        /// Indexed, and its bytes are open: leases are granted at once. Next: `available`, `failed`, `absent`.
        case open
        /// `job` fetches and indexes the shard again. Next: `available`, `failed`, `absent`.
        case recovering(job: JobNumber)
        /// Unreadable until recovered. Next: `recovering`, `absent`.
        case failed
    }

    /// An event in the life of a shard.
    package enum Event: Equatable, Sendable {
        /// A caller registers the shard, to be indexed now or by the first acquirer.
        case register(indexesNow: Bool)
        /// A caller wants the shard indexed. Parked callers other than acquirers retry with this event.
        case initialize
        /// A caller wants a lease.
        case acquire
        /// A parked acquirer retries; it never starts a recovery.
        case retry
        /// A lease ends.
        case release
        /// A caller wants a failed shard fetched and indexed again.
        case recover
        /// A caller destroys the shard.
        case destroy
        /// `job` has indexed the shard; the index is ready to be published.
        case indexed(job: JobNumber)
        /// `job` could not fetch or index the shard.
        case indexingFailed(job: JobNumber)
        /// `job` has opened the shard's bytes, which are the indexed ones. A recovery ends here if the earlier index
        /// is still valid.
        case opened(job: JobNumber)
        /// `job` could not open the shard's bytes, or found other bytes than the indexed ones.
        case openingFailed(job: JobNumber)
        /// `job` ended without a result: the store closes, or the result could not be written.
        case abandoned(job: JobNumber)
        /// A read found other bytes than the indexed ones.
        case sourceLost
        /// The store wants to free the shard's memory, if it has no leases.
        case evict
        /// The store opened, and its last run had ended while a job of this shard was running.
        case resume(recovering: Bool)
    }

    /// An action for the owner of the lifecycle.
    package enum Effect: Equatable, Sendable {
        /// Writes the shard's record with its new state, in the turn's transaction.
        case commit(Change)
        /// Sends an event to all watchers.
        case announce(Operation)
        /// Starts a job that fetches and indexes.
        case start(job: JobNumber)
        /// Starts a job that opens the bytes.
        case open(job: JobNumber)
        /// Cancels a job; the lifecycle ignores its later events.
        case cancel(job: JobNumber)
        /// Frees the shard's memory.
        case close
        /// Gives the caller a lease, which `leases` counts already.
        case grant
        /// Parks the caller until `retryParked` or `failParked`.
        case park
        /// Completes the caller's operation.
        case complete
        /// Rejects the caller.
        case reject(Rejection)
        /// Resumes all parked callers: acquirers with `retry`, all others with `initialize`.
        case retryParked
        /// Fails all parked callers.
        case failParked(Parting)
    }

    /// A change of a shard's record.
    package enum Change: Equatable, Sendable {
        /// The record is new.
        case insert
        /// The record gets a new state.
        case update
        /// The record is published together with its new index.
        case publish
        /// The record is removed, with its index and all other rows of the shard.
        case remove
    }

    /// An operation that watchers hear of.
    package enum Operation: Equatable, Sendable {
        /// The shard was registered.
        case register
        /// A job indexes the shard for the first time.
        case initialize
        /// The shard is indexed.
        case makeAvailable
        /// The shard was destroyed.
        case destroy
        /// A caller has a lease, or the shard's failure refused it.
        case acquire
        /// The shard has failed.
        case fail
        /// A lease ended.
        case release
        /// A job indexes the shard again.
        case recover
    }

    /// Why a caller is rejected.
    package enum Rejection: Equatable, Sendable {
        /// The key has no shard.
        case unknown
        /// The key has a shard already.
        case exists
        /// The shard has leases, or callers that wait for one.
        case inUse
        /// The shard has failed.
        case failed
        /// The shard is sound, so there is nothing to recover from.
        case notFailed
    }

    /// Why parked callers fail.
    package enum Parting: Equatable, Sendable {
        /// The job that they waited for failed.
        case failed
        /// The shard was destroyed.
        case destroyed
        /// The job that they waited for ended without a result.
        case abandoned
    }
}
