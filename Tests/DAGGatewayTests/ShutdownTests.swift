#if Node
    import DAGGateway
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Logging
    import NIOCore
    import ServiceLifecycle
    import SystemPackage
    import TestSupport
    import Testing

    /// The end of a gateway that a service group runs.
    @Suite("Gateway shutdown", .timeLimit(.minutes(2)))
    struct ShutdownTests {
        @Test("a graceful shutdown lets a stream go on to its end, and closes idle connections")
        func graceful() async throws {
            let file = StreamTests.large
            let folder = try TemporaryFolder()
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")))
            let path = FilePath(try folder.write(file.car(), to: "a.car"))
            try await store.register(ShardKey("a"), from: DAGMounts.FileMount(path))
            var configuration = GatewayConfiguration()
            configuration.port = 0
            let (ports, tellPort) = AsyncStream<Int>.makeStream()
            let gateway = try Gateway(
                store: store,
                configuration: configuration,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                onListening: { _, port in tellPort.yield(port) }
            )
            let services = ServiceGroup(
                services: [gateway],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                var iterator = ports.makeAsyncIterator()
                let port = try #require(await iterator.next())
                let idle = try await RawClient.connect(port)
                let stream = try await RawClient.connect(port)
                let target = "/ipfs/\(file.root.cid)?format=car"
                let received = try await stream.executeThenClose { inbound, outbound in
                    let request = ByteBuffer(string: StreamTests.request(target))
                    try await outbound.write(request)
                    var received: [UInt8] = []
                    for try await part in inbound {
                        if received.isEmpty { await services.triggerGracefulShutdown() }
                        received += part.readableBytesView
                    }
                    return received
                }
                #expect(received.count > 96 * (256 << 10))
                #expect(received.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8.suffix(7)))
                try await idle.executeThenClose { inbound, _ in
                    for try await _ in inbound { Issue.record("an answer without a request") }
                }
                try await group.waitForAll()
            }
            await store.close()
        }
    }
#endif
