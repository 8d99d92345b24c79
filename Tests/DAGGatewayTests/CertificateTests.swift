#if Node
    import AsyncHTTPClient
    import DAGGateway
    import DAGStorage
    import Foundation
    import Logging
    import NIOCore
    import NIOSSL
    import ServiceLifecycle
    import SystemPackage
    import TestSupport
    import Testing

    /// The program that makes certificates.
    enum OpenSSL {
        static let path = "/usr/bin/openssl"
        static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }
    }

    /// The certificate of a gateway: what is refused at the start, and what happens when its files change.
    @Suite(
        "Gateway certificates",
        .timeLimit(.minutes(2)),
        .enabled(if: OpenSSL.isInstalled)
    )
    struct CertificateTests {
        /// Makes `certificate.pem` and `key.pem`, or others with a prefix.
        static func makeCertificate(in folder: TemporaryFolder, prefix: String = "") throws {
            let process = Process()
            process.executableURL = URL(filePath: OpenSSL.path)
            process.arguments = [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
                "-days", "2", "-keyout", folder.path(of: "\(prefix)key.pem"),
                "-out", folder.path(of: "\(prefix)certificate.pem"),
            ]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }

        @Test("files that are no certificate and its key are refused, and the error says why")
        func refused() async throws {
            let folder = try TemporaryFolder()
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")))
            try Self.makeCertificate(in: folder)
            try Self.makeCertificate(in: folder, prefix: "other-")
            let text = try folder.write(Array("no PEM".utf8), to: "text")
            let certificate = folder.path(of: "certificate.pem")
            let key = folder.path(of: "key.pem")
            let other = folder.path(of: "other-key.pem")
            let missing = folder.path(of: "none")
            func problem(_ certificate: String, _ key: String) throws -> String? {
                var configuration = GatewayConfiguration()
                configuration.certificatePath = certificate
                configuration.keyPath = key
                let logger = Logger(label: "test")
                let error = #expect(throws: DAGStoreError.self) {
                    _ = try Gateway(store: store, configuration: configuration, logger: logger)
                }
                #expect(error?.code == .invalidConfiguration)
                return error?.message
            }
            #expect(
                try problem(text, key) == "TLS: \(text) contains no certificate in PEM"
            )
            #expect(
                try problem(certificate, text)
                    == "TLS: \(text) contains no private key in PEM without a passphrase"
            )
            #expect(
                try problem(certificate, other)
                    == "TLS: \(other) is not the key of the certificate in \(certificate)"
            )
            #expect(
                try problem(missing, key) == "TLS: \(missing): No such file or directory"
            )
            await store.close()
        }

        @Test("a certificate and a key that replace the others are used; a half of them is not")
        func replaced() async throws {
            try await GatewayScene.run { configuration, folder in
                try Self.makeCertificate(in: folder)
                try Self.makeCertificate(in: folder, prefix: "old-")
                try Self.makeCertificate(in: folder, prefix: "new-")
                for name in ["certificate.pem", "key.pem"] {
                    try Self.replace(name, by: "old-", in: folder)
                }
                configuration.certificatePath = folder.path(of: "certificate.pem")
                configuration.keyPath = folder.path(of: "key.pem")
            } body: { scene in
                func accepts(_ prefix: String) async -> Bool {
                    let path = scene.folder.path(of: "\(prefix)certificate.pem")
                    var options = HTTPClient.Configuration()
                    options.tlsConfiguration = .makeClientConfiguration()
                    options.tlsConfiguration?.trustRoots = .file(path)
                    // Each client shakes hands anew.
                    let client = HTTPClient(configuration: options)
                    var secure = scene
                    secure.client = client
                    secure.origin = "https://localhost:\(scene.port)"
                    let reply = try? await secure.send("/health/livez")
                    try? await client.shutdown()
                    return reply?.status == 200
                }
                #expect(await accepts("old-"))
                #expect(await !accepts("new-"))
                try Self.replace("certificate.pem", by: "new-", in: scene.folder)
                try await eventually {
                    _ = await accepts("old-")
                    return !scene.log.lines("The new certificate cannot be used").isEmpty
                }
                #expect(await accepts("old-"))
                try Self.replace("key.pem", by: "new-", in: scene.folder)
                try await eventually { await accepts("new-") }
                #expect(await !accepts("old-"))
                #expect(scene.log.lines("The certificate was replaced").count == 1)
                #expect(scene.log.lines("The new certificate cannot be used").count == 1)
            }
        }

        // The timer of idle connections, and the end of the server, are matters of HTTP: both came after the handshake.
        @Test("a client that never begins the handshake loses its connection")
        func silentClient() async throws {
            try await GatewayScene.run { configuration, folder in
                try Self.makeCertificate(in: folder)
                configuration.certificatePath = folder.path(of: "certificate.pem")
                configuration.keyPath = folder.path(of: "key.pem")
                configuration.idleTimeout = .milliseconds(100)
            } body: { scene in
                // Nothing, and the beginning of a handshake record.
                for bytes in ["", "\u{16}\u{3}\u{1}"] {
                    let answer = try await RawClient.exchange(bytes, scene.port)
                    #expect(answer == "")
                }
            }
        }

        @Test("a client that never begins the handshake does not keep the gateway from ending")
        func silentClientAtTheEnd() async throws {
            let folder = try TemporaryFolder()
            try Self.makeCertificate(in: folder)
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")))
            var configuration = GatewayConfiguration()
            configuration.port = 0
            configuration.certificatePath = folder.path(of: "certificate.pem")
            configuration.keyPath = folder.path(of: "key.pem")
            configuration.idleTimeout = .seconds(3600)
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
                let silent = try await RawClient.connect(port)
                try await silent.executeThenClose { inbound, _ in
                    await services.triggerGracefulShutdown()
                    for try await _ in inbound { Issue.record("an answer without a request") }
                }
                try await group.waitForAll()
            }
            await store.close()
        }

        private static func replace(
            _ name: String,
            by prefix: String,
            in folder: TemporaryFolder
        ) throws {
            let bytes = try Data(contentsOf: URL(filePath: folder.path(of: prefix + name)))
            try bytes.write(to: URL(filePath: folder.path(of: name)), options: .atomic)
        }
    }
#endif
