internal import Bytes

/// Sorts the entries of a locator by hash, in bounded memory.
///
/// Hashes are uniform, so the highest eight bits split the entries into 256 equal parts, each small
/// enough for the processor's cache. Over the budget, all parts are written out as chunks and start anew;
/// at the end each part is read back, sorted and handed on by itself. A part that is still too large,
/// because one multihash repeats without end, is deduplicated as it is read.
@safe struct LocatorSorter: ~Copyable {
    private static let partCount = 256
    private static let partBits = 8

    private struct Part: ~Copyable {
        var entries = LocatorEntries()
        var chunks: [SpillChunk] = []
    }

    private let budget: Int
    private var first = LocatorEntries()
    /// `partCount` parts, or nil while everything fits in `first`.
    private var parts: UnsafeMutablePointer<Part>?
    private var bytesInUse = 0
    /// The entries appended, repetitions included.
    private(set) var count: UInt64 = 0
    /// Whether anything was written out.
    private(set) var hasSpilled = false

    /// A sorter that keeps at most about `budget` bytes in memory.
    init(budget: Int) {
        self.budget = max(budget, 4 << 20)
        unsafe self.parts = nil
    }

    deinit {
        // SAFETY: all parts are initialised when there are any.
        unsafe parts?.deinitialize(count: Self.partCount)
        unsafe parts?.deallocate()
    }

    /// Whether `spill` must be called before more is appended.
    var isOverBudget: Bool { bytesInUse > budget }

    mutating func append(_ entry: LocatorEntry) {
        count += 1
        if let parts = unsafe parts { return unsafe appendToPart(of: parts, entry) }
        first.append(entry)
        if first.count == 1 << 16 { unsafe _ = split() }
    }

    private mutating func split() -> UnsafeMutablePointer<Part> {
        let parts = UnsafeMutablePointer<Part>.allocate(capacity: Self.partCount)
        for index in 0..<Self.partCount { unsafe (parts + index).initialize(to: Part()) }
        unsafe self.parts = unsafe parts
        for index in 0..<first.count { unsafe appendToPart(of: parts, first[index]) }
        first.free()
        return unsafe parts
    }

    @inline(__always)
    private mutating func appendToPart(of parts: UnsafeMutablePointer<Part>, _ entry: LocatorEntry)
    {
        let index = Int(entry.hash >> UInt64(64 - Self.partBits))
        // SAFETY: eight bits are below `partCount`.
        let before = unsafe parts[index].entries.capacity
        unsafe parts[index].entries.append(entry)
        let after = unsafe parts[index].entries.capacity
        if after != before { bytesInUse += (after - before) * MemoryLayout<LocatorEntry>.stride }
    }

    /// Writes every part out.
    mutating func spill(to sink: any IndexSink) throws(ShardIndexError) {
        let parts = if let parts = unsafe parts { unsafe parts } else { unsafe split() }
        hasSpilled = true
        for index in 0..<Self.partCount {
            // SAFETY: `index` is below `partCount`, and every part is initialised.
            if unsafe parts[index].entries.count > 0 {
                let chunk = try unsafe Self.write(parts[index].entries, to: sink)
                unsafe parts[index].chunks.append(chunk)
            }
            unsafe parts[index].entries.free()
        }
        bytesInUse = 0
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

    /// Hands on all entries in order of their hashes, without repetitions, and frees them.
    ///
    /// - Parameters:
    ///   - sink: Where chunks were spilled.
    ///   - body: Called with one sorted part after the other.
    /// - Throws: `.storage`, and what `body` throws.
    mutating func drain(
        from sink: any IndexSink,
        _ body: (borrowing LocatorEntries) throws(ShardIndexError) -> Void
    ) throws(ShardIndexError) {
        var scratch = LocatorEntries()
        guard let parts = unsafe parts else {
            first.sortAndDeduplicate(sharedBits: 0, scratch: &scratch)
            try body(first)
            return first.free()
        }
        for index in 0..<Self.partCount {
            // SAFETY: as in `spill`.
            if unsafe !parts[index].chunks.isEmpty {
                try unsafe readBack(&parts[index], sink, &scratch)
            }
            unsafe parts[index].entries.sortAndDeduplicate(
                sharedBits: Self.partBits,
                scratch: &scratch
            )
            try unsafe body(parts[index].entries)
            unsafe parts[index].entries.free()
        }
        bytesInUse = 0
    }

    private func readBack(
        _ part: inout Part,
        _ sink: any IndexSink,
        _ scratch: inout LocatorEntries
    ) throws(ShardIndexError) {
        var all = LocatorEntries()
        let stride = MemoryLayout<LocatorEntry>.stride
        for chunk in part.chunks {
            do {
                try sink.readSpill(at: chunk.offset, size: chunk.size) { all.append(copying: $0) }
            } catch {
                throw ShardIndexError(.storage, "the locator's spill file", underlying: error)
            }
            if all.count * stride > budget {
                all.sortAndDeduplicate(sharedBits: Self.partBits, scratch: &scratch)
            }
        }
        part.entries.withBytes { all.append(copying: $0) }
        part.chunks = []
        part.entries = all
    }
}

/// A part's entries in the spill file.
private struct SpillChunk {
    let offset: UInt64
    let size: Int
}
