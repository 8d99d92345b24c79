#if Node
    import AsyncHTTPClient
    import DAGGateway
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import Logging
    import NIOCore
    import NIOHTTP1
    import SharedReads
    import SystemPackage
    import TestSupport

    /// A running gateway over a store of a test's own.
    struct GatewayScene: Sendable {
        let folder: TemporaryFolder
        let store: DAGStore
        let port: Int
        let log: LogCollector
        var origin: String
        var client = HTTPClient.shared

        /// Runs a gateway with the usual configuration.
        static func run(
            _ cars: [String: [UInt8]] = [:],
            readiness: Lock<Bool> = Lock(true),
            _ body: @escaping @Sendable (GatewayScene) async throws -> Void
        ) async throws {
            try await run(cars, readiness: readiness, { _, _ in }, body: body)
        }

        /// Runs a gateway on a port that the system chooses, and `body` beside it.
        ///
        /// - Parameters:
        ///   - cars: The CARs of the shards, by key.
        ///   - readiness: What the readiness address says.
        ///   - change: Changes the configuration.
        ///   - body: The test.
        /// - Throws: The error of the test, or of the gateway's start.
        static func run(
            _ cars: [String: [UInt8]] = [:],
            readiness: Lock<Bool> = Lock(true),
            _ change: (inout GatewayConfiguration, TemporaryFolder) throws -> Void,
            body: @escaping @Sendable (GatewayScene) async throws -> Void
        ) async throws {
            // As `dagstore serve` does: a file that becomes shorter must not end the process.
            MappingGuard.install()
            let folder = try TemporaryFolder()
            let store = try DAGStore.open(
                at: FilePath(folder.path(of: "store")),
                configuration: storeConfiguration
            )
            for (key, bytes) in cars {
                let path = FilePath(try folder.write(bytes, to: "\(key).car"))
                try await store.register(ShardKey(key), from: DAGMounts.FileMount(path))
            }
            let log = LogCollector()
            var configuration = GatewayConfiguration()
            configuration.port = 0
            // A test that shares the machine with hundreds of others may be slow to read.
            configuration.slowClientTimeout = .seconds(600)
            configuration.idleTimeout = .seconds(600)
            try change(&configuration, folder)
            let (ports, tellPort) = AsyncStream<Int>.makeStream()
            let gateway = try Gateway(
                store: store,
                configuration: configuration,
                logger: Logger(label: "test") { _ in log.handler },
                isReady: { readiness.withLock { $0 } },
                onListening: { _, port in
                    tellPort.yield(port)
                    tellPort.finish()
                }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { tellPort.finish() }
                    try await gateway.run()
                }
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else {
                    try await group.waitForAll()
                    throw Failure.noPort
                }
                let scene = GatewayScene(
                    folder: folder,
                    store: store,
                    port: port,
                    log: log,
                    origin: "http://127.0.0.1:\(port)"
                )
                let outcome: Result<Void, any Error>
                do {
                    outcome = .success(try await body(scene))
                } catch {
                    outcome = .failure(error)
                }
                group.cancelAll()
                while let _ = await group.nextResult() {}
                try outcome.get()
            }
            await store.close()
        }

        private enum Failure: Error { case noPort }

        private static var storeConfiguration: DAGStorage.Configuration {
            var configuration = DAGStorage.Configuration()
            configuration.mapSize = 1 << 32
            configuration.durability = .relaxed
            configuration.sourceCheckInterval = .zero
            return configuration
        }

        /// The answer to a request.
        struct Reply: Sendable {
            var status: Int
            var headers: HTTPHeaders
            var body: [UInt8]
            /// Whether the body came to its end.
            var isComplete = true
            var version: HTTPVersion

            subscript(name: String) -> String? { headers.first(name: name) }
            /// The body as text.
            var text: String { String(decoding: body, as: UTF8.self) }
        }

        /// Sends a request, and collects the answer.
        ///
        /// - Throws: An error of the client before the head; afterwards the reply is incomplete.
        func send(
            _ target: String,
            _ method: HTTPMethod = .GET,
            headers: [(String, String)] = []
        ) async throws -> Reply {
            var request = HTTPClientRequest(url: "\(origin)\(target)")
            request.method = method
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            let response = try await client.execute(request, timeout: .seconds(60))
            var reply = Reply(
                status: Int(response.status.code),
                headers: response.headers,
                body: [],
                version: response.version
            )
            do {
                for try await part in response.body {
                    reply.body += part.readableBytesView
                }
            } catch {
                reply.isComplete = false
            }
            return reply
        }
    }
#endif
