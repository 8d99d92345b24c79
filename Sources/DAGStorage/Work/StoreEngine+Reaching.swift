internal import DAGCatalog
internal import DAGMounts
internal import SystemPackage

/// Reaching the bytes of a shard: from the user's copy, the store's copy, or the mount.
extension StoreEngine {
    /// The bytes of a shard, if this takes no waiting for a mount.
    ///
    /// - Parameters:
    ///   - record: The shard.
    ///   - isOpening: Whether the shard is indexed, so that the source must be what was indexed.
    /// - Returns: The source; nil if the mount must be asked.
    /// - Throws: `mountGone`, `mountUnreachable`, `unknownScheme`.
    func reachAtOnce(_ record: ShardRecord, isOpening: Bool) throws -> ShardSource? {
        if let source = try reachBorrowed(record) { return source }
        let mount = try mount(of: record)
        if let mount = mount as? FileMount {
            let file = try LocalFile(opening: mount.path)
            return ShardSource(bytes: .file(file), facts: SourceFacts(.file, file.identity))
        }
        guard isOpening, mount.access == .sequential else { return nil }
        return try reachTransient(record, size: record.fileSize)
    }

    /// The bytes of a shard, from wherever they are.
    func reach(
        _ record: ShardRecord,
        for job: ShardJob,
        isOpening: Bool
    ) async throws -> ShardSource {
        if let source = try reachAtOnce(record, isOpening: isOpening) { return source }
        let mount = try mount(of: record)
        job.phase = .reachingSource
        let stat: MountStat
        do {
            stat = try await mount.stat()
        } catch let error {
            try job.checkCancelled()
            // What was copied before a crash is whole, also if its source cannot be reached now.
            guard mount.access == .sequential, !isOpening,
                let source = try reachTransient(record, size: nil)
            else { throw error }
            return source
        }
        try job.checkCancelled()
        try checkAgreement(record, stat, isOpening: isOpening)
        if mount.access == .sequential, let size = stat.size, !isOpening,
            let source = try reachTransient(record, size: size, validator: stat.validator)
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
        try job.checkCancelled()
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
            job.reads(remote)
            return ShardSource(
                bytes: .remote(remote),
                facts: SourceFacts(size: remote.size, validator: stat.validator)
            )
        case .sequential(let stream):
            guard !catalog.isReadOnly else { throw DAGStoreError.storeIsReadOnly }
            job.phase = .copying
            defer { stream.close() }
            let fetched = try await transients.fetch(
                record.transientName,
                expectedSize: stat.size,
                from: stream,
                letGo: { [self] in await letGoOfIdleCopies() }
            )
            return try source(of: fetched, validator: stat.validator)
        }
    }

    private func checkSize(_ size: UInt64, _ stat: MountStat, _ record: ShardRecord) throws {
        guard stat.size == nil || stat.size == size else {
            throw DAGStoreError(
                .fetchFailed,
                "\(record.mountURL) has \(size) bytes and said \(stat.size ?? 0)"
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

    /// The user's own copy, while it is there.
    private func reachBorrowed(_ record: ShardRecord) throws -> ShardSource? {
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

    /// The store's own copy, if it is whole.
    private func reachTransient(
        _ record: ShardRecord,
        size: UInt64?,
        validator: String? = nil
    ) throws -> ShardSource? {
        // Who only looks has not taken the copies up, and pins none.
        let transient = catalog.isReadOnly ? nil : transients.find(record.transientName)
        let pin = transient.map(transients.pin)
        let found = catalog.isReadOnly ? transients.existingPath(of: record.transientName) : nil
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

    /// The mount that a record names.
    ///
    /// - Throws: `unknownScheme`, `invalidArgument`, and what the template throws.
    func mount(of record: ShardRecord) throws -> any Mount {
        try mounts.mount(for: MountURL(record.mountURL))
    }
}
