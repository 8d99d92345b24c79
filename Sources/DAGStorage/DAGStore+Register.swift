internal import CAR
internal import Catalog
internal import Dispatch
public import Mounts
internal import ShardIndex
internal import Synchronization
internal import SystemPackage

/// How far a registration is.
public struct IndexingProgress: Sendable {
    /// Payload bytes walked.
    public let bytesDone: UInt64
    /// Payload bytes in all.
    public let bytesTotal: UInt64
    /// Sections found.
    public let sections: UInt64
}

extension DAGStore {
    /// Indexes a CAR and makes it available under a key.
    ///
    /// Answers when index and record are on disk. A CAR that cannot be indexed leaves a failed shard
    /// behind, with the error; what ends before that (the key is taken, the store is full or read-only)
    /// leaves nothing.
    ///
    /// *Cost*: reads the CAR once, of large blocks the headers only; about 100 ns a section.
    ///
    /// - Parameters:
    ///   - key: The shard's key.
    ///   - mount: Where the CAR is.
    ///   - progress: Called now and then, on a thread of the store.
    /// - Returns: The shard's status.
    /// - Throws: `shardExists`; `mountGone`, `mountUnreachable`, `sourceChanged`; `malformedCAR`,
    ///   `truncated`, `unsupportedVersion`, `limitExceeded`; `catalogFull`, `readOnly`, `closed`.
    @discardableResult
    public func register(
        _ key: ShardKey,
        from mount: FileMount,
        progress: (@Sendable (IndexingProgress) -> Void)? = nil
    ) async throws -> ShardStatus {
        try beginWork(on: key)
        defer { endWork(on: key) }
        return try await jobs.run { [self] in
            do {
                return try registerNow(key, from: mount, progress: progress)
            } catch {
                throw DAGStoreError(any: error).about(key)
            }
        }
    }

    private func registerNow(
        _ key: ShardKey,
        from mount: FileMount,
        progress: (@Sendable (IndexingProgress) -> Void)?
    ) throws -> ShardStatus {
        guard try catalog.number(of: key.text) == nil else {
            throw DAGStoreError(.shardExists, "the key is taken")
        }
        guard mount.url.utf8.count <= ShardRecord.urlSizeMax else {
            throw DAGStoreError(.invalidArgument, "a mount URL of \(mount.url.utf8.count) bytes")
        }
        guard !catalog.isReadOnly else { throw DAGStoreError(.readOnly, "opened read-only") }
        let pieces = GenerationWriter(
            catalog: catalog,
            queue: writer,
            temporaryDirectory: directory.appending("tmp")
        )
        let record: ShardRecord
        do {
            record = try index(key, mount, pieces, progress)
        } catch {
            pieces.abandon()
            let error = DAGStoreError(any: error)
            if error.code.isOfTheSource { try publishFailure(key, mount, error) }
            throw error
        }
        return ShardStatus(record, references: 0)
    }

    /// Indexes the CAR and publishes the shard.
    private func index(
        _ key: ShardKey,
        _ mount: FileMount,
        _ pieces: GenerationWriter,
        _ progress: (@Sendable (IndexingProgress) -> Void)?
    ) throws -> ShardRecord {
        let car = try CARFile(
            opening: mount.path,
            limits: configuration.limits,
            isMapped: false
        )
        let (root, _) = try car.buildIndex(
            hash: catalog.hash,
            policy: configuration.indexPagePolicy,
            sortBudget: configuration.sortBudget,
            sink: pieces,
            progress: progress
        )
        try car.file.checkUnchanged()
        var record = newRecord(key, mount, .available)
        record.sectionCount = root.sectionCount
        record.payloadSize = root.payloadSize
        record.indexSize = root.indexSize
        record.fileSize = car.file.identity.size
        record.fileModified = car.file.identity.modified
        record.fileInode = car.file.identity.inode
        record.fileDevice = car.file.identity.device
        let rest = try pieces.finish()
        let rootPage = root.encoded(policy: configuration.indexPagePolicy)
        return try writer.sync { [record] in
            try catalog.publish(
                record,
                root: rootPage,
                generation: rest.generation,
                pieces: rest.pieces
            )
        }
    }

    private func publishFailure(
        _ key: ShardKey,
        _ mount: FileMount,
        _ error: DAGStoreError
    ) throws {
        var record = newRecord(key, mount, .failed)
        record.errorCode = error.code.rawValue
        record.errorText = error.message
        _ = try writer.sync { [record] in
            try catalog.publish(record, root: nil, generation: nil, pieces: [])
        }
    }

    private func newRecord(
        _ key: ShardKey,
        _ mount: FileMount,
        _ state: ShardRecord.State
    ) -> ShardRecord {
        var record = ShardRecord(number: 0, key: key.text, mountURL: mount.url, state: state)
        record.registered = WallClock.milliseconds
        record.stateSince = record.registered
        return record
    }

    /// Claims a key for a registration or a destruction.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - refusal: Why not, if there is a reason.
    /// - Throws: `closed`; `shardExists` if somebody else works on the key; the refusal.
    func beginWork(
        on key: ShardKey,
        unless refusal: (inout State) -> DAGStoreError? = { _ in nil }
    ) throws {
        let error = state.withLock { state -> DAGStoreError? in
            if state.isClosed { return DAGStoreError(.closed, "the store is closed") }
            if let error = refusal(&state) { return error }
            guard state.busy.insert(key).inserted else {
                return DAGStoreError(
                    .shardExists,
                    "the key is being registered or destroyed",
                    shard: key
                )
            }
            state.calls += 1
            return nil
        }
        if let error { throw error }
    }

    func endWork(on key: ShardKey) {
        state.withLock { state in
            state.busy.remove(key)
            state.destroying.remove(key)
        }
        endCall()
    }
}

extension DAGStoreError.Code {
    /// Whether the shard's source is at fault, so that the shard fails and may recover with another.
    var isOfTheSource: Bool { exitStatus == 4 || exitStatus == 5 }
}
