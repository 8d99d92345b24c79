internal import DAGBytes
internal import DAGFailpoints
internal import DAGHashing
internal import DAGLMDB
package import ShardIndex

/// The totals of the inverse index.
///
/// ```
///  0  u64 entries that came     8  u64 entries written into runs     16  u64 entries dropped by merges
/// ```
package struct InverseTotals: Equatable, Sendable {
    /// The number of entries that left the recent entries for a run, or came as a run.
    package var added: UInt64 = 0
    /// The number of entries written into runs; each merge counts its entries again.
    package var written: UInt64 = 0
    /// The number of entries that merges dropped: duplicates, and those of removed shards.
    package var dropped: UInt64 = 0

    /// Creates totals of zero.
    package init() {}

    fileprivate init(reading bytes: [UInt8]?) {
        guard let bytes, bytes.count == 24 else { return }
        bytes.withView { view in
            added = view.loadUInt64(at: 0)
            written = view.loadUInt64(at: 8)
            dropped = view.loadUInt64(at: 16)
        }
    }

    fileprivate var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for value in [added, written, dropped] { bytes.append(littleEndian: value) }
        return bytes
    }
}

/// A merge that is not finished.
///
/// ```
///  0  u64 generation of the result    8  u64 next segment    16  u64 entries    24  u64 bytes    32  u64 dropped
/// 40  u64 generation[]                the runs that are merged
/// ```
///
/// From format 4 on, the row begins with a zero word, the version, the checksum of the rest and the number of runs.
/// It ends with the shape of the result:
///
/// ```
///  0  u64 zero    8  u64 version = 1    16  u64 checksum    24  u64 runs    32  as above    …  `InverseRunShape`
/// ```
package struct PendingMerge: Equatable, Sendable {
    /// The generation of the result.
    package var output: UInt64 = 0
    /// The first segment that is not written yet.
    package var nextSegment: UInt64 = 0
    /// The number of written entries.
    package var entryCount: UInt64 = 0
    /// The number of written bytes.
    package var byteCount: UInt64 = 0
    /// The number of dropped entries.
    package var dropped: UInt64 = 0
    /// The runs to merge.
    package var inputs: [UInt64]
    /// The shape of the result.
    ///
    /// It is nil if an earlier format began the merge, which computed the shape each time.
    package var shape: InverseRunShape?

    private static let version: UInt64 = 1

    /// Creates a merge that has not begun.
    package init(inputs: [UInt64], shape: InverseRunShape) {
        self.inputs = inputs
        self.shape = shape
    }

    /// Reads a merge.
    ///
    /// - Returns: Nil if the row is damaged, or if a newer version wrote it. The merge then starts again.
    fileprivate init?(reading bytes: [UInt8]) {
        guard bytes.count >= 48, bytes.count % 8 == 0 else { return nil }
        var words = bytes.withView { view in
            stride(from: 0, to: view.count, by: 8).map { view.loadUInt64(at: $0) }
        }
        if words[0] == 0 {
            let checksum = bytes.withView { Checksum.xxh64($0[24..<$0.count]) }
            let shapeWords = InverseRunShape.size / 8
            guard words[1] == Self.version, words[2] == checksum, words[3] < 1 << 32,
                words.count == 4 + 5 + Int(words[3]) + shapeWords,
                let shape = try? InverseRunShape(reading: bytes.suffix(InverseRunShape.size))
            else { return nil }
            self.shape = shape
            words.removeLast(shapeWords)
            words.removeFirst(4)
        }
        output = words[0]
        nextSegment = words[1]
        entryCount = words[2]
        byteCount = words[3]
        dropped = words[4]
        inputs = Array(words[5...])
    }

    fileprivate var encoded: [UInt8] {
        var content: [UInt8] = []
        if shape != nil { content.append(littleEndian: UInt64(inputs.count)) }
        for value in [output, nextSegment, entryCount, byteCount, dropped] + inputs {
            content.append(littleEndian: value)
        }
        guard let shape else { return content }
        content += shape.encoded
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt64(0))
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: content.withView { Checksum.xxh64($0) })
        return bytes + content
    }
}

extension Catalog {
    /// Returns the runs of the inverse index, by generation.
    ///
    /// - Throws: `.corrupt`.
    package func inverseRuns() throws(CatalogError) -> [(
        generation: UInt64, shape: InverseRunShape
    )] {
        try runRows().filter { !$0.value.isEmpty }.map { (row) throws(CatalogError) in
            do throws(ShardIndexError) {
                return (row.generation, try InverseRunShape(reading: row.value))
            } catch {
                throw CatalogError(error)
            }
        }
    }

    /// Returns the generations of all runs, readable or damaged.
    package func runGenerations() throws(CatalogError) -> [UInt64] {
        try runRows().filter { !$0.value.isEmpty }.map(\.generation)
    }

    /// Returns the runs that wait for their deletion.
    package func retiredRuns() throws(CatalogError) -> [UInt64] {
        try runRows().filter { $0.value.isEmpty }.map(\.generation)
    }

    private func runRows() throws(CatalogError) -> [(generation: UInt64, value: [UInt8])] {
        try read { (reader) throws(LMDBError) in
            try reader.withCursor(tables.runs) { cursor throws(LMDBError) in
                var rows: [(generation: UInt64, value: [UInt8])] = []
                var row = try cursor.first()
                while let (key, value) = row {
                    guard key.count == TableKey.generationSize else { throw LMDBError(.corrupted) }
                    rows.append((key.loadBigEndianUInt64(at: 0), value.copied))
                    row = try cursor.next()
                }
                return rows
            }
        }
    }

    /// Returns a segment of a run, which stays readable until the run is deleted.
    ///
    /// - Throws: `.corrupt` if it is missing.
    package func inverseSegment(
        _ generation: UInt64,
        _ number: Int
    ) throws(CatalogError) -> PinnedValue {
        try pinned(tables.inverse, generation, UInt32(number))
    }

    /// Returns the recent entries, and the last row that has any.
    ///
    /// - Throws: `.corrupt`.
    package func recentEntries() throws(CatalogError) -> [InverseEntry] {
        let rows = try read { (reader) throws(LMDBError) in
            try reader.withCursor(tables.recent) { cursor throws(LMDBError) in
                var rows: [[UInt8]] = []
                var row = try cursor.first()
                while let (_, value) = row {
                    rows.append(value.copied)
                    row = try cursor.next()
                }
                return rows
            }
        }
        var entries: [InverseEntry] = []
        for row in rows { entries += try RecentBatch.entries(row) }
        return entries
    }

    /// Returns the totals of the inverse index.
    package func inverseTotals() throws(CatalogError) -> InverseTotals {
        let row = try read { (reader) throws(LMDBError) in
            try reader.get(tables.meta, MetaRow.inverse.bytes)
        }
        return InverseTotals(reading: row)
    }

    // MARK: Newest entries into a run

    /// Returns a lower bound for the sequence number of the next row of recent entries.
    package func recentEnd() throws(CatalogError) -> UInt64 {
        try counters().nextGeneration
    }

    /// Writes a run and removes the rows of its entries, in one transaction.
    ///
    /// - Parameters:
    ///   - shape: The run's shape; nil if there are no entries, but only rows to remove.
    ///   - segments: Its segments.
    ///   - end: The call removes rows of recent entries before this one.
    /// - Returns: The run's generation.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func publishRun(
        _ shape: InverseRunShape,
        _ segments: [[UInt8]],
        forgetting end: UInt64
    ) throws(CatalogError) -> UInt64 {
        try checkRoom(for: segments.reduce(0) { $0 + $1.count })
        let generation = try write { (writer) throws(LMDBError) in
            var batch = CatalogBatch(tables)
            let generation = try batch.allocateGeneration(writer)
            try batch.finish(writer)
            for (number, bytes) in segments.enumerated() {
                let key = TableKey.value(generation, UInt32(number))
                try writer.put(tables.inverse, key, bytes)
            }
            try writer.put(tables.runs, TableKey.generation(generation), shape.encoded)
            try removeRecent(before: end, writer)
            try Self.addTotals(writer, tables) { totals in
                totals.added += shape.entryCount
                totals.written += shape.entryCount
            }
            return generation
        }
        Failpoint.runPublished.pass()
        return generation
    }

    static func addTotals(
        _ writer: borrowing WriteTransaction,
        _ tables: Tables,
        _ change: (inout InverseTotals) -> Void
    ) throws(LMDBError) {
        var totals = InverseTotals(reading: try writer.get(tables.meta, MetaRow.inverse.bytes))
        change(&totals)
        try writer.put(tables.meta, MetaRow.inverse.bytes, totals.encoded)
    }

    // MARK: Merging

    /// Returns the unfinished merge, if all its runs are still there.
    ///
    /// - Throws: `.corrupt`.
    package func pendingMerge() throws(CatalogError) -> PendingMerge? {
        let row = try read { (reader) throws(LMDBError) in
            try reader.get(tables.meta, MetaRow.merge.bytes)
        }
        return row.flatMap { PendingMerge(reading: $0) }
    }

    /// Begins a merge.
    ///
    /// - Returns: The merge, with the generation of its result.
    package func beginMerge(_ merge: PendingMerge) throws(CatalogError) -> PendingMerge {
        try write { (writer) throws(LMDBError) in
            var batch = CatalogBatch(tables)
            var merge = merge
            merge.output = try batch.allocateGeneration(writer)
            try batch.finish(writer)
            try writer.put(tables.pending, TableKey.generation(merge.output), [])
            try writer.put(tables.meta, MetaRow.merge.bytes, merge.encoded)
            return merge
        }
    }

    /// Writes segments of the result of a merge.
    ///
    /// - Parameters:
    ///   - segments: The segments; the first follows the last one written.
    ///   - merge: The state of the merge after them.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func append(
        _ segments: [(number: Int, bytes: [UInt8])],
        to merge: PendingMerge
    ) throws(CatalogError) {
        try checkRoom(for: segments.reduce(0) { $0 + $1.bytes.count })
        // After a crash of the machine, a merge goes on from the last durable row.
        try write(.ordered) { (writer) throws(LMDBError) in
            for (number, bytes) in segments {
                let key = TableKey.value(merge.output, UInt32(number))
                try writer.put(tables.inverse, key, bytes)
            }
            try writer.put(tables.meta, MetaRow.merge.bytes, merge.encoded)
        }
        Failpoint.mergeBatchWritten.pass()
    }

    /// Replaces the runs of a merge by its result; the runs then wait for their deletion.
    ///
    /// - Parameters:
    ///   - merge: The merge, with all segments written.
    ///   - shape: The shape of the result.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func finishMerge(
        _ merge: PendingMerge,
        _ shape: InverseRunShape
    ) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            for input in merge.inputs {
                try writer.put(tables.runs, TableKey.generation(input), [])
            }
            let output = TableKey.generation(merge.output)
            try writer.put(tables.runs, output, shape.entryCount == 0 ? [] : shape.encoded)
            try writer.delete(tables.pending, output)
            try writer.delete(tables.meta, MetaRow.merge.bytes)
            try Self.addTotals(writer, tables) { totals in
                totals.written += shape.entryCount
                totals.dropped += merge.dropped
            }
        }
        Failpoint.mergePublished.pass()
    }

    /// Cancels a merge whose runs have changed, and deletes its written segments.
    package func abandonMerge(_ merge: PendingMerge) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            _ = try writer.delete(tables.meta, MetaRow.merge.bytes)
        }
        try deleteGeneration(merge.output)
    }

    /// Retires a run whose only shard is removed.
    package func retireRun(_ generation: UInt64, dropping count: UInt64) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            try writer.put(tables.runs, TableKey.generation(generation), [])
            try Self.addTotals(writer, tables) { $0.dropped += count }
        }
    }

    /// Deletes a retired run; no reader may use it.
    ///
    /// *Cost*: a transaction for every 8 of its segments.
    package func deleteRun(_ generation: UInt64) throws(CatalogError) {
        while try !deletePart(ofRun: generation) {}
    }

    /// Deletes 8 segments of a run in a transaction; with the last of them also its row.
    ///
    /// - Returns: Whether the run is deleted completely.
    package func deletePart(ofRun generation: UInt64) throws(CatalogError) -> Bool {
        let row = TableKey.generation(generation)
        let limit = Self.deletionBatch
        let count = try write(.ordered) { (writer) throws(LMDBError) in
            let count = try writer.deleteRows(tables.inverse, of: generation, limit: limit)
            if count < limit { try writer.delete(tables.runs, row) }
            return count
        }
        Failpoint.runPartlyDeleted.pass()
        return count < Self.deletionBatch
    }

    /// Retires runs and recent entries that others replace, and records that the catalog has an inverse index.
    ///
    /// - Parameters:
    ///   - runs: The runs to retire.
    ///   - end: The call removes rows of recent entries before this one.
    /// - Throws: `.full`, `.readOnly`, `.io`.
    package func retireInverse(
        _ runs: [UInt64],
        forgetting end: UInt64
    ) throws(CatalogError) {
        try write { (writer) throws(LMDBError) in
            for run in runs { try writer.put(tables.runs, TableKey.generation(run), []) }
            try removeRecent(before: end, writer)
            try Self.putFormat(writer, tables)
        }
    }

    private func removeRecent(
        before end: UInt64,
        _ writer: borrowing WriteTransaction
    ) throws(LMDBError) {
        try TableKey.generation(0).withView { lower throws(LMDBError) in
            try TableKey.generation(end).withView { upper throws(LMDBError) in
                _ = try writer.deleteRange(tables.recent, from: lower, below: upper, limit: .max)
            }
        }
    }
}
