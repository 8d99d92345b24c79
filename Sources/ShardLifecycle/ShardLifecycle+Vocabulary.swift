extension ShardLifecycle {
    /// What a record may say of a shard when the store is opened.
    package enum Resting: Equatable, Sendable {
        /// There is no record.
        case absent
        /// Known, not indexed.
        case registered
        /// Indexed.
        case available
        /// Unreadable until recovered.
        case failed
    }

    /// Where a shard is.
    ///
    /// *Serving* is not here: that is `leases > 0`, and nobody writes it to disk.
    package enum State: Equatable, Sendable {
        /// Never registered, or destroyed. Next: `registered`, `initializing`.
        case absent
        /// Known, not indexed. Next: `initializing`, `absent`.
        case registered
        /// Being fetched and indexed by `job`. Next: `available`, `failed`, `registered`, `absent`.
        case initializing(job: JobNumber)
        /// Indexed, and nothing of it in memory. Next: `opening`, `failed`, `absent`.
        case available
        /// Indexed; `job` reaches for its bytes. Next: `open`, `failed`, `available`.
        case opening(job: JobNumber)
        /// Indexed and reached: leases are granted at once. Next: `available`, `failed`, `absent`.
        case open
        /// Being fetched and indexed again by `job`. Next: `available`, `failed`, `absent`.
        case recovering(job: JobNumber)
        /// Unreadable until recovered. Next: `recovering`, `absent`.
        case failed
    }

    /// What can happen to a shard.
    package enum Event: Equatable, Sendable {
        /// A caller registers it, to be indexed now or by the first acquirer.
        case register(indexesNow: Bool)
        /// A caller wants it indexed; so come back those parked that do not acquire.
        case initialize
        /// A caller wants a lease.
        case acquire
        /// A parked acquirer comes back; its acquisition is announced already.
        case retry
        /// A lease ends.
        case release
        /// A caller wants a failed shard fetched and indexed again.
        case recover
        /// A caller wants it gone.
        case destroy
        /// `job` has indexed it; the index is ready to be published.
        case indexed(job: JobNumber)
        /// `job` could not fetch or index it.
        case indexingFailed(job: JobNumber)
        /// `job` has reached its bytes, and they are what was indexed; a recovery ends with it if its index will do.
        case opened(job: JobNumber)
        /// `job` could not reach its bytes, or found others than were indexed.
        case openingFailed(job: JobNumber)
        /// `job` ended without an outcome: the store closes, or the outcome could not be written.
        case abandoned(job: JobNumber)
        /// A read found that the source is not what was indexed.
        case sourceLost
        /// What is in memory shall go, if nobody uses it.
        case evict
        /// The store was opened, and had been ended while the shard was in a passing state.
        case resume(recovering: Bool)
    }

    /// What the owner must do.
    package enum Effect: Equatable, Sendable {
        /// Change the shard's record as the state after the event says, in the turn's transaction.
        case commit(Change)
        /// Tell those who watch.
        case announce(Operation)
        /// Begin to fetch and index.
        case start(job: JobNumber)
        /// Begin to reach for the bytes.
        case open(job: JobNumber)
        /// Stop a job; what it still says counts for nothing.
        case cancel(job: JobNumber)
        /// Let go of what is in memory.
        case close
        /// Give the caller a lease; it is counted in `leases`.
        case grant
        /// Keep the caller until `retryParked` or `failParked`.
        case park
        /// Tell the caller that it is done.
        case complete
        /// Turn the caller away.
        case reject(Rejection)
        /// Bring those parked back: acquirers by `retry`, all others by `initialize`.
        case retryParked
        /// Turn those parked away.
        case failParked(Parting)
    }

    /// What becomes of a record.
    package enum Change: Equatable, Sendable {
        /// It is written for the first time.
        case insert
        /// Its state is written.
        case update
        /// It is written together with the index that was made.
        case publish
        /// It goes, with its index and all that belongs to it.
        case remove
    }

    /// What those who watch are told.
    package enum Operation: Equatable, Sendable {
        /// It is known.
        case register
        /// It is being indexed for the first time.
        case initialize
        /// It is indexed.
        case makeAvailable
        /// It is gone.
        case destroy
        /// Somebody asked for a lease.
        case acquire
        /// It cannot be read any more.
        case fail
        /// A lease ended.
        case release
        /// It is being indexed again.
        case recover
    }

    /// Why a caller is turned away.
    package enum Rejection: Equatable, Sendable {
        /// There is no such shard.
        case unknown
        /// There is one of that key already.
        case exists
        /// It is leased, or about to be.
        case inUse
        /// It has failed.
        case failed
        /// It has not failed, so that there is nothing to recover from.
        case notFailed
    }

    /// Why those parked are turned away.
    package enum Parting: Equatable, Sendable {
        /// What they waited for failed.
        case failed
        /// The shard was destroyed.
        case destroyed
        /// What they waited for ended without an outcome.
        case abandoned
    }
}
