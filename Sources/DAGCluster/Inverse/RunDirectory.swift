#if Cluster
    internal import DAGCatalog
    internal import ShardIndex

    /// The runs of a cluster's inverse index at one moment.
    struct RunDirectory: Sendable {
        /// The number of first bits of a hash that name its partition.
        let partitionBits: Int
        /// The version; -1 before the first look at the database.
        private(set) var version: Int64 = -1
        private var runs: [RunNumber: ClusterRun] = [:]
        /// The merged runs of each partition.
        private var merged: [[ClusterRun]]
        /// The runs of single shards that a partition has not merged, in the order of their publications.
        private(set) var waiting: [WaitingRun] = []
        private var mergedThrough: [Int64]
        /// The runs whose entries are written again.
        private var damaged: Set<RunNumber> = []
        /// The partitions with runs that cannot be read; -1 for the run of a shard.
        private var unreadable: Set<Int64> = []

        /// Creates an empty directory.
        init(partitionBits: Int) {
            self.partitionBits = partitionBits
            merged = Array(repeating: [], count: 1 << partitionBits)
            mergedThrough = Array(repeating: 0, count: 1 << partitionBits)
        }

        /// The numbers of all runs, with the names of their bytes.
        var known: [RunNumber: BlobName] { runs.mapValues(\.blob) }

        /// Returns the run with a number; nil if it is gone.
        func run(_ number: RunNumber) -> ClusterRun? { runs[number] }

        /// Applies changes.
        ///
        /// - Returns: The runs that are gone.
        mutating func apply(_ changes: RunChanges) -> [ClusterRun] {
            version = changes.version
            damaged = changes.damaged
            unreadable = changes.unreadable
            var gone = runs.values.filter { !changes.present.contains($0.number) }
            for run in gone { runs[run.number] = nil }
            for run in changes.added {
                if let old = runs.updateValue(run, forKey: run.number) { gone.append(old) }
            }
            let filters = Dictionary(
                waiting.map { ($0.run.blob, $0.filter) },
                uniquingKeysWith: { first, _ in first }
            )
            waiting = runs.values.filter { $0.number.part < 0 }
                .sorted { $0.number.number < $1.number.number }
                .map { WaitingRun(run: $0, filter: filters[$0.blob] ?? nil) }
            for part in merged.indices { merged[part] = [] }
            for run in runs.values {
                guard let part = Int(exactly: run.number.part), merged.indices.contains(part)
                else { continue }
                merged[part].append(run)
            }
            for (part, through) in changes.mergedThrough.enumerated()
            where mergedThrough.indices.contains(part) {
                mergedThrough[part] = through
            }
            return gone
        }

        /// Returns the chunks that may have a hash: at most one of each run.
        func places(of hash: UInt64) -> [ChunkPlace] {
            let part = part(of: hash)
            let through = mergedThrough[part]
            var places: [ChunkPlace] = []
            for run in merged[part] { places.append(hash, of: run) }
            for waiting in waiting where waiting.filter?.mayContain(hash) != false {
                let number = waiting.run.number
                // Merges pass a damaged run by, so its entries are nowhere else until they are written again.
                guard number.number > through || damaged.contains(number) else { continue }
                places.append(hash, of: waiting.run)
            }
            return places
        }

        /// Keeps the filter of a run, if the directory still has the run.
        mutating func keep(_ filter: RunFilter, of run: ClusterRun) {
            for index in waiting.indices where waiting[index].run.blob == run.blob {
                waiting[index].filter = filter
            }
        }

        /// Whether a run that cannot be read may have a hash.
        func isUncertain(about hash: UInt64) -> Bool {
            unreadable.contains(-1) || unreadable.contains(Int64(part(of: hash)))
        }

        /// Returns the partition of a hash.
        private func part(of hash: UInt64) -> Int {
            Int(hash >> UInt64(InverseEntry.hashBits - partitionBits))
        }

        /// The largest number of merged runs of a partition.
        var mergedCountMax: Int { merged.map(\.count).max() ?? 0 }
    }

    /// The run of a single shard.
    struct WaitingRun: Sendable {
        /// The run.
        let run: ClusterRun
        /// Tells most hashes that the run lacks; nil before the node has read the run.
        var filter: RunFilter?
    }

    /// A chunk of a run.
    struct ChunkPlace: Sendable {
        /// The run.
        let run: ClusterRun
        /// The number of the chunk.
        let chunk: Int

        /// The key in a cache.
        var key: ChunkKey {
            ChunkKey(
                part: Int16(clamping: run.number.part),
                number: run.cacheNumber,
                chunk: UInt32(clamping: chunk)
            )
        }
    }

    extension ClusterRun {
        /// The number of the run in caches: of its bytes, because a restored database gives other numbers away again.
        var cacheNumber: UInt64 { blob.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
    }

    extension [ChunkPlace] {
        /// Appends the chunk of a run that covers a hash, if there is one.
        fileprivate mutating func append(_ hash: UInt64, of run: ClusterRun) {
            guard let chunk = run.directory.chunk(of: hash) else { return }
            append(ChunkPlace(run: run, chunk: chunk))
        }
    }
#endif
