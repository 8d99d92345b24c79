#if Node
    import DAGMultiformats
    import Foundation
    import NIOCore
    import NIOHTTP1
    import TestSupport
    import Testing

    /// Requests that no client should send.
    @Suite("Gateway and bad requests", .timeLimit(.minutes(2)))
    struct BadRequestTests {
        static let file = LeafFile(count: 4, size: 1000, seed: 1)
        static let root = file.root.cid.description

        /// Runs a gateway, and checks afterwards that it still answers.
        static func run(
            _ body: @escaping @Sendable (GatewayScene) async throws -> Void
        ) async throws {
            try await GatewayScene.run(["file": file.car()]) { scene in
                try await body(scene)
                let reply = try await scene.send("/ipfs/\(root)?format=raw")
                #expect(reply.body == file.root.data)
            }
        }

        @Test(
            "a malformed request is refused with its status",
            arguments: [
                ("/ipfs/notacid?format=raw", 400), ("/ipfs/\(root)/../x?format=car", 400),
                ("/ipfs/\(root)/%2e%2e/x?format=car", 400), ("/ipfs/\(root)/%00?format=car", 400),
                ("/ipfs/\(root)/%zz?format=car", 400), ("/ipfs/\(root)/%ff?format=car", 400),
                ("/ipfs/\(root)?format=raw&format=car", 400), ("/ipfs/\(root)", 400),
                ("/ipfs/\(root)?format=car&dag-scope=block&entity-bytes=0:1", 400),
                ("/ipfs/\(root)?format=car&entity-bytes=9:1", 400),
                ("/ipfs/\(root)?format=car&entity-bytes=0:99999999999999999999999", 400),
                ("/ipfs/\(root)?format=tar", 400), ("/ipfs/", 400), ("/piece/%00", 400),
                ("/ipfs/\(root)/" + String(repeating: "a", count: 40 << 10) + "?format=car", 414),
                ("/ipfs/\(root)/" + String(repeating: "a", count: 9000) + "?format=car", 404),
                ("/ipfs/\(root)" + String(repeating: "/a", count: 2000) + "?format=car", 400),
                ("/piece/" + String(repeating: "k", count: 5000), 400),
            ]
        )
        func malformed(target: String, status: Int) async throws {
            try await Self.run { scene in
                let text = try await RawClient.get(target, scene.port)
                #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text.prefix(200))")
            }
        }

        @Test("a target of 100 KiB is refused")
        func longTarget() async throws {
            try await Self.run { scene in
                let target = "/ipfs/\(Self.root)/" + String(repeating: "a", count: 100 << 10)
                let text = try await RawClient.get(target, scene.port)
                #expect(text.hasPrefix("HTTP/1.1 4"), "\(text.prefix(100))")
            }
        }

        @Test(
            "bytes that are no request end the connection",
            arguments: [
                "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                "GET / HTTP/1.1\r\nA\r\n\r\n", "\r\n\r\nnonsense\r\n\r\n",
            ]
        )
        func noRequest(bytes: String) async throws {
            try await Self.run { scene in
                let text = try await RawClient.exchange(bytes, scene.port, closesOutput: true)
                #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"), "\(text.prefix(100))")
            }
        }

        @Test("methods that change something are refused", arguments: ["POST", "PUT", "DELETE"])
        func methods(method: String) async throws {
            try await Self.run { scene in
                let reply = try await scene.send(
                    "/ipfs/\(Self.root)?format=raw",
                    HTTPMethod(rawValue: method)
                )
                #expect(reply.status == 405)
                #expect(reply["Allow"] == "GET, HEAD, OPTIONS")
            }
        }

        @Test("a request with a long body gets its answer, and no further one")
        func longBody() async throws {
            try await Self.run { scene in
                let head =
                    "GET /health/livez HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
                let text = try await RawClient.exchange(head + "abc", scene.port)
                #expect(text.hasPrefix("HTTP/1.1 200 "))
                let chunked =
                    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                let refused = try await RawClient.exchange(chunked, scene.port)
                #expect(refused.hasPrefix("HTTP/1.1 405 "))
            }
        }

        @Test("a client that closed its side for sending gets its answer")
        func halfClosed() async throws {
            try await Self.run { scene in
                let request = "GET /ipfs/\(Self.root)?format=car HTTP/1.1\r\nHost: x\r\n\r\n"
                let text = try await RawClient.exchange(request, scene.port, closesOutput: true)
                #expect(text.hasPrefix("HTTP/1.1 200 "))
                #expect(text.hasSuffix("\r\n0\r\n\r\n"))
            }
        }

        @Test("an answer to HEAD has no body that the next answer's reader would meet")
        func headKeepsAlive() async throws {
            try await Self.run { scene in
                let head = "HEAD /ipfs/\(Self.root)?format=car HTTP/1.1\r\nHost: x\r\n\r\n"
                let get =
                    "GET /health/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                let text = try await RawClient.exchange(head + head + get, scene.port)
                let answers = text.components(separatedBy: "HTTP/1.1 ")
                #expect(answers.count == 4)
                #expect(answers[1].hasSuffix("\r\n\r\n"))
                #expect(!answers[1].contains("\r\n0\r\n"))
                #expect(answers[1].lowercased().contains("transfer-encoding: chunked"))
                #expect(answers[3].hasSuffix("alive\n"))
            }
        }

        @Test("requests that come at once are answered in their order")
        func pipelined() async throws {
            try await Self.run { scene in
                let targets = Self.file.leaves.map { "/ipfs/\($0.cid)?format=raw" }
                let requests = targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n" }
                let text = requests.joined(separator: "\r\n") + "Connection: close\r\n\r\n"
                let answer = try await RawClient.exchange(text, scene.port)
                let places = Self.file.leaves.map { leaf in
                    answer.range(of: "X-Ipfs-Roots: \(leaf.cid)")?.lowerBound
                }
                #expect(!places.contains(nil))
                #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
            }
        }
    }
#endif
