#if Cluster
    internal import DAGBytes
    internal import DAGCatalog
    internal import DAGStorage
    internal import ShardIndex

    /// Reads the run of a single shard for the look-ups of a node.
    struct RunGatherer: Sendable {
        let database: ClusterDatabase
        let blobs: Blobs
        /// Receives the chunks; nil if the node keeps none.
        let cache: ChunkCache?

        /// The bytes of chunks that the gatherer reads, and adds to the cache, at once.
        private static let readSize: UInt64 = 4 << 20

        /// Reads a run, and keeps its chunks in the cache.
        ///
        /// *Cost*: reads the chunks that the cache lacks from the cluster.
        ///
        /// - Parameter run: The run; its size bounds the memory of the filter.
        /// - Returns: The run's filter.
        /// - Throws: `catalogCorrupt` if the run is damaged or gone; `catalogUnreachable`, and the errors of an object
        ///   store; `CancellationError`.
        func filter(of run: ClusterRun) async throws -> RunFilter {
            try await database.blocking(canceling: { mark in try gather(run, mark) })
        }

        private func gather(_ run: ClusterRun, _ mark: CancellationMark) throws -> RunFilter {
            // An entry has at least a byte, whatever a damaged row says.
            let count = min(run.entryCount, run.directory.totalSize)
            var filter = RunFilter(entryCount: Int(count))
            var reader: RunReader?
            var added: [(key: ChunkKey, bytes: [UInt8])] = []
            var addedSize: UInt64 = 0
            for number in run.directory.chunks {
                try mark.check()
                let key = ChunkPlace(run: run, chunk: number).key
                let isCached = try? cache?.withChunk(key) { bytes in
                    (try? Self.insert(bytes, number, of: run, into: &filter)) != nil
                }
                if isCached == true { continue }
                let source = try reader ?? RunReader(run, blobs, readSize: Self.readSize)
                reader = source
                let bytes = try source.chunk(number)
                do throws(ShardIndexError) {
                    try bytes.withView { view throws(ShardIndexError) in
                        try Self.insert(view, number, of: run, into: &filter)
                    }
                } catch {
                    throw DAGStoreError(.catalogCorrupt, "a chunk of a run: \(error.detail)")
                }
                added.append((key, bytes))
                addedSize += UInt64(bytes.count)
                guard addedSize >= Self.readSize else { continue }
                // A cache that is full or damaged costs time only.
                try? cache?.add(added)
                (added, addedSize) = ([], 0)
            }
            if !added.isEmpty { try? cache?.add(added) }
            return filter
        }

        private static func insert(
            _ bytes: ByteView,
            _ number: Int,
            of run: ClusterRun,
            into filter: inout RunFilter
        ) throws(ShardIndexError) {
            try filter.insert(InverseChunk(reading: bytes, number: number, of: run.directory))
        }
    }
#endif
