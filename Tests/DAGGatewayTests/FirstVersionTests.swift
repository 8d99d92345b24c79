#if Node
    import NIOCore
    import TestSupport
    import Testing

    /// Clients of HTTP/1.0.
    @Suite("HTTP/1.0", .timeLimit(.minutes(2)))
    struct FirstVersionTests {
        static let file = LeafFile(count: 4, size: 1000, seed: 3)

        private static func request(_ target: String, _ fields: String = "") -> String {
            "GET \(target) HTTP/1.0\r\n\(fields)\r\n"
        }

        @Test("a CAR comes without chunks, and ends with the connection")
        func stream() async throws {
            try await GatewayScene.run(["file": Self.file.car()]) { scene in
                let target = "/ipfs/\(Self.file.root.cid)?format=car"
                let expected = try await scene.send(target).body
                let answer = try await RawClient.exchangeBytes(Self.request(target), scene.port)
                let text = String(decoding: answer, as: UTF8.self).lowercased()
                #expect(text.hasPrefix("http/1.0 200 "))
                #expect(text.contains("\r\nconnection: close\r\n"))
                #expect(!text.contains("transfer-encoding"))
                #expect(answer.suffix(expected.count).elementsEqual(expected))
                #expect(answer.dropLast(expected.count).suffix(4).elementsEqual("\r\n\r\n".utf8))
            }
        }

        @Test("an answer to HEAD has no body")
        func head() async throws {
            try await GatewayScene.run(["file": Self.file.car()]) { scene in
                let target = "/ipfs/\(Self.file.root.cid)?format=car"
                let text = try await RawClient.exchange(
                    "HEAD \(target) HTTP/1.0\r\n\r\n",
                    scene.port
                )
                #expect(text.hasPrefix("HTTP/1.0 200 "))
                #expect(text.hasSuffix("\r\n\r\n"))
            }
        }

        @Test("the server closes the connection unless the client keeps it", arguments: [1, 2])
        func keepAlive(rounds: Int) async throws {
            try await GatewayScene.run(["file": Self.file.car()]) { scene in
                let target = "/ipfs/\(Self.file.leaves[0].cid)?format=raw"
                // The later rounds find the shard open, and are answered at once.
                for _ in 0..<rounds {
                    let kept = Self.request(target, "Connection: Keep-Alive\r\n")
                    let text = try await RawClient.exchange(
                        kept + kept + Self.request("/health/livez"),
                        scene.port
                    )
                    let parts = text.split(
                        separator: "HTTP/1.0 200 ",
                        omittingEmptySubsequences: false
                    )
                    #expect(parts.count == 4)
                    let fields = parts.dropFirst().map { part in
                        part.lowercased().contains("\r\nconnection: keep-alive\r\n")
                    }
                    #expect(fields == [true, true, false])
                    #expect(text.hasSuffix("alive\n"))
                }
            }
        }

        @Test("a client that says that it sends no more gets a large CAR whole")
        func halfClosed() async throws {
            let file = LeafFile.large
            try await GatewayScene.run(["large": file.car()]) { scene in
                let target = "/ipfs/\(file.root.cid)?format=car"
                let expected = try await scene.send(target).body
                let answer = try await RawClient.exchangeBytes(
                    Self.request(target),
                    scene.port,
                    closesOutput: true,
                    toleratesReset: false
                )
                #expect(answer.suffix(expected.count).elementsEqual(expected))
            }
        }

        @Test("a body that is cut ends with a reset, not as if it were whole")
        func cut() async throws {
            let file = LeafFile(count: 8, size: 1000, seed: 3)
            try await GatewayScene.run(["a": file.car(without: [5])]) { scene in
                let target = "/ipfs/\(file.root.cid)?format=car"
                await #expect(throws: IOError.self) {
                    let request = Self.request(target)
                    _ = try await RawClient.exchangeBytes(
                        request,
                        scene.port,
                        toleratesReset: false
                    )
                }
            }
        }
    }
#endif
