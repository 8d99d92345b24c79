import DAGBytes
import DAGCatalog
import DAGLMDB
import ShardIndex
import TestSupport
import Testing

@Suite("Commits")
struct CommitTests {
    static let work = PendingWork(kind: .initialize, since: 77)

    static func parts(_ bytes: UInt8 = 1, generation: UInt64? = nil) -> IndexParts {
        IndexParts(
            root: [bytes],
            generation: generation,
            pieces: [.pages(number: 0, bytes: [bytes, bytes])]
        )
    }

    /// The record of a shard without an index.
    static func registered(_ key: String) -> ShardRecord {
        var record = ShardRecord(number: 0, key: key, mountURL: "m", state: .registered)
        record.isLazy = true
        return record
    }

    @Test("the changes of a batch are made in order, in one transaction")
    func batch() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let first = try catalog.commit([
            .insert(Self.registered("a"), pending: nil),
            .insert(Self.registered("b"), pending: Self.work),
            .insert(Self.registered("c"), pending: Self.work),
        ])
        #expect(first.map(\.number) == [1, 2, 3])
        #expect(try catalog.pendingShards().map(\.number) == [2, 3])
        let before = try catalog.lastTransaction
        var failed = first[1]
        failed.state = .failed
        var available = first[2]
        available.state = .available
        available.sectionCount = 5
        let recovery = PendingWork(kind: .recover, since: 78)
        let second = try catalog.commit([
            .update(failed, pending: recovery),
            .publish(available, Self.parts()),
            .remove(first[0]),
            .insert(Self.registered("a"), pending: nil),
        ])
        #expect(try catalog.lastTransaction == before + 1)
        available.generation = 1
        #expect(second.map(\.number) == [2, 3, 1, 4])
        #expect(second[1] == available)
        let standings = try catalog.standings(after: nil, limit: 10)
        #expect(standings.map(\.record) == [failed, available, second[3]])
        #expect(standings.map(\.pending) == [recovery, nil, nil])
        #expect(try catalog.counters().shards == 3)
        #expect(try catalog.counters().failed == 1)
        #expect(try catalog.counters().sections == 5)
        #expect(try catalog.withPages(1, 0) { $0.copied } == [1, 1])
        #expect(try catalog.damage(limit: 10) == [])
        catalog.close()
    }

    @Test("a key that is taken stops the whole batch")
    func takenKey() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let record = try catalog.commit([.insert(Self.registered("a"), pending: nil)])[0]
        let before = (try catalog.counters(), try catalog.lastTransaction)
        let inserted = CatalogChange.insert(Self.registered("b"), pending: Self.work)
        for taken in [inserted, .insert(Self.registered("a"), pending: nil)] {
            #expect(throws: CatalogError(.exists, "")) {
                try catalog.commit([.publish(record, Self.parts()), inserted, taken])
            }
        }
        #expect(try catalog.counters() == before.0)
        #expect(try catalog.lastTransaction == before.1)
        #expect(try catalog.keys() == ["a"])
        #expect(try catalog.pendingShards().isEmpty)
        // The store stays usable.
        #expect(try catalog.commit([inserted])[0].number == 2)
        catalog.close()
    }

    @Test("changes that change nothing commit nothing")
    func unchanged() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let records = try catalog.commit([
            .insert(Self.registered("a"), pending: Self.work),
            .insert(Self.registered("b"), pending: nil),
        ])
        let gone = try catalog.commit([.insert(Self.registered("c"), pending: nil)])[0]
        try catalog.remove(gone)
        let before = try catalog.lastTransaction
        _ = try catalog.commit([])
        _ = try catalog.commit([
            .update(records[0], pending: Self.work),
            .update(records[1], pending: nil),
            .remove(gone),
        ])
        #expect(try catalog.lastTransaction == before)
        // A pending row alone is a change, and so is its end.
        try catalog.update(records[0], pending: nil)
        try catalog.update(records[1], pending: Self.work)
        #expect(try catalog.lastTransaction == before + 2)
        #expect(try catalog.pendingWork(of: 1) == nil)
        #expect(try catalog.pendingWork(of: 2) == Self.work)
        catalog.close()
    }

    // To Swift the two URLs are one string; to the system they are two files.
    @Test("a URL in another spelling is another URL")
    func spelling() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        var record = Self.registered("a")
        record.mountURL = "file:///\u{e9}"
        record = try catalog.commit([.insert(record, pending: nil)])[0]
        record.mountURL = "file:///e\u{301}"
        try catalog.update(record)
        let found = try #require(try catalog.record(1))
        #expect(Array(found.mountURL.utf8) == Array(record.mountURL.utf8))
        catalog.close()
    }

    @Test("a generation that is named no more is pending with the change that drops it")
    func droppedGenerations() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        var record = try catalog.commit([.insert(Self.registered("a"), pending: nil)])[0]
        record = try catalog.commit([.publish(record, Self.parts())])[0]
        #expect(record.generation == 1)
        #expect(try catalog.pendingGenerations().isEmpty)
        // A new index takes the place of the old one.
        let begun = try catalog.beginGeneration([.pages(number: 1, bytes: [9])])
        record = try catalog.commit([.publish(record, Self.parts(2, generation: begun))])[0]
        #expect(record.generation == begun)
        #expect(try catalog.pendingGenerations() == [1])
        #expect(try catalog.withPages(begun, 1) { $0.copied } == [9])
        record.generation = 0
        record.state = .registered
        try catalog.update(record, pending: Self.work)
        #expect(try catalog.pendingGenerations() == [1, begun])
        record = try catalog.commit([.publish(record, Self.parts(3))])[0]
        #expect(try catalog.pendingShards().isEmpty)
        try catalog.remove(record)
        #expect(try catalog.pendingGenerations() == [1, begun, record.generation])
        #expect(try catalog.damage(limit: 10) == [])
        catalog.close()
    }

    @Test("a record with a forbidden generation is refused")
    func refusedGenerations() throws {
        let catalog = try CatalogFolder().open()
        var record = try catalog.commit([.insert(Self.registered("a"), pending: nil)])[0]
        record = try catalog.commit([.publish(record, Self.parts())])[0]
        var (newer, absent, renamed) = (record, record, record)
        newer.generation = 2
        absent.number = 9
        renamed.key = "b"
        let refused: [CatalogChange] = [
            .update(newer, pending: nil), .update(absent, pending: nil),
            .update(renamed, pending: nil), .remove(renamed), .publish(absent, Self.parts()),
            .publish(record, Self.parts(generation: 1)),
            .publish(record, Self.parts(generation: 9)),
        ]
        let inserted = CatalogChange.insert(Self.registered("c"), pending: Self.work)
        for change in refused {
            #expect(throws: CatalogError(.corrupt, ""), "\(change)") {
                try catalog.commit([inserted, change])
            }
            #expect(try catalog.records(after: nil, limit: 10) == [record])
            #expect(try catalog.pendingGenerations().isEmpty)
            #expect(try catalog.pendingShards().isEmpty)
        }
        // A change that does not fit leaves the disk in a known state: the store stays usable.
        #expect(try catalog.commit([inserted])[0].number == 2)
        catalog.close()
    }

    @Test("a shard that is gone is not removed with the key that another shard took")
    func goneShard() throws {
        let catalog = try CatalogFolder().open()
        let first = try catalog.commit([.insert(Self.registered("a"), pending: nil)])[0]
        let second = try catalog.commit([
            .remove(first), .insert(Self.registered("a"), pending: Self.work),
        ])[1]
        _ = try catalog.commit([.remove(first)])
        let standing = try #require(try catalog.standing(of: "a"))
        #expect(standing == (second, Self.work))
        #expect(try catalog.standing(of: "b") == nil)
        catalog.close()
    }

    @Test("a map that is full in the middle of a batch leaves everything as it was")
    func fullMap() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open(mapSize: 1 << 20)
        let first = try catalog.commit([
            .insert(Self.registered("a"), pending: Self.work),
            .insert(Self.registered("b"), pending: nil),
        ])
        let before = (try catalog.counters(), try catalog.lastTransaction)
        var large = first[1]
        large.errorText = String(repeating: "x", count: 4000)
        let pieces = (0..<20).map { number in
            IndexPiece.pages(number: number, bytes: [UInt8](repeating: 1, count: 100_000))
        }
        #expect(throws: CatalogError(.full, "")) {
            try catalog.commit([
                .update(large, pending: Self.work),
                .insert(Self.registered("c"), pending: nil),
                .publish(first[0], IndexParts(root: [1], generation: nil, pieces: pieces)),
            ])
        }
        #expect(try catalog.counters() == before.0)
        #expect(try catalog.lastTransaction == before.1)
        #expect(try catalog.standing(of: "a")?.pending == Self.work)
        #expect(try catalog.records(after: nil, limit: 10) == first)
        #expect(try catalog.pendingGenerations().isEmpty)
        _ = try catalog.commit([.update(large, pending: nil)])
        #expect(try catalog.damage(limit: 10) == [])
        catalog.close()
    }

    @Test(
        "random batches leave the same rows as a dictionary, also after reopening",
        arguments: 1...8
    )
    func randomBatches(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let folder = try CatalogFolder()
        var catalog = try folder.open()
        var model = CatalogModel()
        for round in 0..<60 {
            let (changes, expected) = model.randomBatch(&generator)
            let records = try catalog.commit(changes)
            #expect(records == expected, "seed \(seed), round \(round)")
            if round % 13 == 12 {
                catalog.close()
                catalog = try folder.open()
            }
            let standings = try catalog.standings(after: nil, limit: .max)
            #expect(standings.map(\.record) == model.records, "seed \(seed), round \(round)")
            #expect(standings.map(\.pending) == model.pendingWork)
            #expect(try catalog.pendingGenerations() == model.dropped.sorted())
            #expect(try catalog.damage(limit: 10) == [], "seed \(seed), round \(round)")
        }
        catalog.close()
    }
}

/// The expected rows of a catalog, by key.
struct CatalogModel {
    var shards: [String: (record: ShardRecord, pending: PendingWork?)] = [:]
    var dropped: Set<UInt64> = []
    private var nextShard: UInt32 = 1
    private var nextGeneration: UInt64 = 1

    private var inOrder: [(record: ShardRecord, pending: PendingWork?)] {
        shards.values.sorted { $0.record.number < $1.record.number }
    }
    var records: [ShardRecord] { inOrder.map(\.record) }
    var pendingWork: [PendingWork?] { inOrder.map(\.pending) }

    /// Some changes, made to the model, and the records that the catalog should give back.
    mutating func randomBatch(
        _ generator: inout SplitMix64
    ) -> (changes: [CatalogChange], records: [ShardRecord]) {
        var changes: [CatalogChange] = []
        var records: [ShardRecord] = []
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
            let key = "key \(Int.random(in: 0..<30, using: &generator))"
            let (change, record) = randomChange(key, &generator)
            changes.append(change)
            records.append(record)
        }
        return (changes, records)
    }

    private mutating func randomChange(
        _ key: String,
        _ generator: inout SplitMix64
    ) -> (CatalogChange, ShardRecord) {
        let works = [nil, nil] + PendingWork.Kind.allCases.map { PendingWork(kind: $0, since: 3) }
        let pending = works.randomElement(using: &generator) ?? nil
        guard var (record, _) = shards[key] else {
            var record = CommitTests.registered(key)
            let change = CatalogChange.insert(record, pending: pending)
            record.number = nextShard
            nextShard += 1
            shards[key] = (record, pending)
            return (change, record)
        }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            if record.generation != 0 { dropped.insert(record.generation) }
            shards[key] = nil
            return (.remove(record), record)
        case 1:
            record.sectionCount = UInt64.random(in: 0..<3, using: &generator)
            record.state = .available
            let change = CatalogChange.publish(record, CommitTests.parts())
            if record.generation != 0 { dropped.insert(record.generation) }
            record.generation = nextGeneration
            nextGeneration += 1
            shards[key] = (record, nil)
            return (change, record)
        default:
            record.state = ShardRecord.State.allCases.randomElement(using: &generator) ?? .failed
            record.errorText = String(
                repeating: "e",
                count: Int.random(in: 0...2, using: &generator)
            )
            if Bool.random(using: &generator), record.generation != 0 {
                dropped.insert(record.generation)
                record.generation = 0
            }
            shards[key] = (record, pending)
            return (.update(record, pending: pending), record)
        }
    }
}
