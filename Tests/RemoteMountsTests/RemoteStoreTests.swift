#if Node
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import ObjectStorage
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import RemoteMounts

    /// Stores over remote CARs.
    @Suite("Stores of remote shards", .timeLimit(.minutes(10)))
    struct RemoteStoreTests {
        private static func store(
            _ folder: TemporaryFolder,
            _ remote: RemoteClient,
            _ settings: S3Settings? = nil
        ) throws -> DAGStore {
            var mounts = MountRegistry.standard
            for scheme in HTTPMount.schemes {
                try mounts.register(HTTPMount(remote), scheme: scheme)
            }
            if let settings {
                try mounts.register(
                    S3Mount(S3SettingsSource(settings), remote),
                    scheme: S3Mount.scheme
                )
            }
            return try DAGStore.open(at: FilePath(folder.path(of: "store")), mounts: mounts)
        }

        @Test("a store indexes a remote CAR and reads its blocks, under every policy and scheme")
        func policies() async throws {
            let car = CARBuilder.uniform(sections: 300, blockSize: 2000, seed: 7)
            let bytes = car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            for policy in MountPolicy.allCases {
                let folder = try TemporaryFolder()
                let remote = RemoteClient(
                    localOptions {
                        $0.policy = policy
                        $0.cacheFolder = folder.cachePath
                    }
                )
                let store = try Self.store(folder, remote, localSettings(server))
                try await store.register(
                    ShardKey("http"),
                    from: HTTPMount(server.url + "/a.car", remote)
                )
                try await store.register(
                    ShardKey("s3"),
                    from: S3Mount("s3://bucket/a.car", localSettings(server), remote)
                )
                for key in ["http", "s3"] {
                    let shard = try await store.acquire(ShardKey(key))
                    #expect(shard.roots == car.roots)
                    for block in car.blocks {
                        let found = try await shard.block(for: block.cid)?.verified()
                        #expect(found?.size == block.data.count)
                    }
                    shard.release()
                }
                await store.close()
                // The record names the mount again after a restart.
                let again = try Self.store(folder, remote, localSettings(server))
                for key in ["http", "s3"] {
                    let shard = try await again.acquire(ShardKey(key))
                    #expect(try await shard.block(for: car.blocks[7].cid)?.verified() != nil)
                    shard.release()
                }
                await again.close()
            }
        }

        // The bars, on a CAR that the test's server makes up as it is asked: large, and never in memory.
        @Test("random blocks of an indexed remote CAR cost few bytes and requests")
        func randomBlocks() async throws {
            let car = CARBuilder.uniform(sections: 20_000, blockSize: 1024, seed: 9)
            let bytes = car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let folder = try TemporaryFolder()
            do {
                let remote = RemoteClient(localOptions())
                let store = try Self.store(folder, remote)
                try await store.register(
                    ShardKey("a"),
                    from: HTTPMount(server.url + "/a.car", remote)
                )
                await store.close()
                // Small blocks are indexed as one stream: hardly any byte twice, in windows.
                #expect(remote.counters.bytes <= UInt64(bytes.count) * 105 / 100)
                #expect(remote.counters.requests < 60)
            }
            let remote = RemoteClient(localOptions())
            let store = try Self.store(folder, remote)
            var generator = SplitMix64(seed: 10)
            let wanted = (0..<100).map { _ in Int.random(in: 0..<20_000, using: &generator) }
            let shard = try await store.acquire(ShardKey("a"))
            for index in wanted {
                let block = try await shard.block(for: car.blocks[index].cid)?.verified()
                #expect(block?.size == 1024)
            }
            shard.release()
            await store.close()
            let counters = remote.counters
            #expect(counters.bytes <= 3 * 100 * 1024, "\(counters)")
            #expect(counters.requests <= 120, "\(counters)")
        }

        @Test("large blocks are indexed by their headers, and the index is that of a local file")
        func largeBlocks() async throws {
            let car = CARBuilder.uniform(sections: 200, blockSize: 262_144, seed: 11)
            let bytes = car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let folder = try TemporaryFolder()
            let remote = RemoteClient(localOptions { $0.scanMeasures = .rangesOnly })
            let store = try Self.store(folder, remote)
            try await store.register(ShardKey("a"), from: HTTPMount(server.url + "/a.car", remote))
            let counters = remote.counters
            #expect(counters.bytes < UInt64(bytes.count) / 50, "\(counters)")
            #expect(server.peak > 1, "the next headers are read together")
            let path = try folder.write(bytes, to: "a.car")
            try await store.register(ShardKey("b"), from: FileMount(FilePath(path)))
            let one = try await store.acquire(ShardKey("a"))
            let other = try await store.acquire(ShardKey("b"))
            for block in car.blocks {
                #expect(try one.location(of: block.cid) == other.location(of: block.cid))
            }
            one.release()
            other.release()
            await store.close()
        }

        @Test("a CAR of 1 GiB is indexed out of under 2 % of its bytes")
        func largeCAR() async throws {
            let car = SparseCAR(sections: 4096, blockSize: 262_144)
            let server = try await ScriptedServer { car.answer($0) }
            let folder = try TemporaryFolder()
            let remote = RemoteClient(localOptions { $0.scanMeasures = .rangesOnly })
            let store = try Self.store(folder, remote)
            try await store.register(ShardKey("a"), from: HTTPMount(server.url + "/a.car", remote))
            let counters = remote.counters
            #expect(car.size > 1 << 30)
            #expect(counters.bytes < car.size / 50, "\(counters)")
            #expect(try store.status(of: ShardKey("a"))?.blockCount == 4096)
            await store.close()
        }

        @Test("a CAR that is replaced fails its shard with sourceChanged at the next opening")
        func replaced() async throws {
            let car = CARBuilder.uniform(sections: 50, blockSize: 2000, seed: 12)
            let bytes = car.bytes
            let folder = try TemporaryFolder()
            let tag = Mutex("\"one\"")
            let server = try await ScriptedServer { request in
                ScriptedServer.serve(bytes, tag: tag.withLock { $0 }, request)
            }
            let remote = RemoteClient(localOptions())
            let store = try Self.store(folder, remote)
            try await store.register(ShardKey("a"), from: HTTPMount(server.url + "/a.car", remote))
            await store.close()
            tag.withLock { $0 = "\"two\"" }
            let again = try Self.store(folder, RemoteClient(localOptions()))
            let error = await #expect(throws: DAGStoreError.self) {
                _ = try await again.acquire(ShardKey("a"))
            }
            #expect(error?.code == .sourceChanged)
            await again.close()
        }
    }

    /// A CAR of equal blocks of zeros under arbitrary CIDs, made up as it is read.
    struct SparseCAR: Sendable {
        private let header = CARBuilder(
            roots: CARBuilder.uniform(sections: 1, blockSize: 1, seed: 1).roots
        ).bytes
        private let sections: Int
        private let blockSize: Int
        private let prefix: [UInt8]

        init(sections: Int, blockSize: Int) {
            self.sections = sections
            self.blockSize = blockSize
            var length = UInt64(36 + blockSize)
            var bytes: [UInt8] = []
            while length >= 0x80 {
                bytes.append(UInt8(length & 0x7f) | 0x80)
                length >>= 7
            }
            // A CIDv1 of raw bytes by sha2-256.
            prefix = bytes + [UInt8(length), 1, 0x55, 0x12, 0x20]
        }

        private var sectionSize: Int { prefix.count + 32 + blockSize }

        /// The size in bytes.
        var size: UInt64 { UInt64(header.count + sections * sectionSize) }

        /// Returns the bytes of a range.
        func bytes(in range: Range<Int>) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(range.count)
            var position = range.lowerBound
            while position < range.upperBound {
                if position < header.count {
                    bytes.append(header[position])
                    position += 1
                    continue
                }
                let (index, offset) = (position - header.count).quotientAndRemainder(
                    dividingBy: sectionSize
                )
                var generator = SplitMix64(seed: UInt64(index))
                let start = prefix + generator.bytes(32)
                let end = min(range.upperBound, position + sectionSize - offset)
                if offset < start.count {
                    let count = min(start.count - offset, end - position)
                    bytes += start[offset..<offset + count]
                    position += count
                } else {
                    bytes += [UInt8](repeating: 0, count: end - position)
                    position = end
                }
            }
            return bytes
        }

        /// Answers a request as a correct server of files does.
        func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Reply {
            let headers: [(name: String, value: String)] = [("ETag", "\"v1\"")]
            guard let value = request.header("Range") else {
                return .init(200, headers + [("Content-Length", "\(size)")])
            }
            let ends = value.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
            let last = min(ends[1], Int(size) - 1)
            let range = ("Content-Range", "bytes \(ends[0])-\(last)/\(size)")
            return .init(206, headers + [range], body: bytes(in: ends[0]..<last + 1))
        }
    }
#endif
