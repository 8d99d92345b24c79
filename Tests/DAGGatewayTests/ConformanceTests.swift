#if Node
    import DAGMultiformats
    import NIOHTTP1
    import TestSupport
    import Testing

    /// The trustless groups of gateway-conformance, against a running gateway.
    @Suite("Gateway conformance", .enabled(if: Vectors.areHere), .timeLimit(.minutes(2)))
    struct ConformanceTests {
        typealias F = Fixtures

        /// A CAR that a client asks for, and the blocks that it gets, in this order.
        struct Row: Sendable, CustomTestStringConvertible {
            var target: String
            var query: String
            var blocks: [String]

            init(_ target: String, _ query: String, _ blocks: [String]) {
                self.target = target
                self.query = query
                self.blocks = blocks
            }

            init(_ target: String, _ blocks: [String]) { self.init(target, "", blocks) }

            var testDescription: String { "\(target)?\(query)" }
        }

        static let pathing = [
            Row(
                "\(F.subdirectory)/subdir/ascii.txt",
                [F.subdirectory, F.subdirectoryInner, F.ascii]
            ),
            Row("\(F.hamt)/685.txt", [F.hamt, F.hamtTo685, F.multiblock] + F.chunks),
            Row("\(F.cbor)/foo/link", [F.cbor, F.cborFoo, F.cborBar]),
            Row("\(F.cbor)/foo/link/bar", [F.cbor, F.cborFoo, F.cborBar]),
            Row(
                "\(F.percent)/Portugal%252C%2BEspa%C3%B1a=Peninsula%20Ib%C3%A9rica.txt",
                [F.percent, F.percentText]
            ),
            Row("\(F.unicode)/%C4%85/%C4%99/file-%C5%BA%C5%82.txt", F.unicodePath),
            Row(
                "\(F.subdirectory)/subdir//ascii.txt/",
                [
                    F.subdirectory, F.subdirectoryInner, F.ascii,
                ]
            ),
        ]

        static let scopes = [
            Row(
                "\(F.subdirectory)/subdir",
                "dag-scope=block",
                [F.subdirectory, F.subdirectoryInner]
            ),
            Row(
                "\(F.subdirectory)/subdir/ascii.txt",
                "dag-scope=block",
                [F.subdirectory, F.subdirectoryInner, F.ascii]
            ),
            Row("\(F.hamt)/1.txt", "dag-scope=block", [F.hamt, F.hamtTo1, F.multiblock]),
            Row("\(F.cbor)", "dag-scope=block", [F.cbor]),
            Row("\(F.subdirectory)", "dag-scope=entity", [F.subdirectory]),
            Row(
                "\(F.mixed)/subdir/ascii.txt",
                "dag-scope=entity",
                [F.mixed, F.mixedInner, F.ascii]
            ),
            Row(
                "\(F.mixed)/subdir/multiblock.txt",
                "dag-scope=entity",
                [F.mixed, F.mixedInner, F.multiblock] + F.chunks
            ),
            Row("\(F.cbor)", "dag-scope=entity", [F.cbor]),
            Row("\(F.cbor)/foo/link", "dag-scope=entity", [F.cbor, F.cborFoo]),
            Row(
                "\(F.mixed)/subdir",
                "dag-scope=all",
                [F.mixed, F.mixedInner, F.ascii, F.hello, F.multiblock] + F.chunks
            ),
            Row(
                "\(F.mixed)/subdir/multiblock.txt",
                "dag-scope=all",
                [F.mixed, F.mixedInner, F.multiblock] + F.chunks
            ),
            Row("\(F.cbor)", "dag-scope=all", [F.cbor, F.cborFoo, F.cborBar]),
        ]

        static let entityBytes = [
            ("0:*", 0..<5), ("512:*", 2..<5), ("512:1023", 2..<4), ("512:-256", 2..<4),
            ("-5:*", 3..<5), ("-9999:*", 0..<5), ("-9999:-3", 0..<4), ("0:0", 0..<1),
            ("1025:1025", 4..<5), ("1000:9999", 3..<5),
        ].map { Row("\(F.multiblock)", "entity-bytes=\($0)", [F.multiblock] + F.chunks[$1]) }

        static let rows =
            pathing + scopes + entityBytes + [
                Row(
                    "\(F.mixed)/subdir/multiblock.txt",
                    "dag-scope=entity&entity-bytes=0:*",
                    [F.mixed, F.mixedInner, F.multiblock] + F.chunks
                )
            ]

        @Test("a CAR has the blocks that were asked for, in depth-first order", arguments: rows)
        func cars(row: Row) async throws {
            try await GatewayScene.run(F.cars()) { scene in
                try await Self.check(row, scene)
            }
        }

        /// Asks twice: by the address, and by `Accept`.
        static func check(_ row: Row, _ scene: GatewayScene) async throws {
            let separator = row.query.isEmpty ? "" : "&"
            let byAddress = try await scene.send(
                "/ipfs/\(row.target)?format=car\(separator)\(row.query)"
            )
            let byAccept = try await scene.send(
                "/ipfs/\(row.target)?\(row.query)",
                headers: [("Accept", "application/vnd.ipld.car")]
            )
            for reply in [byAddress, byAccept] {
                #expect(reply.status == 200)
                #expect(reply.isComplete)
                let car = try CARContent(reply.body)
                #expect(car.cids == row.blocks)
                #expect(car.isWhole)
                let type = "application/vnd.ipld.car; version=1; order=dfs; dups=n"
                #expect(reply["Content-Type"] == type)
                #expect(reply["X-Content-Type-Options"] == "nosniff")
                #expect(reply["Accept-Ranges"] == "none")
                let root = row.target.split(separator: "/")[0]
                #expect(
                    reply["Content-Disposition"] == "attachment; filename=\"\(root).car\""
                )
                #expect(reply["Etag"]?.hasPrefix("W/\"\(root).car.") == true)
            }
            #expect(byAddress["Etag"] == byAccept["Etag"])
            #expect(byAddress["Content-Location"] == nil)
            #expect(byAccept["Content-Location"]?.hasSuffix("format=car") == true)
        }

        @Test("the entity of a sharded directory is all of its nodes and nothing below")
        func shardedDirectories() async throws {
            let nodes = try F.hamtBlocks()
            #expect(nodes.count == 237)
            try await GatewayScene.run(F.cars()) { scene in
                for query in ["dag-scope=entity", "dag-scope=entity&entity-bytes=0:*"] {
                    try await Self.check(Row(F.hamt, query, nodes), scene)
                }
                try await Self.check(Row(F.hamt, "dag-scope=all", try F.hamtAll()), scene)
            }
        }

        // A file of three leaves, of which the middle one is missing.
        @Test(
            "bytes of a file are sent although a leaf beside them is missing",
            arguments: [("0:1000", 0), ("2200:*", 2), ("-10:*", 2)]
        )
        func missingNeighbor(bytes: String, leaf: Int) async throws {
            let file = LeafFile(count: 3, size: 1024, seed: 5)
            try await GatewayScene.run(["file": file.car(without: [1])]) { scene in
                let row = Row(
                    "\(file.root.cid)",
                    "dag-scope=entity&entity-bytes=\(bytes)",
                    [file.root.cid.description, file.leaves[leaf].cid.description]
                )
                try await Self.check(row, scene)
            }
        }

        // MARK: Order and duplicates

        static let withDuplicates =
            [F.duplicates, F.ascii, F.ascii, F.hello, F.multiblock] + F.chunks
        static let withoutDuplicates = [F.duplicates, F.ascii, F.hello, F.multiblock] + F.chunks

        @Test(
            "duplicates come if they are asked for, and the content type says so",
            arguments: [
                ("", "application/vnd.ipld.car; version=1; order=dfs; dups=y", true),
                ("", "application/vnd.ipld.car; version=1; order=dfs; dups=n", false),
                ("", "application/vnd.ipld.car; version=1; order=unk", false),
                ("?format=car", "application/vnd.ipld.car; version=1; order=dfs; dups=y", true),
                ("?format=car&car-order=dfs", "application/vnd.ipld.car; order=unk", false),
                ("?format=car&car-dups=y", "application/vnd.ipld.car; dups=n", true),
                ("?format=car&car-dups=n", "application/vnd.ipld.car; dups=y", false),
                ("?format=car", "application/vnd.ipld.raw", false),
            ]
        )
        func duplicates(query: String, accept: String, repeats: Bool) async throws {
            try await GatewayScene.run(F.cars()) { scene in
                let reply = try await scene.send(
                    "/ipfs/\(F.duplicates)\(query)",
                    headers: [("Accept", accept)]
                )
                #expect(reply.status == 200)
                let blocks = repeats ? Self.withDuplicates : Self.withoutDuplicates
                #expect(try CARContent(reply.body).cids == blocks)
                let type =
                    "application/vnd.ipld.car; version=1; order=dfs; dups=\(repeats ? "y" : "n")"
                #expect(reply["Content-Type"] == type)
            }
        }

        @Test(
            "an identity CID is no block of a CAR",
            arguments: ["bafkqaf3imvwgy3zaneqgc3janfxgy2lomvscay3jmqfa", "bafkqaaa"]
        )
        func identity(cid: String) async throws {
            try await GatewayScene.run { scene in
                for (query, repeats) in [("", "n"), ("&car-dups=y", "y")] {
                    let reply = try await scene.send("/ipfs/\(cid)?format=car\(query)")
                    #expect(reply.status == 200)
                    let car = try CARContent(reply.body)
                    #expect(car.cids == [])
                    #expect(car.roots.map(\.description) == [cid])
                    #expect(car.isWhole)
                    #expect(reply["Content-Type"]?.hasSuffix("dups=\(repeats)") == true)
                }
            }
        }

        @Test("the probe is answered in both formats")
        func probe() async throws {
            try await GatewayScene.run { scene in
                for method in [HTTPMethod.GET, .HEAD] {
                    let raw = try await scene.send("/ipfs/bafkqaaa?format=raw", method)
                    #expect(raw.status == 200)
                    #expect(raw.body == [])
                    #expect(raw["Content-Length"] == "0")
                    #expect(raw["Content-Type"] == "application/vnd.ipld.raw")
                    let car = try await scene.send("/ipfs/bafkqaaa?format=car", method)
                    #expect(car.status == 200)
                    #expect(car["Content-Type"]?.hasPrefix("application/vnd.ipld.car;") == true)
                    #expect(method == .HEAD || !car.body.isEmpty)
                }
            }
        }
    }
#endif
