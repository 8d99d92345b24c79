#if Node
    import Synchronization
    import TestSupport
    import Testing

    @testable import ObjectStorage

    @Suite("Object streams and limits", .timeLimit(.minutes(5)))
    struct ObjectStreamTests {
        @Test("a stream delivers the whole object, over a break too, with ranges or without")
        func stream() async throws {
            let bytes = ObjectClientTests.bytes
            for ranges in [true, false] {
                let count = Mutex(0)
                let server = try await ScriptedServer { request in
                    var reply = ScriptedServer.serve(bytes, request)
                    if !ranges, request.method == "GET" {
                        reply = .init(200, [("ETag", "\"v1\"")], body: bytes)
                    }
                    guard request.method == "GET" else { return reply }
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    if number <= 2 {
                        reply.body = Array(reply.body.prefix(number * 100_000))
                        reply.ending = .cut
                    }
                    return reply
                }
                let client = ObjectClientTests.client()
                let target = try ObjectClientTests.target(server)
                let stat = try await client.stat(target)
                var found: [UInt8] = []
                try await client.stream(target, of: stat) { found += $0 }
                #expect(found == bytes)
            }
        }

        @Test("a stream asks for the rest if the server sends less than the range")
        func shorterRanges() async throws {
            let bytes = ObjectClientTests.bytes
            let server = try await ScriptedServer { request in
                guard request.method == "GET", let value = request.header("Range") else {
                    return ScriptedServer.serve(bytes, request)
                }
                let ends = value.dropFirst("bytes=".count).split(separator: "-")
                let (first, last) = (Int(ends[0]) ?? 0, Int(ends[1]) ?? 0)
                let end = min(first + 70_000, last + 1)
                let size = bytes.count
                let range = ("Content-Range", "bytes \(first)-\(end - 1)/\(size)")
                let tag = ("ETag", "\"v1\"")
                return .init(206, [tag, range], body: Array(bytes[first..<end]))
            }
            let client = ObjectClientTests.client()
            let target = try ObjectClientTests.target(server)
            let (stat, _) = try await client.probe(target, size: 1, .index)
            var found: [UInt8] = []
            try await client.stream(target, of: stat, range: 10..<250_000) { found += $0 }
            #expect(found == Array(bytes[10..<250_000]))
            #expect(server.requests.count == 1 + 4)
        }

        @Test("a stream refuses a range that begins elsewhere or is longer than the one asked for")
        func otherRanges() async throws {
            let bytes = ObjectClientTests.bytes
            for (first, end) in [(9, 1000), (11, 1000), (10, 1001)] {
                let server = try await ScriptedServer { request in
                    guard request.header("Range") == "bytes=10-999" else {
                        return ScriptedServer.serve(bytes, request)
                    }
                    let range = ("Content-Range", "bytes \(first)-\(end - 1)/\(bytes.count)")
                    let tag = ("ETag", "\"v1\"")
                    return .init(206, [tag, range], body: Array(bytes[first..<end]))
                }
                let client = ObjectClientTests.client()
                let target = try ObjectClientTests.target(server)
                let (stat, _) = try await client.probe(target, size: 1, .index)
                await #expect(throws: ObjectStorageError(.malformedResponse, "")) {
                    try await client.stream(target, of: stat, range: 10..<1000) { _ in }
                }
            }
        }

        @Test("a stream without a strong tag is not continued from another response")
        func weakStream() async throws {
            let bytes = ObjectClientTests.bytes
            let server = try await ScriptedServer { request in
                if request.method == "HEAD" {
                    return ScriptedServer.serve(bytes, tag: nil, request)
                }
                let body = Array(bytes.prefix(100_000))
                let size = ("Content-Length", "\(bytes.count)")
                return .init(200, [size], body: body, ending: .cut)
            }
            let client = ObjectClientTests.client()
            let target = try ObjectClientTests.target(server)
            let stat = try await client.stat(target)
            await #expect(throws: ObjectStorageError(.truncated, "")) {
                try await client.stream(target, of: stat) { _ in }
            }
        }

        // MARK: Limits

        @Test("no more requests run for a host than it has slots, and the classes share them")
        func connectionLimit() async throws {
            let bytes = ObjectClientTests.bytes
            let gate = Gate()
            let server = try await ScriptedServer { request in
                if request.method == "GET" { try? await gate.pass(heedingCancellation: false) }
                return ScriptedServer.serve(bytes, request)
            }
            let client = ObjectClientTests.client { $0.connectionsPerHost = 4 }
            let target = try ObjectClientTests.target(server)
            let stat = try await client.stat(target)
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let start = UInt64(index * 100)
                        return try await client.read(target, of: stat, .fetch) {
                            start..<start + 10
                        }
                    }
                }
                // The copies use two slots of four, because one each is kept for reading and indexing.
                await gate.waitForArrivals(2)
                group.addTask { try await client.read(target, of: stat, .read) { 5..<7 } }
                await gate.waitForArrivals(3)
                #expect(server.peak == 3)
                gate.open()
                for try await part in group { #expect(!part.isEmpty) }
            }
            #expect(server.peak <= 4)
            #expect(client.slots.hostCount == 0)
        }

        @Test("a cancelled task ends its request")
        func cancellation() async throws {
            let gate = Gate()
            let server = try await ScriptedServer { request in
                try? await gate.pass(heedingCancellation: false)
                return ScriptedServer.serve([1], request)
            }
            let client = ObjectClientTests.client()
            let target = try ObjectClientTests.target(server)
            let task = Task { try await client.stat(target) }
            await gate.waitForArrivals(1)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            gate.open()
        }
    }
#endif
