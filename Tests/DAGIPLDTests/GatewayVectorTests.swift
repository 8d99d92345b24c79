import DAGBytes
import DAGIPLD
import DAGMultiformats
import TestSupport
import Testing

/// The DAGs of the gateway conformance tests, and what these expect.
@Suite("Gateway conformance fixtures", .enabled(if: Vectors.areHere))
struct GatewayVectorTests {
    static let folder = "gateway-conformance/fixtures/"

    static func walk(
        _ file: String,
        _ path: String = "",
        _ scope: DAGScope = .all,
        bytes: String? = nil
    ) throws -> MemoryDAG.Outcome {
        let (dag, root) = try MemoryDAG.vector(folder + file)
        let path = try #require(IPLDPath(path))
        let range = try bytes.map { try #require(EntityBytes($0)) }
        return dag.walk(DAGRequest(root: root, path: path, scope: scope, entityBytes: range))
    }

    /// The leaves of `subdir/multiblock.txt`: four of 256 bytes and one of 2.
    static let leaves = [
        "bafkreie5noke3mb7hqxukzcy73nl23k6lxszxi5w3dtmuwz62wnvkpsscm",
        "bafkreih4ephajybraj6wnxsbwjwa77fukurtpl7oj7t7pfq545duhot7cq",
        "bafkreigu7buvm3cfunb35766dn7tmqyh2um62zcio63en2btvxuybgcpue",
        "bafkreicll3huefkc3qnrzeony7zcfo7cr3nbx64hnxrqzsixpceg332fhe",
        "bafkreifst3pqztuvj57lycamoi7z34b4emf7gawxs74nwrc2c7jncmpaqm",
    ]

    @Test(
        "the bytes of a file in a directory",
        arguments: [
            ("0:*", 0..<5), ("512:*", 2..<5), ("512:1023", 2..<4), ("512:-256", 2..<4),
            ("-5:*", 3..<5), ("-9999:*", 0..<5), ("-9999:-3", 0..<4), ("0:0", 0..<1),
        ]
    )
    func entityBytes(range: String, leaves: Range<Int>) throws {
        let file = "trustless_gateway_car/subdir-with-mixed-block-files.car"
        let outcome = try Self.walk(file, "subdir/multiblock.txt", .entity, bytes: range)
        #expect(outcome.error == nil)
        #expect(outcome.missing == nil)
        #expect(outcome.cids.count == 3 + leaves.count)
        #expect(outcome.cids.dropFirst(3).map(\.description) == Array(Self.leaves[leaves]))
    }

    @Test("paths, scopes and counts of blocks")
    func scopes() throws {
        let mixed = "trustless_gateway_car/subdir-with-mixed-block-files.car"
        let two = "trustless_gateway_car/subdir-with-two-single-block-files.car"
        for (file, path, scope, count) in [
            (two, "subdir/ascii.txt", DAGScope.all, 3), (two, "subdir", .block, 2),
            (two, "subdir/ascii.txt", .block, 3), (two, "", .entity, 1), (two, "", .all, 4),
            (mixed, "subdir/ascii.txt", .entity, 3), (mixed, "subdir/multiblock.txt", .entity, 8),
            (mixed, "subdir/multiblock.txt", .all, 8), (mixed, "", .all, 10),
        ] {
            let outcome = try Self.walk(file, path, scope)
            #expect(outcome.error == nil, "\(path)")
            #expect(outcome.missing == nil, "\(path)")
            #expect(outcome.cids.count == count, "\(path) \(scope)")
        }
        #expect(try Self.walk(two, "subdir/i-do-not-exist").error == IPLDError(.pathNotFound))
    }

    @Test("a sharded directory of 1,000 files: each is found, and the shards are enumerated")
    func shardedDirectory() throws {
        let file = "trustless_gateway_car/single-layer-hamt-with-multi-block-files.car"
        let (dag, root) = try MemoryDAG.vector(Self.folder + file)
        let entity = dag.walk(DAGRequest(root: root, scope: .entity))
        #expect(entity.error == nil)
        #expect(entity.missing == nil)
        #expect(Set(entity.cids).count == entity.cids.count)
        for number in 1...1000 {
            let path = IPLDPath(["\(number).txt"])
            let outcome = dag.walk(DAGRequest(root: root, path: path, scope: .block))
            #expect(outcome.error == nil, "\(path)")
            // The CAR has the shards, and the files of some entries alone.
            let shards = outcome.missing == nil ? outcome.cids.dropLast() : outcome.cids[...]
            #expect(shards.allSatisfy { entity.cids.contains($0) })
        }
        let none = dag.walk(DAGRequest(root: root, path: IPLDPath(["none.txt"])))
        #expect(none.error == IPLDError(.pathNotFound))
        let whole = dag.walk(DAGRequest(root: root, path: IPLDPath(["685.txt"])))
        #expect(whole.error == nil)
        #expect(whole.missing == nil)
    }

    @Test("paths through dag-cbor")
    func dagCBOR() throws {
        let file = "path_gateway_dag/dag-cbor-traversal.car"
        #expect(try Self.walk(file).cids.count == 3)
        #expect(try Self.walk(file, "foo").error == IPLDError(.pathNotALink))
        #expect(try Self.walk(file, "foo/link").cids.count == 3)
        #expect(try Self.walk(file, "foo/link", .block).cids.count == 2)
        #expect(try Self.walk(file, "foo/link/bar").cids.count == 3)
        #expect(try Self.walk(file, "foo/link/bar/hello").error == IPLDError(.pathNotALink))
        #expect(try Self.walk(file, "foobar").error == IPLDError(.pathNotFound))
    }

    @Test("an identity CID as a root has no blocks")
    func identity() throws {
        let root = try CID("bafkqaf3imvwgy3zaneqgc3janfxgy2lomvscay3jmqfa")
        #expect(MemoryDAG().walk(DAGRequest(root: root, sendsDuplicates: true)).cids == [])
        let probe = try CID("bafkqaaa")
        #expect(MemoryDAG().walk(DAGRequest(root: probe)).cids == [])
    }
}
