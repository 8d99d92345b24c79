#if Cluster
    import DAGHashing
    import DAGMounts
    import DAGStorage
    import Foundation
    import PostgreSQL
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGCluster

    extension DAGStoreError {
        /// An error that is equal to every error with this code.
        init(_ code: Code) { self.init(code, "") }
    }

    /// A cluster in a database of a test's own, with CARs and nodes in a folder.
    final class ClusterScene: Sendable {
        let folder: TemporaryFolder
        /// The connection string.
        let address: String
        let database: ClusterDatabase
        let facts: ClusterFacts
        /// The environment variables of all nodes.
        private let variables: [String: String]

        init(
            copies: Int = 2,
            patience: Duration = .seconds(20),
            objects: String = "",
            variables: [String: String] = [:]
        ) async throws {
            self.variables = variables
            folder = try TemporaryFolder()
            address = try #require(DatabaseServer.current).makeDatabase()
            database = try ClusterDatabase(at: address, patience: patience) { variables[$0] }
            facts = try ClusterFacts(copies: copies, objects: objects)
            try await database.create(facts)
        }

        /// Connects with the database once more.
        func connect() throws -> ClusterDatabase {
            try ClusterDatabase(at: address) { [variables] in variables[$0] }
        }

        /// The name of the database.
        var databaseName: String {
            String(address.split(separator: "/").last?.split(separator: "?").first ?? "")
        }

        /// Runs SQL without the program.
        @discardableResult
        func query(_ sql: String) throws -> String {
            try #require(DatabaseServer.current).query(sql, in: databaseName)
        }

        /// Writes a CAR of some blocks.
        func car(_ name: String, sections: Int = 20, seed: UInt64) throws -> TestCAR {
            let builder = CARBuilder.uniform(sections: sections, blockSize: 100, seed: seed)
            let path = try folder.write(builder.encoded(), to: name)
            return TestCAR(builder: builder, mount: FileMount(FilePath(path)))
        }

        /// Registers a CAR under its name.
        @discardableResult
        func register(_ name: String, _ car: TestCAR) async throws -> UInt32 {
            try await database.register(ShardKey(name), from: car.mount.url)
        }

        /// Starts a node.
        func node(_ name: String, _ change: (inout ClusterTimes) -> Void = { _ in }) throws
            -> TestNode
        {
            try TestNode(name, in: self, change)
        }

        /// Waits until a shard has copies, all of them held.
        func settled(_ key: String, copies: Int) async throws {
            try await eventually {
                let placed = try await self.database.placedShard(ShardKey(key))
                let kept = placed?.placements.filter { $0.state != .dropped } ?? []
                return kept.count == copies && kept.allSatisfy { $0.state == .held }
            }
        }
    }

    /// Numbers of uploads that a test can foresee.
    final class UploadNumbers: Sendable {
        private let last = Mutex<Int64>(0)

        @Sendable func next() -> Int64 {
            last.withLock { last in
                last += 1
                return last
            }
        }
    }

    /// A CAR in a file.
    struct TestCAR: Sendable {
        let builder: CARBuilder
        let mount: FileMount
    }

    /// A node in this process.
    final class TestNode: Sendable {
        let store: DAGStore
        let member: ClusterMember
        let number: NodeNumber
        let notices: Notices
        private let task: OwnedTask<Void>

        init(_ name: String, in scene: ClusterScene, _ change: (inout ClusterTimes) -> Void) throws
        {
            let directory = FilePath(scene.folder.path(of: name))
            var configuration = Configuration()
            configuration.mapSize = 1 << 32
            configuration.durability = .relaxed
            configuration.hashKey = HashKey(scene.facts.hashKey)
            store = try DAGStore.open(at: directory, configuration: configuration)
            number = try NodeNumber(in: directory, of: scene.facts.id)
            var times = ClusterTimes()
            times.beat = .milliseconds(100)
            times.deadAfter = .seconds(2)
            times.poll = .milliseconds(50)
            times.lease = .seconds(2)
            times.retry = .milliseconds(50)
            change(&times)
            let notices = Notices()
            self.notices = notices
            member = ClusterMember(
                NodeProfile(id: number.node, name: name, url: "http://\(name)", release: "test"),
                of: scene.facts.id,
                in: try scene.connect(),
                store: store,
                times: times,
                notify: { notices.add($0.message) }
            )
            task = OwnedTask { [member] in try await member.run() }
        }

        /// The error of the member, which ends by itself.
        func failure() async -> (any Error)? {
            do {
                try await task.value
                return nil
            } catch {
                return error
            }
        }

        /// Ends the node without a word, as a crash does.
        func kill() async {
            task.cancel()
            _ = await failure()
            await store.close(cancellingJobs: true)
        }

        /// Whether the store has every block of a CAR.
        func hasBlocks(of car: TestCAR) async throws -> Bool {
            for block in car.builder.blocks {
                guard let found = try await store.block(for: block.cid) else { return false }
                guard try found.copiedBytes == block.data else { return false }
            }
            return true
        }
    }

    /// What a member said.
    final class Notices: Sendable {
        private let messages = Mutex<[String]>([])

        func add(_ message: String) { messages.withLock { $0.append(message) } }

        func contains(_ words: String) -> Bool {
            messages.withLock { $0.contains { $0.contains(words) } }
        }
    }

    extension DAGStore {
        /// The times of the last change of each shard's state.
        func stateTimes() throws -> [UInt64] {
            var times: [UInt64] = []
            var statuses = statuses().makeIterator()
            while let status = try statuses.next() { times.append(status.stateSince) }
            return times
        }
    }
#endif
