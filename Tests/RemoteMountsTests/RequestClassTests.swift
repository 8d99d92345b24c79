#if Node
    import DAGMounts
    import ObjectStorage
    import TestSupport
    import Testing

    @testable import RemoteMounts

    /// Reads of blocks, indexing and whole copies of one host beside each other.
    @Suite("Request classes", .timeLimit(.minutes(5)))
    struct RequestClassTests {
        private static let size = 2_000_000
        private static let bytes: [UInt8] = {
            var generator = SplitMix64(seed: 60)
            return generator.bytes(size)
        }()

        /// Reads an object from its first byte to its last.
        private static func readAll(_ source: any RandomSource) async throws -> [UInt8] {
            var found: [UInt8] = []
            while found.count < size {
                found += try await source.read(at: UInt64(found.count), size: 10_000)
            }
            return found
        }

        @Test(
            "while a thousand requests of one class wait, the other classes go on",
            arguments: [RequestClass.index, .read, .fetch]
        )
        func starvation(kind: RequestClass) async throws {
            let gate = Gate()
            let bytes = Self.bytes
            let server = try await ScriptedServer { request in
                if request.target == "/held.car", request.method == "GET" {
                    try? await gate.pass(heedingCancellation: false)
                }
                return ScriptedServer.serve(bytes, request)
            }
            let options = localOptions { options in
                // The gate stays shut as long as a slow machine needs.
                options.client.silenceMax = .seconds(300)
                options.client.progressWindow = .seconds(300)
                options.client.retries.deadline = .seconds(300)
            }
            let remote = RemoteClient(options)
            let client = remote.client
            func target(_ name: String) throws -> ObjectTarget {
                ObjectTarget(try ObjectURL(server.url + name), counters: TransferCounters())
            }
            let held = try target("/held.car")
            let stat = try await client.stat(held)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<1000 as Range<UInt64> {
                    group.addTask {
                        try await client.read(held, of: stat, kind) { index..<index + 10 }.count
                    }
                }
                await gate.waitForArrivals(client.requestsAtOnce)
                await eventually {
                    client.waiterCount(held.url, kind) == 1000 - client.requestsAtOnce
                }
                if kind != .read {
                    // What a reader's source asks for ahead of it waits with the indexing; the reader does not.
                    let opened = try await HTTPMount(server.url + "/a.car", remote).open()
                    guard case .random(let source) = opened else {
                        throw MountError(.unreachable, "the server sends no parts")
                    }
                    #expect(try await Self.readAll(source) == bytes)
                }
                if kind != .index {
                    let part = try await client.read(target("/a.car"), of: stat, .index) { 5..<900 }
                    #expect(part == Array(bytes[5..<900]))
                }
                if kind != .fetch {
                    var copy: [UInt8] = []
                    try await client.stream(target("/a.car"), of: stat, .fetch) { copy += $0 }
                    #expect(copy == bytes)
                }
                gate.open()
                for try await count in group { #expect(count == 10) }
            }
        }
    }
#endif
