internal import DAGCAR
internal import DAGCatalog
internal import SharedReads

/// Indexes small CARs before their shards have records, and removes the remains of shards.
extension ShardWorker {
    /// The largest file to index before its shard has a record, in bytes; it takes a few milliseconds at most.
    private static let smallFileSizeMax: UInt64 = 1 << 20

    /// Indexes a small CAR whose shard has no record yet; the loop gets the request back with the index.
    func startPreparing(_ record: ShardRecord, _ request: Request) {
        // Outside of the indexing pool, so that small CARs do not wait for large ones.
        openings.submit { [self] in
            guard access.beginWork() else {
                loop.post(.prepared(request, nil))
                return
            }
            defer { access.endUse() }
            // The usual way meets an error again, and records it.
            loop.post(.prepared(request, try? indexedIfSmall(record)))
        }
    }

    private func indexedIfSmall(_ record: ShardRecord) throws -> IndexedSource? {
        guard let source = try sources.sourceAtOnce(record, isOpening: false),
            source.reader.size <= Self.smallFileSizeMax
        else { return nil }
        let job = ShardJob(ShardKey(stored: record.key), number: 0, progress: nil)
        return try buildIndex(record, source, job)
    }

    /// Deletes an earlier index of a shard, on a thread of the store.
    func discardIndexLater(_ generation: UInt64, of number: UInt32) {
        openings.submit { [self] in
            guard access.beginWork() else { return }
            indexes.discard(generation, of: number)
            access.endUse()
        }
    }

    /// Removes the transient and the index of a destroyed shard, on a thread of the store.
    ///
    /// - Parameters:
    ///   - record: The shard, which threads no longer find.
    ///   - completion: Called after the removal.
    func removeRest(of record: ShardRecord, completion: @escaping @Sendable () -> Void) {
        openings.submit { [self] in
            if access.beginWork() {
                Reclaimer.drain(access.mark)
                _ = try? transients.remove(record.transientName)
                if record.generation != 0 {
                    indexes.discard(record.generation, of: record.number)
                }
                access.endUse()
            }
            completion()
        }
    }
}
