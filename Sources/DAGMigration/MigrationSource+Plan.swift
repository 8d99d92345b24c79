internal import DAGBytes
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage
internal import Dispatch
internal import FoundationEssentials
internal import Synchronization
internal import SystemPackage

extension MigrationSource {
    /// Finds what a migration would do; writes nothing to the source.
    ///
    /// *Cost*: every record and every index is read once, no CAR. *Memory*: a few hundred bytes a shard.
    ///
    /// - Parameters:
    ///   - schemes: The mount schemes that are served.
    ///   - map: Mount URLs that will change; what it maps is served.
    ///   - progress: Told on any thread how many bytes of index files were read, and of how many; the sizes of all are
    ///     asked for only if there is one.
    /// - Returns: The plan; what is wrong with single shards stands in it.
    /// - Throws: `.sourceCorrupt`, `.sourceUnreadable`, `.notBuiltIn`.
    public func plan(
        schemes: Set<String> = ["file"],
        map: MountMap = MountMap(),
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(MigrationError) -> MigrationPlan {
        var planner = Planner(self, schemes.union(map.schemes), map)
        planner.progress = progress
        switch layout {
        case .dagstore: try planner.planRecords()
        case .boostLID: try planner.planPieces()
        case .indexes: try planner.planIndexes()
        case .cars: try planner.planCARs()
        }
        return planner.plan
    }

    /// Calls `body` with every record of the datastore, in order of the datastore's keys.
    func forEachRecord(
        _ body: (_ datastoreKey: ByteView, _ value: ByteView) throws(MigrationError) -> Void
    ) throws(MigrationError) {
        guard let datastore else { return }
        #if LevelDB
            let database = try LevelDBReader(at: datastore)
            try database.forEach(prefix: GoRecord.prefix) { (key, value) throws(MigrationError) in
                try body(key, value)
                return true
            }
        #else
            throw MigrationError(
                .notBuiltIn,
                datastore,
                "a LevelDB datastore; this program was built without the trait LevelDB"
            )
        #endif
    }
}

/// Puts a plan together.
private struct Planner {
    let source: MigrationSource
    let schemes: Set<String>
    var plan: MigrationPlan
    private var mangled = MangledKeys(limit: MangledKeys.countMax)
    /// The index files that are there, and the places of their shards.
    private var indexPaths: [(number: Int, path: FilePath)] = []
    /// The keys of all shards, by their bytes: two strings of other bytes may be the same to Swift.
    private var keys = Set<[UInt8]>()
    private let map: MountMap
    var progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)?
    private static let chunkSize = 64
    private static let detailMax = 200

    init(_ source: MigrationSource, _ schemes: Set<String>, _ map: MountMap) {
        self.source = source
        self.schemes = schemes
        self.map = map
        plan = MigrationPlan(layout: source.layout)
    }

    // MARK: Layouts

    mutating func planRecords() throws(MigrationError) {
        // By their bytes: two strings of other bytes may be the same to Swift, and to no file system.
        var files = Set<[UInt8]>()
        if let indexes = source.indexes {
            for name in try MigrationSource.files(below: indexes)
            where name.hasSuffix(MigrationSource.indexSuffix) {
                files.insert(Array(name.utf8))
            }
        }
        var transients = Set<[UInt8]>()
        if let folder = source.transients {
            transients = Set(try MigrationSource.names(in: folder).map { Array($0.utf8) })
        }
        var records: [GoRecord] = []
        var unreadable: [MigrationProblem] = []
        try source.forEachRecord { key, value in
            guard let record = GoRecord.reading(value.copied) else {
                let name = String(decoding: key.copied, as: UTF8.self)
                unreadable.append(MigrationProblem(kind: .malformedRecord, detail: name))
                return
            }
            records.append(record)
        }
        plan.strays = unreadable
        for record in records {
            if let name = FilePath(record.transientPath).lastComponent {
                transients.remove(Array(name.string.utf8))
            }
            if isNew(record.key) { add(record, &files) }
        }
        examineIndexes()
        noteOrphans(files, .orphanIndex)
        noteOrphans(transients, .orphanTransient)
        try addDatastoreSize()
        noteCollisions()
    }

    /// Whether no other shard has a key; else that is a problem of the source.
    private mutating func isNew(_ key: String) -> Bool {
        guard !keys.insert(Array(key.utf8)).inserted else { return true }
        plan.strays.append(MigrationProblem(kind: .duplicateKey, detail: key))
        return false
    }

    private mutating func noteOrphans(_ names: Set<[UInt8]>, _ kind: MigrationProblem.Kind) {
        for name in names.map({ String(decoding: $0, as: UTF8.self) }).sorted() {
            plan.strays.append(MigrationProblem(kind: kind, detail: name))
        }
    }

    mutating func planPieces() throws(MigrationError) {
        #if LevelDB
            guard let pieces = source.pieces else { return }
            var users: [UInt64: Int] = [:]
            try pieces.forEachPiece { piece, cursor in
                guard let piece else {
                    let detail = "metadata of a piece whose name is no text"
                    plan.strays.append(MigrationProblem(kind: .malformedRecord, detail: detail))
                    return
                }
                guard isNew(piece) else { return }
                var shard = PlannedShard(
                    key: piece,
                    mountURL: "lotus://\(piece)",
                    state: .registered,
                    error: "",
                    isLazy: false
                )
                if let cursor {
                    users[cursor, default: 0] += 1
                } else {
                    let detail = "the metadata of \(piece)"
                    shard.problems.append(MigrationProblem(kind: .malformedRecord, detail: detail))
                }
                shard.cursor = cursor
                plan.shards.append(shard)
            }
            for number in plan.shards.indices {
                var shard = plan.shards[number]
                try examinePiece(&shard, pieces, users)
                plan.shards[number] = shard
            }
            try addDatastoreSize()
            noteCollisions()
        #endif
    }

    #if LevelDB
        /// Counts the records of a piece.
        private func examinePiece(
            _ shard: inout PlannedShard,
            _ pieces: BoostPieces,
            _ users: [UInt64: Int]
        ) throws(MigrationError) {
            noteKey(&shard)
            noteMount(&shard)
            guard let cursor = shard.cursor else { return }
            let records = BoostRecords(
                path: source.root,
                reader: pieces.reader,
                cursor: cursor,
                dataOffset: 0
            )
            var count: UInt64 = 0
            do throws(MigrationError) {
                try records.forEach { _, _, _ in count += 1 }
            } catch {
                guard error.code == .malformedIndex else { throw error }
                shard.problems.append(MigrationProblem(kind: .malformedIndex, detail: error.detail))
                return
            }
            guard count > 0 else {
                let detail = "\(shard.key): no records under cursor \(cursor)"
                // One that was never indexed has none, and lacks nothing.
                if cursor != 0 {
                    shard.problems.append(MigrationProblem(kind: .missingIndex, detail: detail))
                }
                return
            }
            guard users[cursor] == 1 else {
                let detail = "cursor \(cursor), \(users[cursor] ?? 0) pieces"
                shard.problems.append(MigrationProblem(kind: .sharedCursor, detail: detail))
                return
            }
            shard.state = .available
            shard.entries = count
        }
    #endif

    private mutating func addDatastoreSize() throws(MigrationError) {
        guard let datastore = source.datastore else { return }
        for name in try MigrationSource.names(in: datastore) {
            plan.bytesBefore += Self.size(datastore.appending(name))
        }
    }

    mutating func planIndexes() throws(MigrationError) {
        for name in try MigrationSource.names(in: source.root) where name.hasSuffix(".idx") {
            let isFull = name.hasSuffix(MigrationSource.indexSuffix)
            let suffix = isFull ? MigrationSource.indexSuffix : ".idx"
            let key = String(decoding: name.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
            guard isNew(key) else { continue }
            var shard = PlannedShard(
                key: key,
                mountURL: source.carPath(beside: key).map { FileMount($0).url.text },
                state: .available,
                error: "",
                isLazy: false
            )
            noteKey(&shard)
            noteMount(&shard)
            shard.indexPath = source.root.appending(name)
            plan.shards.append(shard)
        }
        examineIndexes()
        noteCollisions()
    }

    mutating func planCARs() throws(MigrationError) {
        for name in try MigrationSource.names(in: source.root) where name.hasSuffix(".car") {
            let path = source.root.appending(name)
            var shard = PlannedShard(
                key: String(decoding: name.utf8.dropLast(4), as: UTF8.self),
                mountURL: FileMount(path).url.text,
                state: .registered,
                error: "",
                isLazy: true
            )
            noteKey(&shard)
            plan.shards.append(shard)
        }
    }

    // MARK: Shards

    private mutating func add(_ record: GoRecord, _ files: inout Set<[UInt8]>) {
        let place = source.indexPath(of: record.key)
        // Most are known from the listing; a key may also lead out of the folder.
        let name = Array((record.key + MigrationSource.indexSuffix).utf8)
        let hasIndex = files.remove(name) != nil || place.map(MigrationSource.isFile) ?? false
        var (state, error, problems) = Self.standing(record, hasIndex: hasIndex)
        if !Self.isFileName(record.key) {
            let detail = "\(record.key): the source cannot keep its index under this name"
            problems.append(MigrationProblem(kind: .keyIsNoFileName, detail: detail))
        }
        if !hasIndex, state == .available {
            let detail = place?.string ?? record.key
            problems.append(MigrationProblem(kind: .missingIndex, detail: detail))
            state = .registered
        }
        var shard = PlannedShard(
            key: record.key,
            mountURL: record.mountURL,
            state: state,
            error: error,
            isLazy: record.isLazy
        )
        shard.problems = problems
        shard.isIndexFinished = [GoRecord.State.available, GoRecord.State.serving]
            .contains(record.state)
        if let name = FilePath(record.transientPath).lastComponent, let folder = source.transients,
            MigrationSource.isFile(folder.appending(name))
        {
            shard.transientName = name.string
        }
        noteKey(&shard)
        noteMount(&shard)
        if hasIndex { shard.indexPath = place }
        plan.shards.append(shard)
    }

    /// What a state of the reference is here.
    private static func standing(
        _ record: GoRecord,
        hasIndex: Bool
    ) -> (ShardStatus.State, error: String, [MigrationProblem]) {
        switch record.state {
        // One that is new and has an index takes it as it is when it is first used.
        case GoRecord.State.new, GoRecord.State.initializing:
            return (hasIndex ? .available : .registered, "", [])
        case GoRecord.State.available, GoRecord.State.serving: return (.available, "", [])
        case GoRecord.State.errored: return (.failed, record.error, [])
        case GoRecord.State.recovering:
            let detail = "a crash interrupted its recovery"
            let reason = record.error.isEmpty ? detail : "\(detail); before: \(record.error)"
            return (.failed, reason, [MigrationProblem(kind: .stuckRecovering, detail: record.key)])
        default:
            let detail = "state \(record.state)"
            return (.failed, detail, [MigrationProblem(kind: .unknownState, detail: detail)])
        }
    }

    private func noteMount(_ shard: inout PlannedShard) {
        guard let text = shard.mountURL else { return }
        func note(_ kind: MigrationProblem.Kind, _ detail: String) {
            shard.problems.append(MigrationProblem(kind: kind, detail: detail))
        }
        guard let url = try? MountURL(text) else {
            return note(.unusableMount, "\(text): not a mount URL")
        }
        guard schemes.contains(url.scheme) else { return note(.unknownScheme, text) }
        do throws(MountError) {
            _ = try map.url(text, key: shard.key)
        } catch {
            return note(.unusableMount, error.detail)
        }
        guard url.scheme == FileMount.scheme,
            url.rest.starts(with: "%2F".utf8) || url.rest.starts(with: "%2f".utf8)
        else { return }
        note(.absolutePathDamaged, text)
    }

    /// Whether the reference can make a file of this name in its index folder.
    private static func isFileName(_ key: String) -> Bool {
        let size = key.utf8.count + MigrationSource.indexSuffix.utf8.count
        return size <= 255 && !key.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    private func noteKey(_ shard: inout PlannedShard) {
        guard (try? ShardKey(shard.key)) == nil else { return }
        let detail = "\(shard.key.utf8.count) bytes"
        shard.problems.append(MigrationProblem(kind: .unusableKey, detail: detail))
    }

    // MARK: Indexes

    /// Reads the index files of shards, on all cores; that one cannot be read is a problem of its shard.
    private mutating func examineIndexes() {
        let workers = ProcessInfo.processInfo.activeProcessorCount
        for (number, shard) in plan.shards.enumerated() {
            if let path = shard.indexPath { indexPaths.append((number, path)) }
        }
        let work = Mutex((next: 0, done: [(number: Int, shard: PlannedShard)](), mangled: mangled))
        let total = progress == nil ? 0 : indexPaths.reduce(0) { $0 + Self.size($1.path) }
        let read = Atomic<UInt64>(0)
        DispatchQueue.concurrentPerform(iterations: workers) {
            [indexPaths, shards = plan.shards, progress] _ in
            var found = MangledKeys(limit: MangledKeys.countMax / workers)
            var done: [(number: Int, shard: PlannedShard)] = []
            while true {
                let first = work.withLock { work in
                    defer { work.next += Self.chunkSize }
                    return work.next
                }
                guard first < indexPaths.count else { break }
                for (number, path) in indexPaths[
                    first..<min(first + Self.chunkSize, indexPaths.count)
                ] {
                    var shard = shards[number]
                    Self.examine(path, &shard, &found)
                    done.append((number, shard))
                    guard let progress, let size = shard.bytes else { continue }
                    progress(read.add(size, ordering: .relaxed).newValue, total)
                }
            }
            work.withLock { work in
                work.done += done
                work.mangled.merge(found)
            }
        }
        work.withLock { work in
            for (number, shard) in work.done {
                plan.shards[number] = shard
                plan.bytesBefore += shard.bytes ?? 0
            }
            mangled = work.mangled
        }
    }

    private static func examine(
        _ path: FilePath,
        _ shard: inout PlannedShard,
        _ mangled: inout MangledKeys
    ) {
        do throws(MigrationError) {
            let index = try IndexFile(at: path)
            shard.bytes = index.size
            shard.codec = index.codec
            shard.entries = index.count
            let count = try countMangled(index, &mangled)
            if count > 0 {
                let detail = "\(count) of \(index.count)"
                shard.problems.append(MigrationProblem(kind: .mangledInverseKeys, detail: detail))
            }
            guard index.buckets.contains(where: { $0.hashCode == nil }) else { return }
            let detail = "\(index.count) entries"
            shard.problems.append(MigrationProblem(kind: .indexWithoutHashCodes, detail: detail))
        } catch {
            shard.bytes = shard.bytes ?? size(path)
            shard.entries = nil
            shard.indexPath = nil
            let detail = "\(error.path.lastComponent?.string ?? ""): \(error.detail)"
            let kind: MigrationProblem.Kind =
                switch error.code {
                case .malformedIndex: .malformedIndex
                case .truncated where isFinished(path, shard): .truncatedIndex
                default: .unreadableIndex
                }
            shard.problems.append(MigrationProblem(kind: kind, detail: detail))
            if shard.state == .available { shard.state = .registered }
        }
    }

    /// Whether the source has finished an index file, so that one that is cut short stays so.
    ///
    /// A node writes an index in place, and its record says `available` after that. Any other file is finished if
    /// nothing was written to it for a while.
    private static func isFinished(_ path: FilePath, _ shard: PlannedShard) -> Bool {
        if shard.isIndexFinished { return true }
        guard let modified = (try? FileIdentity(at: path))?.modified else { return false }
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        return now - modified >= writingTimeMax
    }

    /// The longest time between two writes to an index file, in nanoseconds: ten minutes.
    private static let writingTimeMax: Int64 = 600_000_000_000

    /// How many multihashes the reference keeps under another key.
    private static func countMangled(
        _ index: IndexFile,
        _ mangled: inout MangledKeys
    ) throws(MigrationError) -> Int {
        var count = 0
        var multihash: [UInt8] = []
        try index.forEach { hashCode, digest, _ in
            guard let hashCode else { return }
            multihash.removeAll(keepingCapacity: true)
            Varint.append(hashCode, to: &multihash)
            Varint.append(UInt64(digest.count), to: &multihash)
            multihash.append(digest)
            guard !multihash.withView(GoPath.isClean) else { return }
            count += 1
            mangled.note(multihash)
        }
        return count
    }

    private mutating func noteCollisions() {
        for multihashes in mangled.collisions {
            let names = multihashes.map { $0.withView { $0.hexadecimal } }.sorted()
            let detail = String(names.joined(separator: " ").prefix(Self.detailMax))
            plan.strays.append(MigrationProblem(kind: .collidingInverseKeys, detail: detail))
        }
    }

    private static func size(_ path: FilePath) -> UInt64 {
        (try? FileIdentity(at: path))?.size ?? 0
    }
}
