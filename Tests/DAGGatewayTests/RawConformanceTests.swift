#if Node
    import NIOHTTP1
    import TestSupport
    import Testing

    /// The groups of gateway-conformance about blocks, caches, precedence and scripts of other origins.
    @Suite("Gateway conformance of blocks", .enabled(if: Vectors.areHere), .timeLimit(.minutes(2)))
    struct RawConformanceTests {
        typealias F = Fixtures
        static let accept = ("Accept", "application/vnd.ipld.raw")
        static let address = "/ipfs/\(F.rawText)"

        @Test(
            "a block comes as it is",
            arguments: [F.rawDirectory, F.rawInner, F.rawText, F.cbor, F.hamt]
        )
        func blocks(cid: String) async throws {
            let bytes = try F.block(cid)
            try await GatewayScene.run(F.cars()) { scene in
                let byAddress = try await scene.send("/ipfs/\(cid)?format=raw")
                let byAccept = try await scene.send("/ipfs/\(cid)", headers: [Self.accept])
                for reply in [byAddress, byAccept] {
                    #expect(reply.status == 200)
                    #expect(reply.body == bytes)
                    #expect(reply.headers["Content-Type"] == ["application/vnd.ipld.raw"])
                    #expect(reply.headers["Content-Length"] == ["\(bytes.count)"])
                    #expect(
                        reply["Content-Disposition"] == "attachment; filename=\"\(cid).bin\""
                    )
                    #expect(reply.headers["X-Content-Type-Options"] == ["nosniff"])
                    #expect(reply["Etag"] == "\"\(cid).raw\"")
                    #expect(reply["X-Ipfs-Path"] == "/ipfs/\(cid)")
                    #expect(reply["X-Ipfs-Roots"] == cid)
                    #expect(reply["Cache-Control"] == "public, max-age=29030400, immutable")
                    #expect(reply["Date"] != nil)
                }
                #expect(byAccept["Content-Location"] == "/ipfs/\(cid)?format=raw")
                let named = try await scene.send("/ipfs/\(cid)?format=raw&filename=foobar.bin")
                #expect(named["Content-Disposition"] == "attachment; filename=\"foobar.bin\"")
            }
        }

        @Test("a single range gets its part, and several ranges a valid answer")
        func ranges() async throws {
            let bytes = try F.block(F.rawText)
            try await GatewayScene.run(F.cars()) { scene in
                func reply(_ range: String) async throws -> GatewayScene.Reply {
                    try await scene.send(Self.address, headers: [Self.accept, ("Range", range)])
                }
                let part = try await reply("bytes=6-16")
                #expect(part.status == 206)
                #expect(part.body == Array(bytes[6...16]))
                #expect(part["Content-Range"] == "bytes 6-16/31")
                #expect(part["Content-Type"] == "application/vnd.ipld.raw")
                let end = try await reply("bytes=-4")
                #expect(end.body == bytes.suffix(4))
                let several = try await reply("bytes=6-16,0-4")
                #expect(several.status == 200)
                #expect(several.body == bytes)
                let outside = try await reply("bytes=31-")
                #expect(outside.status == 416)
                #expect(outside["Content-Range"] == "bytes */31")
                #expect(outside.isComplete)
                #expect(outside.text.contains("31 bytes"))
            }
        }

        @Test("the address wins over Accept")
        func precedence() async throws {
            try await GatewayScene.run(F.cars()) { scene in
                let car = try await scene.send(
                    "/ipfs/\(F.rawInner)?format=car",
                    headers: [Self.accept]
                )
                #expect(car["Content-Type"]?.hasPrefix("application/vnd.ipld.car;") == true)
                let raw = try await scene.send(
                    "/ipfs/\(F.rawInner)?format=raw",
                    headers: [("Accept", "application/vnd.ipld.car")]
                )
                #expect(raw["Content-Type"] == "application/vnd.ipld.raw")
            }
        }

        @Test(
            "a client that has the content gets status 304 without it",
            arguments: [
                "/ipfs/\(F.rawText)?format=raw", "/ipfs/\(F.mixed)/subdir?format=car",
                "/ipfs/\(F.mixed)?format=car&dag-scope=entity",
            ]
        )
        func cache(target: String) async throws {
            try await GatewayScene.run(F.cars()) { scene in
                let tag = try #require(try await scene.send(target)["Etag"])
                let strong = tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
                for method in [HTTPMethod.GET, .HEAD] {
                    for field in [
                        tag, strong, "W/\(strong)", "*", "\"x\", \(tag)", "\"x\",\(strong),\"y\"",
                    ] {
                        let headers = [("If-None-Match", field)]
                        let reply = try await scene.send(target, method, headers: headers)
                        #expect(reply.status == 304, "\(field)")
                        #expect(reply.body == [])
                        #expect(reply["Etag"] == tag)
                    }
                    let other = try await scene.send(
                        target,
                        method,
                        headers: [("If-None-Match", "\"x\"")]
                    )
                    #expect(other.status == 200)
                }
            }
        }

        @Test("nothing that is missing is known to a client", arguments: ["raw", "car"])
        func missingIsUnknown(format: String) async throws {
            try await GatewayScene.run(F.cars()) { scene in
                for method in [HTTPMethod.GET, .HEAD] {
                    let reply = try await scene.send(
                        "/ipfs/\(F.absent)?format=\(format)",
                        method,
                        headers: [("If-None-Match", "*")]
                    )
                    #expect(reply.status == 404)
                }
            }
        }

        @Test("cached content only: status 200 for what is here, and 412 for what is not")
        func onlyIfCached() async throws {
            try await GatewayScene.run(F.cars()) { scene in
                for format in ["raw", "car"] {
                    for method in [HTTPMethod.GET, .HEAD] {
                        let headers = [("Cache-Control", "only-if-cached")]
                        let here = "/ipfs/\(F.rawText)?format=\(format)"
                        let gone = "/ipfs/\(F.absent)?format=\(format)"
                        let found = try await scene.send(here, method, headers: headers)
                        #expect(found.status == 200)
                        let missing = try await scene.send(gone, method, headers: headers)
                        #expect(missing.status == 412)
                        #expect(try await scene.send(gone, method).status == 404)
                    }
                }
            }
        }

        @Test("scripts of other origins can read every answer")
        func crossOrigin() async throws {
            try await GatewayScene.run(F.cars()) { scene in
                let replies = [
                    try await scene.send("/ipfs/\(F.rawText)/", headers: [Self.accept]),
                    try await scene.send("/ipfs/\(F.rawText)/", .OPTIONS),
                    try await scene.send("/ipfs/\(F.mixed)?format=car"),
                    try await scene.send("/ipfs/nonsense"),
                ]
                #expect(replies.map(\.status) == [200, 204, 200, 400])
                for reply in replies {
                    #expect(reply["Access-Control-Allow-Origin"] == "*")
                    #expect(reply["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS")
                    let headers = reply["Access-Control-Allow-Headers"] ?? ""
                    #expect(headers == "Content-Type, Range, User-Agent, X-Requested-With")
                    let exposed = reply["Access-Control-Expose-Headers"] ?? ""
                    for name in [
                        "Content-Range", "Content-Length", "X-Ipfs-Path", "X-Ipfs-Roots",
                        "X-Chunked-Output", "X-Stream-Output", "Ipfs-Uri",
                    ] {
                        #expect(exposed.contains(name))
                    }
                }
            }
        }

        @Test(
            "HEAD has the status and the fields of GET, and no body",
            arguments: [
                "/ipfs/\(F.rawText)?format=raw", "/ipfs/\(F.mixed)?format=car",
                "/ipfs/\(F.mixed)/subdir/hello.txt?format=car", "/ipfs/\(F.absent)?format=raw",
                "/ipfs/\(F.absent)?format=car", "/ipfs/\(F.mixed)/none?format=car",
                "/ipfs/\(F.cbor)/foo/object/hello/more?format=car", "/ipfs/x?format=car",
                "/piece/fixture-0", "/piece/none", "/health/livez",
            ]
        )
        func head(target: String) async throws {
            try await GatewayScene.run(F.cars()) { scene in
                let get = try await scene.send(target)
                let head = try await scene.send(target, .HEAD)
                #expect(head.status == get.status)
                #expect(head.body == [])
                let changing = ["date", "x-request-id", "content-length"]
                func fields(_ reply: GatewayScene.Reply) -> [String] {
                    reply.headers.filter { !changing.contains($0.name.lowercased()) }
                        .map { "\($0.name): \($0.value)" }.sorted()
                }
                #expect(fields(head) == fields(get))
            }
        }

        @Test(
            "what is not there has status 404, and a path into a value that is no link 501",
            arguments: [
                ("/ipfs/\(F.absent)?format=raw", 404), ("/ipfs/\(F.absent)?format=car", 404),
                ("/ipfs/\(F.mixed)/none?format=car", 404),
                ("/ipfs/\(F.mixed)/subdir/none/x?format=car", 404),
                ("/ipfs/\(F.hamt)/none.txt?format=car", 404),
                ("/ipfs/\(F.cbor)/none?format=car", 404),
                ("/ipfs/\(F.cbor)/foo/object?format=car", 501),
                ("/ipfs/\(F.cbor)/foo/link/bar/hello?format=car", 501),
                ("/piece/none", 404), ("/piece/fixture-0/x", 404), ("/nothing", 404),
            ]
        )
        func missing(target: String, status: Int) async throws {
            try await GatewayScene.run(F.cars()) { scene in
                for method in [HTTPMethod.GET, .HEAD] {
                    let reply = try await scene.send(target, method)
                    #expect(reply.status == status)
                    #expect(reply["Cache-Control"] == "no-store")
                    #expect(reply["X-Request-Id"] != nil)
                }
            }
        }
    }
#endif
