internal import DAGSystem

/// Memory for chunks of locator entries, in blocks that are given back together.
///
/// A part that grew by doubling would copy what it has and touch new pages each time; half of the time of indexing
/// went there. Chunks never move.
@safe struct EntryArena: ~Copyable {
    /// The entries of a chunk; they take 4,080 bytes.
    static let chunkCapacity = 170
    private static let chunkSize = 4096
    /// The first block is small: most shards are.
    private static let firstBlockSize = 1 << 20
    private static let blockSize = 2 << 20

    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var next: UnsafeMutableRawPointer?
    private var chunksLeft = 0
    /// The bytes of all blocks.
    private(set) var size = 0

    init() { unsafe next = nil }

    deinit {
        // SAFETY: each block was allocated here, and the chunks of it go with the arena.
        unsafe blocks.forEach { unsafe $0.deallocate() }
    }

    /// Memory for `chunkCapacity` entries, good until `removeAll`.
    @unsafe mutating func makeChunk() -> UnsafeMutablePointer<LocatorEntry> {
        if chunksLeft == 0 { addBlock() }
        // SAFETY: a chunk is left in the block.
        let chunk = unsafe next.unsafelyUnwrapped
        unsafe next = chunk + Self.chunkSize
        chunksLeft -= 1
        return unsafe chunk.bindMemory(to: LocatorEntry.self, capacity: Self.chunkCapacity)
    }

    private mutating func addBlock() {
        let size = size == 0 ? Self.firstBlockSize : Self.blockSize
        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: size)
        // One fault a block instead of 512. A kernel that refuses the advice costs only those faults.
        if size == Self.blockSize {
            // SAFETY: the block is this function's own, and the advice changes no byte.
            unsafe MemoryAdvice.hugePages.give(
                for: UnsafeRawBufferPointer(start: block, count: size)
            )
        }
        unsafe blocks.append(block)
        unsafe next = block
        chunksLeft = size / Self.chunkSize
        self.size += size
    }

    /// Gives all memory back.
    mutating func removeAll() {
        // SAFETY: as above.
        unsafe blocks.forEach { unsafe $0.deallocate() }
        unsafe blocks = []
        unsafe next = nil
        chunksLeft = 0
        size = 0
    }
}
