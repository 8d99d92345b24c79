internal import DAGSystem

/// Memory for chunks of locator entries, in blocks that are freed together.
///
/// A part that grew by doubling would copy its entries and touch new pages each time, which took half the time of
/// indexing. Chunks never move.
@safe struct EntryArena: ~Copyable {
    /// The number of entries in a chunk; they take 4,080 bytes.
    static let chunkCapacity = 170
    private static let chunkSize = 4096
    /// The first block is small, because most shards are small.
    private static let firstBlockSize = 1 << 20
    private static let blockSize = 2 << 20

    // SAFETY: an empty array has no pointer.
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var next: UnsafeMutableRawPointer?
    private var chunksLeft = 0
    /// The size of all blocks in bytes.
    private(set) var size = 0

    // SAFETY: nil points nowhere.
    init() { unsafe next = nil }

    deinit {
        // SAFETY: `addBlock` allocated each block, and no chunk is used after the arena.
        unsafe blocks.forEach { unsafe $0.deallocate() }
    }

    /// Returns memory for `chunkCapacity` entries, valid until `removeAll`.
    @unsafe mutating func makeChunk() -> UnsafeMutablePointer<LocatorEntry> {
        if chunksLeft == 0 { addBlock() }
        // SAFETY: the block has at least one more chunk, because `chunksLeft` was not zero.
        let chunk = unsafe next.unsafelyUnwrapped
        unsafe next = chunk + Self.chunkSize
        chunksLeft -= 1
        return unsafe chunk.bindMemory(to: LocatorEntry.self, capacity: Self.chunkCapacity)
    }

    private mutating func addBlock() {
        let size = size == 0 ? Self.firstBlockSize : Self.blockSize
        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: size)
        // One fault for each block instead of 512. A kernel that refuses the advice costs only those faults.
        if size == Self.blockSize {
            // SAFETY: the block belongs to this arena, and the advice changes no byte.
            unsafe MemoryAdvice.hugePages.apply(
                to: UnsafeRawBufferPointer(start: block, count: size)
            )
        }
        unsafe blocks.append(block)
        unsafe next = block
        chunksLeft = size / Self.chunkSize
        self.size += size
    }

    /// Frees all memory.
    mutating func removeAll() {
        // SAFETY: `addBlock` allocated each block, and the caller uses no chunk of them again.
        unsafe blocks.forEach { unsafe $0.deallocate() }
        unsafe blocks = []
        unsafe next = nil
        chunksLeft = 0
        size = 0
    }
}
