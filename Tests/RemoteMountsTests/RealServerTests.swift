#if Node
    import DAGMounts
    import DAGMultiformats
    import DAGStorage
    import Foundation
    import ObjectStorage
    import SystemPackage
    import TestSupport
    import Testing

    @testable import RemoteMounts

    /// Mounts of servers that nobody here wrote.
    ///
    /// A suite is skipped where its program is missing: `DAGSTORE_NGINX` and `DAGSTORE_WEED` name the programs.
    @Suite("Real servers", .serialized, .timeLimit(.minutes(10)))
    struct RealServerTests {
        static let nginx = RealServer.path(of: "nginx", variable: "DAGSTORE_NGINX")
        static let weed = ObjectServer.program

        static let car = CARBuilder.uniform(sections: 200, blockSize: 3000, seed: 21)

        /// Waits until a server answers anything.
        private static func waitForAnswer(_ url: String, _ server: RealServer) async throws {
            let client = RemoteClient(localOptions()).client
            let target = ObjectTarget(try ObjectURL(url), counters: TransferCounters())
            while true {
                do {
                    _ = try await client.stat(target)
                    return
                } catch let error as ObjectStorageError {
                    let absent: [ObjectStorageError.Code] = [.unreachable, .timedOut, .unavailable]
                    guard absent.contains(error.code) else { return }
                    try #require(server.isRunning, "the server has ended")
                }
            }
        }

        /// What nginx does with ranges.
        enum Ranges: String, CaseIterable {
            case sent
            case refused = "max_ranges 0;"
            case lying = "max_ranges 0; add_header Accept-Ranges bytes;"
        }

        @Test(
            "nginx passes the conformance suite with ranges, without, and lying about them",
            .enabled(if: nginx != nil, "nginx is not installed; set DAGSTORE_NGINX"),
            arguments: Ranges.allCases
        )
        func nginxServer(ranges: Ranges) async throws {
            let program = try #require(Self.nginx)
            let folder = try TemporaryFolder()
            let bytes = Self.car.bytes
            _ = try folder.write(bytes, to: "a.car")
            let port = try await ObjectServer.ports(1)[0]
            let text = """
                daemon off; master_process off; pid nginx.pid; error_log error.log;
                events {}
                http {
                    access_log off;
                    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
                    uwsgi_temp_path t4; scgi_temp_path t5;
                    server {
                        listen 127.0.0.1:\(port);
                        root \(folder.url.path);
                        \(ranges == .sent ? "" : ranges.rawValue)
                    }
                }
                """
            let configuration = try folder.write(Array(text.utf8), to: "nginx.conf")
            let server = try RealServer(
                program,
                ["-p", folder.url.path, "-c", configuration, "-e", "error.log"],
                in: folder
            )
            let url = "http://127.0.0.1:\(port)/a.car"
            try await Self.waitForAnswer(url, server)
            let remote = RemoteClient(localOptions())
            let mount = try HTTPMount(url, remote)
            try await checkMount(mount, bytes: bytes)
            #expect(mount.access == (ranges == .sent ? .random : .sequential))
            try await Self.checkStore(HTTPMount(url, remote)) {
                for scheme in HTTPMount.schemes {
                    try $0.register(HTTPMount(remote), scheme: scheme)
                }
            }
            if ranges == .sent {
                // The tag of nginx is of time and size. A new client has nothing in its memory.
                let opened = try await HTTPMount(url, RemoteClient(localOptions())).open()
                guard case .random(let source) = opened else { return }
                _ = try folder.write(bytes + [0], to: "a.car")
                await #expect(throws: MountError(.changed, "")) {
                    _ = try await source.read(at: UInt64(bytes.count) - 10_000, size: 10)
                }
            }
        }

        @Test(
            "an S3 store passes the conformance suite, and refuses a wrong secret",
            .enabled(if: weed != nil, "weed is not installed; set DAGSTORE_WEED")
        )
        func s3() async throws {
            let program = try #require(Self.weed)
            let folder = try TemporaryFolder()
            let bytes = Self.car.bytes
            let path = try folder.write(bytes, to: "a.car")
            let store = try await ObjectServer(program, in: folder)
            let endpoint = store.endpoint
            try await Self.waitForAnswer(endpoint + "/", store.server)
            try await store.upload(path, to: "dir/a%20b.car", in: "bucket")
            let remote = RemoteClient(localOptions())
            func settings(_ secret: String) throws -> S3Settings {
                let credentials = S3Credentials(accessKey: "AKTEST", secretKey: secret)
                return S3Settings(
                    endpoint: try S3Endpoint(url: endpoint, region: "us-east-1"),
                    chain: CredentialsChain(
                        [FixedCredentials(credentials)],
                        now: S3Settings.now
                    )
                )
            }
            let url = "s3://bucket/dir/a b.car"
            try await checkMount(S3Mount(url, settings("SKTEST"), remote), bytes: bytes)
            try await Self.checkStore(S3Mount(url, settings("SKTEST"), remote)) {
                try $0.register(S3Mount(S3SettingsSource(settings("SKTEST")), remote), scheme: "s3")
            }
            await #expect(throws: MountError(.unreachable, "")) {
                try await S3Mount(url, settings("wrong"), remote).stat()
            }
            await #expect(throws: MountError(.gone, "")) {
                try await S3Mount("s3://bucket/none", settings("SKTEST"), remote).stat()
            }
        }

        /// Indexes a CAR and reads all of its blocks.
        private static func checkStore(
            _ mount: some Mount,
            _ register: (inout MountRegistry) throws -> Void
        ) async throws {
            let folder = try TemporaryFolder()
            var mounts = MountRegistry.standard
            try register(&mounts)
            let store = try DAGStore.open(at: FilePath(folder.path(of: "store")), mounts: mounts)
            try await store.register(ShardKey("a"), from: mount)
            let shard = try await store.acquire(ShardKey("a"))
            for block in car.blocks {
                #expect(try await shard.block(for: block.cid)?.verified() != nil)
            }
            shard.release()
            await store.close()
        }
    }
#endif
