internal import DAGBytes

/// Sorts the entries of a locator by hash, in bounded memory.
///
/// Hashes are uniform, so their highest eight bits split the entries into 256 equal parts that fit the processor's
/// cache. Above the budget, the sorter spills all parts as chunks and starts new ones. At the end it reads, sorts and
/// passes on each part by itself. If one multihash repeats often, its part may still be too large; the sorter then
/// removes duplicates while it reads the part.
@safe struct LocatorSorter: ~Copyable {
    private static let partCount = 256
    private static let partBits = 8

    /// The number of entries from which on the sorter splits them into parts.
    private static let splitFrom = 1 << 14

    // SAFETY: an empty array has no pointer.
    @safe private struct Part: ~Copyable {
        /// The chunks of the arena: full ones, and the current one.
        var chunks: [UnsafeMutablePointer<LocatorEntry>] = unsafe []
        /// The place after the last entry.
        var next: UnsafeMutablePointer<LocatorEntry>?
        /// The number of entries that fit at `next`.
        var room = 0
        /// The spilled chunks.
        var spilled: [SpillChunk] = []

        // SAFETY: nil points nowhere.
        init() { unsafe next = nil }

        // SAFETY: counts the pointers, and follows none.
        var count: Int { unsafe chunks.count * EntryArena.chunkCapacity - room }
    }

    private let budget: Int
    private var first = LocatorEntries()
    private var arena = EntryArena()
    /// `partCount` parts, or nil while `first` has all entries.
    private var parts: UnsafeMutablePointer<Part>?
    /// The number of appended entries, with duplicates.
    private(set) var count: UInt64 = 0
    /// Whether the sorter has spilled.
    private(set) var hasSpilled = false

    /// Creates a sorter that keeps about `budget` bytes in memory.
    init(budget: Int) {
        self.budget = max(budget, 4 << 20)
        // SAFETY: nil points nowhere.
        unsafe self.parts = nil
    }

    deinit {
        // SAFETY: if there are parts, all of them are initialized.
        unsafe parts?.deinitialize(count: Self.partCount)
        unsafe parts?.deallocate()
    }

    /// Whether the caller must call `spill` before it appends more.
    var isOverBudget: Bool { arena.size > budget }

    @inline(__always)
    mutating func append(_ entry: LocatorEntry) {
        count += 1
        // SAFETY: the parts live until `free`, and `appendToPart` keeps its index below their number.
        if let parts = unsafe parts { return unsafe appendToPart(of: parts, entry) }
        first.append(entry)
        if first.count == Self.splitFrom { unsafe _ = split() }
    }

    private mutating func split() -> UnsafeMutablePointer<Part> {
        let parts = UnsafeMutablePointer<Part>.allocate(capacity: Self.partCount)
        // SAFETY: the loop initializes each of the `partCount` allocated parts once.
        for index in 0..<Self.partCount { unsafe (parts + index).initialize(to: Part()) }
        unsafe self.parts = unsafe parts
        for index in 0..<first.count { unsafe appendToPart(of: parts, first[index]) }
        first.free()
        return unsafe parts
    }

    @inline(__always)
    private mutating func appendToPart(of parts: UnsafeMutablePointer<Part>, _ entry: LocatorEntry)
    {
        // SAFETY: eight bits are below `partCount`, and a part with room has a place for an entry.
        let part = unsafe parts + Int(entry.hash >> UInt64(64 - Self.partBits))
        if unsafe part.pointee.room == 0 { unsafe grow(part) }
        let place = unsafe part.pointee.next.unsafelyUnwrapped
        unsafe place.pointee = entry
        unsafe part.pointee.next = place + 1
        unsafe part.pointee.room &-= 1
    }

    @inline(never)
    private mutating func grow(_ part: UnsafeMutablePointer<Part>) {
        // SAFETY: the chunk lives as long as the part names it, because `spill` and `free` remove both.
        let chunk = unsafe arena.makeChunk()
        unsafe part.pointee.chunks.append(chunk)
        unsafe part.pointee.next = chunk
        unsafe part.pointee.room = EntryArena.chunkCapacity
    }

    /// Appends the entries of a part in memory to `target`.
    private func copy(_ part: borrowing Part, to target: inout LocatorEntries) {
        var left = part.count
        target.reserve(target.count + left)
        for number in unsafe part.chunks.indices {
            let count = min(left, EntryArena.chunkCapacity)
            // SAFETY: the first `count` entries of the chunk are written.
            unsafe target.append(copying: part.chunks[number], count: count)
            left -= count
        }
    }

    /// Removes the chunks of all parts.
    private mutating func removeChunks(of parts: UnsafeMutablePointer<Part>) {
        for index in 0..<Self.partCount {
            // SAFETY: `index` is below `partCount`, and every part is initialized.
            unsafe parts[index].chunks = []
            unsafe parts[index].next = nil
            unsafe parts[index].room = 0
        }
        arena.removeAll()
    }

    /// Spills every part.
    mutating func spill(to sink: any IndexSink) throws(ShardIndexError) {
        let parts = if let parts = unsafe parts { unsafe parts } else { unsafe split() }
        hasSpilled = true
        var entries = LocatorEntries()
        for index in 0..<Self.partCount {
            // SAFETY: `index` is below `partCount`, and every part is initialized.
            guard unsafe parts[index].count > 0 else { continue }
            entries.removeAll()
            unsafe copy(parts[index], to: &entries)
            let chunk = try Self.write(entries, to: sink)
            unsafe parts[index].spilled.append(chunk)
        }
        unsafe removeChunks(of: parts)
    }

    private static func write(
        _ entries: borrowing LocatorEntries,
        to sink: any IndexSink
    ) throws(ShardIndexError) -> SpillChunk {
        var chunk = SpillChunk(offset: 0, size: 0)
        try entries.withBytes { bytes throws(ShardIndexError) in
            do {
                chunk = SpillChunk(offset: try sink.spill(bytes), size: bytes.count)
            } catch {
                throw ShardIndexError(.storage, "the locator's spill file", underlying: error)
            }
        }
        return chunk
    }

    /// Passes all entries on in order of their hashes, without duplicates, and frees them.
    ///
    /// - Parameters:
    ///   - sink: The sink that has the spilled chunks.
    ///   - body: Receives one sorted part after the other; it may exchange the memory.
    /// - Throws: `.storage`, and the errors of `body`.
    mutating func drain(
        from sink: any IndexSink,
        _ body: (inout LocatorEntries) throws(ShardIndexError) -> Void
    ) throws(ShardIndexError) {
        var scratch = LocatorEntries()
        // SAFETY: the parts live until `free`.
        guard let parts = unsafe parts else {
            first.sortAndDeduplicate(sharedBits: 0, scratch: &scratch)
            try body(&first)
            return first.free()
        }
        var entries = LocatorEntries()
        for index in 0..<Self.partCount {
            entries.removeAll()
            // SAFETY: `index` is below `partCount`, and every part is initialized.
            try unsafe readBack(&parts[index], sink, to: &entries, &scratch)
            unsafe copy(parts[index], to: &entries)
            entries.sortAndDeduplicate(sharedBits: Self.partBits, scratch: &scratch)
            try body(&entries)
        }
        unsafe removeChunks(of: parts)
    }

    private func readBack(
        _ part: inout Part,
        _ sink: any IndexSink,
        to entries: inout LocatorEntries,
        _ scratch: inout LocatorEntries
    ) throws(ShardIndexError) {
        let stride = MemoryLayout<LocatorEntry>.stride
        for chunk in part.spilled {
            do {
                try sink.readSpill(at: chunk.offset, size: chunk.size) {
                    entries.append(copying: $0)
                }
            } catch {
                throw ShardIndexError(.storage, "the locator's spill file", underlying: error)
            }
            if entries.count * stride > budget {
                entries.sortAndDeduplicate(sharedBits: Self.partBits, scratch: &scratch)
            }
        }
        part.spilled = []
    }
}

/// The entries of a part in the spill file.
private struct SpillChunk {
    let offset: UInt64
    let size: Int
}
