public import DAGCARFiles
internal import DAGCatalog
public import DAGMounts
public import SystemPackage

/// The time when the store indexes a registered shard.
public enum Indexing: Sendable {
    /// At once; the caller waits until the shard is available.
    case now
    /// At once; the caller waits only until the registration is on disk.
    case inBackground
    /// When a caller first asks for a lease or for its initialization.
    case onFirstUse
}

extension DAGStore {
    // MARK: Registering

    /// Registers a CAR under a key.
    ///
    /// Indexes it now, unless `indexing` says `onFirstUse`.
    ///
    /// If the CAR cannot be indexed, the shard stays registered as failed with the error; recover or destroy it. If
    /// the caller is cancelled, the registration goes on. If the process ends, the next open continues the
    /// registration. A registration of a small local file leaves nothing if the process ends before the answer.
    ///
    /// *Cost*: one commit, and another one when the shard is available. With `now`, a local file of at most a
    /// megabyte takes one commit in all. Indexing reads the CAR once, but only the headers of large blocks: about 100
    /// ns a section.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - mount: The mount of the CAR. The store keeps its URL, which the store's registry resolves from then on.
    ///   - indexing: The time of the indexing, and of the call's return.
    ///   - policy: What stays on this machine of a CAR that is elsewhere. `setPolicy(of:to:)` changes it later.
    ///   - existingTransient: A local copy of the CAR, which the store reads instead of the mount while the copy
    ///     exists. The store never removes it.
    ///   - deadline: The time when the caller stops waiting; the registration goes on.
    ///   - progress: Called every 16 MiB of payload, on a thread of the store.
    /// - Returns: The shard's status.
    /// - Throws: `shardExists`, `unknownScheme`, `invalidArgument`; `mountGone`, `mountUnreachable`,
    ///   `fetchFailed`, `fetchTimedOut`, `sourceChanged`; `malformedCAR`, `truncated`,
    ///   `unsupportedVersion`, `limitExceeded`, `malformedIndex`; `quotaExceeded`, `catalogFull`,
    ///   `readOnly`, `closed`; `deadlineExceeded`, `CancellationError`.
    @discardableResult
    public func register(
        _ key: ShardKey,
        from mount: some Mount,
        indexing: Indexing = .now,
        policy: MountPolicy = .automatic,
        existingTransient: FilePath? = nil,
        deadline: ContinuousClock.Instant? = nil,
        progress: (@Sendable (IndexingProgress) -> Void)? = nil
    ) async throws -> ShardStatus {
        try await register(
            key,
            from: mount.url,
            indexing: indexing,
            policy: policy,
            existingTransient: existingTransient,
            deadline: deadline,
            progress: progress
        )
    }

    /// Registers a CAR under a key, by the URL of its mount.
    @discardableResult
    public func register(
        _ key: ShardKey,
        from url: MountURL,
        indexing: Indexing = .now,
        policy: MountPolicy = .automatic,
        existingTransient: FilePath? = nil,
        deadline: ContinuousClock.Instant? = nil,
        progress: (@Sendable (IndexingProgress) -> Void)? = nil
    ) async throws -> ShardStatus {
        let registration = try registration(
            key,
            url,
            indexing,
            policy,
            existingTransient,
            progress
        )
        let answer = try await engine.requests.ask(.register(registration), key, deadline: deadline)
        guard case .registered(let status) = answer else {
            preconditionFailure("a registration that ended without a status")
        }
        return status
    }

    /// Checks the arguments of a registration.
    func registration(
        _ key: ShardKey,
        _ url: MountURL,
        _ indexing: Indexing,
        _ policy: MountPolicy,
        _ existingTransient: FilePath?,
        _ progress: (@Sendable (IndexingProgress) -> Void)?
    ) throws(DAGStoreError) -> Registration {
        try translating(for: key) {
            try engine.sources.checkMount(url)
            if let existingTransient { try Self.check(transient: existingTransient) }
        }
        return Registration(
            url: url,
            indexing: indexing,
            transient: existingTransient,
            progress: progress,
            policy: policy
        )
    }

    private static func check(transient path: FilePath) throws {
        guard path.isAbsolute, path.bytes.count <= ShardRecord.transientPathSizeMax else {
            throw DAGStoreError(
                .invalidArgument,
                "\(path): an existing transient needs an absolute path of at most "
                    + "\(ShardRecord.transientPathSizeMax) bytes"
            )
        }
    }

    /// Fetches and indexes a shard that was registered for its first use.
    ///
    /// Does nothing if the shard is available, and joins an indexing that is under way. After a deadline the indexing
    /// goes on, and the caller gets `deadlineExceeded`.
    ///
    /// - Throws: `shardUnknown`; the stored error's code, or `shardFailed`, if the shard has failed; and
    ///   as `register`.
    public func initialize(
        _ key: ShardKey,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        _ = try await engine.requests.ask(.initialize, key, deadline: deadline)
    }

    /// Fetches and indexes a failed shard again; discards earlier copies.
    ///
    /// After a deadline the recovery goes on, and the caller gets `deadlineExceeded`.
    ///
    /// - Throws: `shardUnknown`; `notFailed` if the shard is sound or already being recovered; and as
    ///   `register`.
    public func recover(_ key: ShardKey, deadline: ContinuousClock.Instant? = nil) async throws {
        _ = try await engine.requests.ask(.recover, key, deadline: deadline)
    }

    /// Removes a shard: its record, its index and its transient, and frees their room.
    ///
    /// The CAR and a user's own copy stay. If a job fetches and indexes the shard, its waiters get `shardUnknown`.
    ///
    /// - Throws: `shardUnknown`; `shardInUse` if the shard has leases or waiters; `catalogFull`,
    ///   `readOnly`, `closed`.
    public func destroy(_ key: ShardKey) async throws {
        _ = try await engine.requests.ask(.destroy, key)
    }

    // MARK: Leases

    /// Takes a lease on a shard.
    ///
    /// If the shard was registered for its first use, the store now fetches and indexes it, once for all callers.
    /// This goes on when a caller stops waiting.
    ///
    /// *Cost*: for an open shard, a search in a table and an addition; the first lease also looks at the file's
    /// state. For a closed shard, the store reads the root page and maps the file, or fetches the bytes. Independent
    /// of the number of shards and blocks.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - deadline: The time when the caller stops waiting.
    /// - Returns: The lease.
    /// - Throws: `shardUnknown`; the stored error's code, or `shardFailed`, if the shard has failed; `mountGone`,
    ///   `mountUnreachable`, `fetchFailed`, `fetchTimedOut` if its source is away (the next lease tries again);
    ///   `sourceChanged` if the source has other bytes than the indexed ones (the shard fails); `catalogCorrupt`,
    ///   `quotaExceeded`, `outOfResources`; `deadlineExceeded`, `closed`; `CancellationError`.
    public func acquire(
        _ key: ShardKey,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Shard {
        try checkOpen()
        if let shard = try openShards.lease(key) { return shard }
        guard
            case .lease(let shard) = try await engine.requests.ask(
                .acquire(waits: true),
                key,
                deadline: deadline
            )
        else { preconditionFailure("an acquire that ended without a lease") }
        return shard
    }

    /// Takes a lease on a shard, if the lease needs no fetching and no indexing.
    ///
    /// *Cost*: an open shard needs no waiting. For a closed shard, the thread blocks while the store opens it, for
    /// some 100 us and a commit at most. The call needs no task, so it works while every thread of the task pool is
    /// busy.
    ///
    /// - Returns: The lease; nil if the lease needs fetching or indexing.
    /// - Throws: As `acquire`.
    public func acquireIfAvailable(_ key: ShardKey) throws -> Shard? {
        try checkOpen()
        if let shard = try openShards.lease(key) { return shard }
        return try engine.requests.leaseBlocking(key)
    }

    func checkOpen() throws {
        try access.checkOpen()
    }
}
