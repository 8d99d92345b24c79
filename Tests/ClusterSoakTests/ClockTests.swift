#if Cluster && Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// The library that shows a process another time; its wrapper is the program `faketime`.
    private let fakeTime: String? = {
        let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        return folders.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }()

    extension ClusterProcesses {
        @Suite(
            "Clocks that differ",
            .enabled(if: fakeTime != nil, "libfaketime is not installed")
        )
        struct ClockTests {
            @Test(
                "nodes whose clocks are an hour off work like the others",
                .timeLimit(.minutes(5))
            )
            func hourOff() async throws {
                let library = try #require(fakeTime)
                let scene = try await SoakScene(copies: 3)
                try await scene.addNode()
                for offset in ["+1h", "-1h"] {
                    try await scene.addNode(
                        environment: [
                            "LD_PRELOAD": library, "FAKETIME": offset,
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                        ]
                    )
                }
                var cars: [SoakCAR] = []
                for number in 0..<6 {
                    let car = try scene.car("\(number).car", seed: UInt64(number))
                    cars.append(car)
                    let invoked = scene.history.now()
                    let key = "shard\(number)"
                    _ = try await scene.database.register(.init(key), from: .init(car.url))
                    scene.history.record("test", key, .register(car.url), since: invoked, .done)
                }
                try await scene.settle()
                // The log of a node has its own time, so the library is at work.
                let hours = try scene.nodes.map { try Self.hour(ofLog: $0.log) }
                #expect(Set(hours).count == 3)
                let seconds = try scene.query(
                    """
                    SELECT count(*) FROM dagstore_nodes WHERE seen_at > now()
                        OR seen_at < now() - interval '3 seconds'
                    """
                )
                #expect(seconds == "0")
                var audit = ClusterAudit(scene, cars)
                try await audit.run()
                #expect(scene.history.faults == [])
                try await scene.close()
            }

            /// The hour of the first line.
            private static func hour(ofLog log: String) throws -> Substring {
                let time = try #require(log.firstMatch(of: /T(\d\d):\d\d/))
                return time.1
            }
        }
    }
#endif
