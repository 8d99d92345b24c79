#if Node
    import AsyncHTTPClient
    import Foundation
    import NIOCore
    import NIOHTTP1
    import TestSupport
    import Testing

    /// The admin interface of a running node.
    @Suite("The admin interface", .timeLimit(.minutes(5)))
    struct AdminTests {
        /// A node with an address for its admin interface.
        private struct Scene {
            let folder: TemporaryFolder
            let node: NodeProcess
            let url: String
            let token: String

            init(_ arguments: String...) async throws {
                folder = try TemporaryFolder()
                let store = folder.path(of: "store")
                let first = try folder.write(AdminTests.car(1).bytes, to: "first.car")
                let register = try await NodeProcess.run(["register", first, "--store", store])
                try #require(register.status == 0)
                node = try NodeProcess(
                    [
                        "serve", "--store", store, "--listen", "127.0.0.1:0", "--format", "json",
                        "--admin", "127.0.0.1:0",
                    ] + arguments
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

            struct Reply {
                var status: Int
                var headers: HTTPHeaders
                var text: String
                var object: [String: Any] {
                    let value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
                    return value as? [String: Any] ?? [:]
                }
                var code: String? { (object["error"] as? [String: Any])?["code"] as? String }
            }

            func send(
                _ method: HTTPMethod,
                _ path: String,
                _ body: String? = nil,
                token: String? = "",
                fields: [(String, String)] = []
            ) async throws -> Reply {
                var request = HTTPClientRequest(url: url + path)
                request.method = method
                if let token {
                    let value = "Bearer \(token.isEmpty ? self.token : token)"
                    request.headers.add(name: "Authorization", value: value)
                }
                for (name, value) in fields {
                    request.headers.replaceOrAdd(name: name, value: value)
                }
                if let body { request.body = .bytes(ByteBuffer(string: body)) }
                let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
                let bytes = try await answer.body.collect(upTo: 1 << 22)
                return Reply(
                    status: Int(answer.status.code),
                    headers: answer.headers,
                    text: String(buffer: bytes)
                )
            }

            func end() async {
                node.send(SIGTERM)
                #expect(await node.end() == 0, "\(node.errorText)")
            }
        }

        private static func car(_ seed: UInt64) -> CARBuilder {
            CARBuilder.uniform(sections: 5, blockSize: 100, seed: seed)
        }

        @Test("a shard is added, looked at, broken, mended and removed")
        func lifecycle() async throws {
            let scene = try await Scene()
            let path = try scene.folder.write(Self.car(2).bytes, to: "two.car")
            let added = try await scene.send(.POST, "/v1/shards", "{\"source\":\"\(path)\"}")
            #expect(added.status == 201, "\(added.text)")
            #expect(added.object["state"] as? String == "available")
            #expect(added.object["blocks"] as? Int == 5)
            let again = try await scene.send(.POST, "/v1/shards", "{\"source\":\"\(path)\"}")
            #expect(again.status == 409)
            #expect(again.code == "shardExists")
            let key = "a%2Fb%20%C3%A9"
            let lazy = "{\"source\":\"file://\(path)\",\"key\":\"a/b \u{e9}\",\"lazy\":true}"
            #expect(try await scene.send(.POST, "/v1/shards", lazy).status == 201)
            var shard = try await scene.send(.GET, "/v1/shards/\(key)")
            #expect(shard.object["state"] as? String == "registered")
            #expect((shard.object["explanation"] as? String)?.contains("not indexed yet") == true)
            let initialized = try await scene.send(.POST, "/v1/shards/\(key)/initialize")
            #expect(initialized.status == 200)
            shard = try await scene.send(.GET, "/v1/shards/\(key)")
            #expect(shard.object["state"] as? String == "available")
            #expect((shard.object["roots"] as? [String])?.isEmpty == false)
            // The file gets other bytes; a check finds that.
            try Data(Self.car(3).bytes).write(to: URL(filePath: path))
            let check = try await scene.send(.POST, "/v1/check", "{\"repair\":true}")
            #expect(check.status == 200)
            #expect((check.object["problems"] as? [Any])?.isEmpty == false, "\(check.text)")
            // The repair indexed it again, so there is nothing to recover.
            let sound = try await scene.send(.POST, "/v1/shards/two/recover")
            #expect(sound.status == 409 && sound.code == "notFailed", "\(sound.text)")
            let broken = try scene.folder.write(Array("no CAR".utf8), to: "broken.car")
            let refused = try await scene.send(.POST, "/v1/shards", "{\"source\":\"\(broken)\"}")
            #expect(refused.status == 422, "\(refused.text)")
            shard = try await scene.send(.GET, "/v1/shards/broken")
            #expect(shard.object["state"] as? String == "failed")
            try Data(Self.car(4).bytes).write(to: URL(filePath: broken))
            let recovered = try await scene.send(.POST, "/v1/shards/broken/recover")
            #expect(recovered.object["state"] as? String == "available", "\(recovered.text)")
            let history = try await scene.send(.GET, "/v1/shards/two").object["history"]
            let operations = (history as? [[String: Any]] ?? []).map { $0["operation"] as? String }
            #expect(operations.contains("register"))
            let moved = try await scene.send(.PATCH, "/v1/shards/two", "{\"policy\":\"copy\"}")
            #expect(moved.object["policy"] as? String == "copy", "\(moved.text)")
            #expect(try await scene.send(.PATCH, "/v1/shards/two", "{}").status == 400)
            #expect(try await scene.send(.DELETE, "/v1/shards/two").status == 204)
            #expect(try await scene.send(.DELETE, "/v1/shards/two").status == 404)
            #expect(try await scene.send(.POST, "/v1/gc", "{\"quota\":0}").status == 200)
            // No path names this key.
            let dots = "{\"source\":\"\(path)\",\"key\":\"..\",\"lazy\":true}"
            #expect(try await scene.send(.POST, "/v1/shards", dots).status == 201)
            let named = try await scene.send(.GET, "/v1/shard?key=..")
            #expect(named.object["key"] as? String == "..", "\(named.text)")
            let ready = try await scene.send(.POST, "/v1/shard/initialize?key=%2E.")
            #expect(ready.object["state"] as? String == "available", "\(ready.text)")
            #expect(try await scene.send(.DELETE, "/v1/shard?key=..").status == 204)
            #expect(try await scene.send(.GET, "/v1/shard").status == 400)
            await scene.end()
        }

        @Test("the list has pages, states and a search")
        func pages() async throws {
            let scene = try await Scene()
            let path = try scene.folder.write(Self.car(2).bytes, to: "x.car")
            for number in 0..<25 {
                let body = "{\"source\":\"\(path)\",\"key\":\"k\(number)\",\"lazy\":true}"
                #expect(try await scene.send(.POST, "/v1/shards", body).status == 201)
            }
            var keys: [String] = []
            var next: String? = ""
            while let after = next {
                let from = after.isEmpty ? "" : "&after=\(after)"
                let page = try await scene.send(.GET, "/v1/shards?limit=10&state=registered\(from)")
                let shards = page.object["shards"] as? [[String: Any]] ?? []
                #expect(shards.count <= 10)
                keys += shards.compactMap { $0["key"] as? String }
                next = page.object["next"] as? String
            }
            #expect(keys == (0..<25).map { "k\($0)" })
            let found = try await scene.send(.GET, "/v1/shards?search=K1")
            let names = (found.object["shards"] as? [[String: Any]] ?? []).map {
                $0["key"] as? String
            }
            #expect(names.count == 11)
            for query in [
                "limit=0", "limit=x", "state=odd", "after=-1", "after=x", "odd=1", "search=%ff",
                "search=" + String(repeating: "a", count: 1001),
            ] {
                let status = try await scene.send(.GET, "/v1/shards?\(query)").status
                #expect(status == 400, "\(query)")
            }
            let summary = try await scene.send(.GET, "/v1/summary").object
            #expect((summary["states"] as? [String: Any])?["registered"] as? Int == 25)
            #expect(summary["shards"] as? Int == 26)
            await scene.end()
        }

        @Test("without the token there is no data, and no page of another site gets any")
        func access() async throws {
            let scene = try await Scene()
            for path in ["/v1/node", "/v1/summary", "/v1/shards", "/metrics", "/v1/events", "/odd"]
            {
                let none = try await scene.send(.GET, path, token: nil)
                #expect(none.status == 401, "\(path)")
                #expect(none.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer") == true)
                #expect(try await scene.send(.GET, path, token: "wrong").status == 401)
                let foreign = [("Origin", "http://evil.example")]
                #expect(try await scene.send(.GET, path, fields: foreign).status == 403)
                let rebound = [("Host", "evil.example")]
                #expect(try await scene.send(.GET, path, fields: rebound).status == 403)
            }
            let page = try await scene.send(.GET, "/", token: nil)
            #expect(page.status == 200)
            #expect(page.text.hasPrefix("<!doctype html>"))
            let policy = try #require(page.headers.first(name: "Content-Security-Policy"))
            #expect(policy.contains("default-src 'none'"))
            #expect(!policy.contains("unsafe"))
            #expect(try await scene.send(.GET, "/openapi.json", token: nil).status == 200)
            #expect(try await scene.send(.POST, "/v1/verbs", "x").status == 403)
            #expect(try await scene.send(.POST, "/v1/node").status == 405)
            #expect(try await scene.send(.GET, "/v1/odd").status == 404)
            #expect(try await scene.send(.GET, "/v1/shards/nothing").code == "shardUnknown")
            let long = String(repeating: "k", count: 481)
            #expect(try await scene.send(.GET, "/v1/shards/\(long)").status == 400)
            for body in ["", "{", "[]", "{\"source\":1}", "{\"source\":\"relative\"}", "\u{0}"] {
                let reply = try await scene.send(.POST, "/v1/shards", body)
                #expect(reply.status == 400, "\(body): \(reply.text)")
            }
            let large = String(repeating: " ", count: 65 << 10)
            #expect(try await scene.send(.POST, "/v1/shards", large).status == 413)
            let mode = try FileManager.default.attributesOfItem(
                atPath: scene.folder.path(of: "store/admin.token")
            )[.posixPermissions]
            #expect(mode as? Int == 0o600)
            await scene.end()
        }

        @Test("the log's level changes while the node runs")
        func logLevel() async throws {
            let scene = try await Scene()
            #expect(!scene.node.errorText.contains(" debug "))
            let body = "{\"level\":\"debug\"}"
            #expect(try await scene.send(.PUT, "/v1/log-level", body).status == 200)
            #expect(try await scene.send(.GET, "/v1/node").object["logLevel"] as? String == "debug")
            #expect(try await scene.send(.GET, "/v1/cluster").code == "noCluster")
            let gateway = try #require(await scene.node.url())
            let probe = HTTPClientRequest(url: "\(gateway)/health/livez")
            _ = try await HTTPClient.shared.execute(probe, timeout: .seconds(100))
            #expect(await scene.node.until(" debug gateway: Answered"))
            #expect(
                try await scene.send(.PUT, "/v1/log-level", "{\"level\":\"odd\"}").status == 400
            )
            await scene.end()
        }

        @Test("events arrive as they happen, and a reader that stops costs the node nothing")
        func events() async throws {
            let scene = try await Scene()
            var request = HTTPClientRequest(url: "\(scene.url)/v1/events")
            request.headers.add(name: "Authorization", value: "Bearer \(scene.token)")
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
            #expect(answer.headers.first(name: "Content-Type") == "text/event-stream")
            // A chunk without bytes would stand where the next answer begins.
            request.method = .HEAD
            let head = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
            #expect(head.headers.first(name: "Connection") == "close")
            request.method = .GET
            let path = try scene.folder.write(Self.car(2).bytes, to: "x.car")
            var text = ""
            var isAsked = false
            for try await part in answer.body {
                text += String(buffer: part)
                // The stream listens once its first line came.
                if !isAsked {
                    isAsked = true
                    let body = "{\"source\":\"\(path)\",\"key\":\"<b>\\n\"}"
                    #expect(try await scene.send(.POST, "/v1/shards", body).status == 201)
                }
                if text.contains("\"makeAvailable\"") { break }
            }
            #expect(text.contains("event: shard\ndata: {\"number\":"))
            #expect(text.contains("\"operation\":\"register\""))
            // A key with a newline stays on the line of its event.
            #expect(text.contains(#""key":"<b>\n""#))
            // Nobody reads this one.
            let stopped = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
            #expect(stopped.status == .ok)
            for _ in 0..<50 {
                let body = "{\"source\":\"\(path)\",\"key\":\"again\"}"
                #expect(try await scene.send(.POST, "/v1/shards", body).status == 201)
                #expect(try await scene.send(.DELETE, "/v1/shards/again").status == 204)
            }
            await scene.end()
        }

        @Test("metrics count what the gateway answers")
        func metrics() async throws {
            let scene = try await Scene()
            let gateway = try #require(await scene.node.url())
            let cid = Self.car(1).blocks[0].cid
            for _ in 0..<3 {
                let block = HTTPClientRequest(url: "\(gateway)/ipfs/\(cid)?format=raw")
                let answer = try await HTTPClient.shared.execute(block, timeout: .seconds(100))
                _ = try await answer.body.collect(upTo: 1 << 20)
            }
            let car = HTTPClientRequest(url: "\(gateway)/ipfs/\(cid)?format=car&dag-scope=block")
            let answer = try await HTTPClient.shared.execute(car, timeout: .seconds(100))
            _ = try await answer.body.collect(upTo: 1 << 20)
            var lines: [Substring] = []
            var isCounted = false
            while !isCounted {
                lines = try await scene.send(.GET, "/metrics").text.split(separator: "\n")
                isCounted = lines.contains(
                    "dagstore_http_requests_total{kind=\"car\",status=\"2xx\"} 1"
                )
            }
            #expect(lines.contains("dagstore_http_requests_total{kind=\"block\",status=\"2xx\"} 3"))
            #expect(lines.contains("dagstore_http_request_seconds_count{kind=\"block\"} 3"))
            #expect(lines.contains("dagstore_http_requests_active 0"))
            let summary = try await scene.send(.GET, "/v1/summary").object
            let requests = try #require(summary["requests"] as? [String: Any])
            #expect(requests["total"] as? Int == 4)
            #expect(requests["failed"] as? Int == 0)
            await scene.end()
        }

        @Test("a token that is too short is refused at the start")
        func shortToken() async throws {
            let folder = try TemporaryFolder()
            let store = folder.path(of: "store")
            let car = try folder.write(Self.car(1).bytes, to: "a.car")
            #expect(try await NodeProcess.run(["register", car, "--store", store]).status == 0)
            let token = try folder.write(Array("short\n".utf8), to: "token")
            for file in [token, folder.path(of: "none")] {
                let node = try await NodeProcess.run([
                    "serve", "--store", store, "--listen", "127.0.0.1:0", "--admin",
                    "127.0.0.1:0", "--admin-token", file,
                ])
                #expect(node.status == 2, "\(node.errors)")
                #expect(node.errors.contains("invalidConfiguration"))
            }
        }
    }
#endif
