internal import DAGBytes
internal import DAGLMDB
package import ShardIndex

/// The segments of runs that passed their check.
package struct CheckedSegments: Sendable {
    fileprivate var keys: Set<[UInt8]> = []

    /// Creates an empty set.
    package init() {}
}

/// The inverse index, read from the tables, even if another process writes them.
extension Catalog {
    /// Returns those of some hashes that no run has for a shard.
    ///
    /// *Cost*: a look-up in every run for each hash, in one read transaction; checks each segment at its first use.
    ///
    /// - Parameters:
    ///   - hashes: The hashes, in ascending order.
    ///   - shard: The shard's number.
    ///   - checked: The segments that need no further check.
    /// - Returns: The missing hashes, in ascending order.
    /// - Throws: `.corrupt` if a run is damaged.
    package func missing(
        _ hashes: [UInt64],
        of shard: UInt32,
        checked: inout CheckedSegments
    ) throws(CatalogError) -> [UInt64] {
        var left = hashes
        var sound = checked
        let damage = try read { (reader) throws(LMDBError) -> ShardIndexError? in
            try reader.withCursor(tables.runs) { cursor throws(LMDBError) in
                var row = try cursor.first()
                while let (key, value) = row, !left.isEmpty {
                    guard key.count == TableKey.generationSize else {
                        throw LMDBError(.corrupted)
                    }
                    let generation = key.loadBigEndianUInt64(at: 0)
                    row = try cursor.next()
                    guard !value.isEmpty else { continue }
                    do throws(ShardIndexError) {
                        let shape = try InverseRunShape(reading: value.copied)
                        var segment: (number: Int, InverseSegment)?
                        var kept: [UInt64] = []
                        for hash in left {
                            let number = shape.segment(of: hash)
                            if segment?.number != number {
                                let place = TableKey.value(generation, UInt32(number))
                                let bytes = try? place.withView { key throws(LMDBError) in
                                    try reader.get(tables.inverse, key)
                                }
                                guard let bytes else {
                                    throw ShardIndexError(.malformed, "a run lacks a segment")
                                }
                                let found = try InverseSegment(reading: bytes, of: shape)
                                if sound.keys.insert(place).inserted { try found.check() }
                                segment = (number, found)
                            }
                            var isThere = false
                            segment?.1.forEachShard(of: hash) { isThere = isThere || $0 == shard }
                            if !isThere { kept.append(hash) }
                        }
                        left = kept
                    } catch {
                        return error
                    }
                }
                return nil
            }
        }
        if let damage { throw CatalogError(damage) }
        checked = sound
        return left
    }

    /// Calls `body` with every entry of every run, a segment at a time.
    ///
    /// - Throws: `.corrupt` if a run is damaged.
    package func forEachInverseEntry(_ body: (InverseEntry) -> Void) throws(CatalogError) {
        for (generation, shape) in try inverseRuns() {
            for number in 0..<shape.segmentCount {
                let row = TableKey.generation(generation)
                let place = TableKey.value(generation, UInt32(number))
                let damage = try read { (reader) throws(LMDBError) -> ShardIndexError? in
                    // Another thread has merged and deleted the run meanwhile.
                    guard let value = try reader.get(tables.runs, row), !value.isEmpty else {
                        return nil
                    }
                    return try place.withView { key throws(LMDBError) in
                        guard let bytes = try reader.get(tables.inverse, key) else {
                            return ShardIndexError(.malformed, "a run lacks segment \(number)")
                        }
                        do throws(ShardIndexError) {
                            let segment = try InverseSegment(reading: bytes, of: shape)
                            try segment.check()
                            segment.forEach(number: number, body)
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                if let damage { throw CatalogError(damage) }
            }
        }
    }
}
