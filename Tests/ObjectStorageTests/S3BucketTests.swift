#if Node
    import Synchronization
    import TestSupport
    import Testing

    @testable import ObjectStorage

    @Suite("Objects that this program writes", .timeLimit(.minutes(5)))
    struct S3BucketTests {
        /// A bucket of a server whose retries come at once.
        private static func bucket(
            _ server: ScriptedServer,
            accessKey: String = MemoryS3.accessKey
        ) throws -> S3Bucket {
            let credentials = S3Credentials(accessKey: accessKey, secretKey: "SKTEST")
            let settings = S3Settings(
                endpoint: try S3Endpoint(url: server.url, region: "us-east-1"),
                chain: CredentialsChain([FixedCredentials(credentials)], now: S3Settings.now)
            )
            return S3Bucket(MemoryS3.bucket, settings, ObjectClientTests.client())
        }

        @Test("an object is stored, read by ranges, listed and deleted")
        func life() async throws {
            let store = try await MemoryS3()
            let bucket = try Self.bucket(store.server)
            let bytes = ObjectClientTests.bytes
            for _ in 0..<2 { try await bucket.put(bytes, as: "a b/c+d") }
            #expect(try await bucket.bytes(10..<20, of: "a b/c+d") == Array(bytes[10..<20]))
            let end = try await bucket.bytes(299_990..<400_000, of: "a b/c+d")
            #expect(end == Array(bytes[299_990...]))
            #expect(try await bucket.bytes(300_000..<300_001, of: "a b/c+d") == [])
            #expect(try await bucket.bytes(0..<1, of: "none") == nil)
            let request = try #require(store.server.requests.first)
            #expect(request.header("Content-Length") == "300000")
            #expect(
                request.header("Authorization")?.contains(
                    "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
                ) == true
            )
            #expect(request.headers.filter { $0.name == "x-amz-content-sha256" }.count == 1)
            for _ in 0..<2 { try await bucket.delete("a b/c+d") }
            #expect(store.objects.isEmpty)
        }

        @Test("a list goes on from answer to answer, and has only what begins with the prefix")
        func lists() async throws {
            let store = try await MemoryS3()
            let bucket = try Self.bucket(store.server)
            for number in 0..<8 { store.objects["a/\(number)"] = [1, 2] }
            store.objects["b/0"] = []
            var keys: [String] = []
            var token: String?
            repeat {
                let list = try await bucket.list("a/", after: token)
                #expect(list.entries.count <= 3)
                #expect(list.date == UTCTime(httpDate: "Thu, 02 Jan 2020 00:00:00 GMT"))
                for entry in list.entries {
                    #expect(entry.size == 2)
                    #expect(entry.lastModified == UTCTime(isoDate: "2020-01-01T00:00:00Z"))
                    keys.append(entry.key)
                }
                token = list.next
            } while token != nil
            #expect(keys == (0..<8).map { "a/\($0)" })
            #expect(try await bucket.list("none").entries.isEmpty)
        }

        @Test(
            "what the server refuses has a code, and is sent once",
            arguments: [
                (403, "AccessDenied", ObjectStorageError.Code.accessDenied),
                (403, "InvalidAccessKeyId", .accessDenied), (403, "QuotaExceeded", .full),
                (404, "NoSuchBucket", .noBucket), (507, "XMinioStorageFull", .full),
                (400, "EntityTooLarge", .rejected),
            ]
        )
        func refusals(status: Int, code: String, expected: ObjectStorageError.Code) async throws {
            let store = try await MemoryS3()
            store.setFault { _ in MemoryS3.failure(status, code) }
            let bucket = try Self.bucket(store.server)
            await #expect(throws: ObjectStorageError(expected, "")) {
                try await bucket.put([1], as: "a")
            }
            await #expect(throws: ObjectStorageError(expected, "")) {
                try await bucket.delete("a")
            }
            await #expect(throws: ObjectStorageError(expected, "")) {
                try await bucket.list("a")
            }
            await #expect(throws: ObjectStorageError(expected, "")) {
                try await bucket.bytes(0..<1, of: "a")
            }
            #expect(store.server.requests.count == 4)
        }

        @Test("a store that is busy gets the whole object again", arguments: [500, 503])
        func retries(status: Int) async throws {
            let store = try await MemoryS3()
            let refusals = Mutex(3)
            store.setFault { _ in
                let isRefused = refusals.withLock { left in
                    left -= 1
                    return left >= 0
                }
                return isRefused ? MemoryS3.failure(status, "SlowDown") : nil
            }
            try await Self.bucket(store.server).put(ObjectClientTests.bytes, as: "a")
            #expect(store.objects == ["a": ObjectClientTests.bytes])
            #expect(store.server.requests.count == 4)
        }

        @Test("a connection that is cut after the object was stored does no harm")
        func cut() async throws {
            let store = try await MemoryS3()
            let isFirst = Mutex(true)
            store.setFault { request in
                let isCut = isFirst.withLock { first in
                    defer { first = false }
                    return first
                }
                guard isCut else { return nil }
                return ScriptedServer.Reply(200, [("Content-Length", "5")], ending: .cut)
            }
            try await Self.bucket(store.server).put([7], as: "a")
            #expect(store.objects == ["a": [7]])
        }

        @Test("a server that lists the same place again, or too much, is refused")
        func badLists() async throws {
            let xml =
                "<ListBucketResult><IsTruncated>true</IsTruncated>"
                + "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
            let server = try await ScriptedServer { _ in .init(200, body: Array(xml.utf8)) }
            let bucket = try Self.bucket(server)
            #expect(try await bucket.list("a").next == "t")
            await #expect(throws: ObjectStorageError(.malformedResponse, "")) {
                try await bucket.list("a", after: "t")
            }
            let large = try await ScriptedServer { _ in
                .init(200, body: [UInt8](repeating: 0x20, count: S3Listing.sizeMax + 1))
            }
            await #expect(throws: ObjectStorageError(.overlong, "")) {
                try await Self.bucket(large).list("a")
            }
        }
    }
#endif
