internal import DAGBytes
internal import DAGLMDB
internal import ShardIndex
internal import SharedReads

/// The state that a search of the inverse index keeps for the next one, where another process may write.
struct SeenInverse: Sendable {
    /// One run, as the catalog lists it.
    struct Run: Sendable {
        let generation: UInt64
        let shape: InverseRunShape
    }

    /// The last transaction whose rows were read.
    var transaction = -1
    /// The recent entries, by their hashes.
    var recent: [InverseEntry] = []
    var runs: [Run] = []
    /// The keys of the segments whose checksum is right.
    ///
    /// A generation is never used twice, so a key stays valid.
    var checked: Set<[UInt8]> = []

    /// Calls `body` with the shards of the recent entries that have a hash.
    func forEachRecent(_ hash: UInt64, _ body: (UInt32) -> Void) {
        var low = 0
        var high = recent.count
        while low < high {
            let middle = (low + high) / 2
            if recent[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < recent.count, recent[low].hash == hash {
            body(recent[low].shard)
            low += 1
        }
    }
}

extension Catalog {
    /// Calls `body` with every shard that the inverse index has for a hash, in one snapshot.
    ///
    /// *Cost*: a search in a segment of every run. After another process has written, the call reads all recent
    /// entries. It checks a segment at the first search in it.
    ///
    /// - Throws: `.corrupt`.
    package func forEachShard(
        inverse hash: UInt64,
        _ body: (UInt32) -> Void
    ) throws(CatalogError) {
        let damage = try read { (reader) throws(LMDBError) -> ShardIndexError? in
            let before = seen.withLock { $0.transaction == reader.number ? $0 : nil }
            let now: SeenInverse
            if let before {
                now = before
            } else {
                switch try readRows(reader) {
                case .success(let found): now = found
                case .failure(let error): return error
                }
            }
            now.forEachRecent(hash, body)
            do throws(ShardIndexError) {
                for run in now.runs { try search(run, now, reader, hash, body) }
            } catch {
                return error
            }
            return nil
        }
        if let damage { throw CatalogError(damage) }
    }

    /// Reads the rows outside segments.
    private func readRows(
        _ reader: borrowing ReadTransaction
    ) throws(LMDBError) -> Result<SeenInverse, ShardIndexError> {
        var found = SeenInverse()
        found.transaction = reader.number
        var damage: ShardIndexError?
        try reader.withCursor(tables.recent) { cursor throws(LMDBError) in
            var row = try cursor.first()
            while let (_, value) = row, damage == nil {
                do throws(CatalogError) {
                    found.recent += try RecentBatch.entries(value.copied)
                } catch {
                    damage = ShardIndexError(.malformed, error.detail)
                }
                row = try cursor.next()
            }
        }
        try reader.withCursor(tables.runs) { cursor throws(LMDBError) in
            var row = try cursor.first()
            while let (key, value) = row, damage == nil {
                guard key.count == TableKey.generationSize else { throw LMDBError(.corrupted) }
                let generation = key.loadBigEndianUInt64(at: 0)
                if !value.isEmpty {
                    do throws(ShardIndexError) {
                        let shape = try InverseRunShape(reading: value.copied)
                        found.runs.append(SeenInverse.Run(generation: generation, shape: shape))
                    } catch {
                        damage = error
                    }
                }
                row = try cursor.next()
            }
        }
        if let damage { return .failure(damage) }
        found.recent.sort { $0.hash < $1.hash }
        seen.withLock { seen in
            // Checked segments stay checked, for the runs that still exist.
            let generations = Set(found.runs.map(\.generation))
            found.checked = seen.checked.filter { key in
                key.withView { generations.contains($0.loadBigEndianUInt64(at: 0)) }
            }
            seen = found
        }
        return .success(found)
    }

    private func search(
        _ run: SeenInverse.Run,
        _ now: SeenInverse,
        _ reader: borrowing ReadTransaction,
        _ hash: UInt64,
        _ body: (UInt32) -> Void
    ) throws(ShardIndexError) {
        let number = UInt32(run.shape.segment(of: hash))
        let place = TableKey.value(run.generation, number)
        let bytes = try? place.withView { key throws(LMDBError) in
            try reader.get(tables.inverse, key)
        }
        guard let bytes else {
            throw ShardIndexError(.malformed, "a run lacks segment \(number)")
        }
        let segment = try InverseSegment(reading: bytes, of: run.shape)
        if !now.checked.contains(place) {
            try segment.check()
            seen.withLock { seen in
                if seen.transaction == now.transaction { seen.checked.insert(place) }
            }
        }
        segment.forEachShard(of: hash, body)
    }
}
