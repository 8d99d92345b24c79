#if Node
    @testable import DAGGateway
    import NIOCore
    import NIOEmbedded
    import NIOHTTP1
    import TestSupport
    import Testing

    /// Answers that pass no task.
    @Suite("Prompt answers", .timeLimit(.minutes(2)))
    struct PromptAnswerTests {
        static let file = LeafFile(count: 4, size: 1000, seed: 3)
        static let leaf = file.leaves[0]

        // MARK: The answers

        @Test(
            "a prompt answer is the one that a task gives",
            arguments: [
                "", "Range: bytes=10-19\r\n", "Range: bytes=990-\r\n", "Range: bytes=-5\r\n",
                "Range: bytes=2000-\r\n", "Range: bytes=0-1,3-4\r\n", "Range: bytes=x\r\n",
                "If-None-Match: \"\(leaf.cid).raw\"\r\n", "If-None-Match: *\r\n",
                "IF-NONE-MATCH: \"a\"\r\nif-none-match: \"\(leaf.cid).raw\"\r\n",
                "Range: bytes=1-2\r\nIf-Range: \"\(leaf.cid).raw\"\r\n",
                "Range: bytes=1-2\r\nIf-Range: \"other\"\r\n",
                "Accept: application/vnd.ipld.car\r\n", "Cache-Control: only-if-cached\r\n",
                "Connection: keep-alive\r\n",
            ]
        )
        func same(fields: String) async throws {
            try await GatewayScene.run(["file": Self.file.car()]) { scene in
                let target = "/ipfs/\(Self.leaf.cid)?format=raw"
                // The shard is open after this.
                #expect(try await scene.send(target).status == 200)
                let request = "GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)"
                let last = "GET /health/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                // A request that says that it has no body goes the long way.
                let prompt = try await RawClient.exchange("\(request)\r\n\(last)", scene.port)
                let long = try await RawClient.exchange(
                    "\(request)Content-Length: 0\r\n\r\n\(last)",
                    scene.port
                )
                #expect(Self.comparable(prompt) == Self.comparable(long))
                #expect(prompt.hasPrefix("HTTP/1.1 "))
            }
        }

        /// Returns an answer without what differs by time.
        private static func comparable(_ answer: String) -> [Substring] {
            answer.split(separator: "\r\n", omittingEmptySubsequences: false).filter {
                !$0.hasPrefix("Date: ") && !$0.hasPrefix("X-Request-Id: ")
            }
        }

        @Test("a prompt answer has a line in the log")
        func log() async throws {
            try await GatewayScene.run(["file": Self.file.car()]) { scene in
                let target = "/ipfs/\(Self.leaf.cid)?format=raw"
                for _ in 0..<3 {
                    let reply = try await scene.send(target)
                    #expect(reply.status == 200)
                }
                let lines = scene.log.lines("Answered")
                #expect(lines.count == 3)
                #expect(lines.allSatisfy { $0.metadata["status"] == "200" })
                #expect(lines.allSatisfy { $0.metadata["target"] == target })
                #expect(Set(lines.map { $0.metadata["request-id"] }).count == 3)
            }
        }

        @Test("answers of both ways come in the order of their requests")
        func order() async throws {
            try await GatewayScene.run(["file": Self.file.car()]) { scene in
                let raw = Self.file.leaves.map { "/ipfs/\($0.cid)?format=raw" }
                for target in raw {
                    let reply = try await scene.send(target)
                    #expect(reply.status == 200)
                }
                let car = "/ipfs/\(Self.file.root.cid)?format=car"
                let targets = (0..<200).map { $0 % 7 == 3 ? car : raw[$0 % raw.count] }
                let text = targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
                let last = "GET /health/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                let answer = try await RawClient.exchange(text + last, scene.port)
                let paths = answer.split(separator: "\r\n").filter {
                    $0.hasPrefix("X-Ipfs-Path: ")
                }
                let expected = targets.map { "X-Ipfs-Path: \($0.prefix { $0 != "?" })" }
                #expect(paths.map(String.init) == expected)
                #expect(answer.hasSuffix("alive\n"))
            }
        }

        @Test("a client that closed its side gets the end of all answers")
        func halfClosed() async throws {
            let file = LeafFile(count: 2, size: 200 << 10, seed: 4)
            let leaf = file.leaves[0]
            try await GatewayScene.run(["file": file.car()]) { scene in
                let target = "/ipfs/\(leaf.cid)?format=raw"
                #expect(try await scene.send(target).status == 200)
                let count = 60
                let text = String(repeating: StreamTests.request(target), count: count)
                let answer = try await RawClient.exchange(text, scene.port, closesOutput: true)
                #expect(answer.utf8.count > count * leaf.data.count)
                let paths = answer.split(separator: "\r\n").count {
                    $0 == "X-Ipfs-Path: /ipfs/\(leaf.cid)"
                }
                #expect(paths == count)
            }
        }

        // MARK: The handler

        private static func channel(
            idle: TimeAmount = .hours(1),
            body: Int = 1
        ) throws -> EmbeddedChannel {
            let handler = PromptAnswerHandler(
                { request in
                    guard request.uri == "/prompt" else { return nil }
                    return PromptAnswer(
                        head: HTTPResponseHead(version: .http1_1, status: .ok),
                        body: ByteBuffer(repeating: 1, count: body)
                    )
                },
                idleTimeout: idle
            )
            let channel = EmbeddedChannel(handler: handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            return channel
        }

        /// Sends a request, and returns whether it was answered promptly.
        private static func ask(_ channel: EmbeddedChannel, _ uri: String) throws -> Bool {
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: uri)
            try channel.writeInbound(HTTPServerRequestPart.head(head))
            try channel.writeInbound(HTTPServerRequestPart.end(nil))
            var inbound = 0
            while try channel.readInbound(as: HTTPServerRequestPart.self) != nil { inbound += 1 }
            var outbound = 0
            while try channel.readOutbound(as: HTTPServerResponsePart.self) != nil { outbound += 1 }
            #expect((inbound, outbound) == (2, 0) || (inbound, outbound) == (0, 3))
            return outbound == 3
        }

        @Test("no answer overtakes one that is owed")
        func owed() throws {
            let channel = try Self.channel()
            try #expect(Self.ask(channel, "/prompt"))
            try #expect(!Self.ask(channel, "/other"))
            try #expect(!Self.ask(channel, "/prompt"))
            let head = HTTPResponseHead(version: .http1_1, status: .ok)
            for isLast in [false, true] {
                try channel.writeOutbound(HTTPServerResponsePart.head(head))
                try channel.writeOutbound(HTTPServerResponsePart.end(nil))
                while try channel.readOutbound(as: HTTPServerResponsePart.self) != nil {}
                if !isLast { try #expect(!Self.ask(channel, "/other")) }
            }
            // Three were forwarded, and two have their answers.
            try #expect(!Self.ask(channel, "/prompt"))
            for _ in 0..<2 {
                try channel.writeOutbound(HTTPServerResponsePart.head(head))
                try channel.writeOutbound(HTTPServerResponsePart.end(nil))
                while try channel.readOutbound(as: HTTPServerResponsePart.self) != nil {}
            }
            try #expect(Self.ask(channel, "/prompt"))
            _ = try channel.finish()
        }

        @Test("answers to one read are sent before they take much memory")
        func flushes() throws {
            let channel = try Self.channel(body: 40 << 10)
            func head() {
                let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/prompt")
                channel.pipeline.fireChannelRead(HTTPServerRequestPart.head(head))
                channel.pipeline.fireChannelRead(HTTPServerRequestPart.end(nil))
            }
            func sent() throws -> Int {
                var count = 0
                while try channel.readOutbound(as: HTTPServerResponsePart.self) != nil {
                    count += 1
                }
                return count
            }
            head()
            head()
            #expect(try sent() == 0)
            head()
            #expect(try sent() == 6)
            channel.pipeline.fireChannelReadComplete()
            #expect(try sent() == 3)
            _ = try channel.finish()
        }

        @Test("a client that does not read waits in a task")
        func unwritable() throws {
            let channel = try Self.channel()
            channel.isWritable = false
            try #expect(!Self.ask(channel, "/prompt"))
            _ = try channel.finish(acceptAlreadyClosed: true)
        }

        @Test("one request in a quarter of the idle timeout goes on")
        func forwarded() throws {
            let channel = try Self.channel(idle: .seconds(40))
            let head = HTTPResponseHead(version: .http1_1, status: .ok)
            for _ in 0..<3 {
                try #expect(Self.ask(channel, "/prompt"))
                channel.embeddedEventLoop.advanceTime(by: .seconds(9))
                try #expect(Self.ask(channel, "/prompt"))
                channel.embeddedEventLoop.advanceTime(by: .seconds(1))
                try #expect(!Self.ask(channel, "/prompt"))
                try channel.writeOutbound(HTTPServerResponsePart.head(head))
                try channel.writeOutbound(HTTPServerResponsePart.end(nil))
                while try channel.readOutbound(as: HTTPServerResponsePart.self) != nil {}
            }
            _ = try channel.finish()
        }
    }
#endif
