public import DAGBytes

/// One block of a directory whose entries are spread by the hashes of their names.
///
/// ```
/// link name   place in upper-case hexadecimal, as wide as the highest place has it: a shard below
///             place, then the entry's name: an entry
/// data        a bit for each place that has a link, the highest place first
/// ```
///
/// The hash of a name gives the places from the root on: each level takes the next bits, the highest first. So a
/// directory has at most 64 / log2(fanout) levels, whatever its blocks claim.
///
/// Source: IPFS specifications, "UnixFS", HAMT-sharded directories.
public struct HAMTShard: Sendable {
    /// The largest number of places, as in boxo.
    public static let fanoutMax: UInt64 = 1024
    /// The smallest number of places.
    public static let fanoutMin: UInt64 = 8

    /// The number of places, a power of two.
    public let fanout: Int
    /// The width of a place in a link's name, in bytes.
    public let prefixSize: Int
    private let node: DagPBNode

    /// The bits of a hash that a level takes.
    public var bitWidth: Int { fanout.trailingZeroBitCount }
    /// The number of levels that a directory can have.
    public var levelsMax: Int { 64 / bitWidth }

    /// A link of a shard.
    public enum Entry {
        /// A shard below.
        case shard(DagPBNode.Link)
        /// An entry of the directory, and where its name is in the block.
        case entry(DagPBNode.Link, name: Range<Int>)
    }

    /// Reads a shard of a block.
    ///
    /// - Parameters:
    ///   - node: The block as dag-pb.
    ///   - unixFS: Its data as UnixFS, of kind `hamtShard`.
    ///   - block: The block.
    /// - Throws: `.malformedBlock` if the fanout is no power of two from 8 to 1,024, if the hash function is
    ///   another, or if the links are not those that the bitfield tells, in order.
    public init(
        _ node: DagPBNode,
        _ unixFS: UnixFSNode,
        in block: ByteView
    ) throws(IPLDError) {
        guard unixFS.kind == .hamtShard, let fanout = unixFS.fanout,
            (Self.fanoutMin...Self.fanoutMax).contains(fanout), fanout.nonzeroBitCount == 1
        else {
            throw IPLDError(
                .malformedBlock,
                "the fanout of a directory is no power of two from 8 to 1,024"
            )
        }
        guard unixFS.hashType == Murmur3.code else {
            throw IPLDError(.malformedBlock, "a directory's hash function is not murmur3-x64-64")
        }
        self.fanout = Int(fanout)
        prefixSize = String(fanout - 1, radix: 16).utf8.count
        self.node = node
        let data = node.data.map { block[$0] } ?? .empty
        let places = try Self.places(unixFS.data.map { data[$0] } ?? .empty, self.fanout)
        guard places.count == node.links.count else {
            throw IPLDError(
                .malformedBlock,
                "a directory has \(node.links.count) links, and its bitfield tells \(places.count)"
            )
        }
        for (link, place) in zip(node.links, places) {
            guard let name = link.name, name.count >= prefixSize,
                Self.isPlace(place, block[name.lowerBound..<name.lowerBound + prefixSize])
            else { throw IPLDError(.malformedBlock, "a link of a directory without its place") }
        }
    }

    /// Returns the places whose bits are set, in ascending order.
    private static func places(
        _ bitfield: ByteView,
        _ fanout: Int
    ) throws(IPLDError) -> [Int] {
        var places: [Int] = []
        for index in 0..<bitfield.count where bitfield[bitfield.count - 1 - index] != 0 {
            let byte = bitfield[bitfield.count - 1 - index]
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 {
                guard index * 8 + bit < fanout else {
                    throw IPLDError(.malformedBlock, "a bitfield with a place beyond the fanout")
                }
                places.append(index * 8 + bit)
            }
        }
        return places
    }

    /// Whether `text` is a place in upper-case hexadecimal.
    private static func isPlace(_ place: Int, _ text: ByteView) -> Bool {
        (0..<text.count).allSatisfy { index in
            let digit = UInt8(place >> (4 * (text.count - 1 - index)) & 15)
            let base = digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "A") - 10
            return text[index] == base + digit
        }
    }

    /// Returns the place of a name's hash.
    ///
    /// - Parameters:
    ///   - hash: The hash of the name.
    ///   - level: 0 in the directory's root; below `levelsMax`.
    /// - Returns: The place, below `fanout`.
    public func place(of hash: UInt64, level: Int) -> Int {
        Int((hash << UInt64(level * bitWidth)) >> UInt64(64 - bitWidth))
    }

    /// Finds the link of a name.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - level: 0 in the directory's root.
    ///   - block: The block.
    /// - Returns: The entry itself, or the shard that may have it; nil if the name is not there.
    /// - Throws: `.malformedBlock` at a level that no directory has.
    public func find(
        _ name: ByteView,
        level: Int,
        in block: ByteView
    ) throws(IPLDError) -> Entry? {
        try checkLevel(level)
        let place = place(of: Murmur3.hash(name), level: level)
        for link in node.links {
            guard let found = link.name,
                Self.isPlace(place, block[found.lowerBound..<found.lowerBound + prefixSize])
            else { continue }
            let rest = found.lowerBound + prefixSize..<found.upperBound
            guard !rest.isEmpty else { return .shard(link) }
            return block[rest].elementsEqual(name) ? .entry(link, name: rest) : nil
        }
        return nil
    }

    /// The links in order.
    public var entries: [Entry] {
        node.links.map { link in
            let name = link.name ?? 0..<0
            let rest = min(name.lowerBound + prefixSize, name.upperBound)..<name.upperBound
            return rest.isEmpty ? .shard(link) : .entry(link, name: rest)
        }
    }

    /// Checks that a directory can have a level.
    func checkLevel(_ level: Int) throws(IPLDError) {
        guard level < levelsMax else {
            throw IPLDError(.malformedBlock, "a directory deeper than its hashes are long")
        }
    }
}
