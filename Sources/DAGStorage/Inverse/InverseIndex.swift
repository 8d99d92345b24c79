internal import DAGCatalog
internal import ShardIndex
internal import SharedReads
internal import Synchronization

/// The inverse index in memory: finds the shards that may have a digest, in the recent entries and the runs.
///
/// A result means that 48 bits of a hash agree; the caller confirms it with the shard's own index.
///
/// *Concurrency*: any thread may search. The loop adds entries; the merger changes runs.
package final class InverseIndex: Sendable {
    /// An immutable snapshot, in which only the last table grows.
    final class Snapshot: Sendable {
        /// The recent entries; only the last table grows, and the merger makes runs of the others.
        let tables: [RecentEntries]
        let runs: [InverseRunReader]
        /// The tables and runs, for searches that count no references.
        fileprivate let tableRow: BorrowedRow<RecentEntries>
        fileprivate let runRow: BorrowedRow<InverseRunReader>

        init(tables: [RecentEntries], runs: [InverseRunReader]) {
            self.tables = tables
            self.runs = runs
            tableRow = BorrowedRow(tables)
            runRow = BorrowedRow(runs)
        }
    }

    /// The capacity of a new table.
    private static let firstCapacity = 1 << 10

    private let current: SharedReference<Snapshot>
    /// The lock for changes of `current`.
    private let changes = Lock<Void>(())
    private let isDamaged = Atomic<Bool>(false)

    /// Creates an empty index.
    ///
    /// - Parameter mark: The mark under which threads search.
    init(readUnder mark: ReadMark) {
        let table = RecentEntries(capacity: Self.firstCapacity)
        current = SharedReference(Snapshot(tables: [table], runs: []), readUnder: mark)
    }

    /// Replaces the current snapshot.
    private func change<R>(_ body: (Snapshot) -> (next: Snapshot?, result: R)) -> R {
        changes.withLock { _ in
            let (next, result) = body(current.object)
            if let next { current.exchange(next) }
            return result
        }
    }

    /// Replaces all runs and recent entries.
    func load(runs: [InverseRunReader], recent: [InverseEntry]) {
        let table = RecentEntries(capacity: max(Self.firstCapacity, 2 * recent.count))
        for entry in recent { _ = table.append(entry) }
        change { _ in (Snapshot(tables: [table], runs: runs), ()) }
        clearDamage()
    }

    /// Makes every search throw, because a published run is unreadable.
    func markDamaged() { isDamaged.store(true, ordering: .relaxed) }

    /// Whether all published runs are readable.
    var isSound: Bool { !isDamaged.load(ordering: .relaxed) }

    /// Lets searches run again.
    func clearDamage() { isDamaged.store(false, ordering: .relaxed) }

    /// The current snapshot.
    var snapshot: Snapshot { changes.withLock { _ in current.object } }

    /// Returns whether the merger may have work.
    func needsMerge(flushFrom: Int) -> Bool {
        let snapshot = snapshot
        return snapshot.runs.count >= MergePolicy.tierWidth
            || snapshot.tables.contains { $0.count >= flushFrom }
    }

    /// The number of recent entries.
    var recentCount: Int { snapshot.tables.reduce(0) { $0 + $1.count } }

    // MARK: Looking

    /// Returns the numbers of the shards that may have a digest, in ascending order.
    ///
    /// The caller is within a reading of the mark.
    ///
    /// *Cost*: a probe of every table and run, about six in all, and a step for each shard.
    ///
    /// - Parameter hash: The hash of the digest.
    /// - Returns: The numbers.
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

    /// Returns the first few shards that may have a digest, in any order.
    ///
    /// The caller is within a reading of the mark.
    ///
    /// *Cost*: a probe of every table and run; independent of the number of shards with the digest.
    ///
    /// - Throws: As `candidates(of:)`.
    @inline(__always)
    func someCandidates(of hash: UInt64) throws -> FewNumbers {
        var found = FewNumbers()
        try forEachShard(of: hash) { found.insert($0) }
        return found
    }

    /// Calls `body` with shards that may have a digest, perhaps repeatedly, until `body` returns false.
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

    /// Adds the hashes of a shard; the loop calls this when they are on disk.
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

    /// Begins a new table of recent entries; the loop calls this.
    ///
    /// - Returns: The earlier table, which receives no more entries.
    func beginTable() -> RecentEntries? {
        change { snapshot in
            guard let last = snapshot.tables.last else { return (nil, nil) }
            let table = RecentEntries(capacity: Self.firstCapacity)
            return (Snapshot(tables: snapshot.tables + [table], runs: snapshot.runs), last)
        }
    }

    /// Replaces runs and tables by other runs.
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

/// Numbers of shards, most often one; ascending and distinct after `finish`.
package struct ShardNumbers {
    private var first: UInt32 = 0
    private var others: [UInt32] = []
    package private(set) var count = 0

    /// Adds a number, perhaps repeatedly.
    @inline(__always)
    mutating func insert(_ number: UInt32) {
        defer { count += 1 }
        guard count > 0 else { return first = number }
        if count == 1, number == first { return count -= 1 }
        if others.isEmpty { others.append(first) }
        others.append(number)
    }

    /// Sorts the numbers, and removes duplicates.
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

    /// The number, if there is exactly one.
    var single: UInt32? { count == 1 ? first : nil }

    /// All numbers.
    var all: [UInt32] { count == 0 ? [] : count == 1 ? [first] : others }
}

/// The first few of some numbers, distinct, in the order of their insertion.
struct FewNumbers {
    /// One bit for each number.
    struct Flags {
        private var bits: UInt32 = 0

        mutating func insert(_ place: Int) { bits |= 1 << UInt32(place) }
        func contains(_ place: Int) -> Bool { bits & 1 << UInt32(place) != 0 }
    }

    /// The largest number of elements.
    ///
    /// Most blocks are in one shard. Of several candidates, the first nearly always has the block. With room for 16,
    /// a block of 65,536 shards took twice the time of a block of one shard, mostly to find duplicates.
    static let countMax = 4

    private var numbers = InlineArray<4, UInt32>(repeating: 0)
    private(set) var count = 0
    /// Whether there were more numbers than fit.
    private(set) var isCut = false

    /// The number at a place.
    subscript(place: Int) -> UInt32 { numbers[place] }

    /// Returns whether a number is among the elements.
    func contains(_ number: UInt32) -> Bool {
        for place in 0..<count where numbers[place] == number { return true }
        return false
    }

    /// Adds a number, unless it is among the elements.
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
    /// The pin that keeps the run alive.
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

    /// The shard of all entries; nil if the entries are of several shards.
    var onlyShard: UInt32? { shape.shardBits == 0 ? shape.leastShard : nil }

    @inline(__always)
    func prefetch(_ hash: UInt64) { run.segments[shape.segment(of: hash)].prefetch(hash) }

    /// Calls `body` with every shard that has the hash, until `body` returns false.
    ///
    /// - Returns: Whether `body` always returned true.
    /// - Throws: `catalogCorrupt` if the segment is damaged.
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

    /// Checks every unchecked segment.
    ///
    /// - Throws: `catalogCorrupt`.
    func check() throws {
        for (number, segment) in run.segments.enumerated() where !checked.isSet(number) {
            try segment.check()
            checked.set(number)
        }
    }
}
