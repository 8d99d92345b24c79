#if Cluster && Node
    import AsyncHTTPClient
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import NIOCore
    import NIOHTTP1
    import NIOPosix
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// A CAR that all nodes reach.
    struct SoakCAR: Sendable {
        /// The URL of its mount.
        let url: String
        /// Its blocks; none if it is no CAR.
        let blocks: [CARBuilder.Block]
    }

    /// A cluster of processes with a database server of its own, and with proxies between them.
    final class SoakScene: Sendable {
        let server: DatabaseServer
        let folder: TemporaryFolder
        let databaseName: String
        let facts: ClusterFacts
        /// The catalog without a proxy, for the test itself.
        let database: ClusterDatabase
        /// The proxy of the clients.
        let proxy: DatabaseProxy
        let history = ClusterHistory()
        private let known = Mutex<[SoakNode]>([])

        /// The nodes so far.
        var nodes: [SoakNode] { known.withLock { $0 } }
        /// Follows redirects.
        let follower = HTTPClient.shared
        /// Does not follow redirects: a node answers by itself.
        let direct = SoakScene.direct

        init(copies: Int = 2, isDurable: Bool = false, on volume: String? = nil) async throws {
            server = try await DatabaseServer(isDurable: isDurable)
            folder = try TemporaryFolder()
            let address = try server.makeDatabase(on: volume)
            databaseName = String(
                try #require(address.split(separator: "/").last?.split(separator: "?").first)
            )
            database = try ClusterDatabase(at: address)
            facts = try ClusterFacts(copies: copies)
            try await database.create(facts)
            proxy = try await DatabaseProxy(to: server.port)
        }

        /// Ends everything.
        func close() async throws {
            for node in nodes { await node.kill() }
            database.close()
            server.stop()
        }

        /// It lives as long as the process, because its end must be awaited.
        private static let direct: HTTPClient = {
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            return HTTPClient(
                eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
                configuration: configuration
            )
        }()

        /// Starts a node.
        @discardableResult
        func addNode(environment: [String: String] = [:]) async throws -> SoakNode {
            let number = nodes.count + 1
            let node = try await SoakNode(
                "node\(number)",
                in: folder,
                server: server,
                database: databaseName,
                environment: environment
            )
            try await node.start()
            known.withLock { $0.append(node) }
            return node
        }

        /// The address of the database for a client, behind the proxy.
        var clientAddress: String {
            server.address(of: databaseName, port: proxy.port, options: Self.options)
        }

        /// The proxies read what goes through.
        static let options = "sslmode=disable&gssencmode=disable"

        /// Runs SQL without the program.
        @discardableResult
        func query(_ sql: String) throws -> String { try server.query(sql, in: databaseName) }

        /// Writes a CAR.
        func car(_ name: String, sections: Int = 20, seed: UInt64) throws -> SoakCAR {
            let builder = CARBuilder.uniform(sections: sections, blockSize: 200, seed: seed)
            let path = try folder.write(builder.bytes, to: name)
            return SoakCAR(url: FileMount(FilePath(path)).url.text, blocks: builder.blocks)
        }

        /// Writes a file that is no CAR.
        func junk(_ name: String) throws -> SoakCAR {
            let path = try folder.write([1, 2, 3], to: name)
            return SoakCAR(url: FileMount(FilePath(path)).url.text, blocks: [])
        }

        /// Fetches a block from a node.
        ///
        /// - Returns: The status, and the bytes of an answer with status 200.
        func fetch(
            _ cid: CID,
            from url: String,
            by client: HTTPClient
        ) async throws -> (status: UInt, bytes: [UInt8]) {
            let answer = try await client.execute(
                HTTPClientRequest(url: "\(url)/ipfs/\(cid)?format=raw"),
                timeout: .seconds(60)
            )
            let body = try await answer.body.collect(upTo: 4 << 20)
            return (answer.status.code, answer.status.code == 200 ? Array(buffer: body) : [])
        }

        /// Waits until each shard has its copies, and nothing is left to do.
        ///
        /// - Throws: `Unsettled` after two minutes.
        func settle(within time: Duration = .seconds(120)) async throws {
            let end = ContinuousClock.now + time
            var left = try await unsettled()
            try await eventually {
                left = try await unsettled()
                return left.isEmpty || .now > end
            }
            guard left.isEmpty else {
                let logs = nodes.map { "\($0.name):\n\($0.log.suffix(3000))" }
                throw Unsettled(left: left, logs: logs.joined(separator: "\n"))
            }
        }

        /// A cluster that does not come to rest.
        struct Unsettled: Error, CustomStringConvertible {
            let left: [String]
            let logs: String
            var description: String { left.joined(separator: "\n") + "\n" + logs }
        }

        /// What is left to do.
        private func unsettled() async throws -> [String] {
            var left: [String] = []
            let members = try await database.nodes()
            for node in members
            where node.state != .active || node.isDead(after: .seconds(3)) {
                left.append("node \(node.name) is \(node.state), silent for \(node.silence)")
            }
            let totals = try await database.totals()
            if totals.indexJobCount > 0 { left.append("\(totals.indexJobCount) index jobs") }
            for state in [Placement.State.wanted, .dropped, .indexing] {
                let count = totals.placements[state] ?? 0
                if count > 0 { left.append("\(count) placements are \(state)") }
            }
            let copies = min(facts.copies, members.count)
            for placed in try await allShards() where placed.shard.state != .failed {
                let expected = placed.shard.reach == nil ? copies : 1
                guard placed.shard.state != .available || placed.holders.count != expected
                else { continue }
                left.append("\(placed)")
            }
            return left
        }

        /// All shards, by number.
        func allShards() async throws -> [PlacedShard] {
            var all: [PlacedShard] = []
            while true {
                let some = try await database.shards(after: all.last?.shard.number)
                guard !some.isEmpty else { return all }
                all += some
            }
        }
    }
#endif
