#if Cluster
    internal import DAGBytes
    package import DAGCatalog
    internal import DAGHashing
    package import DAGMultiformats
    internal import DAGStorage
    internal import ShardIndex
    internal import SharedReads

    /// Finds the shards of a cluster that have a multihash, and the nodes that hold them.
    ///
    /// A look-up reads at most one chunk of each run that covers the hash, from the cache where it has them. Only
    /// "not here" asks the database whether the runs have changed.
    ///
    /// *Concurrency*: any thread or task.
    package final class ClusterFinder: Sendable {
        private struct State {
            var directory: RunDirectory
            /// The chunks whose checksum this process has verified.
            var verified: Set<ChunkKey> = []
            /// Shards by number, with the time of the look at the database; nil for one that does not exist.
            var shards: [UInt32: (shard: PlacedShard?, seen: ContinuousClock.Instant)] = [:]
            /// The places of the bytes of runs.
            var blobs: [BlobName: StoredBlob] = [:]
            /// The runs with a chunk that this process could not read.
            var suspects: Set<RunNumber> = []
        }

        private let database: ClusterDatabase
        /// The bytes of runs, or why this program cannot reach them.
        private let blobs: Result<Blobs, any Error>
        private let hash: KeyedHash
        private let cache: ChunkCache?
        private let state: Lock<State>
        private let looks: SharedLook

        /// The time for which a shard's nodes are believed.
        private static let shardTime = Duration.seconds(5)
        /// The most shards and chunks that this object remembers.
        private static let rememberedMax = 1 << 16

        /// Creates a finder, which knows no runs yet.
        ///
        /// - Parameters:
        ///   - facts: The facts of the cluster.
        ///   - database: The catalog.
        ///   - cache: Keeps chunks; nil to read each from the cluster.
        package init(_ facts: ClusterFacts, in database: ClusterDatabase, cache: ChunkCache? = nil)
        {
            self.database = database
            self.cache = cache
            blobs = Result { try Blobs(facts, in: database) }
            let words = facts.hashKey.withView { ($0.loadUInt64(at: 0), $0.loadUInt64(at: 8)) }
            hash = KeyedHash(key: words)
            let state = Lock(State(directory: RunDirectory(partitionBits: facts.partitionBits)))
            self.state = state
            looks = SharedLook {
                try await Self.look(in: database, state, cache)
            }
        }

        /// Returns the shards that have a multihash, in the order of their registration.
        ///
        /// The inverse index has 48 bits of each hash, so a shard may turn out to lack the block: its node knows.
        ///
        /// *Cost*: without a cache a read for each run; with all in the cache, no look at the database.
        ///
        /// - Parameters:
        ///   - multihash: The multihash.
        ///   - limit: The most shards; those that were registered last.
        ///   - isNew: Whether to ask the database first, also about shards that are known.
        /// - Returns: The shards.
        /// - Throws: `catalogUnreachable` if no known shard has it and the database is away; `catalogCorrupt`;
        ///   `invalidConfiguration` if the object store of the cluster refuses requests.
        package func shards(
            containing multihash: Multihash,
            limit: Int = .max,
            asking isNew: Bool = false
        ) async throws -> [PlacedShard] {
            let hash = multihash.digest.withView {
                InverseEntry.hash(of: self.hash.hash($0).high)
            }
            var isFresh = isNew
            if isNew { try await refresh() }
            while true {
                let read = try await numbers(of: hash)
                let found = try await newest(limit, among: read.numbers, asking: isNew)
                if !found.isEmpty, isFresh || read.fault == nil { return found }
                if !isFresh {
                    do {
                        // The look shows what was published until this call.
                        try await refresh()
                    } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                        guard found.isEmpty else { return found }
                        throw error
                    }
                    isFresh = true
                    if state.withLock({ $0.directory.version }) != read.version { continue }
                }
                if !found.isEmpty { return found }
                // A run that cannot be read may have the hash, so "not here" would be a guess.
                if let fault = read.fault { throw fault }
                return []
            }
        }

        /// Learns which runs there are; many calls at once ask the database once.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func refresh() async throws { try await looks.run() }

        /// The version of the runs that this object knows; -1 before the first look.
        var version: Int64 { state.withLock { $0.directory.version } }

        /// Asks the database for the runs.
        private static func look(
            in database: ClusterDatabase,
            _ state: Lock<State>,
            _ cache: ChunkCache?
        ) async throws {
            let (version, known) = state.withLock { ($0.directory.version, $0.directory.known) }
            guard let changes = try await database.runs(after: version, known: known) else {
                return
            }
            let gone = state.withLock { $0.directory.apply(changes) }
            guard let cache, !gone.isEmpty else { return }
            try await database.blocking {
                for run in gone {
                    try? cache.removeRun(
                        part: Int16(clamping: run.number.part),
                        number: run.cacheNumber
                    )
                }
            }
        }

        /// The largest number of merged runs that a look-up reads.
        package var mergedRunCountMax: Int { state.withLock { $0.directory.mergedCountMax } }
        /// The number of runs of single shards that no merge has taken.
        package var waitingCount: Int { state.withLock { $0.directory.waiting.count } }
        /// The number of those that look-ups skip if they lack the hash.
        var filteredCount: Int {
            state.withLock { $0.directory.waiting.count { $0.filter != nil } }
        }

        // MARK: Chunks

        /// The shards of a hash in the runs that could be read.
        private struct Numbers {
            var numbers: [UInt32] = []
            /// The version of the runs.
            var version: Int64 = -1
            /// The reason why a run could not be read.
            var fault: DAGStoreError?
        }

        private func numbers(of hash: UInt64) async throws -> Numbers {
            let directory = state.withLock { $0.directory }
            var read = Numbers(version: directory.version)
            if directory.isUncertain(about: hash) {
                read.fault = DAGStoreError(
                    .catalogCorrupt,
                    "a run of the inverse index cannot be read",
                    advice: "run 'dagstore cluster check'"
                )
            }
            let missing = search(directory.places(of: hash), hash, &read.numbers)
            if !missing.isEmpty {
                let rest = try await withThrowingTaskGroup(of: Numbers.self) { group in
                    for place in missing {
                        group.addTask { try await self.fetchIfSound(place, hash) }
                    }
                    return try await group.reduce(into: Numbers()) { all, one in
                        all.numbers += one.numbers
                        all.fault = all.fault ?? one.fault
                    }
                }
                read.numbers += rest.numbers
                read.fault = read.fault ?? rest.fault
            }
            if read.numbers.count > 1 { read.numbers = Array(Set(read.numbers)).sorted() }
            return read
        }

        /// Reads and searches a chunk; remembers its run if the chunk is damaged.
        ///
        /// A merge may have replaced the run, and a sweep deleted its bytes: the next look shows that.
        private func fetchIfSound(_ place: ChunkPlace, _ hash: UInt64) async throws -> Numbers {
            do {
                return Numbers(numbers: try await fetch(place, hash))
            } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                state.withLock { state in
                    state.blobs[place.run.blob] = nil
                    if state.suspects.count < Self.rememberedMax {
                        state.suspects.insert(place.run.number)
                    }
                }
                return Numbers(fault: error)
            }
        }

        /// Verifies the runs with a chunk that could not be read, and lets nodes write damaged ones again.
        ///
        /// *Cost*: reads these runs.
        ///
        /// - Throws: `catalogUnreachable`, and the errors of an object store.
        package func reportDamage() async throws {
            let suspects = state.withLock { state in
                defer { state.suspects = [] }
                return state.suspects.compactMap { state.directory.run($0) }
            }
            let verifier = RunVerifier(blobs: try blobs.get())
            for run in suspects where try await verifier.fault(of: run) != nil {
                // Without effect if the run was replaced meanwhile.
                try await database.markDamaged(run.number, run.blob)
            }
        }

        /// Searches the chunks that the cache has.
        ///
        /// - Returns: The other chunks.
        private func search(
            _ places: [ChunkPlace],
            _ hash: UInt64,
            _ numbers: inout [UInt32]
        ) -> [ChunkPlace] {
            guard let cache, !places.isEmpty else { return places }
            let keys = places.map(\.key)
            let verified = state.withLock { state in keys.map { state.verified.contains($0) } }
            var isSearched = Array(repeating: false, count: keys.count)
            try? cache.forEachChunk(of: keys) { index, bytes in
                let found = try? Self.search(
                    bytes,
                    places[index],
                    hash,
                    isVerified: verified[index]
                )
                guard let found else { return }
                numbers += found
                isSearched[index] = true
            }
            remember(keys.indices.filter { isSearched[$0] && !verified[$0] }.map { keys[$0] })
            return places.indices.filter { !isSearched[$0] }.map { places[$0] }
        }

        private func remember(_ verified: [ChunkKey]) {
            guard !verified.isEmpty else { return }
            state.withLock { state in
                if state.verified.count >= Self.rememberedMax { state.verified.removeAll() }
                state.verified.formUnion(verified)
            }
        }

        private static func search(
            _ bytes: ByteView,
            _ place: ChunkPlace,
            _ hash: UInt64,
            isVerified: Bool
        ) throws(ShardIndexError) -> [UInt32] {
            let chunk = try InverseChunk(
                reading: bytes,
                number: place.chunk,
                of: place.run.directory
            )
            if !isVerified { try chunk.check() }
            var numbers: [UInt32] = []
            chunk.appendShards(of: hash, to: &numbers)
            return numbers
        }

        /// Reads a chunk from the cluster, keeps it, and searches it.
        private func fetch(_ place: ChunkPlace, _ hash: UInt64) async throws -> [UInt32] {
            let blob = try await blob(of: place.run)
            let range = place.run.directory.byteRange(ofChunk: place.chunk)
            let bytes = try await blobs.get().bytes(range, of: blob)
            let found: [UInt32]
            do throws(ShardIndexError) {
                found = try bytes.withView { view throws(ShardIndexError) in
                    try Self.search(view, place, hash, isVerified: false)
                }
            } catch {
                throw DAGStoreError(.catalogCorrupt, "a chunk of run \(blob.name): \(error.detail)")
            }
            if let cache {
                // A cache that is full or damaged costs time only.
                try await database.blocking { try? cache.add([(place.key, bytes)]) }
            }
            return found
        }

        private func blob(of run: ClusterRun) async throws -> StoredBlob {
            if let known = state.withLock({ $0.blobs[run.blob] }) { return known }
            guard let blob = try await blobs.get().find(run.blob) else {
                throw DAGStoreError(.catalogCorrupt, "the cluster lacks the run \(run.blob)")
            }
            state.withLock { state in
                if state.blobs.count >= Self.rememberedMax { state.blobs.removeAll() }
                state.blobs[run.blob] = blob
            }
            return blob
        }

        /// Reads the new runs of single shards, so that look-ups skip those that lack the hash.
        ///
        /// *Cost*: reads these runs. *Memory*: a filter of 12 bits an entry.
        ///
        /// - Parameter sizeMax: The most bytes of runs; look-ups read a chunk of each older run.
        /// - Throws: `catalogUnreachable`, and the errors of an object store; `CancellationError`.
        package func gather(sizeMax: UInt64) async throws {
            let gatherer = RunGatherer(database: database, blobs: try blobs.get(), cache: cache)
            var left = sizeMax
            for waiting in state.withLock({ $0.directory.waiting }).reversed() {
                let run = waiting.run
                guard run.directory.totalSize <= left else { return }
                left -= run.directory.totalSize
                guard waiting.filter == nil else { continue }
                do {
                    let filter = try await gatherer.filter(of: run)
                    state.withLock { $0.directory.keep(filter, of: run) }
                } catch let error as DAGStoreError where error.code == .catalogCorrupt {
                    _ = state.withLock { $0.suspects.insert(run.number) }
                }
            }
        }

        // MARK: Shards

        /// Returns the last shards that exist, in order; the inverse index may also name destroyed ones.
        private func newest(
            _ limit: Int,
            among numbers: [UInt32],
            asking isNew: Bool
        ) async throws -> [PlacedShard] {
            var rest = numbers[...]
            var found: [PlacedShard] = []
            while found.count < limit, !rest.isEmpty {
                let some = Array(rest.suffix(min(limit, Self.shardsAtOnce)))
                rest = rest.dropLast(some.count)
                found = try await placed(some, asking: isNew) + found
            }
            return found.suffix(limit)
        }

        /// The shards that one look asks for.
        private static let shardsAtOnce = 256

        /// Returns the shards with these numbers that exist, with their nodes.
        private func placed(
            _ numbers: [UInt32],
            asking isNew: Bool
        ) async throws -> [PlacedShard] {
            guard !numbers.isEmpty else { return [] }
            let now = ContinuousClock.now
            let known = state.withLock { state in numbers.map { state.shards[$0] } }
            let isFresh = known.allSatisfy { entry in
                entry.map { now - $0.seen < Self.shardTime } ?? false
            }
            if isFresh, !isNew { return known.compactMap { $0?.shard } }
            let asked: [PlacedShard]
            do {
                asked = try await database.shards(numbered: numbers)
            } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                // What is known is better than nothing, as long as it names a holder.
                let old = known.compactMap { $0?.shard }
                guard !old.isEmpty, !isNew else { throw error }
                return old
            }
            let byNumber = Dictionary(
                asked.map { ($0.shard.number, $0) },
                uniquingKeysWith: { first, _ in first }
            )
            state.withLock { state in
                if state.shards.count >= Self.rememberedMax { state.shards.removeAll() }
                for number in numbers { state.shards[number] = (byNumber[number], now) }
            }
            return asked
        }
    }
#endif
