#if Cluster && Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import TestSupport
    import Testing

    @testable import DAGCluster

    /// A file system of a few megabytes, in memory; only the superuser can mount one.
    private final class SmallVolume: Sendable {
        static let isPossible = (try? SmallVolume()) != nil

        let folder: TemporaryFolder
        private let filler: String

        init() throws {
            folder = try TemporaryFolder()
            filler = folder.path(of: "filler")
            try Self.run("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder.url.path])
        }

        deinit { try? Self.run("umount", ["-l", folder.url.path]) }

        /// Leaves no byte free.
        func fill() throws {
            try Data().write(to: URL(filePath: filler))
            let file = try FileHandle(forWritingTo: URL(filePath: filler))
            defer { try? file.close() }
            for size in [1 << 20, 4096] {
                let block = Data(count: size)
                while (try? file.write(contentsOf: block)) != nil { try file.seekToEnd() }
            }
        }

        /// Makes space again.
        func clear() throws { try FileManager.default.removeItem(atPath: filler) }

        private struct Failed: Error {}

        private static func run(_ name: String, _ arguments: [String]) throws {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [name] + arguments
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failed() }
        }
    }

    extension ClusterProcesses {
        @Suite(
            "A full database",
            .enabled(if: SmallVolume.isPossible, "this user may not mount a file system")
        )
        struct FullDatabaseTests {
            @Test(
                "a full database refuses changes by name; nodes serve, and go on when there is space",
                .timeLimit(.minutes(5))
            )
            func full() async throws {
                let volume = try SmallVolume()
                let scene = try await SoakScene(isDurable: true, on: volume.folder.url.path)
                for _ in 0..<2 { try await scene.addNode() }
                let first = try scene.car("first.car", sections: 100, seed: 1)
                try await register("first", first, scene)
                try await scene.settle()
                try volume.fill()
                // Rows fill the pages that are there, and then need a new one.
                var cars = [first]
                var code: DAGStoreError.Code?
                while code == nil {
                    let number = cars.count
                    let car = try scene.car("\(number).car", sections: 5, seed: 10 + UInt64(number))
                    cars.append(car)
                    do {
                        try await register("shard\(number)", car, scene)
                    } catch let error as DAGStoreError {
                        code = error.code
                        scene.history.record(
                            "test",
                            "shard\(number)",
                            .register(car.url),
                            since: scene.history.now(),
                            .unknown
                        )
                    }
                }
                #expect(code == .catalogFull)
                for node in scene.nodes {
                    let url = try #require(node.place).url
                    for block in first.blocks {
                        let answer = try await scene.fetch(block.cid, from: url, by: scene.direct)
                        #expect(answer.status == 200 && answer.bytes == block.data)
                    }
                }
                try volume.clear()
                let last = try scene.car("last.car", seed: 2)
                try await register("last", last, scene)
                var audit = ClusterAudit(scene, cars + [last])
                try await audit.run()
                #expect(scene.history.faults == [])
                try await scene.close()
            }

            private func register(_ key: String, _ car: SoakCAR, _ scene: SoakScene) async throws {
                let invoked = scene.history.now()
                _ = try await scene.database.register(ShardKey(key), from: MountURL(car.url))
                scene.history.record("test", key, .register(car.url), since: invoked, .done)
            }
        }
    }
#endif
