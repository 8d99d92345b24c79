#if Node && Cluster
    import AsyncHTTPClient
    import Foundation
    import NIOCore
    import NIOHTTP1
    import TestSupport
    import Testing

    /// What the admin interface of a node tells about its cluster.
    @Suite(
        "The cluster in the admin interface",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .databaseServer(),
        .timeLimit(.minutes(10))
    )
    struct ClusterViewTests {
        /// A node of a cluster, with an address for its admin interface.
        private struct Scene {
            let folder = try? TemporaryFolder()
            let cluster: String
            let node: NodeProcess
            let url: String
            let token: String

            init() async throws {
                let folder = try #require(folder)
                cluster = try #require(DatabaseServer.current).makeDatabase()
                let made = try await NodeProcess.run(
                    ["cluster", "init", "--copies", "1", "--cluster", cluster]
                )
                try #require(made.status == 0, "\(made.errors)")
                let store = folder.path(of: "store")
                node = try NodeProcess(
                    [
                        "serve", "--store", store, "--listen", "127.0.0.1:0", "--format", "json",
                        "--admin", "127.0.0.1:0", "--cluster-name", "one",
                    ],
                    environment: ["DAGSTORE_CLUSTER": cluster]
                )
                _ = try #require(await node.url(), "\(node.errorText)")
                try #require(await node.until(" admin=127.0.0.1:"), "\(node.errorText)")
                let port = try #require(
                    node.errorText.firstMatch(of: #/ admin=127\.0\.0\.1:([0-9]+)/#)?.1
                )
                url = "http://127.0.0.1:\(port)"
                token = try String(contentsOfFile: "\(store)/admin.token", encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }

            /// Gets a JSON object.
            func get(_ path: String) async throws -> (status: Int, object: [String: Any]) {
                var request = HTTPClientRequest(url: url + path)
                request.headers.add(name: "Authorization", value: "Bearer \(token)")
                let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
                let bytes = try await answer.body.collect(upTo: 1 << 22)
                let value = try JSONSerialization.jsonObject(with: Data(String(buffer: bytes).utf8))
                return (Int(answer.status.code), value as? [String: Any] ?? [:])
            }

            /// Ends the node.
            func end() async {
                node.send(SIGTERM)
                #expect(await node.end() == 0, "\(node.errorText)")
            }
        }

        private func code(_ object: [String: Any]) -> String? {
            (object["error"] as? [String: Any])?["code"] as? String
        }

        @Test("a node tells the nodes, shards and jobs of its cluster, and the copies of a shard")
        func overview() async throws {
            let scene = try await Scene()
            let folder = try #require(scene.folder)
            let car = CARBuilder.uniform(sections: 5, blockSize: 100, seed: 1)
            let path = try folder.write(car.bytes, to: "a b.car")
            let registered = try await NodeProcess.run(
                ["cluster", "register", path, "--cluster", scene.cluster]
            )
            #expect(registered.status == 0, "\(registered.errors)")

            let node = try await scene.get("/v1/node").object
            let cluster = try await scene.get("/v1/cluster")
            #expect(cluster.status == 200)
            #expect((node["cluster"] as? String)?.count == 32)
            #expect(cluster.object["cluster"] as? String == node["cluster"] as? String)
            #expect(cluster.object["copies"] as? Int == 1)
            #expect(cluster.object["blocks"] as? Int == 5)
            let shards = cluster.object["shards"] as? [String: Int]
            #expect(shards == ["registered": 0, "available": 1, "failed": 0])
            let nodes = try #require(cluster.object["nodes"] as? [[String: Any]])
            #expect(nodes.count == 1)
            #expect(nodes.first?["name"] as? String == "one")
            #expect(nodes.first?["self"] as? Bool == true)
            #expect(nodes.first?["state"] as? String == "active")
            #expect((nodes.first?["placements"] as? [String: Int])?["held"] == 1)
            let jobs = try #require(cluster.object["jobs"] as? [[String: Any]])
            #expect(jobs.compactMap { $0["kind"] as? String } == ["place", "merge", "sweep"])
            let merges = try #require(jobs.first { $0["kind"] as? String == "merge" })
            let counts = ["running", "waiting", "resting"].compactMap { merges[$0] as? Int }
            #expect(counts.reduce(0, +) == 16)

            let copies = try await scene.get("/v1/cluster/shard?key=a%20b")
            #expect(copies.status == 200)
            #expect(copies.object["state"] as? String == "available")
            let held = try #require(copies.object["copies"] as? [[String: Any]])
            #expect(held.count == 1)
            #expect(held.first?["state"] as? String == "held")
            #expect(held.first?["condition"] as? String == "active")
            #expect(held.first?["self"] as? Bool == true)

            let unknown = try await scene.get("/v1/cluster/shard?key=nobody")
            #expect(unknown.status == 404)
            #expect(code(unknown.object) == "shardUnknown")
            let wrong = try await scene.get("/v1/cluster/shard?name=a")
            #expect(wrong.status == 400)
            #expect(try await scene.get("/v1/cluster/nodes").status == 404)
            await scene.end()
        }

        @Test("while the database is away, the rest of the interface answers")
        func away() async throws {
            let scene = try await Scene()
            let server = try #require(DatabaseServer.current)
            let name = scene.cluster.split(separator: "/").last?.split(separator: "?").first ?? ""
            #expect(try await scene.get("/v1/cluster").status == 200)
            _ = try server.query(
                """
                ALTER DATABASE \(name) ALLOW_CONNECTIONS FALSE;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'
                """,
                in: "postgres"
            )
            let refused = try await scene.get("/v1/cluster")
            #expect(refused.status == 503)
            #expect(code(refused.object) == "catalogUnreachable")
            #expect(try await scene.get("/v1/summary").status == 200)
            _ = try server.query("ALTER DATABASE \(name) ALLOW_CONNECTIONS TRUE", in: "postgres")
            try await eventually { (try? await scene.get("/v1/cluster").status) == 200 }
            #expect(try await scene.get("/v1/cluster").status == 200)
            await scene.end()
        }
    }
#endif
