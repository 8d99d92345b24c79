#if Node
    import Synchronization
    import TestSupport
    import Testing

    @testable import ObjectStorage

    @Suite("Object client", .timeLimit(.minutes(5)))
    struct ObjectClientTests {
        static let bytes: [UInt8] = {
            var generator = SplitMix64(seed: 1)
            return generator.bytes(300_000)
        }()

        /// A client that may reach loopback and repeats requests at once.
        static func client(_ change: (inout ClientConfiguration) -> Void = { _ in }) -> ObjectClient
        {
            var configuration = ClientConfiguration()
            configuration.targets = .local
            configuration.retries.pauseMin = .milliseconds(1)
            configuration.retries.pauseMax = .milliseconds(2)
            // A loaded machine takes its time.
            configuration.connectTimeout = .seconds(300)
            configuration.silenceMax = .seconds(300)
            configuration.progressWindow = .seconds(300)
            change(&configuration)
            return ObjectClient(configuration)
        }

        static func target(
            _ server: ScriptedServer,
            _ path: String = "/a.car",
            _ fields: [HeaderField] = []
        ) throws -> ObjectTarget {
            ObjectTarget(
                try ObjectURL(server.url + path),
                authorizer: FixedFields(fields),
                counters: TransferCounters()
            )
        }

        @Test("size, validators and ranges come from HEAD, or from one byte where HEAD is refused")
        func stat() async throws {
            let bytes = Self.bytes
            for refused in [0, 403, 405, 501] {
                let server = try await ScriptedServer { request in
                    if refused != 0, request.method == "HEAD" { return .init(refused) }
                    return ScriptedServer.serve(bytes, request)
                }
                let stat = try await Self.client().stat(Self.target(server))
                #expect(stat.size == UInt64(bytes.count))
                #expect(stat.version.validator == "\"v1\"")
                #expect(stat.ranges == (refused == 0 ? .unproven : .proven))
                #expect(
                    server.requests.map(\.method) == (refused == 0 ? ["HEAD"] : ["HEAD", "GET"])
                )
                // The client may send the next request before the first connection is free again.
                #expect(server.connectionCount <= server.requests.count)
            }
        }

        @Test("an empty object has the size 0")
        func empty() async throws {
            let server = try await ScriptedServer { ScriptedServer.serve([], $0) }
            let found = try await Self.client().probe(Self.target(server), size: 10, .read)
            #expect(found.stat.size == 0)
            #expect(found.bytes == [])
        }

        @Test("a read returns its range and names the version")
        func read() async throws {
            let bytes = Self.bytes
            let server = try await ScriptedServer { ScriptedServer.serve(bytes, $0) }
            let client = Self.client()
            let target = try Self.target(server)
            let stat = try await client.stat(target)
            let found = try await client.read(target, of: stat, .read) { 1000..<200_000 }
            #expect(found == Array(bytes[1000..<200_000]))
            #expect(server.requests.last?.header("If-Match") == "\"v1\"")
            #expect(server.requests.last?.header("Range") == "bytes=1000-199999")
            let values = target.counters.values
            #expect(values.requests == 2)
            #expect(values.bytes == 199_000)
            #expect(values.failures == 0)
        }

        @Test("a server may send less than it was asked for; the client asks for the rest")
        func partialRange() async throws {
            let bytes = Self.bytes
            let server = try await ScriptedServer { request in
                let first =
                    Int(request.header("Range")?.dropFirst(6).prefix { $0 != "-" } ?? "") ?? 0
                let last = Int(request.header("Range")?.split(separator: "-").last ?? "") ?? 0
                let part = Array(bytes[first...min(first + 999, last)])
                let range = "bytes \(first)-\(first + part.count - 1)/\(bytes.count)"
                return .init(206, [("Content-Range", range), ("ETag", "\"v1\"")], body: part)
            }
            let client = Self.client()
            let target = try Self.target(server)
            let stat = try await client.probe(target, size: 1, .read).stat
            let found = try await client.read(target, of: stat, .read) { 500..<3200 }
            #expect(found == Array(bytes[500..<3200]))
        }

        @Test("a connection that breaks in a body is continued where it broke")
        func continuation() async throws {
            let bytes = Self.bytes
            let server = try await ScriptedServer { request in
                var reply = ScriptedServer.serve(bytes, request)
                guard request.method == "GET", reply.body.count > 100_000 else { return reply }
                reply.body = Array(reply.body.prefix(150_000))
                reply.ending = .cut
                return reply
            }
            let client = Self.client()
            let target = try Self.target(server)
            let stat = try await client.stat(target)
            let size = UInt64(bytes.count)
            let found = try await client.read(target, of: stat, .read) { 0..<size }
            #expect(found == bytes)
            #expect(server.requests.compactMap { $0.header("Range") }.last != "bytes=0-299999")
            #expect(target.counters.values.retries >= 1)
            #expect(target.counters.values.bytes < 2 * 300_000)
        }

        @Test(
            "a transient failure is repeated, and the server's error comes at last",
            arguments: [
                (429, .throttled), (500, .unavailable), (502, .unavailable), (503, .unavailable),
                (504, .unavailable), (408, .timedOut),
            ] as [(Int, ObjectStorageError.Code)]
        )
        func retries(status: Int, code: ObjectStorageError.Code) async throws {
            let bytes = Self.bytes
            let count = Mutex(0)
            let server = try await ScriptedServer { request in
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                if request.target == "/never" || number <= 3 { return .init(status) }
                return ScriptedServer.serve(bytes, request)
            }
            let client = Self.client()
            let target = try Self.target(server)
            #expect(try await client.probe(target, size: 4, .read).bytes == Array(bytes[..<4]))
            #expect(target.counters.values.retries == 3)
            let never = try Self.target(server, "/never")
            await #expect(throws: ObjectStorageError(code, "")) {
                _ = try await client.probe(never, size: 4, .read)
            }
            #expect(
                never.counters.values.requests == UInt64(client.configuration.retries.attemptsMax)
            )
        }

        @Test("a pause that the server demands beyond the deadline ends the request at once")
        func longPause() async throws {
            let server = try await ScriptedServer { _ in .init(503, [("Retry-After", "3600")]) }
            let target = try Self.target(server)
            let error = await #expect(throws: ObjectStorageError(.unavailable, "")) {
                _ = try await Self.client().probe(target, size: 1, .read)
            }
            #expect(error?.retryAfter == .seconds(3600))
            #expect(server.requests.count == 1)
        }

        @Test(
            "a lasting failure is not repeated",
            arguments: [
                (401, .accessDenied), (403, .accessDenied), (404, .notFound), (410, .notFound),
                (400, .rejected), (412, .sourceChanged), (204, .malformedResponse),
            ] as [(Int, ObjectStorageError.Code)]
        )
        func failures(status: Int, code: ObjectStorageError.Code) async throws {
            let server = try await ScriptedServer { _ in .init(status) }
            await #expect(throws: ObjectStorageError(code, "")) {
                _ = try await Self.client().probe(Self.target(server), size: 1, .read)
            }
            #expect(server.requests.count == 1)
        }

        @Test("a request that is not idempotent is sent once")
        func post() async throws {
            let server = try await ScriptedServer { _ in .init(503) }
            await #expect(throws: ObjectStorageError(.unavailable, "")) {
                let target = try Self.target(server)
                try await Self.client().perform(target, .read, plan: { RequestPlan(method: .post) })
                {
                    throw await $0.failure()
                }
            }
            #expect(server.requests.count == 1)
        }

        // MARK: Wrong servers

        /// Answers `HEAD` as it should, and `GET` with `reply`.
        private func readError(
            _ reply: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply,
            _ change: (inout ClientConfiguration) -> Void = { $0.retries.attemptsMax = 1 }
        ) async throws -> ObjectStorageError? {
            let bytes = Self.bytes
            let server = try await ScriptedServer { request in
                request.method == "HEAD" ? ScriptedServer.serve(bytes, request) : reply(request)
            }
            let client = Self.client(change)
            let target = try Self.target(server)
            // The change may be a timeout that a loaded machine exceeds here.
            let stat = try await Self.client().stat(target)
            do {
                _ = try await client.read(target, of: stat, .read) { 10..<1010 }
                return nil
            } catch {
                return error as? ObjectStorageError
            }
        }

        private static func part(
            _ count: Int = 1000,
            range: String = "bytes 10-1009/300000",
            more: [(name: String, value: String)] = [("ETag", "\"v1\"")],
            ending: ScriptedServer.Ending = .complete
        ) -> ScriptedServer.Reply {
            let body = Array(bytes[10..<10 + count])
            return .init(206, [("Content-Range", range)] + more, body: body, ending: ending)
        }

        @Test("an object that was replaced is told by its tag, its size, or the status")
        func changes() async throws {
            let tag = try await readError { _ in Self.part(more: [("ETag", "\"v2\"")]) }
            #expect(tag?.code == .sourceChanged)
            let size = try await readError { _ in Self.part(range: "bytes 10-1009/300001") }
            #expect(size?.code == .sourceChanged)
            for status in [412, 416] {
                let error = try await readError { _ in .init(status) }
                #expect(error?.code == .sourceChanged)
            }
            let whole = try await readError { _ in
                .init(200, [("ETag", "\"v2\"")], body: Array(Self.bytes.dropLast()))
            }
            #expect(whole?.code == .sourceChanged)
            let gone = try await readError { _ in .init(404) }
            #expect(gone?.code == .notFound)
        }

        @Test("a server that sends the whole object refuses ranges")
        func wholeObject() async throws {
            let error = try await readError { _ in
                .init(200, [("ETag", "\"v1\"")], body: Self.bytes)
            }
            #expect(error?.code == .rangeRefused)
        }

        @Test(
            "a response with another range is malformed",
            arguments: [
                "bytes 11-1010/300000", "bytes 10-1010/300000", "bytes 10-9/300000", "none", "",
                "bytes */300000",
            ]
        )
        func otherRange(range: String) async throws {
            let error = try await readError { _ in Self.part(range: range) }
            #expect(error?.code == .malformedResponse)
        }

        @Test("a body of another size than its range or its header is refused")
        func bodySizes() async throws {
            let short = try await readError { _ in
                Self.part(500, more: [("Content-Length", "1000")], ending: .cut)
            }
            #expect(short?.code == .truncated)
            let disagreeing = try await readError { _ in Self.part(500) }
            #expect(disagreeing?.code == .malformedResponse)
            let chunked = try await readError { _ in
                var reply = Self.part(1500)
                reply.headers.removeAll { $0.name == "Content-Length" }
                reply.headers.append(("Transfer-Encoding", "chunked"))
                return reply
            }
            #expect(chunked?.code == .overlong)
            let shortChunks = try await readError { _ in
                var reply = Self.part(500)
                reply.headers.removeAll { $0.name == "Content-Length" }
                reply.headers.append(("Transfer-Encoding", "chunked"))
                return reply
            }
            #expect(shortChunks?.code == .truncated)
            let coded = try await readError { _ in Self.part(more: [("Content-Encoding", "gzip")]) }
            #expect(coded?.code == .malformedResponse)
        }

        @Test("a server that stalls, drips or never answers is too slow")
        func slow() async throws {
            let stalled = try await readError(
                { _ in Self.part(500, more: [("Content-Length", "1000")], ending: .stall) },
                {
                    $0.retries.attemptsMax = 1
                    $0.silenceMax = .milliseconds(50)
                }
            )
            #expect(stalled?.code == .timedOut)
            let dripping = try await readError(
                { _ in Self.part(ending: .drip(1)) },
                {
                    $0.retries.attemptsMax = 1
                    $0.progressWindow = .milliseconds(20)
                    $0.progressBytesMin = 100_000
                }
            )
            #expect(dripping?.code == .timedOut)
        }

        @Test("large headers end the request")
        func largeHeaders() async throws {
            let large = String(repeating: "x", count: 200_000)
            let error = try await readError { _ in Self.part(more: [("X-Large", large)]) }
            #expect(error != nil)
        }

        @Test("a port on which nothing listens is unreachable")
        func unreachable() async throws {
            // A port that was free a moment ago may be another test's by now, and this one is nobody's.
            let target = ObjectTarget(
                try ObjectURL("http://127.0.0.1:1/a.car"),
                authorizer: FixedFields([]),
                counters: TransferCounters()
            )
            let client = Self.client { $0.retries.attemptsMax = 2 }
            let error = await #expect(throws: ObjectStorageError.self) {
                _ = try await client.probe(target, size: 1, .read)
            }
            #expect(error?.code == .unreachable || error?.code == .timedOut)
        }
    }
#endif
