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

    /// Options of a client that may reach loopback and repeats requests at once.
    func localOptions(_ change: (inout RemoteOptions) -> Void = { _ in }) -> RemoteOptions {
        var options = RemoteOptions()
        options.client.targets = .local
        options.client.retries.pauseMin = .milliseconds(1)
        // A loaded machine takes its time.
        options.client.connectTimeout = .seconds(300)
        options.client.silenceMax = .seconds(300)
        options.client.progressWindow = .seconds(300)
        options.client.retries.pauseMax = .milliseconds(2)
        change(&options)
        return options
    }

    /// Settings of an endpoint on loopback with fixed credentials.
    func localSettings(_ server: ScriptedServer) throws -> S3Settings {
        S3Settings(
            endpoint: try S3Endpoint(url: server.url, region: "us-east-1"),
            chain: CredentialsChain(
                [FixedCredentials(S3Credentials(accessKey: "AK", secretKey: "hidden"))],
                now: S3Settings.now
            )
        )
    }

    @Suite("Remote mounts", .timeLimit(.minutes(5)))
    struct RemoteMountTests {
        static let bytes: [UInt8] = {
            var generator = SplitMix64(seed: 1)
            return generator.bytes(500_000)
        }()

        /// How a server answers.
        enum Server: CaseIterable {
            case ranges, noHead, noRanges, lying, saysNone, noTag

            func answer(_ bytes: [UInt8], _ request: ScriptedServer.Request) -> ScriptedServer.Reply
            {
                let whole = ScriptedServer.Reply(200, [("ETag", "\"v1\"")], body: bytes)
                switch self {
                case .ranges: return ScriptedServer.serve(bytes, request)
                case .noTag: return ScriptedServer.serve(bytes, tag: nil, request)
                case .noHead:
                    if request.method == "HEAD" { return .init(405) }
                    return ScriptedServer.serve(bytes, request)
                case .noRanges, .lying, .saysNone:
                    guard request.method == "HEAD" else { return whole }
                    var reply = ScriptedServer.serve(bytes, request)
                    reply.headers.removeAll { $0.name == "Accept-Ranges" && self != .lying }
                    if self == .saysNone { reply.headers.append(("Accept-Ranges", "none")) }
                    return reply
                }
            }
        }

        @Test(
            "every kind of server passes the mount conformance suite, under every policy",
            arguments: Server.allCases,
            MountPolicy.allCases
        )
        func conformance(kind: Server, policy: MountPolicy) async throws {
            let folder = try TemporaryFolder()
            let bytes = Self.bytes
            let server = try await ScriptedServer { kind.answer(bytes, $0) }
            let remote = RemoteClient(
                localOptions {
                    $0.policy = policy
                    $0.cacheFolder = folder.cachePath
                }
            )
            try await checkMount(HTTPMount(server.url + "/a.car", remote), bytes: bytes)
            try await checkMount(
                S3Mount("s3://bucket/a b.car", localSettings(server), remote),
                bytes: bytes
            )
        }

        @Test("an empty object passes the conformance suite")
        func empty() async throws {
            let server = try await ScriptedServer { ScriptedServer.serve([], $0) }
            let remote = RemoteClient(localOptions())
            try await checkMount(HTTPMount(server.url + "/a.car", remote), bytes: [])
        }

        /// A source of `bytes` behind `server`.
        private func source(
            _ server: ScriptedServer,
            _ remote: RemoteClient
        ) async throws -> any RandomSource {
            let mount = try HTTPMount(server.url + "/a.car", remote)
            guard case .random(let source) = try await mount.open() else {
                throw MountError(.unreachable, "not random")
            }
            return source
        }

        @Test("reads of neighbors join while the connections are busy, and none is sent twice")
        func coalescing() async throws {
            let bytes = Self.bytes
            let gate = Gate()
            let server = try await ScriptedServer { request in
                if request.header("Range") != "bytes=0-4095" {
                    try? await gate.pass(heedingCancellation: false)
                }
                return ScriptedServer.serve(bytes, request)
            }
            let remote = RemoteClient(
                localOptions {
                    $0.client.connectionsPerHost = 3
                    $0.readAheadMax = 1 << 20
                }
            )
            let source = try await source(server, remote)
            try await withThrowingTaskGroup(of: Void.self) { group in
                // The only connection of the class is busy with this read.
                group.addTask { _ = try await source.read(at: 400_000, size: 10) }
                await gate.waitForArrivals(1)
                let url = try ObjectURL(server.url)
                for index in (0..<50).reversed() {
                    let start = 100_000 + index * 1000
                    group.addTask {
                        let found = try await source.read(at: UInt64(start), size: 1000)
                        #expect(found == Array(bytes[start..<start + 1000]))
                    }
                }
                await eventually {
                    remote.client.waiterCount(url, .read) > 0
                        && remote.counters.requests >= 2
                }
                gate.open()
                try await group.waitForAll()
            }
            let sent = server.requests.count
            #expect(sent < 40, "\(sent) requests")
            let again = try await source.read(at: 100_000, size: 50_000)
            #expect(again == Array(bytes[100_000..<150_000]))
            #expect(server.requests.count == sent, "all bytes are in the memory")
            source.close()
        }

        @Test("an object that changes is told, and nothing of the old one is returned for it")
        func change() async throws {
            let version = Mutex(1)
            let old = Self.bytes
            let new = Array(Self.bytes.reversed())
            let server = try await ScriptedServer { request in
                let version = version.withLock { $0 }
                return ScriptedServer.serve(
                    version == 1 ? old : new,
                    tag: "\"v\(version)\"",
                    request
                )
            }
            let remote = RemoteClient(localOptions())
            let source = try await source(server, remote)
            #expect(try await source.read(at: 200_000, size: 10) == Array(old[200_000..<200_010]))
            version.withLock { $0 = 2 }
            await #expect(throws: MountError(.changed, "")) {
                _ = try await source.read(at: 300_000, size: 10)
            }
            let next = try await self.source(server, remote)
            #expect(try await next.read(at: 200_000, size: 10) == Array(new[200_000..<200_010]))
        }

        @Test("the policy cache serves bytes after a restart, checked")
        func diskCache() async throws {
            let folder = try TemporaryFolder()
            let bytes = Self.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let options = localOptions {
                $0.policy = .cache
                $0.cacheFolder = folder.cachePath
            }
            do {
                let remote = RemoteClient(options)
                let source = try await source(server, remote)
                _ = try await source.read(at: 100_000, size: 5000)
                _ = try await source.read(at: 300_000, size: 5000)
                await eventually { (remote.disk?.size ?? 0) >= 10_000 }
                source.close()
            }
            let files = try folder.cacheFiles()
            var segment = try #require(files.first).bytes()
            // The last byte of the last entry.
            segment[segment.count - 1] ^= 1
            try Data(segment).write(to: files[0])
            // The lock goes with the last task of the first client.
            await eventually { (try? DiskCache(at: folder.cachePath, sizeMax: 1 << 30)) != nil }
            let reopened = RemoteClient(options)
            let source = try await source(server, reopened)
            let count = server.requests.count
            #expect(
                try await source.read(at: 100_000, size: 5000) == Array(bytes[100_000..<105_000])
            )
            #expect(server.requests.count == count)
            #expect(
                try await source.read(at: 300_000, size: 5000) == Array(bytes[300_000..<305_000])
            )
            #expect(server.requests.count == count + 1)
            #expect(reopened.disk?.damagedCount == 1)
        }

        @Test("a walk over cached bytes sends nothing, and all room for guesses is given back")
        func warmWalk() async throws {
            let folder = try TemporaryFolder()
            let bytes = Self.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let options = localOptions {
                $0.policy = .cache
                $0.cacheFolder = folder.cachePath
            }
            func walk(_ source: any RandomSource) async throws {
                for start in stride(from: 0, to: bytes.count, by: 5000) {
                    let found = try await source.read(at: UInt64(start), size: 5000)
                    #expect(found == Array(bytes[start..<min(start + 5000, bytes.count)]))
                }
            }
            do {
                let remote = RemoteClient(options)
                let source = try await source(server, remote)
                try await walk(source)
                await eventually { (source as? RangeSource)?.isIdle == true }
                #expect(server.requests.count < 30)
                source.close()
                await eventually { remote.guessRoom == RemoteClient.guessSizeMax }
            }
            await eventually { (try? DiskCache(at: folder.cachePath, sizeMax: 1 << 30)) != nil }
            let remote = RemoteClient(options)
            let source = try await source(server, remote)
            let count = server.requests.count
            try await walk(source)
            #expect(server.requests.count == count)
        }

        @Test("the errors of servers are those of mounts")
        func errors() async throws {
            let expected: [(Int, MountError.Code)] = [
                (404, .gone), (403, .unreachable), (500, .unreachable), (429, .unreachable),
            ]
            for (status, code) in expected {
                let server = try await ScriptedServer { _ in .init(status) }
                let remote = RemoteClient(localOptions { $0.client.retries.attemptsMax = 1 })
                let mount = try HTTPMount(server.url + "/a.car", remote)
                await #expect(throws: MountError(code, ""), "\(status)") { try await mount.stat() }
                await #expect(throws: MountError(code, ""), "\(status)") { try await mount.open() }
            }
        }

        @Test("credentials go to their host alone, and stand neither in the URL nor in an error")
        func credentials() async throws {
            let server = try await ScriptedServer { _ in .init(404) }
            let field = HeaderField("Authorization", "Bearer hidden")
            for (host, isSent) in [("127.0.0.1", true), ("example.com", false), ("*.0.0.1", true)] {
                let remote = RemoteClient(
                    localOptions { $0.hosts = [HostFields(host: host, fields: [field])] }
                )
                let template = try HTTPMount(remote)
                let mount = try template.resolving(MountURL(server.url + "/\(host)"))
                #expect(!mount.url.text.contains("hidden"))
                let error = await #expect(throws: MountError.self) { try await mount.stat() }
                #expect(error?.detail.contains("hidden") == false)
                let request = try #require(server.requests.last)
                #expect((request.header("Authorization") != nil) == isSent)
            }
        }

        @Test(
            "a URL that would put a secret in the record is refused",
            arguments: [
                "https://user:hidden@example.com/a.car",
                "https://example.com/a.car?X-Amz-Signature=hidden&x=1", "https://example.com/#a",
            ]
        )
        func secretURLs(url: String) throws {
            let template = try HTTPMount(RemoteClient(localOptions()))
            let error = try #require(throws: MountError(.malformedURL, "")) {
                try template.resolving(MountURL(url))
            }
            #expect(!error.detail.contains("hidden"))
        }

        @Test("the node's own network is refused unless the options permit it")
        func privateTargets() async throws {
            let server = try await ScriptedServer { ScriptedServer.serve([1], $0) }
            let remote = RemoteClient(RemoteOptions())
            let mount = try HTTPMount(server.url + "/a.car", remote)
            await #expect(throws: MountError(.unreachable, "")) { try await mount.stat() }
            #expect(server.requests.isEmpty)
        }

        @Test("the settings of S3 come from the variables and files of AWS's tools")
        func settings() throws {
            let folder = try TemporaryFolder()
            let config = try folder.write(
                Array("[profile p]\nregion = eu-west-3\n".utf8),
                to: "config"
            )
            let variables = [
                "AWS_CONFIG_FILE": config, "AWS_PROFILE": "p", "AWS_EC2_METADATA_DISABLED": "true",
            ]
            let settings = try S3Settings.usual { variables[$0] }
            #expect(settings.endpoint.region == "eu-west-3")
            #expect(settings.endpoint.addressing == .virtualHost)
            let own = try S3Settings.usual {
                ["AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "x-1"][$0]
            }
            #expect(own.endpoint.origin.port == 1)
            #expect(own.endpoint.addressing == .path)
            #expect(throws: ObjectStorageError(.malformedURL, "")) {
                try S3Settings.usual { ["AWS_ENDPOINT_URL": "http://x/path"][$0] }
            }
        }
    }
#endif
