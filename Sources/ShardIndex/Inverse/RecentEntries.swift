public import Synchronization

/// The recent entries of the inverse index, in memory, until they become a run.
///
/// One thread appends while any number of threads read. The writer completes an entry before the head of its chain
/// names it, and no entry moves. If the table is full, its owner makes a larger one.
///
/// ```
/// heads     u32[2^n]                       the newest entry of each chain, plus one; 0: none
/// entries   { u64 hash, u32 shard, u32 the entry before in the chain, plus one }[capacity]
/// ```
///
/// *Concurrency*: `append` by one thread at a time; everything else by any.
@safe public final class RecentEntries: @unchecked Sendable {
    // SAFETY: one thread at a time writes rows, and completes each row before the head that names it.
    @usableFromInline struct Row {
        @usableFromInline let hash: UInt64
        @usableFromInline let shard: UInt32
        @usableFromInline let next: UInt32
    }

    /// The largest number of entries.
    public let capacity: Int
    @usableFromInline let mask: UInt64
    @usableFromInline let heads: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let rows: UnsafeMutablePointer<Row>
    private let used = Atomic<Int>(0)

    /// Creates a table for `capacity` entries, at least one.
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity < 1 << 31)
        self.capacity = capacity
        let size = 1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount)
        mask = UInt64(size - 1)
        // SAFETY: the loop initializes each allocated head; rows are written before they are read.
        unsafe heads = .allocate(capacity: size)
        for index in 0..<size { unsafe (heads + index).initialize(to: Atomic(0)) }
        unsafe rows = .allocate(capacity: capacity)
    }

    deinit {
        // SAFETY: all heads are initialized, rows need no deinitialization, and no reference to the table is left.
        unsafe heads.deinitialize(count: Int(mask) + 1)
        unsafe heads.deallocate()
        unsafe rows.deallocate()
    }

    /// The number of entries.
    public var count: Int { used.load(ordering: .acquiring) }

    /// Adds an entry.
    ///
    /// - Returns: Whether the table had room.
    public func append(_ entry: InverseEntry) -> Bool {
        let place = used.load(ordering: .relaxed)
        guard place < capacity else { return false }
        // SAFETY: the mask keeps the head inside; `place` is below `capacity`, and no reader has it yet.
        let head = unsafe heads + Int(entry.hash & mask)
        let next = unsafe head.pointee.load(ordering: .relaxed)
        unsafe (rows + place).initialize(
            to: Row(hash: entry.hash, shard: entry.shard, next: next)
        )
        unsafe head.pointee.store(UInt32(place + 1), ordering: .releasing)
        used.store(place + 1, ordering: .releasing)
        return true
    }

    /// Calls `body` with every shard of a hash, the newest first, until it returns false; a shard may come twice.
    ///
    /// - Returns: Whether `body` always returned true.
    @inlinable
    public func forEachShard(of hash: UInt64, while body: (UInt32) -> Bool) -> Bool {
        // SAFETY: the mask keeps the head inside, and a head names only complete entries.
        var next = unsafe (heads + Int(hash & mask)).pointee.load(ordering: .acquiring)
        while next != 0 {
            let row = unsafe rows[Int(next) - 1]
            if row.hash == hash, !body(row.shard) { return false }
            next = row.next
        }
        return true
    }

    /// All entries so far, in their order of arrival.
    public var entries: [InverseEntry] {
        (0..<count).map { index in
            // SAFETY: the first `count` entries are complete.
            let row = unsafe rows[index]
            return InverseEntry(hash: row.hash, shard: row.shard)
        }
    }
}
