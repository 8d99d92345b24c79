#if Node
    import DAGGateway
    import DAGMultiformats
    import DAGStorage
    import TestSupport
    import Testing

    /// What a gateway of a cluster answers for content that another node has.
    @Suite("Redirects")
    struct RedirectTests {
        private static let car = CARBuilder.uniform(sections: 3, blockSize: 50, seed: 1)
        private static let other = CARBuilder.uniform(sections: 3, blockSize: 50, seed: 2)

        /// Sends a request to a gateway whose other nodes answer as `elsewhere` does.
        private func answer(
            _ target: String,
            method: String = "GET",
            fields: String = "",
            elsewhere: @escaping @Sendable (GatewayContent) async throws -> String?
        ) async throws -> String {
            let answer = Answer()
            try await GatewayScene.run(["a": Self.car.bytes]) { configuration, _ in
                configuration.elsewhere = elsewhere
            } body: { scene in
                let request =
                    "\(method) \(target) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(fields)\r\n"
                await answer.set(try await RawClient.exchange(request, scene.port))
            }
            return await answer.text
        }

        private actor Answer {
            private(set) var text = ""
            func set(_ text: String) { self.text = text }
        }

        private var absent: CID { Self.other.blocks[1].cid }

        @Test(
            "content that another node has gets its URL, with the same target",
            arguments: ["raw", "car&dag-scope=block"]
        )
        func found(format: String) async throws {
            let target = "/ipfs/\(absent)?format=\(format)"
            let absent = absent
            for method in ["GET", "HEAD"] {
                let text = try await answer(target, method: method) { content in
                    #expect(content == .block(absent))
                    return "http://node2.example:8080/"
                }
                #expect(text.hasPrefix("HTTP/1.1 307 "), "\(text)")
                let line = "\r\nlocation: http://node2.example:8080\(target)\r\n"
                #expect(text.lowercased().contains(line.lowercased()), "\(text)")
                #expect(text.lowercased().contains("\r\ncache-control: no-store\r\n"))
                #expect(text.contains("\r\nAccess-Control-Allow-Origin: *\r\n"))
            }
        }

        @Test("a target in absolute form, as a proxy sends it, gets the same URL")
        func absoluteForm() async throws {
            let target = "/ipfs/\(absent)?format=raw"
            let text = try await answer("http://gateway.example\(target)") { _ in
                "http://node2.example:8080/"
            }
            let line = "\r\nLocation: http://node2.example:8080\(target)\r\n"
            #expect(text.contains(line), "\(text)")
        }

        @Test("a piece of another node too")
        func piece() async throws {
            let text = try await answer("/piece/b%20c") { content in
                #expect(content == .piece("b c"))
                return "https://node2.example"
            }
            #expect(text.hasPrefix("HTTP/1.1 307 "))
            #expect(text.contains("https://node2.example/piece/b%20c\r\n"))
        }

        @Test("what this node has, nobody else is asked for")
        func own() async throws {
            let text = try await answer("/ipfs/\(Self.car.blocks[0].cid)?format=raw") { _ in
                Issue.record("the gateway asked")
                return nil
            }
            #expect(text.hasPrefix("HTTP/1.1 200 "))
        }

        @Test(
            "what no node has is not found; a URL that is none counts as none",
            arguments: [
                nil, "", "ftp://node2", "http://node2\r\nSet-Cookie: x", "http://nöde",
            ]
        )
        func nowhere(url: String?) async throws {
            let text = try await answer("/ipfs/\(absent)?format=raw") { _ in url }
            #expect(text.hasPrefix("HTTP/1.1 404 "), "\(text)")
            #expect(!text.contains("Set-Cookie"))
        }

        @Test("a client that asks for what is here only is not sent elsewhere")
        func onlyIfCached() async throws {
            let text = try await answer(
                "/ipfs/\(absent)?format=raw",
                fields: "Cache-Control: only-if-cached\r\n"
            ) { _ in
                Issue.record("the gateway asked")
                return nil
            }
            #expect(text.hasPrefix("HTTP/1.1 412 "))
        }

        @Test("while the catalog is away, a miss may be a hit: status 503")
        func away() async throws {
            let text = try await answer("/ipfs/\(absent)?format=raw") { _ in
                throw DAGStoreError(.catalogUnreachable, "the database is away")
            }
            #expect(text.hasPrefix("HTTP/1.1 503 "))
            #expect(text.lowercased().contains("\r\nretry-after: "))
        }
    }
#endif
