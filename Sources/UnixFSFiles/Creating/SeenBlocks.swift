/// Remembers the digests of the blocks that were written, so that each is written once.
///
/// The set forgets: it remembers at least the last 524,288 different blocks, and at most twice as many. A block that
/// comes again after that is written again, which a CAR may have.
///
/// *Memory*: at most 100 MiB.
struct SeenBlocks {
    /// The digest of sha2-256, in words.
    struct Key: Hashable {
        private let words: SIMD4<UInt64>

        /// Creates a key of the 32 bytes of a digest.
        init(_ digest: ArraySlice<UInt8>) {
            precondition(digest.count == 32)
            var words = SIMD4<UInt64>()
            for (index, byte) in digest.enumerated() {
                words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
            }
            self.words = words
        }

        func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }
    }

    private let half: Int
    private var new: Set<Key> = []
    private var old: Set<Key> = []

    /// Creates an empty set.
    ///
    /// - Parameter half: The number of blocks after which it forgets those before.
    init(half: Int = 1 << 19) {
        precondition(half > 0)
        self.half = half
    }

    /// Adds a block.
    ///
    /// - Returns: Whether the set did not have it.
    mutating func insert(_ key: Key) -> Bool {
        guard !old.contains(key) else { return false }
        guard new.insert(key).inserted else { return false }
        if new.count == half {
            old = new
            new = []
        }
        return true
    }
}
