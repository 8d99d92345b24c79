import DAGBytes
import Testing

@testable import ObjectStorage

@Suite("Signature version 4")
struct SignatureV4Tests {
    /// A request of AWS's own test suite, and the signature it publishes.
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        var method = "GET"
        var query: String?
        var headers: [HeaderField] = []
        var token: String?
        let signed: String
        let signature: String
        var testDescription: String { name }
    }

    static let token =
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMic"
        + "RXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKs"
        + "burEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0"
        + "iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

    static let vectors = [
        Vector(
            name: "get-vanilla",
            signed: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "get-vanilla-query-order-key-case",
            query: "Param2=value2&Param1=value1",
            signed: "host;x-amz-date",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        Vector(
            name: "get-vanilla-empty-query-key",
            query: "Param1=value1",
            signed: "host;x-amz-date",
            signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"
        ),
        Vector(
            name: "get-header-value-trim",
            headers: [
                HeaderField("My-Header1", " value1"), HeaderField("My-Header2", " \"a   b   c\""),
            ],
            signed: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        Vector(
            name: "get-header-key-duplicate",
            headers: [
                HeaderField("My-Header1", "value2"), HeaderField("My-Header1", "value2"),
                HeaderField("My-Header1", "value1"),
            ],
            signed: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
        ),
        Vector(
            name: "post-sts-header-before",
            method: "POST",
            headers: [HeaderField("X-Amz-Security-Token", token)],
            signed: "host;x-amz-date;x-amz-security-token",
            signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        ),
    ]

    @Test("the published requests get the published signatures", arguments: vectors)
    func vector(vector: Vector) throws {
        let time = try #require(UTCTime(isoDate: "2015-08-30T12:36:00Z"))
        let request = SignatureV4.Request(
            method: vector.method,
            path: "/",
            query: vector.query,
            headers: [
                HeaderField("Host", "example.amazonaws.com"), HeaderField("X-Amz-Date", time.basic),
            ] + vector.headers,
            payloadHash: SHA256.hexadecimal("")
        )
        let credentials = S3Credentials(
            accessKey: "AKIDEXAMPLE",
            secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        )
        let signer = SignatureV4(region: "us-east-1", service: "service")
        #expect(
            signer.authorization(for: request, with: credentials, at: time)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(vector.signed), Signature=\(vector.signature)"
        )
    }

    // The example "GET Object" of the S3 documentation.
    @Test("a signer of S3 covers the range, and gives the published signature")
    func getObject() async throws {
        let time = try #require(UTCTime(isoDate: "2013-05-24T00:00:00Z"))
        let credentials = S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE",
            secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        )
        let chain = CredentialsChain([FixedCredentials(credentials)], now: { time })
        let signer = S3Authorizer(region: "us-east-1", chain: chain, now: { time })
        let url = try ObjectURL("https://examplebucket.s3.amazonaws.com/test.txt")
        let fields = try await signer.fields(for: "GET", url, [HeaderField("Range", "bytes=0-9")])
        let authorization = fields.first { $0.name == "Authorization" }?.value
        #expect(
            authorization
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    // RFC 4231, cases 2 and 6: a short key, and one larger than a block.
    @Test("the keyed digest is that of RFC 4231")
    func keyed() {
        let short = SHA256.keyed(Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(
            short.withView { $0.hexadecimal }
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )
        let long = SHA256.keyed(
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        )
        #expect(
            long.withView { $0.hexadecimal }
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        )
    }
}
