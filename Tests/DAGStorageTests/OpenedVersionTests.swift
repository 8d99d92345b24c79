import DAGMounts
import SharedReads
import TestSupport
import Testing

@testable import DAGStorage

/// Remote sources that are replaced between their stat and their opening.
@Suite("The version that was opened")
struct OpenedVersionTests {
    private static let versions = [1, 2].map { seed in
        CARBuilder.uniform(sections: 20, blockSize: 100, seed: seed)
    }

    /// What all mounts of a test share.
    private final class State: Sendable {
        /// The version that is there.
        let version = Lock(0)
        /// Whether the next opening replaces the first version by the second.
        let replacesAtOpening = Lock(false)
        /// Whether a stat names a version otherwise than its reads do, as some servers do.
        let namesDiffer = Lock(false)
    }

    private final class Source: RandomSource, VersionedSource {
        let bytes: [UInt8]
        let validator: String?
        var size: UInt64 { UInt64(bytes.count) }

        init(_ version: Int) {
            bytes = versions[version].bytes
            validator = "\(version)"
        }

        func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
            let start = Int(min(offset, self.size))
            return Array(bytes[start..<min(start + size, bytes.count)])
        }

        func close() {}
    }

    private struct ReplacedMount: Mount {
        let url: MountURL
        let access: MountAccess
        let state: State

        func resolving(_ url: MountURL) throws -> ReplacedMount {
            ReplacedMount(url: url, access: access, state: state)
        }

        func stat() async throws -> MountStat {
            let version = state.version.withLock { $0 }
            let name = state.namesDiffer.withLock { $0 } ? "weak \(version)" : "\(version)"
            return MountStat(size: UInt64(versions[version].bytes.count), validator: name)
        }

        func open() async throws -> MountSource {
            let replaces = state.replacesAtOpening.withLock { replaces in
                defer { replaces = false }
                return replaces
            }
            if replaces { state.version.withLock { $0 = 1 } }
            return .random(Source(state.version.withLock { $0 }))
        }
    }

    /// Whether the shard has the blocks of a version.
    private static func isVersion(_ version: Int, in store: DAGStore) async throws -> Bool {
        let shard = try await store.acquire("a")
        defer { shard.release() }
        for block in versions[version].blocks {
            let found = try await shard.block(for: block.cid)
            guard try found?.copiedBytes == block.data else { return false }
        }
        return true
    }

    @Test("an indexed shard does not read another version of the same size")
    func opening() async throws {
        let folder = try StoreFolder()
        let state = State()
        let url = try MountURL("replaced://car")
        let mount = ReplacedMount(url: url, access: .random, state: state)
        var store = try folder.open([mount])
        try await store.register(ShardKey("a"), from: mount)
        await store.close()
        store = try folder.open([mount])
        state.replacesAtOpening.withLock { $0 = true }
        #expect(await errorCode { try await store.acquire("a") } == .sourceChanged)
        // The second version is indexed as what it is.
        try await store.recover(ShardKey("a"))
        #expect(try await Self.isVersion(1, in: store))
        await store.close()
    }

    @Test("a shard that is indexed while its source is replaced has the version that was read")
    func indexing() async throws {
        let folder = try StoreFolder()
        let state = State()
        let url = try MountURL("replaced://car")
        let mount = ReplacedMount(url: url, access: .random, state: state)
        for _ in 0..<2 {
            state.replacesAtOpening.withLock { $0 = true }
            let store = try folder.open([mount])
            if try store.status(of: "a") == nil {
                try await store.register(ShardKey("a"), from: mount)
            }
            #expect(try await Self.isVersion(1, in: store))
            await store.close()
        }
    }

    @Test("a server that names a version in two ways has no new version")
    func twoNames() async throws {
        let folder = try StoreFolder()
        let state = State()
        state.namesDiffer.withLock { $0 = true }
        let url = try MountURL("replaced://car")
        let mount = ReplacedMount(url: url, access: .random, state: state)
        for _ in 0..<2 {
            let store = try folder.open([mount])
            if try store.status(of: "a") == nil {
                try await store.register(ShardKey("a"), from: mount)
            }
            #expect(try await Self.isVersion(0, in: store))
            await store.close()
        }
    }
}
