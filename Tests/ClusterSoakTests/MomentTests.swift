#if Cluster && Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import Synchronization
    import TestSupport
    import Testing

    @testable import DAGCluster

    extension ClusterProcesses {
        /// A node dies at one moment of its work, which its proxy sees in what the node sends to the database.
        @Suite("A node killed at one moment")
        struct MomentTests {
            /// The moments of an indexing.
            enum Indexing: String, CaseIterable, Sendable {
                /// The bundle's row is there; its bytes are on their way.
                case uploading = "INSERT INTO dagstore_blob_parts"
                /// All bytes are there; the transaction of the publication is open.
                case publishing = "UPDATE dagstore_shards SET state = 1"
                /// The publication is committed; the node never learns it.
                case published = "COMMIT"

                /// What the node sends until then.
                var texts: [String] {
                    self == .published ? [Self.publishing.rawValue, rawValue] : [rawValue]
                }
            }

            @Test(
                "killed while it indexes, a node leaves nothing half made; the other one indexes the CAR",
                .timeLimit(.minutes(5)),
                arguments: Indexing.allCases
            )
            func indexing(moment: Indexing) async throws {
                let scene = try await SoakScene()
                for _ in 0..<2 { try await scene.addNode() }
                let trap = Trap(scene, moment.texts, passesLast: moment == .published)
                let car = try scene.car("a.car", sections: 300, seed: 1)
                try await trap.register("a", car)
                let survivor = try await trap.caught()
                if moment == .published {
                    // The database has the last text, but may not have come to it yet.
                    try await eventually {
                        try await scene.database.shard(ShardKey("a"))?.state == .available
                    }
                }
                try trap.checkVisible()
                try await trap.goesOn("a", car, on: survivor)
                try await trap.finish([car])
            }

            /// The moments of an import.
            enum Importing: String, CaseIterable, Sendable {
                /// A node asks for bytes of the bundle, or of the run.
                case reading = "SELECT start, bytes FROM dagstore_blob_parts"
                /// The node has the shard, and tells the cluster.
                case holding = "UPDATE dagstore_placements SET state = 1"
            }

            @Test(
                "killed while it imports, a node imports again",
                .timeLimit(.minutes(5)),
                arguments: Importing.allCases
            )
            func importing(moment: Importing) async throws {
                let scene = try await SoakScene()
                try await scene.addNode()
                let car = try scene.car("a.car", sections: 300, seed: 1)
                try await scene.addNode()
                let trap = Trap(scene, [moment.rawValue])
                try await trap.register("a", car)
                let survivor = try await trap.caught()
                try trap.checkVisible()
                try await trap.goesOn("a", car, on: survivor)
                try await trap.finish([car])
            }

            /// The moments of a merge.
            enum Merging: String, CaseIterable, Sendable {
                /// The merged run is on its way.
                case uploading = "INSERT INTO dagstore_blob_parts"
                /// The run is there; the transaction that replaces the others is open.
                case publishing = "UPDATE dagstore_partitions SET merged_through"
            }

            @Test(
                "killed while it merges, a node leaves every block found; the other one merges",
                .timeLimit(.minutes(5)),
                arguments: Merging.allCases
            )
            func merging(moment: Merging) async throws {
                let scene = try await SoakScene()
                for _ in 0..<2 { try await scene.addNode() }
                let car = try scene.car("a.car", sections: 300, seed: 1)
                let trap = Trap(scene, [moment.rawValue], isArmed: false)
                try await trap.register("a", car)
                try await scene.settle()
                trap.arm()
                // As many runs as a merge waits for; all of them are copies of one.
                try scene.query(
                    """
                    INSERT INTO dagstore_runs
                    SELECT -1, 1000 + n, shard, blob, entries, size, directory
                    FROM dagstore_runs, generate_series(1, 64) AS n WHERE part = -1;
                    UPDATE dagstore_cluster SET next_run = 2000, runs_version = runs_version + 1
                    """
                )
                let survivor = try await trap.caught()
                try trap.checkVisible()
                try await trap.goesOn("a", car, on: survivor)
                try await eventually {
                    try scene.query("SELECT count(*) FROM dagstore_runs WHERE part = -1") == "0"
                }
                try await trap.finish([car])
            }

            @Test(
                "killed while it sweeps, a node deletes nothing that is named",
                .timeLimit(.minutes(5))
            )
            func sweeping() async throws {
                let scene = try await SoakScene()
                for _ in 0..<2 { try await scene.addNode() }
                let car = try scene.car("a.car", sections: 300, seed: 1)
                let gone = try scene.car("gone.car", sections: 300, seed: 2)
                let trap = Trap(scene, ["DELETE FROM dagstore_blob_parts"], isArmed: false)
                try await trap.register("a", car)
                try await trap.register("gone", gone)
                try await scene.settle()
                trap.arm()
                try await trap.destroy("gone")
                let survivor = try await trap.caught()
                try trap.checkVisible()
                try await trap.goesOn("a", car, on: survivor)
                // The other node sweeps as soon as the lease has run out.
                try await eventually {
                    try scene.query("SELECT count(*) FROM dagstore_blobs WHERE state <> 1") == "0"
                }
                try await trap.finish([car, gone])
            }
        }
    }

    /// Kills the first of two nodes that sends some texts to the database.
    private final class Trap: Sendable {
        private let scene: SoakScene
        private let texts: [String]
        private let passesLast: Bool
        private let victim = Mutex<SoakNode?>(nil)

        init(_ scene: SoakScene, _ texts: [String], passesLast: Bool = false, isArmed: Bool = true)
        {
            self.scene = scene
            self.texts = texts
            self.passesLast = passesLast
            if isArmed { arm() }
        }

        func arm() {
            for node in scene.nodes {
                node.proxy.onceSent(texts, passesLast: passesLast) { [self] in
                    let isFirst = victim.withLock { victim in
                        defer { victim = victim ?? node }
                        return victim == nil
                    }
                    if isFirst { node.killAtOnce() }
                }
            }
        }

        func register(_ key: String, _ car: SoakCAR) async throws {
            let invoked = scene.history.now()
            _ = try await scene.database.register(.init(key), from: .init(car.url))
            scene.history.record("test", key, .register(car.url), since: invoked, .done)
        }

        func destroy(_ key: String) async throws {
            let invoked = scene.history.now()
            try await scene.database.destroy(.init(key))
            scene.history.record("test", key, .destroy, since: invoked, .done)
        }

        /// Waits until a node is dead.
        ///
        /// - Returns: The other one.
        func caught() async throws -> SoakNode {
            await eventually { victim.withLock { $0 != nil } || Task.isCancelled }
            let dead = try #require(victim.withLock { $0 })
            await dead.kill()
            let other = try #require(scene.nodes.first { $0.name != dead.name })
            other.proxy.disarm()
            return other
        }

        /// Whatever a row names is there, whole.
        func checkVisible() throws {
            let missing = try scene.query(
                """
                SELECT count(*) FROM (SELECT bundle AS name FROM dagstore_shards WHERE state = 1
                    UNION ALL SELECT blob FROM dagstore_runs) AS named
                WHERE NOT EXISTS (SELECT 1 FROM dagstore_blobs b
                    WHERE b.name = named.name AND b.state = 1
                        AND b.size = (SELECT sum(length(p.bytes)) FROM dagstore_blob_parts p
                            WHERE p.name = b.name AND p.incarnation = b.incarnation))
                """
            )
            #expect(missing == "0")
        }

        /// Waits until a node holds a shard, and fetches every block from it.
        func goesOn(_ key: String, _ car: SoakCAR, on node: SoakNode) async throws {
            let number = try #require(Array(hexadecimal: try node.number(), count: 16))
            try await eventually {
                let placed = try await self.scene.database.placedShard(ShardKey(key))
                return placed?.holders.contains(number) ?? false
            }
            let url = try #require(node.place).url
            for block in car.blocks {
                let answer = try await scene.fetch(block.cid, from: url, by: scene.direct)
                #expect(answer.status == 200 && answer.bytes == block.data)
            }
        }

        /// Starts the dead node again, and audits the cluster.
        func finish(_ cars: [SoakCAR]) async throws {
            for node in scene.nodes where node.place == nil { try await node.start() }
            var audit = ClusterAudit(scene, cars)
            try await audit.run()
            #expect(scene.history.faults == [])
            try await scene.close()
        }
    }
#endif
