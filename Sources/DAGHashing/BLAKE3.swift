internal import DAGBytes

/// BLAKE3 without a key, for messages and digests of any size.
///
/// ```
/// chunks of 1024 bytes   0   1   2   3   4       each is 16 blocks of 64 bytes, hashed in a row
/// parents                 \ /     \ /    |       the block of a parent is the chains of its children
///                          \_______/     |       a left child is the largest full tree there is
///                                \______/        the root gives the digest
/// ```
///
/// While more than four chunks are left, the code hashes four at once, a lane each.
///
/// Source: BLAKE3 specification (O'Connor, Aumasson, Neves, Wilcox-O'Hearn), section 2.
enum BLAKE3 {
    /// The default size of a digest, in bytes.
    static let digestSize = 32
    private static let chunkSize = 1024
    private static let blockSize = 64
    private static let laneCount = 4

    typealias Chain = InlineArray<8, UInt32>
    typealias Block = InlineArray<16, UInt32>
    private typealias Lanes = SIMD4<UInt32>

    /// The flags of a compression, which describe its block.
    enum Flags {
        static let chunkStart: UInt32 = 1
        static let chunkEnd: UInt32 = 2
        static let parent: UInt32 = 4
        static let root: UInt32 = 8
    }

    /// Hashes `data`.
    ///
    /// - Returns: The root, which gives a digest of any size.
    ///
    /// *Cost*: O(data), no allocation; copies one block of each lane at a time.
    static func hash(_ data: ByteView) -> BLAKE3Node {
        var tree = BLAKE3Tree()
        var offset = 0
        // The code after the loops hashes the last chunk, full or not, because it may be the root.
        while data.count - offset > laneCount * chunkSize {
            let chains = chainsOfLanes(data, at: offset, number: tree.chunkCount)
            for lane in 0..<laneCount { tree.append(chains[lane]) }
            offset += laneCount * chunkSize
        }
        while data.count - offset > chunkSize {
            let chunk = data[offset..<offset + chunkSize]
            tree.append(node(of: chunk, number: tree.chunkCount).chain)
            offset += chunkSize
        }
        return tree.root(over: node(of: data[offset..<data.count], number: tree.chunkCount))
    }

    /// Hashes a chunk of at most `chunkSize` bytes.
    ///
    /// The node keeps the last block.
    private static func node(of chunk: ByteView, number: UInt64) -> BLAKE3Node {
        var node = BLAKE3Node(input: blakeInitialChain, number: number, flags: Flags.chunkStart)
        var offset = 0
        while chunk.count - offset > blockSize {
            node.block = blakeBlock(chunk[offset..<offset + blockSize])
            node.input = node.chain
            node.flags = 0
            offset += blockSize
        }
        node.block = blakeBlock(chunk[offset..<chunk.count])
        node.blockSize = UInt32(chunk.count - offset)
        node.flags |= Flags.chunkEnd
        return node
    }

    /// Hashes four whole chunks; none of them is the root.
    private static func chainsOfLanes(
        _ data: ByteView,
        at start: Int,
        number: UInt64
    ) -> InlineArray<4, Chain> {
        let initial = blakeInitialChain
        var chain = InlineArray<8, Lanes> { Lanes(repeating: initial[$0]) }
        var lower = chain
        for lane in 0..<laneCount {
            let number = number &+ UInt64(lane)
            lower[4][lane] = UInt32(truncatingIfNeeded: number)
            lower[5][lane] = UInt32(truncatingIfNeeded: number >> 32)
        }
        lower[6] = Lanes(repeating: UInt32(blockSize))
        let chunks = data[start..<start + laneCount * chunkSize]
        for block in 0..<chunkSize / blockSize {
            let words = InlineArray<16, Lanes> { index in
                let offset = block * blockSize + 4 * index
                return Lanes(
                    chunks.loadUInt32(at: offset),
                    chunks.loadUInt32(at: offset + chunkSize),
                    chunks.loadUInt32(at: offset + 2 * chunkSize),
                    chunks.loadUInt32(at: offset + 3 * chunkSize)
                )
            }
            var flags: UInt32 = block == 0 ? Flags.chunkStart : 0
            if block == chunkSize / blockSize - 1 { flags |= Flags.chunkEnd }
            lower[7] = Lanes(repeating: flags)
            chain = compressed(chain, lower, words).folded
        }
        return InlineArray<4, Chain> { lane in Chain { chain[$0][lane] } }
    }

    /// Mixes seven rounds, each with the words in another order.
    ///
    /// The orders repeat the permutation of table 2 in section 2.2.
    @inline(__always) static func compressed<Word: BLAKEWord>(
        _ chain: InlineArray<8, Word>,
        _ lower: InlineArray<8, Word>,
        _ m: InlineArray<16, Word>
    ) -> BLAKEState<Word> {
        var v = BLAKEState(chain, lower)
        v.round(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.round(m, 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
        v.round(m, 3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1)
        v.round(m, 10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6)
        v.round(m, 12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4)
        v.round(m, 9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7)
        v.round(m, 11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13)
        return v
    }
}

/// The last compression of a chunk, or the only one of a parent, before it runs.
struct BLAKE3Node {
    /// The input chain.
    var input: BLAKE3.Chain
    /// The input words.
    var block = BLAKE3.Block(repeating: 0)
    /// The number of bytes of the block that count.
    var blockSize: UInt32 = 64
    /// The chunk's number; 0 for a parent.
    var number: UInt64
    /// The flags of the block.
    var flags: UInt32

    init(input: BLAKE3.Chain, number: UInt64, flags: UInt32) {
        self.input = input
        self.number = number
        self.flags = flags
    }

    /// Creates the parent of two nodes.
    init(parentOf left: BLAKE3.Chain, _ right: BLAKE3.Chain) {
        self.init(input: blakeInitialChain, number: 0, flags: BLAKE3.Flags.parent)
        block = BLAKE3.Block { $0 < 8 ? left[$0] : right[$0 - 8] }
    }

    /// The output chain.
    var chain: BLAKE3.Chain { compressed(number: number).folded }

    @inline(__always) private func compressed(number: UInt64) -> BLAKEState<UInt32> {
        var lower = blakeInitialChain
        lower[4] = UInt32(truncatingIfNeeded: number)
        lower[5] = UInt32(truncatingIfNeeded: number >> 32)
        lower[6] = blockSize
        lower[7] = flags
        return BLAKE3.compressed(input, lower, block)
    }

    /// Returns 64 bytes of the root's digest, from byte 64 times `number` on.
    private func output(_ number: UInt64) -> WordDigest {
        let state = compressed(number: number)
        let (upper, lower) = (state.folded, state.lower)
        let words = InlineArray<8, UInt64> { index in
            let first = 2 * (index % 4)
            guard index >= 4 else { return UInt64(upper[first]) | UInt64(upper[first + 1]) << 32 }
            // The lower half is mixed with the input chain.
            return UInt64(lower[first] ^ input[first])
                | UInt64(lower[first + 1] ^ input[first + 1]) << 32
        }
        return WordDigest(words: words, size: 64)
    }

    /// The digest of the default size.
    var digest: [UInt8] { Array(output(0).bytes.prefix(BLAKE3.digestSize)) }

    /// Returns whether the digest begins with `other`, which may have any size.
    func hasPrefix(_ other: ByteView) -> Bool {
        var offset = 0
        while offset < other.count {
            let end = min(offset + 64, other.count)
            guard output(UInt64(offset / 64)).hasPrefix(other[offset..<end]) else { return false }
            offset = end
        }
        return true
    }
}

/// The trees over the chunks so far: full trees, the largest first, each of another size.
private struct BLAKE3Tree {
    /// The number of appended chunks.
    private(set) var chunkCount: UInt64 = 0
    /// A chain for each tree; 2^64 bytes have at most 54.
    private var chains = InlineArray<54, BLAKE3.Chain>(repeating: .init(repeating: 0))
    private var count = 0

    /// Appends a chunk that precedes the last one.
    mutating func append(_ chain: BLAKE3.Chain) {
        chunkCount += 1
        var chain = chain
        var trees = chunkCount
        while trees & 1 == 0 {
            count -= 1
            chain = BLAKE3Node(parentOf: chains[count], chain).chain
            trees >>= 1
        }
        chains[count] = chain
        count += 1
    }

    /// Returns the root over all appended chunks and the last one.
    func root(over last: BLAKE3Node) -> BLAKE3Node {
        var node = last
        for index in (0..<count).reversed() {
            node = BLAKE3Node(parentOf: chains[index], node.chain)
        }
        node.flags |= BLAKE3.Flags.root
        // The counter of a root selects a part of the digest; the counter of a single chunk is 0 already.
        return node
    }
}
