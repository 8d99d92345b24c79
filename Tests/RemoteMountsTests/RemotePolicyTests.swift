#if Node
    import DAGMounts
    import DAGStorage
    import Foundation
    import ObjectStorage
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import RemoteMounts

    @Suite("Policies of remote shards", .timeLimit(.minutes(5)))
    struct RemotePolicyTests {
        private static let car = CARBuilder.uniform(sections: 300, blockSize: 2000, seed: 21)

        private static func settings(_ folder: TemporaryFolder) -> RemoteSettings {
            var settings = RemoteSettings(store: FilePath(folder.path(of: "store")))
            settings.allowsPrivate = true
            return settings
        }

        private static func store(_ folder: TemporaryFolder) throws -> DAGStore {
            var mounts = MountRegistry.standard
            try RemoteSchemes.add(to: &mounts, settings(folder))
            return try DAGStore.open(at: FilePath(folder.path(of: "store")), mounts: mounts)
        }

        private static func files(_ folder: TemporaryFolder, _ name: String) -> [String] {
            let path = folder.path(of: "store/\(name)")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.filter { $0 != "lock" }
        }

        private static func readAll(_ key: String, in store: DAGStore) async throws {
            let shard = try await store.acquire(ShardKey(key))
            defer { shard.release() }
            for block in car.blocks {
                let found = try await shard.block(for: block.cid)?.verified()
                #expect(try found?.copiedBytes == block.data)
            }
        }

        @Test("each shard of a store has its own policy: nothing, ranges or the CAR stay here")
        func together() async throws {
            let bytes = Self.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let folder = try TemporaryFolder()
            let store = try Self.store(folder)
            try await store.register(
                ShardKey("remote"),
                from: MountURL(server.url + "/remote.car")
            )
            #expect(Self.files(folder, "remote-cache") == [])
            #expect(Self.files(folder, "transients") == [])
            try await store.register(
                ShardKey("copy"),
                from: MountURL(server.url + "/copy.car"),
                policy: .copy
            )
            #expect(Self.files(folder, "remote-cache") == [])
            #expect(Self.files(folder, "transients").count == 1)
            try await store.register(
                ShardKey("cache"),
                from: MountURL(server.url + "/cache.car"),
                policy: .cache
            )
            for key in ["remote", "copy", "cache"] { try await Self.readAll(key, in: store) }
            for key in ["remote", "copy", "cache"] {
                let traffic = try #require(try store.status(of: ShardKey(key))?.traffic)
                #expect(traffic.requests > 0, "\(key)")
                #expect(traffic.bytes >= UInt64(bytes.count), "\(key)")
            }
            #expect(try store.statistics().trafficByScheme.keys.sorted() == ["http"])
            #expect(try store.traffic(ofScheme: "http").requests == UInt64(server.requests.count))
            await store.close()
            // The copy answers without the server.
            let count = server.requests.count
            let again = try Self.store(folder)
            try await Self.readAll("copy", in: again)
            #expect(try again.status(of: ShardKey("copy"))?.traffic?.requests ?? 0 == 0)
            #expect(server.requests.count == count)
            await again.close()
        }

        private static func cacheSize(_ folder: FilePath) throws -> Int {
            try URL(filePath: folder.string).files().reduce(0) { try $0 + $1.bytes().count }
        }

        @Test("the cache answers after an end of the process, without the server's bytes")
        func cached() async throws {
            let bytes = Self.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let folder = try TemporaryFolder()
            // Each session has what the cache of the one before it had on the disk, as after an end of the process.
            func session(_ body: (DAGStore) async throws -> Void) async throws {
                let old = folder.path(of: "store/remote-cache")
                let new = folder.path(of: "cache")
                var settings = Self.settings(folder)
                settings.cacheFolder = FilePath(new)
                if FileManager.default.fileExists(atPath: old) {
                    try? FileManager.default.removeItem(atPath: new)
                    try FileManager.default.copyItem(atPath: old, toPath: new)
                    try FileManager.default.removeItem(atPath: old)
                }
                var mounts = MountRegistry.standard
                try RemoteSchemes.add(to: &mounts, settings)
                let path = FilePath(folder.path(of: "store"))
                let store = try DAGStore.open(at: path, mounts: mounts)
                try await body(store)
                await store.close()
                try FileManager.default.copyItem(atPath: new, toPath: old)
            }
            try await session { store in
                let url = try MountURL(server.url + "/a.car")
                try await store.register(ShardKey("a"), from: url, policy: .cache)
            }
            try await session { store in
                try await Self.readAll("a", in: store)
                // The disk gets the bytes after the reader, except for those that each opening reads.
                let size = bytes.count - RemoteObject.firstReadSize
                try await eventually {
                    try Self.cacheSize(FilePath(folder.path(of: "cache"))) >= size
                }
            }
            try await session { store in
                try await Self.readAll("a", in: store)
                let traffic = try #require(try store.status(of: ShardKey("a"))?.traffic)
                #expect(traffic.bytes < UInt64(bytes.count) / 10)
            }
        }

        @Test("a server without ranges is copied once, also over an end of the process")
        func withoutRanges() async throws {
            let bytes = Self.car.bytes
            let server = try await ScriptedServer { request in
                guard request.method == "HEAD" else {
                    return .init(200, [("ETag", "\"v1\"")], body: bytes)
                }
                var reply = ScriptedServer.serve(bytes, request)
                reply.headers.removeAll { $0.name == "Accept-Ranges" }
                reply.headers.append(("Accept-Ranges", "none"))
                return reply
            }
            let folder = try TemporaryFolder()
            let store = try Self.store(folder)
            try await store.register(ShardKey("a"), from: MountURL(server.url + "/a.car"))
            #expect(Self.files(folder, "transients").count == 1)
            await store.close()
            let again = try Self.store(folder)
            try await Self.readAll("a", in: again)
            #expect(Self.files(folder, "transients").count == 1)
            await again.close()
        }

        @Test("the settings of S3 are read when an s3 URL is first resolved")
        func lazySettings() throws {
            let reads = Mutex(0)
            let source = S3SettingsSource { () throws(MountError) in
                let count = reads.withLock { reads -> Int in
                    reads += 1
                    return reads
                }
                guard count > 1 else { throw MountError(.unreachable, "no such file") }
                do {
                    return S3Settings(
                        endpoint: try .init(url: "http://127.0.0.1:1", region: "us-east-1"),
                        chain: .init([], now: S3Settings.now)
                    )
                } catch {
                    throw MountError(.malformedURL, "\(error)")
                }
            }
            var mounts = MountRegistry.standard
            let remote = RemoteClient(localOptions())
            try mounts.register(S3Mount(source, remote), scheme: "s3")
            #expect(reads.withLock { $0 } == 0)
            #expect(throws: MountError(.unreachable, "")) {
                try mounts.mount(for: MountURL("s3://bucket/a.car"))
            }
            for _ in 0..<3 {
                let mount = try mounts.mount(for: MountURL("s3://bucket/a.car"), under: .copy)
                #expect(mount.access == .sequential)
            }
            #expect(reads.withLock { $0 } == 2)
        }

        @Test("a scheme that has a template keeps it")
        func ownScheme() throws {
            let folder = try TemporaryFolder()
            var mounts = MountRegistry.standard
            try mounts.register(CountingMount([1], scheme: "http"), scheme: "http")
            try RemoteSchemes.add(to: &mounts, Self.settings(folder))
            #expect(mounts.schemes == ["file", "http", "https", "s3"])
            #expect(try mounts.mount(for: MountURL("http://a")) is CountingMount)
        }
    }
#endif
