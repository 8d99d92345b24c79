#if Cluster
    internal import DAGSystem
    internal import Foundation
    internal import Synchronization
    package import Testing

    /// A PostgreSQL server in a temporary folder, which ends with its suite.
    ///
    /// The server refuses to run as root, so a test that runs as root starts it as `nobody`.
    package final class DatabaseServer: Sendable {
        /// The server of the running suite.
        @TaskLocal package static var current: DatabaseServer?

        /// Whether a server is installed.
        package static var isInstalled: Bool { programs != nil }

        /// The name of the superuser.
        package static let user = "dag"
        /// The password, which has characters that a URL escapes.
        package static let password = "p:w/?#@%"

        /// The port on loopback.
        package let port: Int
        private let folder: TemporaryFolder
        private let programs: String
        private let certificate: Bool
        private let isDurable: Bool
        private let databaseCount = Mutex(0)
        private let process = Mutex<Process?>(nil)

        /// The folder of the programs, newest version first.
        private static let programs: String? = {
            let root = "/usr/lib/postgresql"
            let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            return versions.sorted { Int($0) ?? 0 > Int($1) ?? 0 }.map { "\(root)/\($0)/bin" }
                .first { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") }
        }()

        /// Makes a cluster of databases, and starts its server.
        ///
        /// - Parameters:
        ///   - usesTLS: Whether the server has a certificate for `localhost`.
        ///   - isDurable: Whether the server waits until a commit is on disk.
        /// - Throws: An error if a program fails.
        package init(usesTLS: Bool = false, isDurable: Bool = false) async throws {
            programs = try #require(Self.programs)
            self.isDurable = isDurable
            folder = try TemporaryFolder()
            certificate = usesTLS
            port = try Self.freePort()
            let secret = try folder.write(Array(Self.password.utf8), to: "password")
            if usesTLS {
                try makeCertificate("server")
                try makeCertificate("other")
            }
            try giveAway(folder.url.path)
            try run(
                "initdb",
                [
                    "-D", data, "-U", Self.user, "-A", "scram-sha-256", "--pwfile", secret, "-E",
                    "UTF8", "--locale=C", "--no-sync",
                ]
            )
            try await start()
        }

        deinit { stop(SIGKILL) }

        private var data: String { folder.path(of: "data") }

        /// The certificate of the authority that signed the server's.
        package var authority: String { folder.path(of: "server.crt") }

        /// Another certificate, which signed nothing of the server.
        package var otherAuthority: String { folder.path(of: "other.crt") }

        /// Starts the server, and waits until it answers.
        package func start() async throws {
            let process = try launch()
            try await eventually {
                try #require(process.isRunning, "the database server ended")
                return try isReady
            }
        }

        /// Starts the server after a `SIGKILL`, and waits until it answers.
        ///
        /// The first process leaves others behind. Until they have ended, the server refuses to start.
        package func startAfterKill() async throws {
            var process = try launch()
            try await eventually {
                if !process.isRunning { process = try launch() }
                return try isReady && process.isRunning
            }
        }

        private var isReady: Bool {
            get throws {
                try status("pg_isready", ["-q", "-h", folder.url.path, "-p", "\(port)"]) == 0
            }
        }

        private func launch() throws -> Process {
            var arguments = [
                "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port=\(port)", "-c",
                "unix_socket_directories=\(folder.url.path)", "-c",
                "fsync=\(isDurable ? "on" : "off")", "-c", "max_connections=200",
            ]
            if certificate {
                arguments += [
                    "-c", "ssl=on", "-c", "ssl_cert_file=\(folder.path(of: "server.crt"))", "-c",
                    "ssl_key_file=\(folder.path(of: "server.key"))",
                ]
            }
            let process = try prepared("postgres", arguments)
            try process.run()
            self.process.withLock { $0 = process }
            return process
        }

        /// Ends the server with a signal: `SIGINT` closes all sessions, `SIGKILL` leaves no time for it.
        package func stop(_ signal: CInt = SIGINT) {
            let process = process.withLock { process in
                defer { process = nil }
                return process
            }
            guard let process else { return }
            kill(process.processIdentifier, signal)
            process.waitUntilExit()
        }

        /// Ends the server at once, as a crash does: `start` finds an unclean shutdown.
        package func crash() { stop(SIGQUIT) }

        /// Creates an empty database.
        ///
        /// - Parameter volume: An empty folder for its tables; nil for the server's own. The log stays with the server.
        /// - Returns: Its address.
        /// - Throws: An error if a program fails.
        package func makeDatabase(on volume: String? = nil) throws -> String {
            let number = databaseCount.withLock { count in
                count += 1
                return count
            }
            let name = "test\(number)"
            var place = ""
            if let volume {
                try giveAway(volume)
                try query("CREATE TABLESPACE \(name) LOCATION '\(volume)'", in: "postgres")
                place = " TABLESPACE \(name)"
            }
            try query("CREATE DATABASE \(name)\(place)", in: "postgres")
            return address(of: name)
        }

        /// The address of a database.
        ///
        /// - Parameters:
        ///   - name: The database.
        ///   - user: The user and the password, as a URL has them.
        ///   - port: The port of the server, or of a proxy before it.
        ///   - options: What follows the question mark.
        /// - Returns: A URL.
        package func address(
            of name: String,
            user: String? = nil,
            port: Int? = nil,
            options: String = "sslmode=prefer"
        ) -> String {
            let secret = Self.password.utf8.map { "%" + String($0, radix: 16) }.joined()
            return "postgresql://\(user ?? "\(Self.user):\(secret)")@127.0.0.1:\(port ?? self.port)"
                + "/\(name)?\(options)"
        }

        /// Runs SQL with the server's own client.
        ///
        /// - Returns: The rows as text, without headers.
        @discardableResult
        package func query(_ sql: String, in database: String) throws -> String {
            let options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
            return try run("psql", options + [address(of: database)])
        }

        // MARK: Programs

        private func makeCertificate(_ name: String) throws {
            let arguments = [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                folder.path(of: "\(name).key"), "-out", folder.path(of: "\(name).crt"),
            ]
            try Self.finish(Self.process("/usr/bin/openssl", arguments))
        }

        /// Makes a folder the property of the user that runs the server.
        private func giveAway(_ path: String) throws {
            guard getuid() == 0 else { return }
            try Self.finish(Self.process("/bin/chown", ["-R", "nobody", path]))
        }

        private func prepared(_ name: String, _ arguments: [String]) throws -> Process {
            let program = "\(programs)/\(name)"
            guard getuid() == 0 else { return Self.process(program, arguments) }
            let prefix = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", program]
            return Self.process("/usr/bin/setpriv", prefix + arguments)
        }

        private func status(_ name: String, _ arguments: [String]) throws -> CInt {
            let process = try prepared(name, arguments)
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }

        @discardableResult
        private func run(_ name: String, _ arguments: [String]) throws -> String {
            try Self.finish(prepared(name, arguments))
        }

        private static func process(_ path: String, _ arguments: [String]) -> Process {
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            process.currentDirectoryURL = URL(filePath: "/")
            return process
        }

        @discardableResult
        private static func finish(_ process: Process) throws -> String {
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            let text = String(decoding: bytes, as: UTF8.self)
            try #require(process.terminationStatus == 0, "\(process.arguments ?? []): \(text)")
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// A port that was free a moment ago.
        private static func freePort() throws -> Int {
            let socket = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = unsafe withUnsafeMutablePointer(to: &address) { address in
                // SAFETY: one address, whose size the calls get.
                unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe bind(socket, address, size) | getsockname(socket, address, &size)
                }
            }
            try #require(code == 0)
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    /// Starts a server for a suite, and ends it afterwards.
    package struct DatabaseServerTrait: SuiteTrait, TestScoping {
        let usesTLS: Bool

        package func provideScope(
            for test: Test,
            testCase: Test.Case?,
            performing body: @Sendable () async throws -> Void
        ) async throws {
            let server = try await DatabaseServer(usesTLS: usesTLS)
            try await DatabaseServer.$current.withValue(server) { try await body() }
            server.stop()
        }
    }

    extension Trait where Self == DatabaseServerTrait {
        /// A database server of the suite's own.
        package static func databaseServer(usesTLS: Bool = false) -> Self {
            DatabaseServerTrait(usesTLS: usesTLS)
        }
    }
#endif
