#if Node
    import DAGGateway
    import DAGMultiformats
    import DAGStorage
    import NIOHTTP1
    import SharedReads
    import TestSupport
    import Testing

    /// What a gateway answers with blocks that another node has.
    @Suite("Blocks of other nodes", .timeLimit(.minutes(10)))
    struct ElsewhereTests {
        private static let file = LeafFile(count: 20, size: 1000, seed: 9)
        /// The leaves that only the other node has.
        private static let away: Set<Int> = [0, 3, 4, 5, 6, 7, 8, 9, 19]

        /// The other node: its blocks, and the CIDs that it was asked for.
        private final class Other: Sendable {
            private let blocks: [CID: [UInt8]]
            private let asked = Lock<[CID]>([])
            private let failure: DAGStoreError?

            init(_ blocks: [CARBuilder.Block], failure: DAGStoreError? = nil) {
                self.blocks = Dictionary(uniqueKeysWithValues: blocks.map { ($0.cid, $0.data) })
                self.failure = failure
            }

            var questions: [CID] { asked.withLock { $0 } }

            @Sendable func find(_ cids: [CID]) async throws -> [Block?] {
                asked.withLock { $0 += cids }
                if let failure { throw failure }
                return try cids.map { cid in
                    try blocks[cid].map { try Block(cid: cid, verifying: $0) }
                }
            }
        }

        private static var others: [CARBuilder.Block] {
            file.leaves.indices.filter(away.contains).map { file.leaves[$0] }
        }

        /// Runs a gateway that has the file without some leaves.
        private func run(
            _ other: Other,
            verifies: Bool = false,
            _ body: @escaping @Sendable (GatewayScene) async throws -> Void
        ) async throws {
            try await GatewayScene.run(["a": Self.file.car(without: Self.away)]) {
                configuration,
                _ in
                configuration.blocksElsewhere = other.find
                configuration.verifiesBlocks = verifies
            } body: { scene in
                try await body(scene)
            }
        }

        @Test("a DAG over two nodes is one CAR, in order", arguments: [false, true])
        func wholeDAG(verifies: Bool) async throws {
            let other = Other(Self.others)
            try await run(other, verifies: verifies) { scene in
                let target = "/ipfs/\(Self.file.root.cid)?format=car"
                let reply = try await scene.send(target)
                #expect(reply.status == 200 && reply.isComplete)
                #expect(reply.body == Self.file.car())
                #expect(Set(other.questions) == Set(Self.others.map(\.cid)))
                #expect(other.questions.count == Self.others.count)
            }
        }

        @Test("a block of the other node is answered as an own one")
        func block() async throws {
            let other = Other(Self.others)
            try await run(other) { scene in
                let block = Self.file.leaves[3]
                let target = "/ipfs/\(block.cid)?format=raw"
                let whole = try await scene.send(target)
                #expect(whole.status == 200 && whole.body == block.data)
                let head = try await scene.send(target, .HEAD)
                #expect(head.status == 200 && head["Content-Length"] == "1000")
                #expect(head["Etag"] == whole["Etag"])
                let part = try await scene.send(target, headers: [("Range", "bytes=10-19")])
                #expect(part.status == 206 && part.body == Array(block.data[10..<20]))
                let tag = try #require(whole["Etag"])
                let known = try await scene.send(target, headers: [("If-None-Match", tag)])
                #expect(known.status == 304 && known.body.isEmpty)
                let car = try await scene.send("/ipfs/\(block.cid)?format=car")
                #expect(car.status == 200 && car.isComplete)
                let check = try await scene.send("/ipfs/\(block.cid)?format=car", .HEAD)
                #expect(check.status == 200)
            }
        }

        @Test("the other node is not asked for what is here, or by clients that want only that")
        func own() async throws {
            let other = Other(Self.others)
            try await run(other) { scene async throws in
                let own = "/ipfs/\(Self.file.leaves[1].cid)?format=raw"
                #expect(try await scene.send(own).status == 200)
                let cached = [("Cache-Control", "only-if-cached")]
                for format in ["raw", "car"] {
                    let target = "/ipfs/\(Self.file.leaves[3].cid)?format=\(format)"
                    #expect(try await scene.send(target, headers: cached).status == 412)
                    #expect(try await scene.send(target, .HEAD, headers: cached).status == 412)
                }
                #expect(other.questions.isEmpty)
            }
        }

        @Test("what no node has is not found, or ends a CAR early")
        func nowhere() async throws {
            let other = Other([])
            try await run(other) { scene async throws in
                let leaf = "/ipfs/\(Self.file.leaves[3].cid)"
                for target in ["\(leaf)?format=raw", "\(leaf)?format=car"] {
                    #expect(try await scene.send(target).status == 404)
                    #expect(try await scene.send(target, .HEAD).status == 404)
                }
                let car = try await scene.send("/ipfs/\(Self.file.root.cid)?format=car")
                #expect(car.status == 200 && !car.isComplete)
            }
        }

        @Test("while the other node is away, a miss has status 503")
        func unreachable() async throws {
            let other = Other([], failure: DAGStoreError(.catalogUnreachable, "no node answers"))
            try await run(other) { scene async throws in
                let leaf = "/ipfs/\(Self.file.leaves[3].cid)"
                for target in ["\(leaf)?format=raw", "\(leaf)?format=car"] {
                    #expect(try await scene.send(target).status == 503)
                }
                let car = try await scene.send("/ipfs/\(Self.file.root.cid)?format=car")
                #expect(car.status == 200 && !car.isComplete)
            }
        }
    }
#endif
