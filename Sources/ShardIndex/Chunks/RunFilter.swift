/// Tells most hashes that a run lacks from those that it has, without reading the run.
///
/// A filter says "maybe" for each hash of the run, and for about one in 200 of the others.
///
/// ```
/// hash, 48 bits     first bits: the block             last 32 bits, times eight odd numbers: a bit of each word
/// block, 256 bits   word 0 | word 1 | word 2 | word 3 | word 4 | word 5 | word 6 | word 7
/// ```
///
/// *Memory*: 12 bits an entry.
///
/// *Source*: Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", 2007, in the form of Apache
/// Parquet's split blocks.
package struct RunFilter: Sendable {
    private typealias Block = SIMD8<UInt32>

    private static let bitsPerEntry = 12
    private static let salts = Block(
        0x47b6_137b,
        0x4497_4d91,
        0x8824_ad5b,
        0xa2b7_289d,
        0x7054_95c7,
        0x2df1_424b,
        0x9efc_4947,
        0x5c6b_fb31
    )

    private var blocks: [Block]

    /// Creates a filter that says no for each hash.
    ///
    /// - Parameter count: The number of entries that will be inserted, or about that number.
    package init(entryCount count: Int) {
        let blockCount = (count * Self.bitsPerEntry + 255) / 256
        blocks = Array(repeating: .zero, count: max(1, blockCount))
    }

    /// The size in bytes.
    package var size: Int { blocks.count * 32 }

    /// Inserts the hash of an entry.
    package mutating func insert(_ hash: UInt64) {
        blocks[place(of: hash)] |= Self.mask(hash)
    }

    /// Verifies a chunk of the run, and inserts its entries; of a damaged chunk some, which do no harm.
    ///
    /// - Throws: `.malformed` if the chunk is damaged.
    package mutating func insert(_ chunk: InverseChunk) throws(ShardIndexError) {
        try chunk.segment.check()
        var walk = chunk.entries
        try walk.forEach(before: 1 << UInt64(InverseEntry.hashBits)) { insert($0.hash) }
    }

    /// Whether the run may have a hash.
    ///
    /// *Cost*: O(1); one line of memory.
    package func mayContain(_ hash: UInt64) -> Bool {
        let mask = Self.mask(hash)
        return blocks[place(of: hash)] & mask == mask
    }

    private func place(of hash: UInt64) -> Int {
        let unusedBits = UInt64(UInt64.bitWidth - InverseEntry.hashBits)
        return Int(UInt64(blocks.count).multipliedFullWidth(by: hash << unusedBits).high)
    }

    private static func mask(_ hash: UInt64) -> Block {
        let low = Block(repeating: UInt32(truncatingIfNeeded: hash))
        return Block(repeating: 1) &<< ((low &* salts) &>> 27)
    }
}
