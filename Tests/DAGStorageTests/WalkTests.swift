import DAGBytes
import DAGCAR
import DAGHashing
import DAGIPLD
import DAGMultiformats
import DAGStorage
import TestSupport
import Testing

@Suite("Walks of a DAG over a store")
struct WalkTests {
    /// A file of 100 leaves under nodes of 10 links.
    static let file: [CARBuilder.Block] = {
        var generator = SplitMix64(seed: 9)
        return DAGBlocks.balancedFile(
            leaves: (0..<100).map { _ in generator.bytes(300) },
            width: 10
        )
    }()

    static func cids(_ walk: DAGWalk) async throws -> [CID] {
        var cids: [CID] = []
        for try await block in walk { cids.append(block.cid) }
        return cids
    }

    @Test("a walk gives the blocks of a DAG depth first, with their bytes")
    func wholeFile() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let file = Self.file
        let car = CARBuilder(roots: [file[0].cid], blocks: file.shuffled())
        try await store.register("a", folder.mount(car.bytes))
        for isVerifying in [false, true] {
            var blocks: [CARBuilder.Block] = []
            for try await block in store.walk(DAGRequest(root: file[0].cid), verifying: isVerifying)
            {
                blocks.append(CARBuilder.Block(cid: block.cid, data: try block.copiedBytes))
            }
            #expect(blocks == file)
        }
        await store.close()
    }

    @Test("a walk goes over blocks that lie in several shards, in any order")
    func severalShards() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let file = Self.file
        for part in 0..<3 {
            let blocks = file.indices.filter { $0 % 3 == part }.map { file[$0] }
            let car = CARBuilder(blocks: blocks)
            try await store.register("part-\(part)", folder.mount(car.bytes, named: "\(part).car"))
        }
        #expect(try await Self.cids(store.walk(DAGRequest(root: file[0].cid))) == file.map(\.cid))
        var batches = store.walk(DAGRequest(root: file[0].cid)).makeAsyncIterator()
        var cids: [CID] = []
        while case let batch = try await batches.nextBatch(limit: 7), !batch.isEmpty {
            #expect(batch.count <= 7)
            cids += batch.map(\.cid)
        }
        #expect(cids == file.map(\.cid))
        await store.close()
    }

    @Test("a missing root is an error before any block, a missing child one in its place")
    func missingBlocks() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let file = Self.file
        let car = CARBuilder(
            blocks: file.filter { $0.cid != file[50].cid && $0.cid != file[0].cid }
        )
        try await store.register("a", folder.mount(car.bytes))
        await #expect(throws: DAGStoreError(.blockNotFound)) {
            try await Self.cids(store.walk(DAGRequest(root: file[0].cid)))
        }
        let root = CARBuilder(blocks: [file[0]])
        try await store.register("root", folder.mount(root.bytes, named: "root.car"))
        var iterator = store.walk(DAGRequest(root: file[0].cid)).makeAsyncIterator()
        var cids: [CID] = []
        do {
            while let block = try await iterator.next() { cids.append(block.cid) }
            Issue.record("the walk ended without an error")
        } catch let error as DAGStoreError {
            #expect(error == DAGStoreError(.blockNotFound))
            #expect(error.message.contains(file[50].cid.description))
        }
        #expect(cids == file[..<50].map(\.cid))
        #expect(try await iterator.next() == nil)
        await store.close()
    }

    @Test(
        "a walk that verifies refuses bytes with another hash, and finds the right ones elsewhere"
    )
    func verification() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let file = Self.file
        var damaged = file
        damaged[7].data[0] ^= 1
        try await store.register("a", folder.mount(CARBuilder(blocks: damaged).bytes))
        let request = DAGRequest(root: file[0].cid)
        await #expect(throws: DAGStoreError(.hashMismatch)) {
            try await Self.cids(store.walk(request, verifying: true))
        }
        #expect(try await Self.cids(store.walk(request)) == file.map(\.cid))
        let other = CARBuilder(blocks: [file[7]])
        try await store.register("b", folder.mount(other.bytes, named: "b.car"))
        #expect(try await Self.cids(store.walk(request, verifying: true)) == file.map(\.cid))
        await store.close()
    }

    @Test("the codes of walks have their exit status, and fail no shard")
    func codes() {
        let statuses = [
            DAGStoreError.Code.pathNotFound, .pathNotALink, .malformedBlock, .unsupportedCodec,
        ].map(\.exitStatus)
        #expect(statuses == [3, 2, 5, 2])
        let codes: [IPLDError.Code] = [
            .malformedBlock, .unsupportedCodec, .pathNotFound, .pathNotALink, .limitExceeded,
        ]
        let names = codes.map { DAGStoreError(any: IPLDError($0)).code.name }
        #expect(names == codes.map(\.description))
    }
}
