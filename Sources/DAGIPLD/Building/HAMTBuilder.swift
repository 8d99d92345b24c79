internal import DAGBytes
internal import DAGMultiformats

/// Builds the blocks of a directory that is spread by the hashes of its entries' names.
///
/// In the order of their hashes, the entries below each place follow each other. A place with one entry links to it;
/// a place with more links to a shard, which takes the next eight bits.
///
/// *Memory*: 16 bytes an entry, and one block a level.
///
/// Source: IPFS specifications, "UnixFS", HAMT-sharded directories; the format is that of `HAMTShard`.
struct HAMTBuilder {
    private struct Place {
        var hash: UInt64
        var entry: Int
    }

    private static let fanout = 256
    private static let bitWidth: UInt64 = 8
    private static let levelsMax: UInt64 = 8

    private let entries: DirectoryEntries
    private let places: [Place]

    init(_ entries: DirectoryEntries) {
        self.entries = entries
        places = (0..<entries.count)
            .map { Place(hash: entries.withName($0, Murmur3.hash), entry: $0) }
            .sorted { $0.hash < $1.hash }
    }

    func finish(_ sink: BlockSink) throws -> UnixFSPart {
        try shard(of: places[...], level: 0, sink)
    }

    /// Makes the shard of entries whose hashes have the same first bits.
    ///
    /// The recursion ends with the bits of the hash, after eight levels.
    private func shard(
        of places: ArraySlice<Place>,
        level: UInt64,
        _ sink: BlockSink
    ) throws -> UnixFSPart {
        guard level < Self.levelsMax else {
            throw IPLDError(.limitExceeded, "two names in a directory have the same hash")
        }
        var block: [UInt8] = []
        var bitfield = [UInt8](repeating: 0, count: Self.fanout / 8)
        var totalSize: UInt64 = 0
        var rest = places
        while let first = rest.first {
            let number = Self.number(first.hash, level)
            let end = rest.firstIndex { Self.number($0.hash, level) != number } ?? rest.endIndex
            bitfield[bitfield.count - 1 - number / 8] |= 1 << UInt8(number % 8)
            let prefix = Self.prefix(number)
            if end - rest.startIndex == 1 {
                entries.appendLink(first.entry, prefix: prefix, to: &block)
                totalSize += entries.totalSize(first.entry)
            } else {
                let below = try shard(of: rest[..<end], level: level + 1, sink)
                below.cid.bytes.withView { cid in
                    DagPBEncoder.append(
                        cid: cid,
                        prefix: prefix,
                        name: .empty,
                        totalSize: below.totalSize,
                        to: &block
                    )
                }
                totalSize += below.totalSize
            }
            rest = rest[end...]
        }
        let bits = Array(bitfield.drop { $0 == 0 })
        DagPBEncoder.append(data: UnixFSEncoder.shard(bits, fanout: Self.fanout), to: &block)
        let cid = try sink(Codec.dagPB, block)
        return UnixFSPart(
            cid: cid,
            contentSize: 0,
            totalSize: totalSize + UInt64(block.count)
        )
    }

    /// Returns the place of a hash at a level.
    private static func number(_ hash: UInt64, _ level: UInt64) -> Int {
        Int((hash << (level * bitWidth)) >> (64 - bitWidth))
    }

    /// Returns a place as the start of a link's name: two upper-case hexadecimal digits.
    private static func prefix(_ number: Int) -> [UInt8] {
        [digit(number >> 4), digit(number & 15)]
    }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(value) + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "A") - 10)
    }
}
