import CDAGStore
import DAGMultiformats
import Dispatch
import TestSupport
import Testing

@testable import DAGStoreC

@Suite("Policies through the C interface", .timeLimit(.minutes(2)))
struct CPolicyTests {
    private static let car = CARBuilder.uniform(sections: 50, blockSize: 500, seed: 9)

    /// What the cursor says of a shard.
    private static func info(_ store: CStore, _ key: String) throws -> dagstore_info_t {
        var shards: OpaquePointer?
        try expectOK(unsafe dagstore_shards_open(store.handle, key, &shards, nil))
        defer { unsafe dagstore_shards_close(shards) }
        var info = dagstore_info_t()
        info.size = UInt32(MemoryLayout<dagstore_info_t>.size)
        try expectOK(unsafe dagstore_shards_next(shards, &info, nil))
        return info
    }

    private static func options(_ policy: Int) -> dagstore_register_options_t {
        var options = dagstore_register_options_t()
        options.size = UInt32(MemoryLayout<dagstore_register_options_t>.size)
        options.policy = UInt32(policy)
        return options
    }

    @Test("a policy is set at the registration and later, and an unknown one is refused")
    func policies() throws {
        let store = try CStore()
        let path = try store.folder.write(Self.car.bytes, to: "a.car")
        var options = Self.options(DAGSTORE_POLICY_CACHE)
        try expectOK(
            unsafe dagstore_register_with(store.handle, "a", "file://\(path)", &options, nil)
        )
        #expect(try Self.info(store, "a").policy == UInt32(DAGSTORE_POLICY_CACHE))
        try expectOK(
            unsafe dagstore_set_policy(store.handle, "a", UInt32(DAGSTORE_POLICY_COPY), nil)
        )
        #expect(try Self.info(store, "a").policy == UInt32(DAGSTORE_POLICY_COPY))
        #expect(try Self.info(store, "a").remote_requests == 0)
        options = Self.options(4)
        let unknown = unsafe dagstore_register_with(
            store.handle,
            "b",
            "file://\(path)",
            &options,
            nil
        )
        #expect(name(unknown) == "invalidArgument")
        #expect(name(unsafe dagstore_set_policy(store.handle, "a", 4, nil)) == "invalidArgument")
        #expect(name(unsafe dagstore_set_policy(store.handle, "b", 0, nil)) == "shardUnknown")
        store.close()
    }

    #if Node
        /// Blocks a thread that is none of Swift's, because the server answers on those.
        private static func blocking<R: Sendable>(
            _ body: @escaping @Sendable () throws -> R
        ) async throws -> R {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
            }
        }

        @Test(
            "a CAR behind a URL is read, and its requests are counted",
            arguments: [DAGSTORE_POLICY_REMOTE, DAGSTORE_POLICY_CACHE, DAGSTORE_POLICY_COPY]
        )
        func remote(policy: Int) async throws {
            let bytes = Self.car.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let url = server.url + "/a.car"
            let store = try CStore { config in
                config.flags |= UInt32(DAGSTORE_OPEN_ALLOWS_PRIVATE)
                config.remote_cache_size = 1 << 24
            }
            try await Self.blocking {
                var options = Self.options(policy)
                try expectOK(
                    unsafe dagstore_register_with(store.handle, "a", url, &options, nil)
                )
                let shard = unsafe try store.acquire("a")
                for expected in Self.car.blocks {
                    unsafe #expect(block(shard, expected.cid.bytes).bytes == expected.data)
                }
                unsafe dagstore_shard_release(shard)
                let info = try Self.info(store, "a")
                #expect(info.policy == UInt32(policy))
                #expect(info.remote_requests > 0)
                #expect(info.remote_bytes >= UInt64(bytes.count))
                var statistics = dagstore_statistics_t()
                statistics.size = UInt32(MemoryLayout<dagstore_statistics_t>.size)
                try expectOK(unsafe dagstore_statistics(store.handle, &statistics, nil))
                #expect(statistics.remote_requests == info.remote_requests)
                #expect(statistics.transients == (policy == DAGSTORE_POLICY_COPY ? 1 : 0))
                var requests: UInt64 = 0
                var received: UInt64 = 0
                try expectOK(
                    unsafe dagstore_scheme_traffic(store.handle, "http", &requests, &received, nil)
                )
                #expect((requests, received) == (info.remote_requests, info.remote_bytes))
                try expectOK(
                    unsafe dagstore_scheme_traffic(store.handle, "s3", &requests, nil, nil)
                )
                #expect(requests == 0)
                store.close()
            }
        }

        @Test("private networks are refused unless the configuration lets URLs reach them")
        func privateNetworks() throws {
            let store = try CStore()
            let status = unsafe dagstore_register(
                store.handle,
                "a",
                "http://127.0.0.1:9/a.car",
                0,
                nil
            )
            #expect(name(status) == "mountUnreachable")
            store.close()
        }
    #else
        @Test("a library without remote schemes says which build has them")
        func unknownScheme() throws {
            let store = try CStore()
            var error: OpaquePointer?
            let status = unsafe dagstore_register(store.handle, "a", "https://a/a.car", 0, &error)
            #expect(name(status) == "unknownScheme")
            let message = unsafe String(cString: dagstore_error_message(error))
            #expect(message.contains("trait Node"))
            unsafe dagstore_error_release(error)
            store.close()
        }
    #endif
}
