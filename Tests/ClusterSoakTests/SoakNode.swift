#if Cluster && Node
    import Foundation
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    /// A node of a soak: a process of the program, its store, and a proxy of its own before the database.
    final class SoakNode: Sendable {
        private struct State {
            var process: NodeProcess?
            var url: String?
            /// Rises when the process begins to serve, and when a fault ends that.
            var generation = 0
        }

        let name: String
        let store: String
        let proxy: DatabaseProxy
        private let environment: [String: String]
        private let state = Mutex(State())

        /// Short intervals, so that a run has many of each: leases of 3 s, and death after 3 s of silence.
        static let times = [
            "beat:500", "deadAfter:3000", "poll:50", "lease:3000", "retry:200", "merge:1000",
            "compare:2000", "sweep:3000", "grace:5000",
        ].joined(separator: ",")

        init(
            _ name: String,
            in folder: TemporaryFolder,
            server: DatabaseServer,
            database: String,
            environment: [String: String] = [:]
        ) async throws {
            self.name = name
            store = folder.path(of: name)
            proxy = try await DatabaseProxy(to: server.port)
            self.environment = [
                "DAGSTORE_CLUSTER": server.address(
                    of: database,
                    port: proxy.port,
                    options: SoakScene.options
                ),
                "DAGSTORE_CLUSTER_TIMES": Self.times,
            ].merging(environment) { $1 }
        }

        /// Where the node serves, and since which change; nil while a fault keeps it from that.
        var place: (url: String, generation: Int)? {
            state.withLock { state in state.url.map { ($0, state.generation) } }
        }

        /// The log of the running process.
        var log: String { state.withLock { $0.process?.errorText ?? "" } }

        /// Starts the node, and waits until it listens.
        func start() async throws {
            let process = try NodeProcess(
                [
                    "serve", "--store", store, "--listen", "127.0.0.1:0", "--cluster-name", name,
                    "--format", "json", "--drain", "3",
                ],
                environment: environment
            )
            state.withLock { $0.process = process }
            let url = try #require(await process.url(), "\(name): \(process.errorText)")
            state.withLock { state in
                state.url = url
                state.generation += 1
            }
        }

        /// Says that the node need not answer from now on.
        private func end() -> NodeProcess? {
            state.withLock { state in
                state.url = nil
                state.generation += 1
                return state.process
            }
        }

        /// Kills the process.
        func kill() async {
            guard let process = end() else { return }
            process.send(SIGKILL)
            _ = await process.end()
        }

        /// Kills the process at once; `kill` waits for its end.
        func killAtOnce() { end()?.send(SIGKILL) }

        /// Ends the process in order.
        ///
        /// - Returns: The exit status.
        func terminate() async -> Int32? {
            guard let process = end() else { return nil }
            process.send(SIGTERM)
            return await process.end()
        }

        /// Lets the process stand still, or go on; its requests wait meanwhile.
        func send(_ signal: Int32) { state.withLock { $0.process?.send(signal) } }

        /// The number of the node: 16 bytes in hexadecimal digits.
        func number() throws -> String {
            let path = store + "/CLUSTER"
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("node ") })
            return String(line.dropFirst(5))
        }
    }
#endif
