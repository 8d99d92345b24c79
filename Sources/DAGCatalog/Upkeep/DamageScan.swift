internal import DAGBytes
internal import DAGLMDB

/// A scan of all tables.
///
/// The scan keeps one bit for each generation of a window, to record which generations are named. Generations are
/// numbered in order, so one window is enough for most stores.
struct DamageScan {
    /// The number of generations that one walk over the records distinguishes.
    static let windowSize: UInt64 = 1 << 22

    private let catalog: Catalog
    /// The largest number of findings; nil for a recount without findings.
    private let limit: Int?
    private let windowSize: UInt64
    private(set) var found: [CatalogDamage] = []
    /// The recount of records and generations.
    private(set) var recount = Counters()
    private var named: BitSet
    private var orphans: BitSet
    /// The first generation of the window.
    private var lower: UInt64 = 0
    /// The least generation after the window that the scan has met.
    private var nextLower: UInt64?

    init(_ catalog: Catalog, limit: Int?, windowSize: UInt64 = Self.windowSize) {
        self.catalog = catalog
        self.limit = limit
        self.windowSize = windowSize
        named = BitSet(count: Int(windowSize))
        orphans = BitSet(count: Int(windowSize))
    }

    private var isFull: Bool { limit.map { found.count >= $0 } ?? false }

    mutating func run() throws(CatalogError) {
        try checkKeys()
        try checkPending()
        try checkGenerations()
        if !isFull { try checkRuns() }
        guard !isFull else { return }
        checkCounters()
    }

    /// Recounts, to write the counters again.
    mutating func count() throws(CatalogError) {
        try checkPending()
        try checkGenerations()
    }

    private mutating func report(_ damage: CatalogDamage) {
        guard let limit, found.count < limit else { return }
        found.append(damage)
    }

    private mutating func checkKeys() throws(CatalogError) {
        try catalog.walk(catalog.tables.keys) { (reader, key, value) throws(LMDBError) in
            let keyBytes = key.copied
            let text = String(decoding: keyBytes, as: UTF8.self)
            guard value.count == TableKey.shardSize else {
                report(CatalogDamage(.rowUnreadable, key: text, "the row of a key is damaged"))
                return isFull ? .stop : .next
            }
            let number = value.loadUInt32(at: 0)
            let bytes = try reader.get(catalog.tables.shards, TableKey.shard(number))
            if let bytes {
                // The walk over the records reports an unreadable one.
                let record = bytes.withView { try? ShardRecord(number: number, reading: $0) }
                if let record, !keyBytes.elementsEqual(record.key.utf8) {
                    let detail = "the key leads to the record of \(record.key)"
                    report(CatalogDamage(.keyOfAnotherShard, shard: number, key: text, detail))
                }
            } else {
                let detail = "the key leads to a shard without a record"
                report(CatalogDamage(.keyWithoutRecord, shard: number, key: text, detail))
            }
            return isFull ? .stop : .next
        }
    }

    private mutating func checkPending() throws(CatalogError) {
        try catalog.walk(catalog.tables.pending) { (reader, key, value) throws(LMDBError) in
            switch key.count {
            case TableKey.generationSize:
                recordGeneration(key.loadBigEndianUInt64(at: 0))
            case TableKey.shardSize:
                try checkWork(key, value, reader)
            default:
                report(CatalogDamage(.rowUnreadable, "a row of pending has an impossible key"))
            }
            return isFull ? .stop : .next
        }
    }

    private mutating func checkWork(
        _ key: ByteView,
        _ value: ByteView,
        _ reader: borrowing ReadTransaction
    ) throws(LMDBError) {
        let number = key.loadBigEndianUInt32(at: 0)
        guard try reader.get(catalog.tables.shards, key) != nil else {
            let detail = "work is pending for a shard without a record"
            return report(CatalogDamage(.pendingWithoutRecord, shard: number, detail))
        }
        guard (try? PendingWork(of: number, reading: value)) == nil else { return }
        let detail = "the pending row of the shard is damaged"
        report(CatalogDamage(.rowUnreadable, shard: number, detail))
    }

    /// Compares the generations of records with those of tables, a window of generations at a time.
    private mutating func checkGenerations() throws(CatalogError) {
        var isFirst = true
        repeat {
            if let nextLower { lower = nextLower }
            nextLower = nil
            named.removeAll()
            orphans.removeAll()
            try checkRecords(isFirst: isFirst)
            for table in [catalog.tables.roots, catalog.tables.pages, catalog.tables.locators]
            where !isFull {
                try checkRows(table)
            }
            isFirst = false
        } while nextLower != nil && !isFull
    }

    private mutating func checkRecords(isFirst: Bool) throws(CatalogError) {
        try catalog.walk(catalog.tables.shards) { (reader, key, value) throws(LMDBError) in
            guard key.count == TableKey.shardSize else {
                if isFirst { report(CatalogDamage(.rowUnreadable, "a shard's number")) }
                return isFull ? .stop : .next
            }
            let number = key.loadBigEndianUInt32(at: 0)
            do {
                let record = try ShardRecord(number: number, reading: value)
                if isFirst { try check(record, reader) }
                recordName(record.generation, by: record.number, key: record.key)
            } catch let error as CatalogError {
                if isFirst {
                    recount.nextShard = max(recount.nextShard, number == .max ? .max : number + 1)
                    report(CatalogDamage(.recordUnreadable, shard: number, error.detail))
                }
                // A generation that this record may name is no orphan.
                if value.count >= 16 { recordName(value.loadUInt64(at: 8), by: number, key: nil) }
            } catch let error as LMDBError {
                throw error
            } catch {
                throw LMDBError(.other)
            }
            return isFull ? .stop : .next
        }
    }

    /// Compares a record with its other rows.
    private mutating func check(
        _ record: ShardRecord,
        _ reader: borrowing ReadTransaction
    ) throws(LMDBError) {
        recount.count(record, isAdded: true)
        let after = record.number == .max ? .max : record.number + 1
        recount.nextShard = max(recount.nextShard, after)
        recordGeneration(record.generation)
        var number: [UInt8] = []
        number.append(littleEndian: record.number)
        let (shard, key) = (record.number, record.key)
        // A damaged record may have an empty key, which LMDB cannot look up.
        let row = key.isEmpty ? nil : try reader.get(catalog.tables.keys, Array(key.utf8))
        if row != number {
            let detail = "the record's key does not lead to it"
            report(CatalogDamage(.recordWithoutKey, shard: shard, key: key, detail))
        }
        guard record.generation != 0 else { return }
        let generation = record.generation
        let generationRow = TableKey.generation(generation)
        if try reader.get(catalog.tables.roots, generationRow) == nil {
            let detail = "the record names a generation without a root page"
            report(
                CatalogDamage(
                    .generationWithoutRoot,
                    shard: shard,
                    key: key,
                    generation: generation,
                    detail
                )
            )
        }
        if try reader.get(catalog.tables.pending, generationRow) != nil {
            let detail = "the record names a generation that waits for its deletion"
            report(
                CatalogDamage(
                    .generationNamedAndPending,
                    shard: shard,
                    key: key,
                    generation: generation,
                    detail
                )
            )
        }
    }

    /// Records that a shard names a generation.
    private mutating func recordName(_ generation: UInt64, by shard: UInt32, key: String?) {
        guard generation != 0, let place = place(of: generation) else { return }
        guard !named.insert(place) else { return }
        let detail = "another record names the same generation"
        report(
            CatalogDamage(
                .generationNamedTwice,
                shard: shard,
                key: key,
                generation: generation,
                detail
            )
        )
    }

    /// Reads the first row of each generation in the window.
    private mutating func checkRows(_ table: Table) throws(CatalogError) {
        let start = TableKey.generation(lower)
        try catalog.walk(table, from: start) { (reader, key, _) throws(LMDBError) in
            let keySize =
                table == catalog.tables.roots
                ? TableKey.generationSize : TableKey.valueSize
            guard key.count == keySize else {
                report(CatalogDamage(.rowUnreadable, "a row of an index has an impossible key"))
                return isFull ? .stop : .next
            }
            let generation = key.loadBigEndianUInt64(at: 0)
            recordGeneration(generation)
            guard let place = place(of: generation) else { return .stop }
            if !named.contains(place), !orphans.contains(place),
                try reader.get(catalog.tables.pending, TableKey.generation(generation)) == nil
            {
                _ = orphans.insert(place)
                let detail = "no record names the generation"
                report(CatalogDamage(.generationOrphaned, generation: generation, detail))
            }
            guard generation < .max, !isFull else { return .stop }
            return .seek(TableKey.generation(generation + 1))
        }
    }

    /// Reads the first segment of each run.
    private mutating func checkRuns() throws(CatalogError) {
        try catalog.walk(catalog.tables.runs) { (_, key, _) throws(LMDBError) in
            if key.count != TableKey.generationSize {
                report(CatalogDamage(.rowUnreadable, "a row of runs has an impossible key"))
            }
            return isFull ? .stop : .next
        }
        try catalog.walk(catalog.tables.inverse) { (reader, key, _) throws(LMDBError) in
            guard key.count == TableKey.valueSize else {
                report(CatalogDamage(.rowUnreadable, "a segment of a run has an impossible key"))
                return isFull ? .stop : .next
            }
            let generation = key.loadBigEndianUInt64(at: 0)
            recordGeneration(generation)
            let row = TableKey.generation(generation)
            if try reader.get(catalog.tables.runs, row) == nil,
                try reader.get(catalog.tables.pending, row) == nil
            {
                let detail = "no run is listed for the segments of generation \(generation)"
                report(CatalogDamage(.runOrphaned, generation: generation, detail))
            }
            guard generation < .max, !isFull else { return .stop }
            return .seek(TableKey.generation(generation + 1))
        }
    }

    private mutating func checkCounters() {
        let counters: Counters
        do {
            counters = try catalog.counters()
        } catch {
            return report(CatalogDamage(.countersWrong, error.detail))
        }
        var expected = recount
        // The numbers of removed shards and generations are not used again.
        expected.nextShard = max(expected.nextShard, counters.nextShard)
        expected.nextGeneration = max(expected.nextGeneration, counters.nextGeneration)
        guard counters != expected else { return }
        let detail = "the catalog counts \(counters.shards) shards, but has \(recount.shards)"
        report(CatalogDamage(.countersWrong, detail))
    }

    /// Records that a generation exists.
    private mutating func recordGeneration(_ generation: UInt64) {
        recount.nextGeneration = max(
            recount.nextGeneration,
            generation == .max ? .max : generation + 1
        )
    }

    /// Returns the bit of a generation; nil if it is outside the window.
    private mutating func place(of generation: UInt64) -> Int? {
        guard generation >= lower else { return nil }
        guard generation - lower < windowSize else {
            nextLower = min(nextLower ?? .max, generation)
            return nil
        }
        return Int(generation - lower)
    }
}
