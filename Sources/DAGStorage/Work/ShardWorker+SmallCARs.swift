internal import DAGCAR
internal import DAGCatalog
internal import SharedReads

/// Small CARs, which are indexed before their shards are known, and what is left of shards.
extension ShardWorker {
    /// The largest file that is indexed before its shard is known: it takes a few milliseconds at most.
    private static let smallFileSizeMax: UInt64 = 1 << 20

    /// Indexes a small CAR whose shard is not known yet; the loop gets the request back with the index.
    func startPreparing(_ record: ShardRecord, _ request: Request) {
        // Not among those that are indexed: a small one does not wait for large ones.
        openings.submit { [self] in
            guard access.beginWork() else {
                loop.post(.prepared(request, nil))
                return
            }
            defer { access.endUse() }
            // An error comes again on the usual way, where it is recorded.
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

    /// Deletes the index that a shard had before, on a thread of the store.
    func discardIndexLater(_ generation: UInt64, of number: UInt32) {
        openings.submit { [self] in
            guard access.beginWork() else { return }
            indexes.discard(generation, of: number)
            access.endUse()
        }
    }

    /// Removes the copy and the index of a destroyed shard, on a thread of the store.
    ///
    /// - Parameters:
    ///   - record: The shard; no thread can find it any more.
    ///   - completion: Called when nothing is left of it.
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
