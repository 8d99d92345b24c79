internal import DAGCatalog
internal import DAGMounts
internal import SharedReads

/// Finds the bytes of a shard: in the user's copy, in the store's copy, or behind the mount.
///
/// *Concurrency*: any thread. A job calls what waits, in a task of its own.
final class SourceFinder: Sendable {
    private let access: CatalogAccess
    private let isReadOnly: Bool
    private let mounts: MountRegistry
    private let transients: TransientStore
    private let loop: LoopInbox
    /// Admits sources that say they are ready.
    private let readyFetches: Throttle

    init(
        _ access: CatalogAccess,
        _ mounts: MountRegistry,
        _ transients: TransientStore,
        _ loop: LoopInbox,
        concurrentReadyFetches: Int
    ) {
        self.access = access
        isReadOnly = access.catalog.isReadOnly
        self.mounts = mounts
        self.transients = transients
        self.loop = loop
        readyFetches = Throttle(width: concurrentReadyFetches)
    }

    /// Returns the bytes of a shard, if no mount has to be waited for.
    ///
    /// - Parameters:
    ///   - record: The shard.
    ///   - isOpening: Whether the shard is indexed, so that the source must be what was indexed.
    /// - Returns: The source; nil if the mount must be asked.
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

    /// Returns the bytes of a shard, wherever they are.
    ///
    /// - Throws: What the mount throws; `sourceChanged`, `fetchFailed`, `quotaExceeded`, `catalogFull`.
    func source(
        of record: ShardRecord,
        for job: ShardJob,
        isOpening: Bool
    ) async throws -> ShardSource {
        if let source = try sourceAtOnce(record, isOpening: isOpening) { return source }
        let mount = try mount(of: record)
        job.phase = .reachingSource
        let stat: MountStat
        do {
            stat = try await mount.stat()
        } catch let error {
            try job.checkCancelled()
            // A copy from before a crash is whole, even if its source cannot be reached now.
            guard mount.access == .sequential, !isOpening,
                let source = try ownCopy(of: record, size: nil)
            else { throw error }
            return source
        }
        try job.checkCancelled()
        try checkAgreement(record, stat, isOpening: isOpening)
        if mount.access == .sequential, let size = stat.size, !isOpening,
            let source = try ownCopy(of: record, size: size, validator: stat.validator)
        {
            return source
        }
        // A source that is not ready holds no place while it gets ready.
        job.phase = .waitingForSource
        guard stat.isReady else { return try await fetch(record, mount, stat, job) }
        return try await readyFetches.run { try await fetch(record, mount, stat, job) }
    }

    /// Whether the mount still says what it said when the shard was indexed.
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

    /// Opens the mount, and copies what cannot be read in place.
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
            return try await source(of: opened, record, stat, job)
        } catch {
            // Also if the job was cancelled while the mount opened.
            switch opened {
            case .random(let source): source.close()
            case .sequential(let stream): stream.close()
            case .file, .bytes: break
            }
            throw error
        }
    }

    /// Makes a source of what a mount opened; after an error the caller closes `opened`.
    private func source(
        of opened: MountSource,
        _ record: ShardRecord,
        _ stat: MountStat,
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
                facts: SourceFacts(size: memory.size, validator: stat.validator)
            )
        case .random(let source):
            try checkSize(source.size, stat, record)
            let remote = RemoteBytes(source, name: record.mountURL)
            job.startReading(remote)
            return ShardSource(
                bytes: .remote(remote),
                facts: SourceFacts(size: remote.size, validator: stat.validator)
            )
        case .sequential(let stream):
            guard !isReadOnly else { throw DAGStoreError.storeIsReadOnly }
            job.phase = .copying
            defer { stream.close() }
            let fetched = try await transients.fetch(
                record.transientName,
                expectedSize: stat.size,
                from: stream,
                freeRoom: { [self] in await closeIdleCopies() }
            )
            return try source(of: fetched, validator: stat.validator)
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

    /// Returns the user's own copy, while it exists.
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

    /// Returns the store's own copy, if it is whole.
    private func ownCopy(
        of record: ShardRecord,
        size: UInt64?,
        validator: String? = nil
    ) throws -> ShardSource? {
        // A read-only store has not taken the copies up, and pins none.
        let transient = isReadOnly ? nil : transients.find(record.transientName)
        let pin = transient.map(transients.pin)
        let found = isReadOnly ? transients.existingPath(of: record.transientName) : nil
        guard let path = transient?.path ?? found else { return nil }
        let file: LocalFile
        do {
            file = try LocalFile(opening: path)
        } catch {
            // That this process cannot open it now does not mean that there is none.
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

    /// Asks the loop to close the shards that read copies and have no lease, and waits for it.
    ///
    /// - Returns: The numbers of the shards whose copies a caller or a job waits for.
    @discardableResult
    func closeIdleCopies() async -> Set<UInt32> {
        let awaited = await withCheckedContinuation { continuation in
            if !loop.post(.closeIdleCopies({ continuation.resume(returning: $0) })) {
                continuation.resume(returning: [])
            }
        }
        // The copies are free when the last readers have ended.
        await Reclaimer.drained(access.mark)
        return awaited
    }

    /// Whether the bytes of a shard are a file of this machine.
    func isLocal(_ record: ShardRecord) -> Bool {
        record.borrowedTransient != nil || (try? mount(of: record)) is FileMount
    }

    /// Makes the mount of a URL, to see that the store could make it again.
    ///
    /// - Throws: `unknownScheme`, `invalidArgument`, and what the template throws.
    func checkMount(_ url: MountURL) throws {
        _ = try mounts.mount(for: url)
        guard url.text.utf8.count <= ShardRecord.urlSizeMax else {
            throw DAGStoreError(.invalidArgument, "a mount URL of \(url.text.utf8.count) bytes")
        }
    }

    /// Makes the mount that a record names.
    ///
    /// - Throws: `unknownScheme`, `invalidArgument`, and what the template throws.
    private func mount(of record: ShardRecord) throws -> any Mount {
        try mounts.mount(for: MountURL(record.mountURL))
    }
}
