internal import DAGCatalog
internal import ShardIndex
internal import SharedReads
internal import Synchronization

/// From digests to the shards that may have them: the recent entries and the runs, as all threads see them.
///
/// A result is a claim: 48 bits of a hash agree. The caller confirms it with the shard's own index.
///
/// *Concurrency*: any thread looks. Entries are added by the loop; runs change by `change`.
package final class InverseIndex: Sendable {
    /// An immutable snapshot, in which only the last table grows.
    final class Snapshot: Sendable {
        /// The recent entries; the last table takes more, one before it is being made a run.
        let tables: [RecentEntries]
        let runs: [InverseRunReader]
        /// The same, for searches.
        fileprivate let tableRow: BorrowedRow<RecentEntries>
        fileprivate let runRow: BorrowedRow<InverseRunReader>

        init(tables: [RecentEntries], runs: [InverseRunReader]) {
            self.tables = tables
            self.runs = runs
            tableRow = BorrowedRow(tables)
            runRow = BorrowedRow(runs)
        }
    }

    /// How many entries the newest ones have room for at first.
    private static let firstCapacity = 1 << 10

    private let current: SharedReference<Snapshot>
    /// Its holder may change the reference.
    private let changes = Lock<Void>(())
    private let isDamaged = Atomic<Bool>(false)

    /// An index of nothing.
    ///
    /// - Parameter mark: Under which it is searched.
    init(readUnder mark: ReadMark) {
        let table = RecentEntries(capacity: Self.firstCapacity)
        current = SharedReference(Snapshot(tables: [table], runs: []), readUnder: mark)
    }

    /// Puts another snapshot in the place of the one that is there.
    private func change<R>(_ body: (Snapshot) -> (next: Snapshot?, result: R)) -> R {
        changes.withLock { _ in
            let (next, result) = body(current.object)
            if let next { current.exchange(next) }
            return result
        }
    }

    /// Puts runs and recent entries in the place of everything.
    func load(runs: [InverseRunReader], recent: [InverseEntry]) {
        let table = RecentEntries(capacity: max(Self.firstCapacity, 2 * recent.count))
        for entry in recent { _ = table.append(entry) }
        change { _ in (Snapshot(tables: [table], runs: runs), ()) }
        clearDamage()
    }

    /// Makes every search throw: a published run is unreadable.
    func markDamaged() { isDamaged.store(true, ordering: .relaxed) }

    /// Whether everything that was published can be read.
    var isSound: Bool { !isDamaged.load(ordering: .relaxed) }

    /// Lets searches run again.
    func clearDamage() { isDamaged.store(false, ordering: .relaxed) }

    /// The current snapshot.
    var snapshot: Snapshot { changes.withLock { _ in current.object } }

    /// Whether the merger may have something to do.
    func needsMerge(flushFrom: Int) -> Bool {
        let snapshot = snapshot
        return snapshot.runs.count >= MergePolicy.tierWidth
            || snapshot.tables.contains { $0.count >= flushFrom }
    }

    /// The number of entries that are in no run yet.
    var recentCount: Int { snapshot.tables.reduce(0) { $0 + $1.count } }

    // MARK: Looking

    /// The shards that may have a digest, in ascending order.
    ///
    /// Within a reading of the mark.
    ///
    /// *Cost*: a probe of every table and run, of which there are about six, and a step for each shard.
    ///
    /// - Parameter hash: The digest's.
    /// - Returns: Their numbers.
    /// - Throws: `catalogCorrupt` if a run is damaged.
    package func candidates(of hash: UInt64) throws -> ShardNumbers {
        var found = ShardNumbers()
        try forEachShard(of: hash) { number in
            found.insert(number)
            return true
        }
        found.finish()
        return found
    }

    /// The first few shards that may have a digest, in no order.
    ///
    /// Within a reading of the mark.
    ///
    /// *Cost*: a probe of every table and run; it does not depend on how many shards have the digest.
    ///
    /// - Throws: As `candidates(of:)`.
    @inline(__always)
    func someCandidates(of hash: UInt64) throws -> FewNumbers {
        var found = FewNumbers()
        try forEachShard(of: hash) { found.insert($0) }
        return found
    }

    /// Calls `body` with shards that may have a digest, until it returns false; one may come twice.
    @inline(__always)
    private func forEachShard(of hash: UInt64, _ body: (UInt32) -> Bool) throws {
        guard isSound else {
            throw DAGStoreError(.catalogCorrupt, "the inverse index cannot be read")
        }
        try current.borrowed.with { snapshot in
            let runs = snapshot.runRow
            for place in 0..<runs.count { runs[place].with { $0.prefetch(hash) } }
            let tables = snapshot.tableRow
            for place in 0..<tables.count {
                guard tables[place].with({ $0.forEachShard(of: hash, while: body) }) else { return }
            }
            for place in 0..<runs.count {
                let goesOn = try runs[place].with { try $0.forEachShard(of: hash, while: body) }
                guard goesOn else { return }
            }
        }
    }

    // MARK: Changing

    /// Adds the hashes of a shard; called by the loop when they are on disk.
    func add(_ hashes: [UInt64], of shard: UInt32) {
        var table = snapshot.tables.last
        for hash in hashes {
            let entry = InverseEntry(hash: hash, shard: shard)
            while table?.append(entry) == false { table = grow() }
        }
    }

    private func grow() -> RecentEntries? {
        change { snapshot in
            guard let last = snapshot.tables.last else { return (nil, nil) }
            let table = RecentEntries(capacity: 4 * last.capacity)
            for entry in last.entries { _ = table.append(entry) }
            let tables = Array(snapshot.tables.dropLast()) + [table]
            return (Snapshot(tables: tables, runs: snapshot.runs), table)
        }
    }

    /// Begins a new table of recent entries; called by the loop.
    ///
    /// - Returns: The earlier table, which receives no more entries.
    func beginTable() -> RecentEntries? {
        change { snapshot in
            guard let last = snapshot.tables.last else { return (nil, nil) }
            let table = RecentEntries(capacity: Self.firstCapacity)
            return (Snapshot(tables: snapshot.tables + [table], runs: snapshot.runs), last)
        }
    }

    /// Puts runs in the place of others and of a table.
    func change(
        removing gone: Set<UInt64> = [],
        tables: [RecentEntries] = [],
        adding runs: [InverseRunReader] = []
    ) {
        change { snapshot in
            let next = Snapshot(
                tables: snapshot.tables.filter { table in !tables.contains { $0 === table } },
                runs: snapshot.runs.filter { !gone.contains($0.generation) } + runs
            )
            return (next, ())
        }
    }
}

/// Numbers of shards, most often one; ascending and each once after `finish`.
package struct ShardNumbers {
    private var first: UInt32 = 0
    private var others: [UInt32] = []
    package private(set) var count = 0

    /// Adds a number, which may be there.
    @inline(__always)
    mutating func insert(_ number: UInt32) {
        defer { count += 1 }
        guard count > 0 else { return first = number }
        if count == 1, number == first { return count -= 1 }
        if others.isEmpty { others.append(first) }
        others.append(number)
    }

    /// Sorts the numbers, and leaves each once.
    mutating func finish() {
        guard count > 1 else { return }
        others.sort()
        var kept = 0
        for number in others where kept == 0 || others[kept - 1] != number {
            others[kept] = number
            kept += 1
        }
        others.removeSubrange(kept...)
        first = others[0]
        count = kept
    }

    /// The only number, if there is one only.
    var single: UInt32? { count == 1 ? first : nil }

    /// All numbers.
    var all: [UInt32] { count == 0 ? [] : count == 1 ? [first] : others }
}

/// The first few of some numbers, each once, in the order in which they came.
struct FewNumbers {
    /// One bit for each number.
    struct Flags {
        private var bits: UInt32 = 0

        mutating func insert(_ place: Int) { bits |= 1 << UInt32(place) }
        func contains(_ place: Int) -> Bool { bits & 1 << UInt32(place) != 0 }
    }

    /// How many there can be.
    ///
    /// Most blocks have one holder, and of many the first nearly always has the block: with 16 a block of 65,536
    /// shards took twice the time of a block of one, most of it to leave out doubles.
    static let countMax = 4

    private var numbers = InlineArray<4, UInt32>(repeating: 0)
    private(set) var count = 0
    /// Whether there were more.
    private(set) var isCut = false

    /// One of the numbers.
    subscript(place: Int) -> UInt32 { numbers[place] }

    /// Whether a number is among them.
    func contains(_ number: UInt32) -> Bool {
        for place in 0..<count where numbers[place] == number { return true }
        return false
    }

    /// Adds a number, if it is not there.
    ///
    /// - Returns: Whether there was room.
    @inline(__always)
    mutating func insert(_ number: UInt32) -> Bool {
        if contains(number) { return true }
        guard count < Self.countMax else {
            isCut = true
            return false
        }
        numbers[count] = number
        count += 1
        return true
    }
}

/// A run of the inverse index, open for reading.
final class InverseRunReader: Sendable {
    let generation: UInt64
    let run: InverseRun
    private let owners: [PinnedValue]
    private let checked: OnceFlags
    /// Keeps the run from being deleted.
    private let pin: GenerationPin

    /// Opens a run.
    ///
    /// *Cost*: a look-up for each MiB.
    ///
    /// - Throws: `catalogCorrupt`.
    init(
        _ generation: UInt64,
        _ shape: InverseRunShape,
        in catalog: Catalog,
        pin: GenerationPin
    ) throws {
        self.generation = generation
        self.pin = pin
        let owners = try (0..<shape.segmentCount).map { number in
            try catalog.inverseSegment(generation, number)
        }
        self.owners = owners
        run = InverseRun(
            shape,
            segments: try owners.map { try InverseSegment(reading: $0.bytes, of: shape) }
        )
        checked = OnceFlags(count: shape.segmentCount)
    }

    var shape: InverseRunShape { run.shape }

    /// The shard, if all entries are of one.
    var onlyShard: UInt32? { shape.shardBits == 0 ? shape.leastShard : nil }

    @inline(__always)
    func prefetch(_ hash: UInt64) { run.segments[shape.segment(of: hash)].prefetch(hash) }

    /// Calls `body` with every shard that has the hash, until it returns false.
    ///
    /// - Returns: Whether it never did.
    /// - Throws: `catalogCorrupt` if the segment is damaged; damage must not answer "no shard".
    @inline(__always)
    func forEachShard(of hash: UInt64, while body: (UInt32) -> Bool) throws -> Bool {
        let number = shape.segment(of: hash)
        let segment = run.segments[number]
        if !checked.isSet(number) {
            try segment.check()
            checked.set(number)
        }
        return segment.forEachShard(of: hash, while: body)
    }

    /// Checks every segment that was not checked yet.
    ///
    /// - Throws: `catalogCorrupt`.
    func check() throws {
        for (number, segment) in run.segments.enumerated() where !checked.isSet(number) {
            try segment.check()
            checked.set(number)
        }
    }
}
