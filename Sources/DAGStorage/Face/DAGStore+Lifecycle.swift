public import DAGCARFiles
internal import DAGCatalog
public import DAGMounts
public import SystemPackage

/// When a shard that is being registered is indexed.
public enum Indexing: Sendable {
    /// At once, and the caller waits until it is available.
    case now
    /// At once, and the caller waits only until the registration is on disk.
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
    /// If the CAR cannot be indexed, a failed shard with the error stays, which can be recovered or destroyed. If the
    /// caller is cancelled, the registration goes on. If the process ends, the next open continues it; a small local
    /// file that had no answer leaves nothing.
    ///
    /// *Cost*: one commit, and another one when the shard is available; a local file of at most a megabyte, which the
    /// caller waits for, takes one in all. Indexing reads the CAR once, of large blocks the headers only: about 100
    /// ns a section.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - mount: Where the CAR is. Its URL is stored, and resolved by the store's registry from then on.
    ///   - indexing: When it is indexed, and what is waited for.
    ///   - existingTransient: A local copy of the CAR, which the store reads instead of the mount while it exists. It
    ///     is the caller's, and the store never removes it.
    ///   - deadline: When the caller stops waiting; the registration goes on.
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
        existingTransient: FilePath? = nil,
        deadline: ContinuousClock.Instant? = nil,
        progress: (@Sendable (IndexingProgress) -> Void)? = nil
    ) async throws -> ShardStatus {
        try await register(
            key,
            from: mount.url,
            indexing: indexing,
            existingTransient: existingTransient,
            deadline: deadline,
            progress: progress
        )
    }

    /// The same, of a mount that is known by its URL.
    @discardableResult
    public func register(
        _ key: ShardKey,
        from url: MountURL,
        indexing: Indexing = .now,
        existingTransient: FilePath? = nil,
        deadline: ContinuousClock.Instant? = nil,
        progress: (@Sendable (IndexingProgress) -> Void)? = nil
    ) async throws -> ShardStatus {
        let registration = try registration(key, url, indexing, existingTransient, progress)
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
            progress: progress
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
    /// - Throws: `shardUnknown`; `notFailed` if it has not failed, or is being recovered already; and as
    ///   `register`.
    public func recover(_ key: ShardKey, deadline: ContinuousClock.Instant? = nil) async throws {
        _ = try await engine.requests.ask(.recover, key, deadline: deadline)
    }

    /// Removes a shard: its record, its index, the store's copy of it, and the room they took.
    ///
    /// The CAR stays, and so does a copy of the user's own. A shard that is being fetched and indexed is removed too,
    /// and its waiters get `shardUnknown`.
    ///
    /// - Throws: `shardUnknown`; `shardInUse` if it has leases or waiters; `catalogFull`,
    ///   `readOnly`, `closed`.
    public func destroy(_ key: ShardKey) async throws {
        _ = try await engine.requests.ask(.destroy, key)
    }

    // MARK: Leases

    /// Takes a lease on a shard.
    ///
    /// A shard that was registered for its first use is fetched and indexed now, once for all callers. That goes on
    /// after a caller has stopped waiting.
    ///
    /// *Cost*: of an open shard, a search in a table and an addition; its first lease also looks at the file's state.
    /// Of a closed shard, the store reads the root page and maps the file, or fetches the bytes. The number of shards
    /// or blocks does not matter.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - deadline: When the caller stops waiting.
    /// - Returns: The lease.
    /// - Throws: `shardUnknown`; the stored error's code, or `shardFailed`, if the shard has failed;
    ///   `mountGone`, `mountUnreachable`, `fetchFailed`, `fetchTimedOut` if its source is away, and it is
    ///   tried again by the next lease; `sourceChanged` if it is not what was indexed, and the shard has
    ///   failed then; `catalogCorrupt`, `quotaExceeded`, `outOfResources`;
    ///   `deadlineExceeded`, `closed`; `CancellationError`.
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

    /// Takes a lease on a shard, if nothing has to be fetched or indexed for it.
    ///
    /// *Cost*: an open shard needs no waiting. A closed one blocks the calling thread while the store opens it, for
    /// some 100 us and a commit at most. It needs no task, so it works while every thread of the task pool is busy.
    ///
    /// - Returns: The lease; nil if it needs fetching or indexing.
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
