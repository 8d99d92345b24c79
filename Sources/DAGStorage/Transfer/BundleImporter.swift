internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGCatalog
internal import DAGHashing
package import DAGMounts
internal import DAGSystem
internal import ShardIndex

/// A shard to import from a bundle.
package struct ImportedBundle: Sendable {
    /// The key.
    package var key: ShardKey
    /// The URL of the mount of the CAR.
    package var mountURL: MountURL
    /// What stays on this machine of the CAR's bytes.
    package var policy: MountPolicy

    /// Creates a shard to import.
    package init(key: ShardKey, mountURL: MountURL, policy: MountPolicy = .automatic) {
        self.key = key
        self.mountURL = mountURL
        self.policy = policy
    }
}

/// Imports the bundles of `BundleExporter`, so that this store serves a shard without a scan of its CAR.
///
/// *Concurrency*: any thread or task.
package struct BundleImporter: Sendable {
    private let engine: StoreEngine

    /// Creates an importer into `store`, which has the hash key of the exporter's store.
    package init(_ store: DAGStore) { engine = store.engine }

    /// Registers a shard with the index of a bundle; afterwards the shard is available.
    ///
    /// The call reads only the header of the CAR, and compares it with the bundle. It reads nothing of a sequential
    /// source or of one that is not ready: there the first lease compares size, validator and checksum. A failed or
    /// cancelled import leaves nothing behind.
    ///
    /// *Cost*: decodes every page and hashes every digest, about 200 ns a section; a commit. *Memory*: the root page,
    /// one value, batches of 12 MiB at most, and `Configuration.sortBudget`.
    ///
    /// - Parameters:
    ///   - bundle: The shard.
    ///   - name: The SHA-256 of the bundle's bytes.
    ///   - read: Returns the next piece of the bundle, of any size; nil at the end. A thread of the store calls it, so
    ///     it may block.
    /// - Returns: The shard's status.
    /// - Throws: `shardExists`; `invalidArgument` if the store has another hash key; `malformedIndex` if the bytes are
    ///   damaged or have another name; `catalogTooNew` if a newer version of this program wrote the bundle;
    ///   `sourceChanged` if the mount has another CAR; `unknownScheme`, `mountGone`, `mountUnreachable`,
    ///   `fetchTimedOut`, `fetchFailed`; `catalogFull`, `readOnly`, `closed`; `CancellationError`; the errors of
    ///   `read`.
    @discardableResult
    package func importBundle(
        _ bundle: ImportedBundle,
        named name: [UInt8],
        from read: @escaping @Sendable () throws -> [UInt8]?
    ) async throws -> ShardStatus {
        guard !engine.catalog.isReadOnly else { throw DAGStoreError.storeIsReadOnly }
        try engine.access.beginCall()
        defer { engine.access.endUse() }
        let job = ShardJob(bundle.key, number: 0, progress: nil)
        do {
            return try await withTaskCancellationHandler {
                try await install(bundle, name, read, job)
            } onCancel: {
                job.cancel()
            }
        } catch let error as DAGStoreError {
            throw error.about(bundle.key)
        } catch let error as MountError {
            throw DAGStoreError(error).about(bundle.key)
        } catch let error as CatalogError {
            throw DAGStoreError(error).about(bundle.key)
        }
    }

    private func install(
        _ bundle: ImportedBundle,
        _ name: [UInt8],
        _ read: @escaping @Sendable () throws -> [UInt8]?,
        _ job: ShardJob
    ) async throws -> ShardStatus {
        let record = record(of: bundle)
        let reached = try await reach(record, job)
        let answer = FirstAnswer<ShardStatus, any Error>()
        // The bundle may come slowly, so the thread is not one of a pool.
        SystemThread.start("dagstore.import") {
            answer.deliver(
                Result {
                    try BundleImport(engine: engine, job: job, source: reached)
                        .run(record, name, read)
                }
            )
        }
        return try await answer.value
    }

    private func record(of bundle: ImportedBundle) -> ShardRecord {
        var record = ShardRecord(
            number: 0,
            key: bundle.key.text,
            mountURL: bundle.mountURL.text,
            state: .available
        )
        record.policy = ShardRecord.Policy(bundle.policy)
        record.registered = WallClock.milliseconds
        record.stateSince = record.registered
        return record
    }

    /// Reaches the source of a shard, unless the key is taken.
    private func reach(_ record: ShardRecord, _ job: ShardJob) async throws -> ReachedSource {
        let local = try await engine.openings.run { [engine] in
            try engine.checkFree(record.key)
            try engine.sources.checkMount(MountURL(record.mountURL))
            return try engine.sources.sourceAtOnce(record, isOpening: false)
        }
        if let local {
            return ReachedSource(size: local.facts.size, validator: nil, source: local)
        }
        return try await job.fetching(within: engine.configuration.fetchTimeout) { [engine] in
            try await engine.sources.reach(record, for: job)
        } discard: { _ in
        }
    }
}

extension StoreEngine {
    /// Checks that no shard has a key.
    ///
    /// - Throws: `shardExists`, `catalogCorrupt`.
    fileprivate func checkFree(_ key: String) throws {
        guard try catalog.record(of: key) == nil else {
            throw DAGStoreError(.shardExists, "the key is taken")
        }
    }
}

/// One import of a bundle whose source was reached; blocks the thread.
private struct BundleImport {
    let engine: StoreEngine
    let job: ShardJob
    let source: ReachedSource

    /// Imports the bundle.
    func run(
        _ record: ShardRecord,
        _ name: [UInt8],
        _ read: @escaping () throws -> [UInt8]?
    ) throws -> ShardStatus {
        var record = record
        var reader = BundleReader(from: read)
        let (header, root, rootBytes) = try ofBundle { () throws in
            let header = try reader.readHeader()
            try check(header)
            var bytes: [UInt8] = []
            try reader.read(header.rootSize, into: &bytes)
            let root = try bytes.withView { view throws(ShardIndexError) in
                try header.root(reading: view)
            }
            return (header, root, bytes)
        }
        apply(header, root, to: &record)
        try compare(record, root)
        engine.merger.waitForRoom()
        let pieces = engine.makeGenerationWriter()
        do {
            let inverse = try ofBundle { try write(header, root, &reader, pieces) }
            try reader.finish(named: name)
            try source.source?.reader.checkUnchanged()
            let rest = try pieces.finish()
            let parts = IndexParts(
                root: rootBytes,
                generation: rest.generation,
                pieces: rest.pieces,
                inverse: inverse
            )
            try ShardImporter(engine).commit([PreparedShard(record: record, parts: parts)])
        } catch {
            pieces.abandon()
            throw error
        }
        guard let status = try engine.status(of: job.key) else {
            throw DAGStoreError(.shardUnknown, "destroyed meanwhile")
        }
        return status
    }

    /// Checks that the bundle is for this store and for the source.
    private func check(_ header: IndexBundle) throws {
        guard header.keyID == HashKey(of: engine.catalog.hash).id else {
            throw DAGStoreError(
                .invalidArgument,
                "the bundle comes from a store with another hash key; index the CAR instead"
            )
        }
        guard source.size == nil || source.size == header.sourceSize else {
            throw DAGStoreError(
                .sourceChanged,
                "the source has \(source.size ?? 0) bytes, and \(header.sourceSize) were indexed"
            )
        }
    }

    private func apply(
        _ header: IndexBundle,
        _ root: IndexRoot,
        to record: inout ShardRecord
    ) {
        let remote = SourceFacts(
            size: header.sourceSize,
            validator: source.validator,
            checksum: header.contentChecksum
        )
        var facts = source.source?.facts ?? remote
        // The facts of a file identify it without a checksum.
        if facts.identity == .content { facts.checksum = header.contentChecksum }
        facts.apply(to: &record)
        record.sectionSizeMax = header.sectionSizeMax
        record.headerSizeMax = header.headerSizeMax
        record.origin = header.origin.map {
            ShardRecord.Origin(codec: $0.codec, hasIdentity: $0.hasIdentity)
        }
        record.setSizes(root)
    }

    /// Compares the header of the CAR with the root page.
    ///
    /// - Throws: `sourceChanged` if they differ; the errors of reading the source.
    private func compare(_ record: ShardRecord, _ root: IndexRoot) throws {
        guard let source = source.source else { return }
        let layout: CARLayout
        do {
            layout = try CARFile(source.reader, limits: engine.worker.limits(of: record)).layout
        } catch let error as CARError {
            throw DAGStoreError(.sourceChanged, "\(source.reader.name) is another file: \(error)")
        }
        guard layout.dataOffset == root.dataOffset, layout.dataSize == root.payloadSize,
            layout.headerSize == root.headerSize, layout.roots == root.roots
        else {
            throw DAGStoreError(
                .sourceChanged,
                "\(source.reader.name) has another header than the CAR of the bundle"
            )
        }
    }

    /// Writes the values under a new generation, each after its check.
    ///
    /// - Returns: The entries for the inverse index.
    private func write(
        _ header: IndexBundle,
        _ root: IndexRoot,
        _ reader: inout BundleReader,
        _ pieces: GenerationWriter
    ) throws -> InverseParts {
        var check = try BundleCheck(root)
        var hashes = InverseBuilder(budget: engine.configuration.sortBudget)
        let hash = engine.catalog.hash
        for (number, size) in header.pageValueSizes.enumerated() {
            let value = try next(size, &reader, pieces)
            try value.withView { view throws(ShardIndexError) in
                try check.checkPages(view) { page throws(ShardIndexError) in
                    for slot in 0..<page.count {
                        let high = page.withDigest(of: slot) { hash.hash($0).high }
                        try hashes.append(high, spillingTo: pieces)
                    }
                }
            }
            try pieces.writePages(number, value)
        }
        for (number, size) in header.segmentSizes.enumerated() {
            let value = try next(size, &reader, pieces)
            try value.withView { view throws(ShardIndexError) in try check.checkSegment(view) }
            try pieces.writeSegment(number, value)
        }
        try check.finish()
        return try hashes.finish(to: pieces)
    }

    /// Reads the next value, unless the import was cancelled.
    private func next(
        _ size: UInt32,
        _ reader: inout BundleReader,
        _ pieces: GenerationWriter
    ) throws -> [UInt8] {
        try job.checkCancelled()
        try engine.access.checkOpen()
        var value = pieces.makeBuffer()
        try reader.read(Int(size), into: &value)
        return value
    }

    /// Runs `body`, and turns damage of the bundle into `malformedIndex`.
    private func ofBundle<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as ShardIndexError {
            guard error.code == .malformed else { throw DAGStoreError(error) }
            throw DAGStoreError(.malformedIndex, error.detail)
        }
    }
}
