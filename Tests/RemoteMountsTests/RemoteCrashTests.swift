#if Node
    import DAGFailpoints
    import DAGMounts
    import DAGStorage
    import Foundation
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import RemoteMounts

    /// A program that registers a remote CAR is killed at every request and every durable step.
    @Suite("Crashes with remote shards", .timeLimit(.minutes(10)))
    struct RemoteCrashTests {
        private static let car = CARBuilder.uniform(sections: 300, blockSize: 2000, seed: 22)
        private static let policies: [MountPolicy] = [.remote, .cache, .copy]

        /// The program, beside the tests.
        private static let program = Bundle.main.bundleURL.appending(path: "dagstore")

        /// Runs the program until it ends.
        ///
        /// - Returns: Whether a signal ended it.
        private static func register(
            _ url: String,
            _ policy: MountPolicy,
            _ folder: TemporaryFolder,
            environment: [String: String] = [:],
            started: (Int32) -> Void = { _ in }
        ) async throws -> Bool {
            let process = Process()
            process.executableURL = program
            process.arguments = [
                "register", url, "--key", "a", "--remote", policy.rawValue, "--allow-private",
                "--store", folder.path(of: "store"),
            ]
            process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            let (ends, end) = AsyncStream<Void>.makeStream()
            process.terminationHandler = { _ in end.finish() }
            try process.run()
            started(process.processIdentifier)
            for await _ in ends {}
            return process.terminationReason == .uncaughtSignal
        }

        /// Opens the store again, and looks for anything that is torn.
        private static func check(
            _ folder: TemporaryFolder,
            _ url: String,
            _ policy: MountPolicy,
            after place: String
        ) async throws {
            var settings = RemoteSettings(store: FilePath(folder.path(of: "store")))
            settings.allowsPrivate = true
            var mounts = MountRegistry.standard
            try RemoteSchemes.add(to: &mounts, settings)
            let store = try DAGStore.open(
                at: FilePath(folder.path(of: "store")),
                mounts: mounts
            )
            let key = try ShardKey("a")
            if try store.status(of: key) == nil {
                // Nothing of it was answered or is left.
                #expect(try store.statistics().shards == 0, "\(place)")
                try await store.register(key, from: MountURL(url), policy: policy)
            } else {
                // The store takes the interrupted registration up.
                try await store.initialize(key)
            }
            let status = try #require(try store.status(of: key))
            #expect(status.policy == policy, "\(place)")
            #expect(status.blockCount == 300, "\(place)")
            // Twice: from the server or the cache, and from the memory.
            for _ in 0..<2 {
                let shard = try await store.acquire(key)
                for block in car.blocks {
                    let bytes = try await shard.block(for: block.cid)?.copiedBytes
                    #expect(bytes == block.data, "\(place)")
                }
                shard.release()
            }
            #expect(try await store.check(CheckOptions()).problems.isEmpty, "\(place)")
            await store.close()
            let path = folder.path(of: "store/transients")
            let copies = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(copies.count == (policy == .copy ? 1 : 0), "\(place)")
            #expect(copies.allSatisfy { $0.hasSuffix(".complete") }, "\(place)")
        }

        @Test(
            "killed at any request, a store opens whole, and its shard is absent or comes to its end",
            arguments: policies
        )
        func killedAtRequests(policy: MountPolicy) async throws {
            let bytes = Self.car.bytes
            // The process to kill, and the requests until then.
            let victim = Mutex<(process: Int32, left: Int)>((0, 0))
            let server = try await ScriptedServer { request in
                victim.withLock { victim in
                    victim.left -= 1
                    if victim.left == 0, victim.process > 0 { kill(victim.process, SIGKILL) }
                }
                return ScriptedServer.serve(bytes, request)
            }
            var kills = 0
            while true {
                let folder = try TemporaryFolder()
                let number = kills + 1
                let url = server.url + "/a.car"
                let isKilled = try await Self.register(url, policy, folder) { process in
                    victim.withLock { $0 = (process, number) }
                }
                victim.withLock { $0 = (0, 0) }
                if FileManager.default.fileExists(atPath: folder.path(of: "store/catalog")) {
                    try await Self.check(folder, url, policy, after: "request \(number)")
                }
                guard isKilled else { break }
                kills += 1
            }
            #expect(kills >= 2)
        }

        private static let places: [(MountPolicy, Failpoint)] =
            policies.flatMap { policy in
                [Failpoint.beforeCommit, .afterCommit, .indexBuilt].map { (policy, $0) }
            }
            + [
                Failpoint.partialCreated, .partialWritten, .partialSynced, .copyRenamed,
                .copyComplete,
            ].map { (.copy, $0) }
        // A registration writes nothing to the cache of `cache`: its scan reads headers, and each of them once.

        @Test(
            "killed at any durable step, a store opens whole, and no torn byte is believed",
            arguments: places
        )
        func killedAtSteps(policy: MountPolicy, place: Failpoint) async throws {
            let bytes = Self.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            var kills = 0
            while kills < 4 {
                let folder = try TemporaryFolder()
                let plan = "\(place.rawValue):\(kills + 1)"
                let url = server.url + "/a.car"
                guard
                    try await Self.register(
                        url,
                        policy,
                        folder,
                        environment: ["DAGSTORE_FAILPOINT": plan]
                    )
                else { break }
                if policy == .cache { try Self.damage(folder) }
                try await Self.check(folder, url, policy, after: plan)
                kills += 1
            }
            #expect(kills > 0, "\(place) is never passed")
        }

        /// Changes a byte in the middle of every segment of the cache.
        private static func damage(_ folder: TemporaryFolder) throws {
            let cache = URL(filePath: folder.path(of: "store/remote-cache"))
            guard FileManager.default.fileExists(atPath: cache.path) else { return }
            for file in try cache.files() where file.lastPathComponent != "lock" {
                var bytes = try file.bytes()
                guard bytes.count > 200 else { continue }
                bytes[bytes.count / 2] ^= 0xff
                try Data(bytes).write(to: file)
            }
        }
    }
#endif
