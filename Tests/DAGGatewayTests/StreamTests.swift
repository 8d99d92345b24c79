#if Node
    import DAGGateway
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import Logging
    import NIOCore
    import NIOHTTP1
    import SystemPackage
    import TestSupport
    import Testing

    /// Answers that take a while, and what may happen to them.
    @Suite("Gateway streams", .timeLimit(.minutes(3)))
    struct StreamTests {
        static var large: LeafFile { .large }
        static let small = LeafFile(count: 8, size: 1000, seed: 3)

        static func request(_ target: String) -> String {
            "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n"
        }

        @Test("a CAR of many chunks arrives whole")
        func large() async throws {
            let file = Self.large
            try await GatewayScene.run(["large": file.car()]) { scene in
                let reply = try await scene.send("/ipfs/\(file.root.cid)?format=car")
                #expect(reply.isComplete)
                let car = try CARContent(reply.body)
                #expect(
                    car.cids == [file.root.cid.description] + file.leaves.map(\.cid.description)
                )
                #expect(car.isWhole)
                #expect(car.roots == [file.root.cid])
            }
        }

        @Test("a block larger than a chunk arrives whole and in parts", arguments: [false, true])
        func largeBlock(verifies: Bool) async throws {
            let block = CARBuilder.Block.raw([UInt8](repeating: 7, count: (1 << 20) + 3))
            let car = CARBuilder(roots: [block.cid], blocks: [block]).bytes
            try await GatewayScene.run(["a": car]) { configuration, _ in
                configuration.verifiesBlocks = verifies
            } body: { scene in
                let target = "/ipfs/\(block.cid)?format=raw"
                let reply = try await scene.send(target)
                #expect(reply.status == 200)
                #expect(reply.body == block.data)
                let part = try await scene.send(target, headers: [("Range", "bytes=5-900000")])
                #expect(part.status == 206)
                #expect(part.body == Array(block.data[5...900_000]))
            }
        }

        @Test("a DAG whose codec is unknown has its blocks, and no CAR of what is below")
        func unknownCodec() async throws {
            let block = CARBuilder.Block.hashed([1, 2, 3], codec: 0x3f42, hashCode: 0x12)
            let car = CARBuilder(roots: [block.cid], blocks: [block]).bytes
            try await GatewayScene.run(["a": car]) { scene in
                let raw = try await scene.send("/ipfs/\(block.cid)?format=raw")
                #expect(raw.body == block.data)
                let target = "/ipfs/\(block.cid)?format=car"
                let one = try await scene.send("\(target)&dag-scope=block")
                #expect(try CARContent(one.body).cids == [block.cid.description])
                #expect(try await scene.send(target).status == 400)
                let path = try await scene.send("/ipfs/\(block.cid)/a?format=car")
                #expect(path.status == 400)
            }
        }

        // MARK: Faults

        @Test("a missing child ends the stream without its end, and the log says which")
        func missingChild() async throws {
            let file = Self.small
            try await GatewayScene.run(["a": file.car(without: [5])]) { scene in
                let target = "/ipfs/\(file.root.cid)?format=car"
                let reply = try await scene.send(target)
                #expect(reply.status == 200)
                #expect(!reply.isComplete)
                let text = try await RawClient.exchange(Self.request(target), scene.port)
                #expect(text.hasPrefix("HTTP/1.1 200 "))
                #expect(!text.hasSuffix("\r\n0\r\n\r\n"))
                let lines = scene.log.lines("The answer ends early")
                #expect(lines.count == 2)
                #expect(lines.allSatisfy { $0.level == .warning })
                let missing = file.leaves[5].cid.description
                #expect(lines.allSatisfy { $0.metadata["error"]?.contains(missing) == true })
                #expect(lines.first?.metadata["request-id"] == reply["X-Request-Id"])
                #expect(lines.first?.metadata["target"] == target)
                // The blocks before it did arrive.
                #expect(try CARContent(reply.body).cids.first == file.root.cid.description)
                let bytes = try await scene.send("\(target)&entity-bytes=0:999")
                #expect(bytes.isComplete)
            }
        }

        @Test("wrong bytes are refused, or end the stream, where blocks are verified")
        func wrongBytes() async throws {
            let file = Self.small
            var damaged = CARBuilder(roots: [file.root.cid], blocks: [file.root] + file.leaves)
            damaged.blocks[4].data[0] ^= 1
            let car = damaged.bytes
            try await GatewayScene.run(["a": car]) { configuration, _ in
                configuration.verifiesBlocks = true
            } body: { scene in
                let raw = try await scene.send("/ipfs/\(file.leaves[3].cid)?format=raw")
                #expect(raw.status == 502)
                let good = try await scene.send("/ipfs/\(file.leaves[2].cid)?format=raw")
                #expect(good.status == 200)
                let reply = try await scene.send("/ipfs/\(file.root.cid)?format=car")
                #expect(reply.status == 200)
                #expect(!reply.isComplete)
            }
        }

        /// Returns the content of an answer, as far as it came.
        private static func content(_ answer: [UInt8], isChunked: Bool) -> [UInt8] {
            guard let head = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
            var rest = answer[head.upperBound...]
            guard isChunked else { return Array(rest) }
            var content: [UInt8] = []
            while let line = rest.firstIndex(of: UInt8(ascii: "\r")),
                let size = Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16)
            {
                rest = rest[line...].dropFirst(2)
                content += rest.prefix(size)
                rest = rest.dropFirst(size + 2)
            }
            return content
        }

        @Test(
            "a file that becomes shorter ends the stream and not the process",
            arguments: ["car", "piece"]
        )
        func shorterFile(kind: String) async throws {
            let file = Self.large
            try await GatewayScene.run(["large": file.car()]) { scene in
                let target =
                    kind == "car" ? "/ipfs/\(file.root.cid)?format=car" : "/piece/large"
                let connection = try await RawClient.connect(scene.port)
                let received = try await connection.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: Self.request(target)))
                    var received: [UInt8] = []
                    do {
                        for try await part in inbound {
                            if received.isEmpty {
                                let path = scene.folder.path(of: "large.car")
                                try FileHandle(forWritingTo: URL(filePath: path)).truncate(
                                    atOffset: 4 << 20
                                )
                            }
                            received += part.readableBytesView
                        }
                    } catch let error where !(error is CocoaError) {
                        // The server reset the connection.
                    }
                    return received
                }
                let content = Self.content(received, isChunked: kind == "car")
                #expect(content.count > 0)
                #expect(content.count < file.leaves.count * (256 << 10))
                // No byte of another place stands for one that is gone.
                #expect(file.car().starts(with: content))
                await eventually { !scene.log.lines("The answer ends early").isEmpty }
                #expect(try await scene.send("/health/livez").status == 200)
            }
        }

        /// Destroys the shard `large` at the first moment when no walk holds a lease on it.
        private static func destroyLarge(in store: DAGStore) async throws {
            try await eventually {
                do {
                    try await store.destroy(ShardKey("large"))
                    return true
                } catch let error as DAGStoreError where error.code == .shardInUse {
                    return false
                }
            }
        }

        @Test("a shard that is destroyed while it is sent ends the stream or serves it to its end")
        func destroyedShard() async throws {
            let file = Self.large
            try await GatewayScene.run(["large": file.car()]) { scene in
                for target in ["/ipfs/\(file.root.cid)?format=car", "/piece/large"] {
                    if try scene.store.status(of: ShardKey("large")) == nil {
                        let path = FilePath(scene.folder.path(of: "large.car"))
                        try await scene.store.register(
                            ShardKey("large"),
                            from: DAGMounts.FileMount(path)
                        )
                    }
                    let connection = try await RawClient.connect(scene.port)
                    try await connection.executeThenClose { inbound, outbound in
                        try await outbound.write(ByteBuffer(string: Self.request(target)))
                        var received = 0
                        do {
                            for try await part in inbound {
                                if received == 0 { try await Self.destroyLarge(in: scene.store) }
                                received += part.readableBytes
                                if received > file.leaves.count * (256 << 10) { break }
                            }
                        } catch let error where !(error is DAGStoreError) {
                            // The server reset the connection.
                        }
                        #expect(received > 0)
                    }
                }
                #expect(try await scene.send("/health/livez").status == 200)
                #expect(try await scene.send("/piece/large").status == 404)
            }
        }

        // MARK: Pieces

        @Test("a piece is the whole file, or the part that was asked for")
        func pieces() async throws {
            let file = Self.small
            let plain = CARBuilder(roots: [file.root.cid], blocks: [file.root] + file.leaves)
            let cars = ["one": plain.bytes, "two": plain.encoded(version: 2)]
            try await GatewayScene.run(cars) { scene in
                for (key, bytes) in cars {
                    let whole = try await scene.send("/piece/\(key)")
                    #expect(whole.status == 200)
                    #expect(whole.body == bytes)
                    #expect(whole["Content-Length"] == "\(bytes.count)")
                    #expect(whole["Accept-Ranges"] == "bytes")
                    let tag = try #require(whole["Etag"])
                    let part = try await scene.send(
                        "/piece/\(key)",
                        headers: [("Range", "bytes=10-99"), ("If-Range", tag)]
                    )
                    #expect(part.status == 206)
                    #expect(part.body == Array(bytes[10...99]))
                    #expect(part["Content-Range"] == "bytes 10-99/\(bytes.count)")
                    let end = try await scene.send(
                        "/piece/\(key)",
                        headers: [("Range", "bytes=-7")]
                    )
                    #expect(end.body == bytes.suffix(7))
                    let known = try await scene.send(
                        "/piece/\(key)",
                        headers: [("If-None-Match", tag)]
                    )
                    #expect(known.status == 304)
                    let outside = try await scene.send(
                        "/piece/\(key)",
                        headers: [("Range", "bytes=\(bytes.count)-")]
                    )
                    #expect(outside.status == 416)
                    let head = try await scene.send("/piece/\(key)", .HEAD)
                    #expect(head["Content-Length"] == "\(bytes.count)")
                    #expect(head["Etag"] == tag)
                }
            }
        }
    }
#endif
