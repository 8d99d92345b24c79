#if Node && Cluster
    import AsyncHTTPClient
    import DAGCluster
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import NIOCore
    import NIOHTTP1
    import TestSupport
    import Testing

    /// Nodes that read blocks of each other.
    @Suite(
        "Blocks that another node of a cluster holds",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct ClusterMissTests {
        /// A file whose root and first leaves are in one shard, and the others in another.
        private struct SplitFile {
            let leaves = (0..<6).map {
                CARBuilder.Block.raw([UInt8](repeating: UInt8($0), count: 500))
            }
            let root: CARBuilder.Block

            init() {
                root = DAGBlocks.file(leaves.map { ($0.cid, UInt64(500)) })
            }

            var first: [UInt8] {
                CARBuilder(roots: [root.cid], blocks: [root] + leaves[..<3]).bytes
            }

            var second: [UInt8] {
                CARBuilder(roots: [leaves[3].cid], blocks: leaves[3...] + [Self.empty]).bytes
            }

            /// A block of no bytes: servers refuse each range of it.
            static let empty = CARBuilder.Block.raw([])

            var whole: [UInt8] { CARBuilder(roots: [root.cid], blocks: [root] + leaves).bytes }
        }

        private func get(
            _ url: String,
            _ fields: [(String, String)] = []
        ) async throws -> (status: Int, body: [UInt8]) {
            var request = HTTPClientRequest(url: url)
            for (name, value) in fields { request.headers.add(name: name, value: value) }
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
            let body = try await answer.body.collect(upTo: 1 << 22)
            return (Int(answer.status.code), Array(body.readableBytesView))
        }

        @Test("a node answers with blocks of the other one; so does a client without a node")
        func read() async throws {
            let folder = try TemporaryFolder()
            let address = try #require(DatabaseServer.current).makeDatabase()
            let environment = ["DAGSTORE_CLUSTER": address]
            let made = try await NodeProcess.run(
                ["cluster", "init", "--copies", "1"],
                environment: environment
            )
            try #require(made.status == 0, "\(made.errors)")
            let file = SplitFile()
            var urls: [String] = []
            var nodes: [NodeProcess] = []
            for (name, car) in [("one", file.first), ("two", file.second)] {
                let node = try NodeProcess(
                    [
                        "serve", "--store", folder.path(of: name), "--listen", "127.0.0.1:0",
                        "--format", "json", "--cluster-name", name, "--cluster-misses", "read",
                    ],
                    environment: environment
                )
                nodes.append(node)
                urls.append(try #require(await node.url(), "\(node.errorText)"))
                try #require(await node.until("joined the cluster"), "\(node.errorText)")
                let path = try folder.write(car, to: "\(name).car")
                let registered = try await NodeProcess.run(
                    ["cluster", "register", path, "--on", name],
                    environment: environment
                )
                try #require(registered.status == 0, "\(registered.errors)")
            }
            let cid = file.root.cid
            for url in urls {
                let car = try await get("\(url)/ipfs/\(cid)?format=car")
                #expect(car.status == 200 && car.body == file.whole)
                for block in [file.root, SplitFile.empty] + file.leaves {
                    let raw = try await get("\(url)/ipfs/\(block.cid)?format=raw")
                    #expect(raw.status == 200 && raw.body == block.data)
                }
            }
            let cached = [("Cache-Control", "only-if-cached")]
            let own = try await get("\(urls[1])/ipfs/\(cid)?format=raw", cached)
            #expect(own.status == 412)
            let unknown = try await get("\(urls[0])/ipfs/\(Self.unknown.cid)?format=raw")
            #expect(unknown.status == 404)

            let cluster = try Cluster(at: address)
            #expect(
                try await cluster.block(for: file.leaves[4].cid)?.copiedBytes == file.leaves[4].data
            )
            #expect(try await cluster.block(for: Self.unknown.cid) == nil)
            let holders = try await cluster.shards(containing: file.leaves[4].cid.multihash)
            #expect(holders.map(\.key.text) == ["two"])
            #expect(holders.first?.holders.map(\.name) == ["two"])

            // A node that was killed still counts as a holder for a while.
            nodes[1].send(SIGKILL)
            _ = await nodes[1].end()
            let lost = try await get("\(urls[0])/ipfs/\(file.leaves[4].cid)?format=raw")
            #expect(lost.status == 503)
            await #expect(throws: DAGStoreError(.catalogUnreachable, "")) {
                try await cluster.block(for: file.leaves[4].cid)
            }
            cluster.close()
            nodes[0].send(SIGKILL)
            _ = await nodes[0].end()
        }

        private static let unknown = CARBuilder.Block.raw([1, 2, 3])
    }
#endif
