#if Node
    import DAGGateway
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import NIOCore
    import NIOHTTP1
    import NIOPosix
    import SharedReads
    import TestSupport
    import Testing

    /// What a gateway does not do for its clients.
    @Suite("Gateway limits", .timeLimit(.minutes(10)))
    struct LimitTests {
        static var large: LeafFile { .large }
        static let small = LeafFile(count: 8, size: 1000, seed: 3)

        @Test("above the number of streams a CAR has status 429, and a block does not")
        func streams() async throws {
            let cars = ["large": Self.large.car(), "small": Self.small.car()]
            try await GatewayScene.run(cars) { configuration, _ in
                configuration.streamsMax = 1
                configuration.retryAfter = .milliseconds(2500)
            } body: { scene in
                let car = "/ipfs/\(Self.small.root.cid)?format=car"
                #expect(try await scene.send(car).status == 200)
                let stalled = StreamTests.request("/ipfs/\(Self.large.root.cid)?format=car")
                try await RawClient.stallAdmitted(stalled, scene.port) { channel in
                    try await eventually { try await scene.isBusy(car) }
                    let refused = try await scene.send(car)
                    #expect(refused.status == 429)
                    #expect(refused["Retry-After"] == "3")
                    #expect(try await scene.send("/piece/small").status == 429)
                    let block = "/ipfs/\(Self.small.root.cid)?format=raw"
                    #expect(try await scene.send(block).status == 200)
                    #expect(try await scene.send(car, .HEAD).status == 200)
                    #expect(try await scene.send("/health/livez").status == 200)
                }
                // Its client is gone, so the place is free.
                try await eventually { try await !scene.isBusy(car) }
            }
        }

        @Test("a client that reads nothing loses its connection")
        func slowClient() async throws {
            try await GatewayScene.run(["large": Self.large.car()]) { configuration, _ in
                configuration.slowClientTimeout = .milliseconds(200)
                configuration.streamsMax = 1
            } body: { scene in
                for target in ["/ipfs/\(Self.large.root.cid)?format=car", "/piece/large"] {
                    let before = scene.log.lines(
                        "The client takes too long; closing its connection"
                    )
                    try await RawClient.stallAdmitted(StreamTests.request(target), scene.port) {
                        _ in
                        await eventually {
                            scene.log.lines("The client takes too long; closing its connection")
                                .count
                                > before.count
                        }
                    }
                    // Its place is free again.
                    try await eventually { try await !scene.isBusy(target) }
                }
            }
        }

        @Test("an answer above the bytes of one request is refused, or ends early")
        func requestBytes() async throws {
            let cars = ["large": Self.large.car(), "small": Self.small.car()]
            try await GatewayScene.run(cars) { configuration, _ in
                configuration.requestBytesMax = 100_000
            } body: { scene in
                let leaf = Self.large.leaves[0]
                #expect(try await scene.send("/ipfs/\(leaf.cid)?format=raw").status == 413)
                #expect(try await scene.send("/piece/large").status == 413)
                let part = [("Range", "bytes=0-99999")]
                #expect(try await scene.send("/piece/large", headers: part).status == 206)
                let car = try await scene.send("/ipfs/\(Self.large.root.cid)?format=car")
                #expect(car.status == 200)
                #expect(!car.isComplete)
                #expect(car.body.count <= 100_000)
                #expect(scene.log.lines("The answer ends early").count == 1)
                let small = try await scene.send("/ipfs/\(Self.small.root.cid)?format=car")
                #expect(small.isComplete)
            }
        }

        @Test("after the bytes of a period requests have status 429 until it ends")
        func totalBytes() async throws {
            try await GatewayScene.run(["small": Self.small.car()]) { configuration, _ in
                configuration.totalBytesMax = 2500
                configuration.totalBytesPeriod = .seconds(1000)
            } body: { scene in
                for leaf in Self.small.leaves.prefix(3) {
                    #expect(try await scene.send("/ipfs/\(leaf.cid)?format=raw").status == 200)
                }
                for target in ["/ipfs/\(Self.small.root.cid)?format=car", "/piece/small"] {
                    let reply = try await scene.send(target)
                    #expect(reply.status == 429)
                    let seconds = try #require(reply["Retry-After"].flatMap { Int($0) })
                    #expect(seconds > 900 && seconds <= 1000)
                }
                #expect(try await scene.send("/health/livez").status == 200)
            }
            try await GatewayScene.run(["small": Self.small.car()]) { configuration, _ in
                configuration.totalBytesMax = 1
                configuration.totalBytesPeriod = .nanoseconds(1)
            } body: { scene in
                for leaf in Self.small.leaves {
                    let reply = try await scene.send("/ipfs/\(leaf.cid)?format=raw")
                    #expect(reply.status == 200)
                }
            }
        }

        @Test("an idle connection is closed, and one that waits for its answer is not")
        func idle() async throws {
            try await GatewayScene.run { configuration, _ in
                configuration.idleTimeout = .milliseconds(100)
            } body: { scene in
                // Without a request, and with the beginning of one.
                #expect(try await RawClient.exchange("", scene.port) == "")
                let begun = try await RawClient.exchange("GET / HTTP/1.1\r\nHost:", scene.port)
                #expect(!begun.hasPrefix("HTTP/1.1 2"))
                // After an answer, without asking for the end. A slow machine may close it before the request arrives.
                var text = ""
                while text.isEmpty {
                    text = try await RawClient.exchange(
                        StreamTests.request("/health/livez"),
                        scene.port
                    )
                }
                #expect(text.hasSuffix("alive\n"))
            }
        }

        @Test("above the number of connections a client waits for another to leave")
        func connections() async throws {
            try await GatewayScene.run { configuration, _ in
                configuration.connectionsMax = 2
            } body: { scene in
                let first = try await RawClient.connect(scene.port)
                let second = try await RawClient.connect(scene.port)
                async let third = RawClient.get("/health/livez", scene.port)
                for connection in [first, second] {
                    try await connection.executeThenClose { inbound, outbound in
                        let request = StreamTests.request("/health/livez")
                        try await outbound.write(ByteBuffer(string: request))
                        for try await _ in inbound { break }
                    }
                }
                #expect(try await third.hasSuffix("alive\n"))
            }
        }

        @Test("thousands of idle connections leave others their answers")
        func manyConnections() async throws {
            let (rounds, atOnce) = (20, 100)
            try await GatewayScene.run(["small": Self.small.car()]) { scene in
                let loops = MultiThreadedEventLoopGroup.singleton
                let bootstrap = ClientBootstrap(group: loops)
                var channels: [any Channel] = []
                // More at once than the server has not accepted yet would wait a second each.
                for _ in 0..<rounds {
                    let made = (0..<atOnce).map { _ in
                        bootstrap.connect(host: "127.0.0.1", port: scene.port)
                    }
                    channels += try await EventLoopFuture.whenAllSucceed(made, on: loops.next())
                        .get()
                }
                let reply = try await scene.send("/ipfs/\(Self.small.root.cid)?format=car")
                #expect(reply.isComplete)
                let closed = channels.map { $0.close() }
                _ = try await EventLoopFuture.whenAllComplete(closed, on: loops.next()).get()
            }
        }

        @Test("the readiness address follows what it is told")
        func readiness() async throws {
            let isReady = Lock(false)
            try await GatewayScene.run(readiness: isReady) { scene in
                #expect(try await scene.send("/health/readyz").status == 503)
                #expect(try await scene.send("/health/livez").status == 200)
                isReady.withLock { $0 = true }
                let reply = try await scene.send("/health/readyz")
                #expect(reply.status == 200)
                #expect(reply.text == "ready\n")
                #expect(reply["Cache-Control"] == "no-store")
            }
        }
    }

    extension GatewayScene {
        /// Whether a request for `target` is refused because of too many streams.
        func isBusy(_ target: String) async throws -> Bool { try await send(target).status == 429 }
    }

    /// Waits until a condition is true; each look at it takes as long as a request.
    private func eventually(_ condition: () async throws -> Bool) async rethrows {
        while try await !condition() {}
    }
#endif
