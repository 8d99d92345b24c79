import DAGBytes
import DAGMultiformats
import TestSupport
import Testing

@testable import DAGIPLD

@Suite("UnixFS")
struct UnixFSTests {
    @Test(
        "murmur3 is the published function",
        arguments: [
            ("", 0), ("hello", 0xcbd8_a7b3_41bd_9b02), ("hello, world", 0x342f_ac62_3a5e_bc8e),
            ("19 Jan 2038 at 3:14:07 AM", 0xb89e_5988_b737_affc),
            ("The quick brown fox jumps over the lazy dog.", 0xcd99_481f_9ee9_02c9),
        ] as [(String, UInt64)]
    )
    func murmur(text: String, hash: UInt64) {
        #expect(Array(text.utf8).withView { Murmur3.hash($0) } == hash)
    }

    @Test("a node has its fields, in any order, packed or not, and ignores unknown ones")
    func fields() throws {
        var node = UnixFSNode(kind: .file)
        node.fileSize = 300
        node.blockSizes = [100, 200]
        node.mode = 0o644
        node.modificationTime = UnixFSNode.Time(seconds: -5, nanoseconds: 7)
        let seconds = [0x08] + [UInt8](repeating: 0xff, count: 9) + [0x01]
        let negativeFive = [0x08, 0xfb] + seconds[2...]
        let time = DAGBlocks.field(8, Array(negativeFive) + [0x15, 7, 0, 0, 0])
        let mode = DAGBlocks.field(7, 0o644)
        let plain = DAGBlocks.unixFS(2, fileSize: 300, blockSizes: [100, 200]) + mode + time
        let packed =
            time + DAGBlocks.field(4, [100, 0xc8, 1]) + DAGBlocks.field(3, 300) + mode
            + DAGBlocks.field(9, 1) + DAGBlocks.field(10, [1, 2]) + DAGBlocks.field(1, 2)
        for bytes in [plain, packed] {
            #expect(try bytes.withView { try UnixFSNode(decoding: $0) } == node)
        }
        #expect(try node.contentSize(linkCount: 2) == 300)
    }

    @Test(
        "wrong data are refused",
        arguments: [
            "", "0806", "0a00", "1202", "0802" + "2001" + "20", "0802" + "2205ff",
            "0802" + "42020800" + "4200", "0802" + "42070801" + "1500ca9a3b",
        ]
    )
    func malformed(text: String) throws {
        let bytes = try #require([UInt8](hexadecimal: text))
        #expect(throws: IPLDError(.malformedBlock)) {
            try bytes.withView { try UnixFSNode(decoding: $0) }
        }
    }

    @Test("sizes that contradict each other are refused")
    func sizes() {
        var node = UnixFSNode(kind: .file)
        node.blockSizes = [1, 2]
        node.fileSize = 4
        #expect(throws: IPLDError(.malformedBlock)) { try node.contentSize(linkCount: 2) }
        node.fileSize = nil
        #expect(throws: IPLDError(.malformedBlock)) { try node.contentSize(linkCount: 3) }
        node.blockSizes = [.max, 1]
        #expect(throws: IPLDError(.malformedBlock)) { try node.contentSize(linkCount: 2) }
    }

    static func shard(
        _ links: [(name: String, cid: CID)],
        bitfield: [UInt8],
        fanout: UInt64 = 16,
        hashType: UInt64 = Murmur3.code
    ) -> CARBuilder.Block {
        let data = DAGBlocks.unixFS(5, data: bitfield, hashType: hashType, fanout: fanout)
        return DAGBlocks.dagPB(links.map { DAGBlocks.Link($0.cid, name: $0.name) }, data: data)
    }

    static func decode(_ block: CARBuilder.Block) throws -> HAMTShard {
        try block.data.withView { view in
            let node = try DagPBNode(decoding: view)
            let data = node.data.map { view[$0] } ?? .empty
            return try HAMTShard(node, UnixFSNode(decoding: data), in: view)
        }
    }

    @Test("a shard's places are the hash's bits from the highest on")
    func places() throws {
        let leaf = CARBuilder.Block.raw([1]).cid
        // The hash of "hello" begins with c, b, d.
        let block = Self.shard([("3", leaf), ("Chello", leaf)], bitfield: [0x10, 0x08])
        let shard = try Self.decode(block)
        #expect(
            (0..<3).map { shard.place(of: 0xcbd8_a7b3_41bd_9b02, level: $0) } == [0xc, 0xb, 0xd]
        )
        #expect(shard.levelsMax == 16)
        try block.data.withView { view in
            let hello = Array("hello".utf8)
            let found = try hello.withView { try shard.find($0, level: 0, in: view) }
            guard case .entry(let link, let name)? = found else {
                Issue.record("\"hello\" is not an entry")
                return
            }
            #expect(view[name].copied == hello)
            #expect(view[link.cid].copied == leaf.bytes)
            let below = try hello.withView { try shard.find($0, level: 1, in: view) }
            if case nil = below {} else { Issue.record("\"hello\" is at the second level too") }
            #expect(throws: IPLDError(.malformedBlock)) {
                try hello.withView { try shard.find($0, level: 16, in: view) }
            }
        }
    }

    @Test("a shard whose links are not those of its bitfield is refused")
    func malformedShards() throws {
        let leaf = CARBuilder.Block.raw([1]).cid
        for block in [
            Self.shard([("C", leaf)], bitfield: []),
            Self.shard([("C", leaf)], bitfield: [0x08]),
            Self.shard([("C", leaf)], bitfield: [0x30, 0]),
            Self.shard([("c", leaf)], bitfield: [0x10, 0]),
            Self.shard([("", leaf)], bitfield: [0x10, 0]),
            Self.shard([("C", leaf)], bitfield: [1, 0x10, 0]),
            Self.shard([("C", leaf)], bitfield: [0x10, 0], fanout: 12),
            Self.shard([("C", leaf)], bitfield: [0x10, 0], fanout: 4),
            Self.shard([("C", leaf)], bitfield: [0x10, 0], fanout: 2048),
            Self.shard([("C", leaf)], bitfield: [0x10, 0], hashType: 0x12),
        ] {
            #expect(throws: IPLDError(.malformedBlock)) { try Self.decode(block) }
        }
        #expect(throws: Never.self) {
            try Self.decode(Self.shard([("C", leaf)], bitfield: [0x10, 0]))
        }
    }
}
