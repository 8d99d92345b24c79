#if Node
    import AsyncHTTPClient
    import DAGGateway
    import DAGStorage
    import Foundation
    import Logging
    import NIOHTTP1
    import NIOSSL
    import SystemPackage
    import TestSupport
    import Testing

    /// What a gateway's configuration decides beside limits: checks, TLS and HTTP/2.
    @Suite("Gateway configuration", .timeLimit(.minutes(2)))
    struct ConfigurationTests {
        static let small = LeafFile(count: 8, size: 1000, seed: 3)

        static let invalid: [@Sendable (inout GatewayConfiguration) -> Void] = [
            { $0.streamsMax = 0 }, { $0.connectionsMax = 0 }, { $0.requestBytesMax = 0 },
            { $0.totalBytesMax = 0 }, { $0.slowClientTimeout = .zero },
            { $0.idleTimeout = .seconds(-1) }, { $0.fetchTimeout = .zero },
            { $0.retryAfter = .zero }, { $0.totalBytesPeriod = .zero },
            { $0.idleTimeout = .seconds(Int64.max) }, { $0.certificatePath = "a" },
            { $0.keyPath = "a" },
            {
                $0.certificatePath = "/none.pem"
                $0.keyPath = "/none.pem"
            },
        ]

        @Test("a configuration that cannot work is refused", arguments: invalid.indices)
        func refused(index: Int) throws {
            let folder = try TemporaryFolder()
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")))
            var configuration = GatewayConfiguration()
            Self.invalid[index](&configuration)
            #expect(throws: DAGStoreError(.invalidConfiguration, "")) {
                _ = try Gateway(
                    store: store,
                    configuration: configuration,
                    logger: Logger(label: "test")
                )
            }
        }

        @Test("a port that is taken is an error of the run")
        func takenPort() async throws {
            try await GatewayScene.run { scene in
                var configuration = GatewayConfiguration()
                configuration.port = scene.port
                let other = try Gateway(
                    store: scene.store,
                    configuration: configuration,
                    logger: Logger(label: "test")
                )
                await #expect(throws: (any Error).self) { try await other.run() }
            }
        }

        @Test(
            "with a certificate the gateway serves HTTP/2 and HTTP/1.1 over TLS",
            .enabled(if: OpenSSL.isInstalled),
            arguments: [HTTPVersion.http1_1, .http2]
        )
        func encrypted(version: HTTPVersion) async throws {
            let small = Self.small
            try await GatewayScene.run(["small": small.car()]) { configuration, folder in
                try CertificateTests.makeCertificate(in: folder)
                configuration.certificatePath = folder.path(of: "certificate.pem")
                configuration.keyPath = folder.path(of: "key.pem")
            } body: { scene in
                var options = HTTPClient.Configuration()
                options.tlsConfiguration = .makeClientConfiguration()
                options.tlsConfiguration?.certificateVerification = .none
                options.httpVersion = version == .http2 ? .automatic : .http1Only
                let client = HTTPClient(configuration: options)
                var secure = scene
                secure.client = client
                secure.origin = "https://localhost:\(scene.port)"
                let car = try await secure.send("/ipfs/\(small.root.cid)?format=car")
                let raw = try await secure.send("/ipfs/\(small.root.cid)?format=raw")
                let head = try await secure.send("/ipfs/\(small.root.cid)?format=car", .HEAD)
                let none = try await secure.send("/ipfs/\(small.leaves[0].cid)/a?format=raw")
                try await client.shutdown()
                #expect(car.version == version)
                #expect(try CARContent(car.body).cids.count == 9)
                #expect(car.isComplete)
                #expect(raw.body == small.root.data)
                #expect(head.status == 200)
                #expect(none.status == 400)
            }
        }
    }
#endif
