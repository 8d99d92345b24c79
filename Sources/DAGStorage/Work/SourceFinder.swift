internal import DAGCatalog
internal import DAGMounts
internal import SharedReads

/// Finds the bytes of a shard: in the user's copy, in the transient, or behind the mount.
///
/// *Concurrency*: any thread. A job calls the functions that wait from a task of its own.
final class SourceFinder: Sendable {
    private let access: CatalogAccess
    private let isReadOnly: Bool
    private let mounts: MountRegistry
    private let transients: TransientStore
    private let loop: LoopInbox
    private let traffic: ShardTraffic
    /// Limits the fetches of ready sources.
    private let readyFetches: Throttle

    init(
        _ access: CatalogAccess,
        _ mounts: MountRegistry,
        _ transients: TransientStore,
        _ loop: LoopInbox,
        _ traffic: ShardTraffic,
        concurrentReadyFetches: Int
    ) {
        self.access = access
        isReadOnly = access.catalog.isReadOnly
        self.mounts = mounts
        self.transients = transients
        self.loop = loop
        self.traffic = traffic
        readyFetches = Throttle(width: concurrentReadyFetches)
    }

    /// Returns the source of a shard, without waiting for a mount.
    ///
    /// - Parameters:
    ///   - record: The shard.
    ///   - isOpening: Whether the shard is indexed, so that the source must have the indexed bytes.
    /// - Returns: The source; nil if only the mount has the bytes.
    /// - Throws: `mountGone`, `mountUnreachable`, `unknownScheme`.
    func sourceAtOnce(_ record: ShardRecord, isOpening: Bool) throws -> ShardSource? {
        if let source = try borrowedCopy(of: record) { return source }
        let mount = try mount(of: record)
        if let mount = mount as? FileMount {
            let file = try LocalFile(opening: mount.path)
            return ShardSource(bytes: .file(file), facts: SourceFacts(.file, file.identity))
        }
        guard isOpening, mount.access == .sequential else { return nil }
        return try ownCopy(of: record, size: record.fileSize)
    }

    /// Returns the source of a shard; waits for the mount if necessary.
    ///
    /// - Throws: The errors of the mount; `sourceChanged`, `fetchFailed`, `quotaExceeded`, `catalogFull`.
    func source(
        of record: ShardRecord,
        for job: ShardJob,
        isOpening: Bool
    ) async throws -> ShardSource {
        if let source = try sourceAtOnce(record, isOpening: isOpening) { return source }
        let mount = try mount(of: record)
        // A read-only store copies nothing.
        guard mount.access != .sequential || !isReadOnly else {
            throw DAGStoreError.storeIsReadOnly
        }
        job.phase = .reachingSource
        let stat: MountStat
        do {
            stat = try await mount.stat()
        } catch let error {
            try job.checkCancelled()
            // A transient from before a crash is complete, even if its source is away now.
            guard mount.access == .sequential, !isOpening,
                let source = try ownCopy(of: record, size: nil)
            else { throw error }
            return source
        }
        try job.checkCancelled()
        try checkAgreement(record, stat, isOpening: isOpening)
        // Only now is it known whether some servers send parts.
        if mount.access == .sequential, let size = stat.size,
            let source = try ownCopy(of: record, size: size, validator: stat.validator)
        {
            return source
        }
        // A source that gets ready takes no place among the limited fetches.
        job.phase = .waitingForSource
        guard stat.isReady else { return try await fetch(record, mount, stat, job) }
        return try await readyFetches.run { try await fetch(record, mount, stat, job) }
    }

    /// Checks that the mount reports the same properties as at the indexing.
    private func checkAgreement(
        _ record: ShardRecord,
        _ stat: MountStat,
        isOpening: Bool
    ) throws {
        guard isOpening, record.identity == .content else { return }
        let size = stat.size ?? record.fileSize
        guard SourceFacts(size: size, validator: stat.validator).agrees(with: SourceFacts(record))
        else {
            throw DAGStoreError(.sourceChanged, "\(record.mountURL) is not what was indexed")
        }
    }

    /// Returns the facts of a shard's source, and its bytes if they can be read in place now.
    ///
    /// Neither copies a sequential source nor waits for a source that is not ready.
    ///
    /// - Returns: The facts, of size nil if it is unknown; the source, or nil.
    /// - Throws: The errors of the mount.
    func reach(_ record: ShardRecord, for job: ShardJob) async throws -> ReachedSource {
        let mount = try mount(of: record)
        let stat = try await mount.stat()
        try job.checkCancelled()
        guard mount.access != .sequential, stat.isReady else {
            return ReachedSource(size: stat.size, validator: stat.validator, source: nil)
        }
        let source = try await fetch(record, mount, stat, job)
        return ReachedSource(
            size: source.facts.size,
            validator: source.facts.validator,
            source: source
        )
    }

    /// Opens the mount, and copies a sequential source.
    private func fetch(
        _ record: ShardRecord,
        _ mount: any Mount,
        _ stat: MountStat,
        _ job: ShardJob
    ) async throws -> ShardSource {
        job.phase = .reachingSource
        let opened = try await mount.open()
        do {
            try job.checkCancelled()
            let validator = try await validator(of: opened, mount, stat)
            return try await source(of: opened, record, stat, validator, job)
        } catch {
            // This also closes a source whose job was cancelled while the mount opened it.
            switch opened {
            case .random(let source): source.close()
            case .sequential(let stream): stream.close()
            case .file, .bytes: break
            }
            throw error
        }
    }

    /// Returns the validator of the version that was opened.
    ///
    /// The source may have been replaced since its stat, which the caller compared. A server may also name one version
    /// in two ways; then the stat repeats itself, and its validator stays.
    private func validator(
        of opened: MountSource,
        _ mount: any Mount,
        _ stat: MountStat
    ) async throws -> String? {
        let version: (any VersionedSource)?
        switch opened {
        case .random(let source): version = source as? any VersionedSource
        case .sequential(let stream): version = stream as? any VersionedSource
        case .file, .bytes: version = nil
        }
        guard let validator = version?.validator.map(MountStat.bounded),
            validator != stat.validator
        else { return stat.validator }
        return try await mount.stat().validator == stat.validator ? stat.validator : validator
    }

    /// Makes a shard's source of a mount's source; after an error the caller closes `opened`.
    private func source(
        of opened: MountSource,
        _ record: ShardRecord,
        _ stat: MountStat,
        _ validator: String?,
        _ job: ShardJob
    ) async throws -> ShardSource {
        switch opened {
        case .file(let path):
            let file = try LocalFile(opening: path)
            return ShardSource(bytes: .file(file), facts: SourceFacts(.file, file.identity))
        case .bytes(let bytes):
            let memory = MemoryBytes(bytes, name: record.mountURL)
            return ShardSource(
                bytes: .memory(memory),
                facts: SourceFacts(size: memory.size, validator: validator)
            )
        case .random(let source):
            try checkSize(source.size, stat, record)
            let remote = RemoteBytes(source, name: record.mountURL)
            job.startReading(remote)
            return ShardSource(
                bytes: .remote(remote),
                facts: SourceFacts(size: remote.size, validator: validator)
            )
        case .sequential(let stream):
            guard !isReadOnly else { throw DAGStoreError.storeIsReadOnly }
            job.phase = .copying
            defer { stream.close() }
            if let size = stream.expectedSize { try checkSize(size, stat, record) }
            let fetched = try await transients.fetch(
                record.transientName,
                expectedSize: stat.size ?? stream.expectedSize,
                from: stream,
                freeRoom: { [self] in await closeIdleCopies() }
            )
            return try source(of: fetched, validator: validator)
        }
    }

    private func checkSize(_ size: UInt64, _ stat: MountStat, _ record: ShardRecord) throws {
        guard stat.size == nil || stat.size == size else {
            throw DAGStoreError(
                .fetchFailed,
                "\(record.mountURL) opened with \(size) bytes, but its stat reported \(stat.size ?? 0)"
            )
        }
    }

    private func source(of fetched: TransientStore.Fetched, validator: String?) throws
        -> ShardSource
    {
        let file = try fetched.transient.open()
        return ShardSource(
            bytes: .file(file),
            facts: SourceFacts(
                size: fetched.size,
                validator: validator,
                checksum: fetched.checksum
            ),
            pin: fetched.pin
        )
    }

    /// Returns the user's own copy; nil if its file is gone.
    private func borrowedCopy(of record: ShardRecord) throws -> ShardSource? {
        guard let borrowed = record.borrowedTransient else { return nil }
        do {
            let file = try borrowed.open()
            return ShardSource(
                bytes: .file(file),
                facts: SourceFacts(.borrowedFile, file.identity)
            )
        } catch  where error.code == .gone {
            return nil
        }
    }

    /// Returns the transient, if it is complete.
    private func ownCopy(
        of record: ShardRecord,
        size: UInt64?,
        validator: String? = nil
    ) throws -> ShardSource? {
        // A read-only store has no table of transients, and pins none.
        let transient = isReadOnly ? nil : transients.find(record.transientName)
        let pin = transient.map(transients.pin)
        let found = isReadOnly ? transients.existingPath(of: record.transientName) : nil
        guard let path = transient?.path ?? found else { return nil }
        let file: LocalFile
        do {
            file = try LocalFile(opening: path)
        } catch {
            // The transient may exist although this process lacks the resources to open it.
            guard error.code != .outOfResources else { throw error }
            return nil
        }
        guard size == nil || size == file.size else { return nil }
        return ShardSource(
            bytes: .file(file),
            facts: SourceFacts(size: file.size, validator: validator),
            pin: pin
        )
    }

    /// Asks the loop to close shards that read transients and have no leases, and waits for the loop.
    ///
    /// - Returns: The numbers of the shards whose transients a caller or a job needs.
    @discardableResult
    func closeIdleCopies() async -> Set<UInt32> {
        let awaited = await withCheckedContinuation { continuation in
            if !loop.post(.closeIdleCopies({ continuation.resume(returning: $0) })) {
                continuation.resume(returning: [])
            }
        }
        // The pins of the transients end with their last readers.
        await Reclaimer.drained(access.mark)
        return awaited
    }

    /// Returns whether the source of a shard is a file of this machine.
    func isLocal(_ record: ShardRecord) -> Bool {
        guard record.borrowedTransient == nil else { return true }
        // The loop asks; other mounts may read a file to resolve a URL.
        return record.mountURL.utf8.starts(with: "\(FileMount.scheme)://".utf8)
            && (try? mount(of: record)) is FileMount
    }

    /// Checks that the store can make the mount of a URL again.
    ///
    /// - Throws: `unknownScheme`, `invalidArgument`, and the errors of the template.
    func checkMount(_ url: MountURL) throws {
        _ = try mounts.mount(for: url)
        guard url.text.utf8.count <= ShardRecord.urlSizeMax else {
            throw DAGStoreError(.invalidArgument, "a mount URL of \(url.text.utf8.count) bytes")
        }
    }

    /// Makes the mount that a record names, which counts its traffic.
    ///
    /// - Throws: `unknownScheme`, `invalidArgument`, and the errors of the template.
    private func mount(of record: ShardRecord) throws -> any Mount {
        let url = try MountURL(record.mountURL)
        let mount = try mounts.mount(for: url, under: record.mountPolicy).serving(shard: record.key)
        guard mount.access != .mappable else { return mount }
        return mount.counting(in: traffic.counter(of: record.number, url.scheme))
    }
}
