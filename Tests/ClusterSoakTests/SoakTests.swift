#if Cluster && Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    extension ClusterProcesses {
        /// A cluster of processes under random operations and faults, and what must hold afterwards.
        ///
        /// `DAGSTORE_SOAK_SECONDS` says for how long; 10 seconds if nothing does. `make soak-cluster` takes a minute.
        /// `DAGSTORE_SOAK_SEED` repeats the choices of a run.
        @Suite("Soak of a cluster")
        struct SoakTests {
            private static let seconds: Int = {
                let text = ProcessInfo.processInfo.environment["DAGSTORE_SOAK_SECONDS"]
                return text.flatMap { Int($0) } ?? 10
            }()

            private static var seed: UInt64 {
                let text = ProcessInfo.processInfo.environment["DAGSTORE_SOAK_SEED"]
                return text.flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
            }

            /// Shards that nothing changes: one for each node that only it reaches, and some that all reach.
            private struct Lasting {
                var own: [SoakCAR] = []
                var shared: [SoakCAR] = []

                init(_ scene: SoakScene) async throws {
                    for (number, node) in scene.nodes.enumerated() {
                        let car = try scene.car("own\(number).car", seed: 100 + UInt64(number))
                        own.append(car)
                        let id = try #require(Array(hexadecimal: try node.number(), count: 16))
                        try await register("own\(number)", car, scene, on: id)
                    }
                    for number in 0..<4 {
                        let car = try scene.car("lasting\(number).car", seed: 200 + UInt64(number))
                        shared.append(car)
                        try await register("lasting\(number)", car, scene, on: nil)
                    }
                    try await scene.settle()
                }

                private func register(
                    _ key: String,
                    _ car: SoakCAR,
                    _ scene: SoakScene,
                    on node: [UInt8]?
                ) async throws {
                    let invoked = scene.history.now()
                    _ = try await scene.database.register(
                        .init(key),
                        from: .init(car.url),
                        reach: node
                    )
                    let action = HistoryOperation.Action.register(car.url)
                    scene.history.record("setup", key, action, since: invoked, .done)
                }
            }

            @Test(
                "whatever nodes, connections and the database suffer, nothing that was answered is lost",
                .timeLimit(.minutes(15))
            )
            func soak() async throws {
                let seed = Self.seed
                let scene = try await SoakScene(isDurable: true)
                for _ in 0..<3 { try await scene.addNode() }
                let lasting = try await Lasting(scene)
                var cars = try (0..<12).map { number in
                    try scene.car("\(number).car", sections: 5 + 3 * number, seed: UInt64(number))
                }
                cars.append(try scene.junk("junk.car"))
                let began = ContinuousClock.now
                try await trouble(scene, lasting, cars, seed, until: began + .seconds(Self.seconds))
                var audit = ClusterAudit(scene, cars + lasting.own + lasting.shared)
                try await audit.run()
                let faults = scene.history.faults
                #expect(faults == [], "seed \(seed)")
                #expect(audit.shardCount >= 7 && scene.history.number(of: "local reads") > 0)
                print(
                    """
                    soak-cluster: seed \(seed), \(Self.seconds) s, \(audit.shardCount) shards at the end, \
                    \(audit.blockCount) blocks compared; \(scene.history.report)
                    """
                )
                try await scene.close()
            }

            @Test(
                "while the database is away under load, each node answers for what it holds, and nothing is lost",
                .timeLimit(.minutes(15))
            )
            func away() async throws {
                let seed = Self.seed
                var generator = SplitMix64(seed: seed)
                let scene = try await SoakScene(isDurable: true)
                for _ in 0..<3 { try await scene.addNode() }
                let lasting = try await Lasting(scene)
                let cars = try (0..<8).map { try scene.car("\($0).car", seed: UInt64($0)) }
                let began = ContinuousClock.now
                let gone = began + .seconds(2)
                let back = gone + .seconds(Self.seconds)
                let end = back + .seconds(3)
                let address = scene.clientAddress
                let doors = try (0..<2).map { _ in
                    SoakDoor.library(try ClusterDatabase(at: address, patience: .seconds(1)))
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    load(&group, through: doors, scene, lasting, cars, &generator, until: end)
                    await untilMoment(gone)
                    scene.server.stop(SIGKILL)
                    await untilMoment(back)
                    try await scene.server.startAfterKill()
                    try await group.waitForAll()
                }
                var audit = ClusterAudit(scene, cars + lasting.own + lasting.shared)
                try await audit.run()
                #expect(scene.history.faults == [], "seed \(seed)")
                #expect(scene.history.number(of: "local reads") > 0)
                #expect(
                    scene.history.operations.contains { $0.outcome == .unknown },
                    "seed \(seed)"
                )
                print(
                    """
                    soak-cluster: the database was away for \(Self.seconds) s, seed \(seed), \
                    \(audit.shardCount) shards at the end; \(scene.history.report)
                    """
                )
                try await scene.close()
            }

            /// Starts clients, a reader of each node's own shard, and the watch over what the database says.
            private func load(
                _ group: inout ThrowingTaskGroup<Void, any Error>,
                through doors: [SoakDoor],
                _ scene: SoakScene,
                _ lasting: Lasting,
                _ cars: [SoakCAR],
                _ generator: inout SplitMix64,
                until end: ContinuousClock.Instant
            ) {
                let began = ContinuousClock.now
                for (number, door) in doors.enumerated() {
                    var client = SoakClient(
                        name: "client\(number)",
                        scene: scene,
                        door: door,
                        cars: cars,
                        lasting: lasting.shared,
                        began: began,
                        generator: SplitMix64(seed: generator.next())
                    )
                    group.addTask { try await client.run(until: end) }
                }
                for (node, car) in zip(scene.nodes, lasting.own) {
                    var reader = SoakReader(
                        scene: scene,
                        node: node,
                        cars: [car],
                        generator: SplitMix64(seed: generator.next())
                    )
                    group.addTask { await reader.run(until: end) }
                }
                var watch = SoakWatch(scene)
                group.addTask { try await watch.run(until: end) }
            }

            private func trouble(
                _ scene: SoakScene,
                _ lasting: Lasting,
                _ cars: [SoakCAR],
                _ seed: UInt64,
                until end: ContinuousClock.Instant
            ) async throws {
                var generator = SplitMix64(seed: seed)
                let address = scene.clientAddress
                let doors: [SoakDoor] = [
                    .library(try ClusterDatabase(at: address, patience: .seconds(4))),
                    .library(try ClusterDatabase(at: address, patience: .seconds(20))),
                    .program(address),
                ]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    load(&group, through: doors, scene, lasting, cars, &generator, until: end)
                    var faults = (0..<2).map { _ in
                        SoakFaults(
                            scene: scene,
                            nodesMax: 5,
                            generator: SplitMix64(seed: generator.next())
                        )
                    }
                    var second = faults.removeLast()
                    var first = faults.removeLast()
                    group.addTask { try await first.troubleNodes(until: end) }
                    group.addTask { try await second.troubleDatabase(until: end) }
                    try await group.waitForAll()
                }
            }
        }
    }
#endif
