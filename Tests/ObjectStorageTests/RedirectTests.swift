#if Node
    import TestSupport
    import Testing

    @testable import ObjectStorage

    @Suite("Redirects and targets", .timeLimit(.minutes(5)))
    struct RedirectTests {
        static let secret = [
            HeaderField("Authorization", "Bearer hidden"), HeaderField("X-Key", "hidden"),
        ]

        private static func redirect(_ location: String) -> ScriptedServer.Reply {
            .init(302, [("Location", location)])
        }

        @Test("a redirect to another server carries no credentials, and none come back later")
        func credentials() async throws {
            let other = try await ScriptedServer { request in
                if request.target == "/back" { return Self.redirect("/own") }
                return ScriptedServer.serve([1, 2, 3], request)
            }
            let otherURL = other.url
            let server = try await ScriptedServer { request in
                switch request.target {
                case "/a.car": return Self.redirect("/same")
                case "/same": return Self.redirect(otherURL + "/there")
                default: return ScriptedServer.serve([1, 2, 3], request)
                }
            }
            let target = try ObjectClientTests.target(server, "/a.car", Self.secret)
            let found = try await ObjectClientTests.client().probe(target, size: 3, .read)
            #expect(found.bytes == [1, 2, 3])
            #expect(
                server.requests.map { $0.header("Authorization") } == [
                    "Bearer hidden", "Bearer hidden",
                ]
            )
            #expect(other.requests.count == 1)
            let names = other.requests[0].headers.map { $0.name.lowercased() }
            #expect(!names.contains("authorization"))
            #expect(!names.contains("x-key"))
            #expect(other.requests[0].header("Range") == "bytes=0-2")
            #expect(target.counters.values.redirects == 2)
        }

        @Test("credentials that a redirect left behind stay behind on the way back")
        func wayBack() async throws {
            let relay = try await ScriptedServer { request in
                Self.redirect(String(request.target.dropFirst("/to?".count)))
            }
            let relayURL = relay.url
            let server = try await ScriptedServer { request in
                guard request.target == "/a.car" else {
                    return ScriptedServer.serve([9], request)
                }
                let own = request.header("Host") ?? ""
                return Self.redirect("\(relayURL)/to?http://\(own)/private")
            }
            let target = try ObjectClientTests.target(server, "/a.car", Self.secret)
            _ = try await ObjectClientTests.client().probe(target, size: 1, .read)
            #expect(server.requests.map { $0.header("X-Key") } == ["hidden", nil])
        }

        @Test("redirects are limited")
        func loop() async throws {
            let server = try await ScriptedServer { _ in Self.redirect("/again") }
            await #expect(throws: ObjectStorageError(.tooManyRedirects, "")) {
                let target = try ObjectClientTests.target(server)
                _ = try await ObjectClientTests.client().probe(target, size: 1, .read)
            }
            #expect(server.requests.count == 6)
        }

        @Test(
            "a redirect into this machine or the link is refused",
            arguments: [
                "file:///etc/passwd", "data:text/plain,x", "http://169.254.169.254/latest/",
                "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "ftp://example.com/",
            ]
        )
        func refusedTargets(location: String) async throws {
            let server = try await ScriptedServer { _ in Self.redirect(location) }
            await #expect(throws: ObjectStorageError(.targetRefused, "")) {
                let target = try ObjectClientTests.target(server)
                _ = try await ObjectClientTests.client().probe(target, size: 1, .read)
            }
        }

        @Test("without permission, neither loopback nor a name for it is reached")
        func privateTargets() async throws {
            let server = try await ScriptedServer { ScriptedServer.serve([1], $0) }
            let client = ObjectClientTests.client { $0.targets = .global }
            for host in ["127.0.0.1", "localhost", "[::1]"] {
                let url = try ObjectURL("http://\(host):\(server.port)/")
                let target = ObjectTarget(url, counters: TransferCounters())
                await #expect(throws: ObjectStorageError(.targetRefused, "")) {
                    _ = try await client.stat(target)
                }
            }
            #expect(server.requests.isEmpty)
        }

        // A name can resolve to loopback without saying so, for example localtest.me. The guard sees the address of the
        // connection; here the policy's check of the name is left out, so that only the guard is in the way.
        @Test("the address of the connection decides, whatever the name was")
        func resolvedAddress() async throws {
            let server = try await ScriptedServer { ScriptedServer.serve([1], $0) }
            let client = ObjectClientTests.client {
                $0.targets = .global
                $0.checksNames = false
                $0.retries.attemptsMax = 1
            }
            let url = try ObjectURL("http://localhost:\(server.port)/")
            let target = ObjectTarget(url, counters: TransferCounters())
            await #expect(throws: ObjectStorageError(.targetRefused, "")) {
                _ = try await client.stat(target)
            }
            #expect(server.requests.isEmpty)
        }

        @Test("no error shows a query, a header or a credential")
        func errorTexts() async throws {
            let server = try await ScriptedServer { request in
                switch request.target.prefix(while: { $0 != "?" }) {
                case "/redirect": return Self.redirect("http://user:hidden@example.com/?sig=hidden")
                case "/loop": return Self.redirect("/loop?sig=hidden")
                case "/cut":
                    let size = ("Content-Length", "10")
                    return .init(206, [size, ("Content-Range", "bytes 0-9/10")], ending: .cut)
                case "/xml":
                    let body = Array("<Error><Code>hidden value</Code></Error>".utf8)
                    return .init(403, [("Content-Type", "application/xml")], body: body)
                default: return .init(404, [("X-Secret", "hidden")], body: Array("hidden".utf8))
                }
            }
            let client = ObjectClientTests.client { $0.retries.attemptsMax = 1 }
            for path in ["/redirect", "/loop", "/cut", "/xml", "/other"] {
                let target = try ObjectClientTests.target(server, path + "?sig=hidden", Self.secret)
                let error = await #expect(throws: ObjectStorageError.self) {
                    _ = try await client.probe(target, size: 10, .read)
                }
                let text = "\(String(describing: error)) \(String(reflecting: error))"
                #expect(!text.contains("hidden"), "\(path)")
            }
            let bad = try ObjectClientTests.target(
                server,
                "/x",
                [HeaderField("X-Key", "hid\nden hidden")]
            )
            let error = await #expect(throws: ObjectStorageError.self) {
                _ = try await client.probe(bad, size: 1, .read)
            }
            #expect(error?.detail.contains("hid") == false)
        }
    }
#endif
