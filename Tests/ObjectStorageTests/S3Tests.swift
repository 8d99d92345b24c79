import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import ObjectStorage

@Suite("Credentials")
struct CredentialsTests {
    /// A source that counts how often it is asked.
    final class CountingSource: S3CredentialsSource {
        private let answers: Mutex<[Result<S3Credentials?, ObjectStorageError>]>
        private let asked = Mutex(0)
        var count: Int { asked.withLock { $0 } }

        init(_ answers: [Result<S3Credentials?, ObjectStorageError>]) {
            self.answers = Mutex(answers)
        }

        func credentials() async throws -> S3Credentials? {
            asked.withLock { $0 += 1 }
            let answer = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            return try answer.get()
        }
    }

    static func credentials(_ name: String, until seconds: Int64? = nil) -> S3Credentials {
        let expiration = seconds.map { UTCTime(seconds: $0) }
        return S3Credentials(accessKey: name, secretKey: "s", expiration: expiration)
    }

    @Test("the environment gives both of key and secret, or neither")
    func environment() async throws {
        let none = EnvironmentCredentials { _ in nil }
        #expect(try await none.credentials() == nil)
        let all = EnvironmentCredentials {
            ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"][$0]
        }
        let expected = S3Credentials(accessKey: "k", secretKey: "s", sessionToken: "t")
        #expect(try await all.credentials() == expected)
        let half = EnvironmentCredentials { ["AWS_ACCESS_KEY_ID": "k"][$0] }
        await #expect(throws: ObjectStorageError(.noCredentials, "")) {
            try await half.credentials()
        }
    }

    @Test("a profile of the file gives its credentials; a file that is missing gives none")
    func profile() async throws {
        let folder = try TemporaryFolder()
        let text =
            "[work]\naws_access_key_id = k\naws_secret_access_key = s\n[half]\naws_access_key_id = k\n"
        let path = try folder.write(Array(text.utf8), to: "credentials")
        let work = ProfileCredentials(.init(path), profile: "work")
        #expect(try await work.credentials() == S3Credentials(accessKey: "k", secretKey: "s"))
        #expect(try await ProfileCredentials(.init(path), profile: "none").credentials() == nil)
        let missing = ProfileCredentials(.init(folder.path(of: "no")), profile: "work")
        #expect(try await missing.credentials() == nil)
        await #expect(throws: ObjectStorageError(.noCredentials, "")) {
            try await ProfileCredentials(.init(path), profile: "half").credentials()
        }
        await #expect(throws: ObjectStorageError(.noCredentials, "")) {
            try await ProfileCredentials(.init(folder.url.path), profile: "work").credentials()
        }
    }

    @Test("the first source that has credentials gives them, and lasting ones are kept")
    func chain() async throws {
        let empty = CountingSource([.success(nil)])
        let source = CountingSource([.success(Self.credentials("a"))])
        let chain = CredentialsChain([empty, source], now: { UTCTime(seconds: 0) })
        for _ in 0..<3 { #expect(try await chain.credentials().accessKey == "a") }
        #expect(empty.count == 1)
        #expect(source.count == 1)
        await chain.forgetAll()
        _ = try await chain.credentials()
        #expect(source.count == 2)
        let none = CredentialsChain([empty], now: { UTCTime(seconds: 0) })
        await #expect(throws: ObjectStorageError(.noCredentials, "")) {
            try await none.credentials()
        }
    }

    @Test("refused credentials are looked for again, at most once in ten seconds")
    func refusal() async throws {
        let now = Mutex(Int64(0))
        let source = CountingSource([
            .success(Self.credentials("a")), .success(Self.credentials("a")),
            .success(Self.credentials("b")),
        ])
        let chain = CredentialsChain([source], now: { UTCTime(seconds: now.withLock { $0 }) })
        #expect(try await chain.credentials().accessKey == "a")
        for _ in 0..<3 { #expect(await !chain.renew()) }
        #expect(source.count == 2)
        now.withLock { $0 = 10 }
        for _ in 0..<3 { #expect(await chain.renew()) }
        #expect(source.count == 3)
        #expect(try await chain.credentials().accessKey == "b")
    }

    @Test("a search for refused credentials that fails does not count as one")
    func failedRefusal() async throws {
        let source = CountingSource([
            .success(Self.credentials("a")), .failure(ObjectStorageError(.unreachable, "away")),
            .success(Self.credentials("b")),
        ])
        let chain = CredentialsChain([source], now: { UTCTime(seconds: 0) })
        #expect(try await chain.credentials().accessKey == "a")
        #expect(await !chain.renew())
        #expect(await chain.renew())
        #expect(try await chain.credentials().accessKey == "b")
    }

    @Test("temporary credentials are renewed before they expire; a failure then does no harm")
    func renewal() async throws {
        let now = Mutex(Int64(0))
        let source = CountingSource([
            .success(Self.credentials("a", until: 1000)),
            .failure(ObjectStorageError(.unreachable, "away")),
            .success(Self.credentials("b", until: 9000)),
        ])
        let chain = CredentialsChain([source], now: { UTCTime(seconds: now.withLock { $0 }) })
        #expect(try await chain.credentials().accessKey == "a")
        now.withLock { $0 = 699 }
        #expect(try await chain.credentials().accessKey == "a")
        #expect(source.count == 1)
        now.withLock { $0 = 700 }
        #expect(try await chain.credentials().accessKey == "a")
        #expect(source.count == 2)
        #expect(try await chain.credentials().accessKey == "b")
    }

    @Test("tasks that come together cause one request")
    func together() async throws {
        let gate = Gate()
        struct Slow: S3CredentialsSource {
            let gate: Gate
            func credentials() async throws -> S3Credentials? {
                try await gate.pass(heedingCancellation: false)
                return CredentialsTests.credentials("a")
            }
        }
        let counting = CountingSource([.success(nil)])
        let chain = CredentialsChain([counting, Slow(gate: gate)], now: { UTCTime(seconds: 0) })
        await withThrowingTaskGroup(of: S3Credentials.self) { group in
            for _ in 0..<10 { group.addTask { try await chain.credentials() } }
            await gate.waitForArrivals(1)
            gate.open()
        }
        #expect(counting.count == 1)
    }
}

#if Node
    @Suite("S3", .timeLimit(.minutes(5)))
    struct S3Tests {
        private static func target(
            _ server: ScriptedServer,
            _ chain: CredentialsChain
        ) throws -> ObjectTarget {
            let endpoint = try S3Endpoint(url: server.url, region: "us-east-1")
            let location = try S3Location("s3://bucket/a b.car")
            return ObjectTarget(
                endpoint.url(of: location),
                authorizer: S3Authorizer(
                    region: "us-east-1",
                    chain: chain,
                    now: { UTCTime(seconds: 1_000_000_000) }
                ),
                counters: TransferCounters(),
                name: "\(location)"
            )
        }

        private static let fixed = CredentialsChain(
            [FixedCredentials(S3Credentials(accessKey: "AK", secretKey: "SK", sessionToken: "T"))],
            now: { UTCTime(seconds: 0) }
        )

        @Test("a request is signed with the host, the range and the token")
        func signedRequest() async throws {
            let server = try await ScriptedServer { ScriptedServer.serve([1, 2, 3], $0) }
            let client = ObjectClientTests.client()
            _ = try await client.probe(Self.target(server, Self.fixed), size: 2, .read)
            let request = try #require(server.requests.first)
            #expect(request.target == "/bucket/a%20b.car")
            #expect(request.header("x-amz-security-token") == "T")
            #expect(request.header("x-amz-date") == "20010909T014640Z")
            let authorization = try #require(request.header("Authorization"))
            #expect(
                authorization.contains(
                    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token"
                )
            )
            #expect(request.header("Host") == "127.0.0.1:\(server.port)")
        }

        private static func xml(_ status: Int, _ code: String) -> ScriptedServer.Reply {
            let text =
                "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>m</Message></Error>"
            return .init(status, [("Content-Type", "application/xml")], body: Array(text.utf8))
        }

        @Test(
            "S3's errors are told apart",
            arguments: [
                (403, "SignatureDoesNotMatch", .accessDenied), (404, "NoSuchKey", .notFound),
                (404, "NoSuchBucket", .noBucket), (503, "SlowDown", .throttled),
                (503, "ServiceUnavailable", .unavailable), (500, "InternalError", .unavailable),
            ] as [(Int, String, ObjectStorageError.Code)]
        )
        func errors(status: Int, name: String, code: ObjectStorageError.Code) async throws {
            let server = try await ScriptedServer { _ in Self.xml(status, name) }
            let client = ObjectClientTests.client { $0.retries.attemptsMax = 2 }
            let error = await #expect(throws: ObjectStorageError(code, "")) {
                _ = try await client.probe(Self.target(server, Self.fixed), size: 2, .read)
            }
            #expect(error?.detail.contains(name) == true)
            #expect(error?.detail.contains("s3://bucket/a b.car") == true)
        }

        @Test(
            "refused credentials are renewed once, and the request sent again",
            arguments: [
                (400, "ExpiredToken", ObjectStorageError.Code.credentialsExpired),
                (403, "InvalidAccessKeyId", .accessDenied),
            ]
        )
        func renewed(status: Int, name: String, code: ObjectStorageError.Code) async throws {
            let server = try await ScriptedServer { request in
                request.header("Authorization")?.contains("Credential=new/") == true
                    ? ScriptedServer.serve([7], request) : Self.xml(status, name)
            }
            let source = CredentialsTests.CountingSource([
                .success(CredentialsTests.credentials("old")),
                .success(CredentialsTests.credentials("new")),
            ])
            let chain = CredentialsChain([source], now: { UTCTime(seconds: 0) })
            let client = ObjectClientTests.client()
            #expect(try await client.probe(Self.target(server, chain), size: 1, .read).bytes == [7])
            let stale = CredentialsChain(
                [FixedCredentials(CredentialsTests.credentials("old"))],
                now: { UTCTime(seconds: 0) }
            )
            await #expect(throws: ObjectStorageError(code, "")) {
                _ = try await client.probe(Self.target(server, stale), size: 1, .read)
            }
        }

        @Test("the instance's role gives credentials after a token")
        func instance() async throws {
            let server = try await ScriptedServer { request in
                let path = "/latest/meta-data/iam/security-credentials/"
                if request.target == "/latest/api/token" {
                    let isRight =
                        request.method == "PUT"
                        && request.header("X-aws-ec2-metadata-token-ttl-seconds") == "300"
                    return isRight ? .init(200, body: Array("tok".utf8)) : .init(400)
                }
                guard request.header("X-aws-ec2-metadata-token") == "tok" else { return .init(401) }
                if request.target == path { return .init(200, body: Array("role\n".utf8)) }
                guard request.target == path + "role" else { return .init(404) }
                let text = """
                    {"Code": "Success", "AccessKeyId": "AK", "SecretAccessKey": "SK", "Token": "T",
                     "Expiration": "2030-01-01T00:00:00Z"}
                    """
                return .init(200, body: Array(text.utf8))
            }
            // A loaded machine is slow to answer.
            let source = try InstanceCredentials(endpoint: server.url, deadline: .seconds(300))
            let found = try await source.credentials()
            let expected = S3Credentials(
                accessKey: "AK",
                secretKey: "SK",
                sessionToken: "T",
                expiration: UTCTime(isoDate: "2030-01-01T00:00:00Z")
            )
            #expect(found == expected)
        }

        @Test("a machine without a metadata service or a role has no credentials")
        func noInstance() async throws {
            let noService = try await ScriptedServer { _ in .init(404) }
            #expect(
                try await InstanceCredentials(endpoint: noService.url, deadline: .seconds(300))
                    .credentials() == nil
            )
            let noRole = try await ScriptedServer { request in
                request.method == "PUT" ? .init(200, body: [65]) : .init(404)
            }
            #expect(
                try await InstanceCredentials(endpoint: noRole.url, deadline: .seconds(300))
                    .credentials() == nil
            )
            let garbage = try await ScriptedServer { _ in .init(200, body: Array("{".utf8)) }
            await #expect(throws: ObjectStorageError(.noCredentials, "")) {
                try await InstanceCredentials(endpoint: garbage.url, deadline: .seconds(300))
                    .credentials()
            }
        }
    }
#endif
