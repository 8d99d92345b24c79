import DAGBytes
import DAGIPLD
import DAGMultiformats
import TestSupport
import Testing

/// DAGs that somebody made to take time, memory or a stack.
@Suite("Hostile DAGs")
struct HostileDAGTests {
    /// A CID that names a number: nobody hashes these blocks.
    static func cid(_ number: Int, _ codec: UInt64 = Codec.dagCBOR) -> CID {
        let digest = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        return CID(codec: codec, multihash: Multihash(code: HashCode.sha2_256, digest: digest))
    }

    static func number(_ cid: CID) -> Int {
        cid.digest.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// A block of dag-cbor with links.
    static func list(_ cids: [CID]) -> [UInt8] {
        var bytes: [UInt8] = [0x9a]
        bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: cids.count >> $0) }
        if cids.count < 24 { bytes = [0x80 | UInt8(cids.count)] }
        for cid in cids { bytes += [0xd8, 0x2a, 0x40 | UInt8(cid.bytes.count + 1), 0] + cid.bytes }
        return bytes
    }

    @Test("a list of 10^6 blocks takes no room for its length")
    func longList() {
        let count = 1_000_000
        var request = DAGRequest(root: Self.cid(0), sendsDuplicates: true)
        request.limits.depthMax = 1
        request.limits.pendingSizeMax = 64
        var traversal = DAGTraversal(request)
        var visited = 0
        // The block's last bytes are those of its link.
        var bytes = Self.list([Self.cid(0)])
        do throws(IPLDError) {
            while let visit = try traversal.nextVisits(limit: 1).first {
                visited += 1
                guard visit.cid.bytes.suffix(4) == bytes.suffix(4) else { break }
                for place in 0..<4 {
                    bytes[bytes.count - 4 + place] = UInt8(
                        truncatingIfNeeded: visited >> (8 * place)
                    )
                }
                let block = visited < count ? bytes : Self.list([])
                try block.withView { block throws(IPLDError) in try traversal.receive(block) }
            }
        } catch {
            Issue.record("\(error)")
        }
        #expect(visited == count)
    }

    @Test("a DAG with links left on too many levels is refused")
    func deepDAG() {
        var request = DAGRequest(root: Self.cid(0))
        request.limits.depthMax = 1000
        let outcome = MemoryDAG.walk(request) { cid in
            Self.list([Self.cid(Self.number(cid) + 1), Self.cid(0, Codec.raw)])
        }
        #expect(outcome.error == IPLDError(.limitExceeded))
        #expect(outcome.readCount == 1001)
        request.limits.depthMax = .max
        request.limits.pendingSizeMax = 100_000
        let other = MemoryDAG.walk(request) { cid in
            Self.list([Self.cid(Self.number(cid) + 1), Self.cid(0, Codec.raw)])
        }
        #expect(other.error == IPLDError(.limitExceeded))
        #expect(other.readCount < 100_000 / 24 + 2)
    }

    @Test("a block of 10^6 links is walked if the limits permit it")
    func wideDAG() {
        let count = 1_000_000
        var bytes: [UInt8] = [0x9a, 0x00, 0x0f, 0x42, 0x40]
        bytes.reserveCapacity(12 * count)
        for number in 0..<count {
            bytes += [0xd8, 0x2a, 0x48, 0, 1, 0x55, 0x12, 3]
            bytes += [UInt8(number & 0xff), UInt8(number >> 8 & 0xff), UInt8(number >> 16)]
        }
        var request = DAGRequest(root: Self.cid(0))
        let small = MemoryDAG.walk(request) { $0.codec == Codec.raw ? [] : bytes }
        #expect(small.error == IPLDError(.limitExceeded))
        request.limits.blockSizeMax = 16 << 20
        let large = MemoryDAG.walk(request, limit: 1000) { $0.codec == Codec.raw ? [] : bytes }
        #expect(large.error == nil)
        #expect(large.cids.count == count + 1)
    }

    @Test("a subtree that is there 2^60 times is walked once, or until the caller has enough")
    func repeatedSubtrees() {
        let levels = 60
        func block(_ cid: CID) -> [UInt8] {
            let next = Self.number(cid) + 1
            let below = Self.cid(next, next == levels ? Codec.raw : Codec.dagCBOR)
            return Self.list([below, below])
        }
        var request = DAGRequest(root: Self.cid(0))
        let once = MemoryDAG.walk(request, block)
        #expect(once.error == nil)
        #expect(once.cids.count == levels + 1)
        request.sendsDuplicates = true
        let often = MemoryDAG.walk(request, countMax: 10_000, block)
        #expect(often.error == nil)
        #expect(often.cids.count >= 10_000)
    }

    /// A block of a file of 2^`level` bytes, which has the same half twice.
    static func half(_ cid: CID) -> [UInt8] {
        let level = number(cid)
        guard level > 0 else { return [7] }
        let below = Self.cid(level - 1, level == 1 ? Codec.raw : Codec.dagPB)
        let size = UInt64(1) << UInt64(level - 1)
        return DAGBlocks.file([(below, size), (below, size)]).data
    }

    @Test("a range of a file of 2^60 bytes that repeats itself takes a few blocks a level")
    func repeatedParts() {
        let levels = 60
        for (text, reads) in [("1:-2", 4 * levels), ("0:*", levels + 1), ("5:5", levels + 1)] {
            let request = DAGRequest(
                root: Self.cid(levels, Codec.dagPB),
                entityBytes: EntityBytes(text)
            )
            let outcome = MemoryDAG.walk(request, Self.half)
            #expect(outcome.error == nil)
            #expect(outcome.cids.count == levels + 1)
            #expect(outcome.readCount <= reads, "\(text)")
        }
    }

    @Test("parts without bytes are no part of a range, so they cannot multiply")
    func emptyParts() {
        func block(_ cid: CID) -> [UInt8] {
            let level = Self.number(cid)
            guard level > 0 else { return [7] }
            let below = Self.cid(level - 1, Codec.dagPB)
            let parts = [(below, UInt64(0)), (below, 0), (Self.cid(0, Codec.raw), 1)]
            return DAGBlocks.file(parts).data
        }
        let request = DAGRequest(root: Self.cid(50, Codec.dagPB), entityBytes: EntityBytes(from: 0))
        let outcome = MemoryDAG.walk(request, block)
        #expect(outcome.error == nil)
        #expect(outcome.readCount == 1)
        #expect(outcome.cids.count == 2)
    }

    @Test(
        "sizes that lie are found where they matter",
        arguments: [
            // What the root tells of its parts, and where it matters.
            ([3, 4], "0:0", true), ([3, 4], "0:*", true), ([3, 4], "-1:*", true),
            ([4, 3], "0:2", true), ([3, 3], "0:*", false), ([3, 3], "5:5", false),
            ([3, .max], "0:*", true),
        ] as [([UInt64], String, Bool)]
    )
    func lyingSizes(sizes: [UInt64], range: String, isWrong: Bool) {
        let first = CARBuilder.Block.raw([1, 2, 3])
        let leaf = CARBuilder.Block.raw([4, 5, 6])
        let second = DAGBlocks.file([(leaf.cid, 3)])
        let data = DAGBlocks.unixFS(2, fileSize: 6, blockSizes: sizes)
        let root = DAGBlocks.dagPB([.init(first.cid), .init(second.cid)], data: data)
        let dag = MemoryDAG([first, second, leaf, root])
        let outcome = dag.walk(DAGRequest(root: root.cid, entityBytes: EntityBytes(range)))
        #expect(outcome.error == (isWrong ? IPLDError(.malformedBlock) : nil))
    }

    @Test("a leaf or node that has another size than the block above tells is refused")
    func lyingParts() {
        let leaf = CARBuilder.Block.raw([1, 2, 3])
        let node = DAGBlocks.file([(leaf.cid, 3)])
        for (part, size) in [(leaf, UInt64(4)), (node, 4), (leaf, 2), (node, 2)] {
            let root = DAGBlocks.file([(part.cid, size)])
            let dag = MemoryDAG([leaf, node, root])
            let bytes = EntityBytes(from: 0)
            #expect(
                dag.walk(DAGRequest(root: root.cid, entityBytes: bytes)).error
                    == IPLDError(.malformedBlock)
            )
            // Who asks for all of the file gets all of it, whatever it tells.
            let whole = dag.walk(DAGRequest(root: root.cid, scope: .entity))
            #expect(whole.error == nil)
            #expect(whole.cids.first == root.cid)
        }
    }

    @Test("a file that leads to a directory, or to another codec, is refused")
    func wrongParts() {
        let folder = DAGBlocks.directory([])
        let cbor = CARBuilder.Block.hashed([0], codec: Codec.dagCBOR, hashCode: HashCode.sha2_256)
        for part in [folder, cbor] {
            let root = DAGBlocks.file([(part.cid, 1)])
            let dag = MemoryDAG([folder, cbor, root])
            for bytes in [EntityBytes(from: 0), nil] {
                let request = DAGRequest(root: root.cid, scope: .entity, entityBytes: bytes)
                #expect(dag.walk(request).error == IPLDError(.malformedBlock))
            }
        }
    }

    @Test("a directory whose shards lead to shards of the same place ends with its hash")
    func endlessShards() {
        // Every shard has one link, a shard below at the place of "hello"'s next bits.
        let places: [UInt8] = Array("CBD8A7B341BD9B02".utf8)
        func block(_ cid: CID) -> [UInt8] {
            let level = Self.number(cid)
            let digit = places[level % 16]
            let place = Int(String(UnicodeScalar(digit)), radix: 16) ?? 0
            let bits = UInt16(1) << UInt16(place)
            let below = Self.cid(level + 1, Codec.dagPB)
            return UnixFSTests.shard(
                [(String(UnicodeScalar(digit)), below)],
                bitfield: [UInt8(bits >> 8), UInt8(bits & 0xff)]
            ).data
        }
        let root = Self.cid(0, Codec.dagPB)
        let entity = MemoryDAG.walk(DAGRequest(root: root, scope: .entity), block)
        #expect(entity.error == IPLDError(.malformedBlock))
        #expect(entity.readCount == 17)
        let path = DAGRequest(root: root, path: IPLDPath(["hello"]))
        let found = MemoryDAG.walk(path, block)
        #expect(found.error == IPLDError(.malformedBlock))
        #expect(found.readCount == 17)
        let other = DAGRequest(root: root, path: IPLDPath(["world"]))
        #expect(MemoryDAG.walk(other, block).error == IPLDError(.pathNotFound))
    }

    @Test("a shard below with another fanout, or one that is none, is refused")
    func wrongShards() {
        let leaf = CARBuilder.Block.raw([1])
        let other = UnixFSTests.shard([("0Ca", leaf.cid)], bitfield: [0x10, 0], fanout: 32)
        let folder = DAGBlocks.directory([])
        for below in [other, folder, leaf] {
            let root = UnixFSTests.shard([("C", below.cid)], bitfield: [0x10, 0])
            let dag = MemoryDAG([leaf, other, folder, root])
            for path in [[], ["hello"]] {
                let request = DAGRequest(root: root.cid, path: IPLDPath(path), scope: .entity)
                #expect(dag.walk(request).error == IPLDError(.malformedBlock))
            }
        }
    }

    @Test("a walk that must remember too many blocks ends")
    func distinctBlocks() {
        var request = DAGRequest(root: Self.cid(0))
        request.limits.distinctBlocksMax = 100
        func block(_ cid: CID) -> [UInt8] { Self.list([Self.cid(Self.number(cid) + 1)]) }
        let outcome = MemoryDAG.walk(request, block)
        #expect(outcome.error == IPLDError(.limitExceeded))
        #expect(outcome.cids.count == 100)
        request.sendsDuplicates = true
        #expect(MemoryDAG.walk(request, countMax: 1000, block).cids.count == 1000)
    }

    @Test("a path of too many segments is refused before a block is asked for")
    func longPaths() {
        let path = IPLDPath(Array(repeating: "a", count: 1025))
        let outcome = MemoryDAG().walk(DAGRequest(root: Self.cid(0), path: path))
        #expect(outcome.error == IPLDError(.limitExceeded))
        #expect(outcome.missing == nil)
    }

    @Test("after an error a traversal is at its end")
    func afterErrors() throws {
        var traversal = DAGTraversal(DAGRequest(root: Self.cid(0)))
        #expect(try traversal.nextVisits(limit: 4).count == 1)
        #expect(throws: IPLDError(.malformedBlock)) {
            try [0xff].withView { try traversal.receive($0) }
        }
        #expect(try traversal.nextVisits(limit: 4).isEmpty)
    }
}
