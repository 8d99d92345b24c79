import DAGBytes
import DAGHashing
import DAGIPLD
import DAGMultiformats
import TestSupport
import Testing

/// Keeps the blocks that a builder makes.
private final class Blocks {
    var all: [(cid: CID, bytes: [UInt8])] = []

    func add(_ codec: UInt64, _ block: [UInt8]) -> CID {
        let made = CARBuilder.Block.hashed(block, codec: codec, hashCode: HashCode.sha2_256)
        all.append((made.cid, block))
        return made.cid
    }
}

@Suite("Builders of UnixFS")
struct BuilderTests {
    private func leaf(_ number: UInt8) -> UnixFSPart {
        let block = CARBuilder.Block.raw([number])
        return UnixFSPart(cid: block.cid, contentSize: 1, totalSize: 1)
    }

    /// Returns the depths of the leaves below a part, and the number of links in each block.
    private func shape(_ top: UnixFSPart, _ blocks: Blocks) throws -> (Set<Int>, [Int]) {
        var depths: Set<Int> = []
        var widths: [Int] = []
        var waiting = [(top.cid, 0)]
        while let (cid, depth) = waiting.popLast() {
            guard let bytes = blocks.all.first(where: { $0.cid == cid })?.bytes else {
                depths.insert(depth)
                continue
            }
            try bytes.withView { view in
                let node = try DagPBNode(decoding: view)
                widths.append(node.links.count)
                waiting += node.links.map { (node.cid(of: $0, in: view), depth + 1) }
            }
        }
        return (depths, widths)
    }

    @Test(
        "all leaves of a file are at one depth, whatever their number",
        arguments: [(1, 0), (2, 1), (3, 1), (4, 2), (9, 2), (10, 3), (27, 3), (28, 4), (100, 5)]
    )
    func balanced(leaves: Int, depth: Int) throws {
        let blocks = Blocks()
        var builder = FileBuilder(width: 3)
        for number in 0..<leaves { try builder.append(leaf(UInt8(number)), blocks.add) }
        let top = try builder.finish(blocks.add)
        #expect(top.contentSize == UInt64(leaves))
        let (depths, widths) = try shape(top, blocks)
        #expect(depths == [depth])
        #expect(widths.allSatisfy { $0 <= 3 })
        let size = blocks.all.reduce(UInt64(leaves)) { $0 + UInt64($1.bytes.count) }
        #expect(top.totalSize == size)
    }

    @Test("a block of a file claims what the blocks below it have")
    func claims() throws {
        let blocks = Blocks()
        var builder = FileBuilder(width: 2)
        for number in 0..<3 { try builder.append(leaf(UInt8(number)), blocks.add) }
        _ = try builder.finish(blocks.add)
        let top = try #require(blocks.all.last).bytes
        try top.withView { view in
            let node = try DagPBNode(decoding: view)
            let data = try #require(node.data)
            let file = try UnixFSNode(decoding: view[data])
            #expect(file.kind == .file)
            #expect(file.blockSizes == [2, 1])
            #expect(file.fileSize == 3)
            #expect(
                node.links.map(\.name)
                    == node.links.map { $0.name.map { $0.lowerBound..<$0.lowerBound } }
            )
        }
    }

    @Test("a directory is one block up to the threshold, and a HAMT above it")
    func threshold() throws {
        var directory = DirectoryBuilder(hamtThreshold: 0)
        directory.append(leaf(1), name: Array("a".utf8))
        let size = directory.blockSize
        for (threshold, kind) in [(size, UnixFSNode.Kind.directory), (size - 1, .hamtShard)] {
            let blocks = Blocks()
            var directory = DirectoryBuilder(hamtThreshold: threshold)
            directory.append(leaf(1), name: Array("a".utf8))
            _ = try directory.finish(blocks.add)
            #expect(blocks.all.count == 1)
            try blocks.all[0].bytes.withView { view in
                let data = try #require(try DagPBNode(decoding: view).data)
                #expect(try UnixFSNode(decoding: view[data]).kind == kind)
            }
        }
        let blocks = Blocks()
        let empty = try DirectoryBuilder(hamtThreshold: 0).finish(blocks.add)
        let expected = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
        #expect(empty.cid.description == expected)
    }

    @Test("entries of a directory stand in the order of their names' bytes, however they came")
    func order() throws {
        let names = ["b", "a", "ä", "B", "ab", "a.b"]
        let blocks = Blocks()
        var directory = DirectoryBuilder(hamtThreshold: 1 << 20)
        for name in names { directory.append(leaf(1), name: Array(name.utf8)) }
        let size = directory.blockSize
        _ = try directory.finish(blocks.add)
        #expect(blocks.all[0].bytes.count == size)
        blocks.all[0].bytes.withView { view in
            let links = (try? DagPBNode(decoding: view).links) ?? []
            let found = links.map { link in
                String(decoding: view[link.name ?? 0..<0].copied, as: UTF8.self)
            }
            #expect(found == ["B", "a", "a.b", "ab", "b", "ä"])
        }
    }

    @Test("a HAMT gives every name back, at the place of its hash")
    func hamt() throws {
        let names = (0..<3000).map { "entry \($0)" }
        let blocks = Blocks()
        var directory = DirectoryBuilder(hamtThreshold: 0)
        for name in names { directory.append(leaf(UInt8(name.utf8.count)), name: Array(name.utf8)) }
        let top = try directory.finish(blocks.add)
        #expect(blocks.all.count > 250)
        let bytes = Dictionary(blocks.all.map { ($0.cid, $0.bytes) }) { one, _ in one }
        for name in names {
            var next = top.cid
            for level in 0..<8 {
                let block = try #require(bytes[next])
                let (found, below) = try step(name, level, block)
                if let found {
                    #expect(found == leaf(UInt8(name.utf8.count)).cid)
                    break
                }
                next = try #require(below, "\(name) is not in the directory")
            }
        }
    }

    /// Returns what a shard has for a name: the entry, or the shard below.
    private func step(
        _ name: String,
        _ level: Int,
        _ block: [UInt8]
    ) throws -> (found: CID?, below: CID?) {
        try block.withView { view -> (CID?, CID?) in
            let node = try DagPBNode(decoding: view)
            let data = try UnixFSNode(decoding: view[node.data ?? 0..<0])
            let shard = try HAMTShard(node, data, in: view)
            let entry = try Array(name.utf8).withView { name in
                try shard.find(name, level: level, in: view)
            }
            switch entry {
            case .entry(let link, _)?: return (node.cid(of: link, in: view), nil)
            case .shard(let link)?: return (nil, node.cid(of: link, in: view))
            case nil: return (nil, nil)
            }
        }
    }

    // Names with one hash are easy to find, and no HAMT has room for two of them.
    @Test("two names with the same hash end the building of a HAMT")
    func collision() throws {
        let (one, other) = Collision.names
        #expect(one != other)
        let hashes = [one, other].map { name in name.withView { Murmur3.hash($0) } }
        #expect(hashes[0] == hashes[1])
        var directory = DirectoryBuilder(hamtThreshold: 0)
        directory.append(leaf(1), name: one)
        directory.append(leaf(2), name: other)
        #expect(throws: IPLDError(.limitExceeded)) {
            try directory.finish(Blocks().add)
        }
    }
}

/// Two names of 32 bytes whose hashes are equal: the second block of one undoes what the first one changed.
private enum Collision {
    private static let first: UInt64 = 0x87c3_7b91_1142_53d5
    private static let second: UInt64 = 0x4cf5_ad43_2745_937f

    static var names: ([UInt8], [UInt8]) {
        let tail: (UInt64, UInt64) = (0x6161_6161_6161_6161, 0x6262_6262_6262_6262)
        let one: (UInt64, UInt64) = (0x6363_6363_6363_6363, 0x6464_6464_6464_6464)
        let other: (UInt64, UInt64) = (0x6565_6565_6565_6565, 0x6666_6666_6666_6666)
        let state = mixed((0, 0), one)
        let target = mixed(state, tail)
        let rest = unmixed(from: mixed((0, 0), other), to: target)
        return (bytes(one) + bytes(tail), bytes(other) + bytes(rest))
    }

    private static func bytes(_ words: (UInt64, UInt64)) -> [UInt8] {
        [words.0, words.1].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word << count | word >> (64 - count)
    }

    private static func mixed(
        _ state: (UInt64, UInt64),
        _ block: (UInt64, UInt64)
    ) -> (UInt64, UInt64) {
        var (one, two) = state
        one ^= rotate(block.0 &* first, 31) &* second
        one = (rotate(one, 27) &+ two) &* 5 &+ 0x52dc_e729
        two ^= rotate(block.1 &* second, 33) &* first
        two = (rotate(two, 31) &+ one) &* 5 &+ 0x3849_5ab5
        return (one, two)
    }

    /// Returns the block that leads from one state to another.
    private static func unmixed(
        from state: (UInt64, UInt64),
        to target: (UInt64, UInt64)
    ) -> (UInt64, UInt64) {
        let one = rotate((target.0 &- 0x52dc_e729) &* inverse(5) &- state.1, 64 - 27) ^ state.0
        let two =
            rotate((target.1 &- 0x3849_5ab5) &* inverse(5) &- target.0, 64 - 31) ^ state.1
        return (
            rotate(one &* inverse(second), 64 - 31) &* inverse(first),
            rotate(two &* inverse(first), 64 - 33) &* inverse(second)
        )
    }

    /// Returns the inverse of an odd number, modulo 2^64.
    private static func inverse(_ number: UInt64) -> UInt64 {
        var inverse = number
        for _ in 0..<6 { inverse = inverse &* (2 &- number &* inverse) }
        return inverse
    }
}
