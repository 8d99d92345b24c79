import DAGBytes
import DAGIPLD
import DAGMultiformats
import TestSupport
import Testing

@Suite("Traversals")
struct TraversalTests {
    static let leaves = (0..<7).map { [UInt8](repeating: UInt8($0), count: 10 + $0) }

    /// A directory with a file of two levels, a small file, and a block of dag-cbor that leads to the file.
    struct Scene {
        let file = DAGBlocks.balancedFile(leaves: TraversalTests.leaves, width: 3)
        let small = CARBuilder.Block.raw([1, 2, 3])
        let cbor: CARBuilder.Block
        let folder: CARBuilder.Block
        let root: CARBuilder.Block
        let dag: MemoryDAG

        init() {
            // {"list": [0, file], "map": {"file": file}, "text": "a"}
            let link = [0xd8, 0x2a, 0x58, 37, 0] + file[0].cid.bytes
            let bytes =
                [0xa3, 0x63] + Array("map".utf8) + [0xa1, 0x64] + Array("file".utf8) + link
                + [0x64] + Array("list".utf8) + [0x82, 0] + link
                + [0x64] + Array("text".utf8) + [0x61, 0x61]
            cbor = .hashed(bytes, codec: Codec.dagCBOR, hashCode: HashCode.sha2_256)
            folder = DAGBlocks.directory([("file", file[0].cid), ("small", small.cid)])
            root = DAGBlocks.directory([("cbor", cbor.cid), ("folder", folder.cid)])
            dag = MemoryDAG(file + [small, cbor, folder, root])
        }

        func request(_ path: String, _ scope: DAGScope = .all) -> DAGRequest {
            DAGRequest(root: root.cid, path: IPLDPath(path) ?? .empty, scope: scope)
        }
    }

    @Test("all of a DAG comes depth first, each block once or as often as it is there")
    func all() throws {
        let scene = Scene()
        let file = scene.file.map(\.cid)
        for limit in [1, 2, 3, 100] {
            var request = scene.request("")
            let once = scene.dag.walk(request, limit: limit)
            #expect(once.error == nil)
            #expect(
                once.cids == [scene.root.cid, scene.cbor.cid] + file
                    + [scene.folder.cid, scene.small.cid]
            )
            request.sendsDuplicates = true
            let often = scene.dag.walk(request, limit: limit)
            #expect(
                often.cids == [scene.root.cid, scene.cbor.cid] + file + file + [scene.folder.cid]
                    + file + [scene.small.cid]
            )
        }
    }

    @Test(
        "the blocks of a path come first, then those of the scope",
        arguments: DAGScope.allCases
    )
    func scopes(scope: DAGScope) {
        let scene = Scene()
        let file = scene.file.map(\.cid)
        let (root, cbor, folder) = (scene.root.cid, scene.cbor.cid, scene.folder.cid)
        let expectations: [(String, [CID])] = [
            ("", scope == .all ? [root, cbor] + file + [folder, scene.small.cid] : [root]),
            ("cbor", scope == .all ? [root, cbor] + file : [root, cbor]),
            (
                "folder",
                scope == .all ? [root, folder] + file + [scene.small.cid] : [root, folder]
            ),
            ("folder/file", [root, folder] + (scope == .block ? [file[0]] : file)),
            ("cbor/list/1", [root, cbor] + (scope == .block ? [file[0]] : file)),
            ("cbor/map/file", [root, cbor] + (scope == .block ? [file[0]] : file)),
            ("folder/small", [root, folder, scene.small.cid]),
        ]
        for (path, cids) in expectations {
            let outcome = scene.dag.walk(scene.request(path, scope))
            #expect(outcome.error == nil, "\(path)")
            #expect(outcome.cids == cids, "\(path)")
        }
    }

    @Test(
        "a path that leads nowhere says so",
        arguments: [
            ("other", IPLDError.Code.pathNotFound), ("folder/other/more", .pathNotFound),
            ("folder/small/more", .pathNotFound), ("folder/file/more", .pathNotFound),
            ("cbor/other", .pathNotFound), ("cbor/list/2", .pathNotFound),
            ("cbor/list/01", .pathNotFound), ("cbor/list/-1", .pathNotFound),
            ("cbor/list/a", .pathNotFound), ("cbor/text/more", .pathNotFound),
            ("cbor/list/99999999999999999999", .pathNotFound),
            ("cbor/list/0", .pathNotALink), ("cbor/text", .pathNotALink),
            ("cbor/map", .pathNotALink), ("cbor/list", .pathNotALink),
            ("cbor/map/file/more", .pathNotFound),
        ]
    )
    func wrongPaths(path: String, code: IPLDError.Code) {
        let scene = Scene()
        for scope in DAGScope.allCases {
            #expect(scene.dag.walk(scene.request(path, scope)).error == IPLDError(code))
        }
    }

    @Test("a range of bytes takes the leaves that it overlaps, and the nodes above them")
    func ranges() throws {
        let scene = Scene()
        var starts = [0]
        for leaf in Self.leaves { starts.append(starts[starts.count - 1] + leaf.count) }
        let size = starts[7]
        let leaves = Self.leaves.map { CARBuilder.Block.raw($0).cid }
        // The nodes of the second level have three leaves, three, and one.
        let nodes = scene.file.map(\.cid).filter { $0.codec == Codec.dagPB }
        for from in stride(from: -size - 3, through: size + 3, by: 5) {
            for to in stride(from: -size - 3, through: size + 3, by: 7) {
                guard let bytes = EntityBytes("\(from):\(to)") else { continue }
                let outcome = scene.dag.walk(
                    DAGRequest(root: nodes[0], scope: .all, entityBytes: bytes)
                )
                let range = bytes.range(inFileOf: UInt64(size)).map {
                    Int($0.lowerBound)..<Int($0.upperBound)
                }
                var cids = [nodes[0]]
                for node in 0..<3 {
                    let here = (node * 3)..<min(7, node * 3 + 3)
                    let wanted = here.filter { leaf in
                        range?.overlaps(starts[leaf]..<starts[leaf + 1]) ?? false
                    }
                    if !wanted.isEmpty { cids += [nodes[node + 1]] + wanted.map { leaves[$0] } }
                }
                #expect(outcome.error == nil, "\(bytes)")
                #expect(outcome.cids == cids, "\(bytes)")
            }
        }
    }

    @Test("a range of bytes says nothing about anything but files")
    func rangesOfOthers() throws {
        let scene = Scene()
        for path in ["", "folder", "cbor", "folder/small"] {
            var request = scene.request(path, .entity)
            let plain = scene.dag.walk(request).cids
            request.entityBytes = EntityBytes(from: 1, to: 1)
            request.scope = .all
            #expect(scene.dag.walk(request).cids == plain)
        }
    }

    @Test("identity CIDs are read and never named")
    func identity() throws {
        let leaf = CARBuilder.Block.raw([5])
        func identity(_ data: [UInt8], _ codec: UInt64) -> CID {
            CID(codec: codec, multihash: Multihash(code: HashCode.identity, digest: data))
        }
        let folder = DAGBlocks.dagPBBytes(
            [.init(leaf.cid, name: "leaf")],
            data: DAGBlocks.unixFS(1)
        )
        let inner = identity(folder, Codec.dagPB)
        let root = DAGBlocks.directory([("raw", identity([1], Codec.raw)), ("inner", inner)])
        let dag = MemoryDAG([leaf, root])
        for sendsDuplicates in [false, true] {
            let request = DAGRequest(root: root.cid, sendsDuplicates: sendsDuplicates)
            #expect(dag.walk(request).cids == [root.cid, leaf.cid])
        }
        let path = DAGRequest(root: root.cid, path: IPLDPath(["inner", "leaf"]))
        #expect(dag.walk(path).cids == [root.cid, leaf.cid])
        #expect(dag.walk(DAGRequest(root: inner, path: IPLDPath(["leaf"]))).cids == [leaf.cid])
        #expect(dag.walk(DAGRequest(root: identity([1, 2], Codec.raw))).cids == [])
        let broken = dag.walk(DAGRequest(root: identity([0xff], Codec.dagCBOR)))
        #expect(broken.error == IPLDError(.malformedBlock))
    }

    @Test("an unknown codec is an error where its links matter, and before the block")
    func unknownCodecs() throws {
        let block = CARBuilder.Block.hashed([1], codec: 0x90, hashCode: HashCode.sha2_256)
        let root = DAGBlocks.directory([("a", block.cid)])
        let dag = MemoryDAG([block, root])
        let all = dag.walk(DAGRequest(root: root.cid))
        #expect(all.error == IPLDError(.unsupportedCodec))
        #expect(all.error?.cid == block.cid)
        #expect(all.cids == [root.cid])
        for scope in [DAGScope.block, .entity] {
            let request = DAGRequest(root: root.cid, path: IPLDPath(["a"]), scope: scope)
            #expect(dag.walk(request).cids == [root.cid, block.cid])
        }
        let path = DAGRequest(root: block.cid, path: IPLDPath(["a"]), scope: .block)
        #expect(dag.walk(path).error == IPLDError(.unsupportedCodec))
        // Plain cbor and json have no links.
        for codec in [0x51, 0x0200] as [UInt64] {
            let plain = CARBuilder.Block.hashed([0x31], codec: codec, hashCode: HashCode.sha2_256)
            #expect(MemoryDAG([plain]).walk(DAGRequest(root: plain.cid)).cids == [plain.cid])
        }
    }

    @Test("one multihash under two codecs is two blocks, as a CID names what its bytes mean")
    func twoCodecs() throws {
        let leaf = CARBuilder.Block.raw([9])
        let node = DAGBlocks.dagPB([.init(leaf.cid)])
        let asRaw = CID(codec: Codec.raw, multihash: node.cid.multihash)
        let root = DAGBlocks.dagPB([.init(asRaw), .init(node.cid)])
        let outcome = MemoryDAG([leaf, node, root]).walk(DAGRequest(root: root.cid))
        #expect(outcome.cids == [root.cid, asRaw, node.cid, leaf.cid])
    }
}
