import TestSupport
import Testing

@testable import ObjectStorage

@Suite("Lists of objects")
struct S3ListingTests {
    /// An answer of AWS, with a name space, entities and members that nobody reads.
    private static let answer = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!-- of a server -->
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
          <Name>bucket</Name><Prefix>a&amp;b/</Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys>
          <IsTruncated>true</IsTruncated><StartAfter/>
          <NextContinuationToken>1ueG&#x2B;cXBa&#61;=</NextContinuationToken>
          <Contents>
            <Key>a&amp;b/&lt;1&gt;</Key><LastModified>2026-10-12T17:50:30.000Z</LastModified>
            <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>
            <Owner><ID>x</ID><DisplayName>Size</DisplayName></Owner>
          </Contents>
          <Contents><Size>0</Size><Key>a&amp;b/ü</Key><LastModified>soon</LastModified></Contents>
          <CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes>
        </ListBucketResult>
        """

    private func listing(_ text: String) throws -> S3Listing {
        try S3Listing(Array(text.utf8), date: nil)
    }

    @Test("keys, sizes, times and the next place come from the XML")
    func answers() throws {
        let list = try listing(Self.answer)
        #expect(
            list.entries == [
                S3Listing.Entry(
                    key: "a&b/<1>",
                    size: 434_234,
                    lastModified: UTCTime(isoDate: "2026-10-12T17:50:30Z")
                ),
                S3Listing.Entry(key: "a&b/ü", size: 0, lastModified: nil),
            ]
        )
        #expect(list.next == "1ueG+cXBa==")
        let prefixed = try listing("<s3:ListBucketResult xmlns:s3='x'></s3:ListBucketResult>")
        #expect(prefixed.entries.isEmpty)
        #expect(prefixed.next == nil)
    }

    @Test(
        "an answer that is no list is malformed",
        arguments: [
            "", " ", "text", "<", "<>", "</a>", "<ListBucketResult>", "<ListBucketResult",
            "<ListBucketResult></Other>", "<Error><Code>x</Code></Error>",
            "<ListBucketResult/><ListBucketResult/>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>",
            "<ListBucketResult><![CDATA[x]]></ListBucketResult>",
            "<ListBucketResult>&unknown;</ListBucketResult>",
            "<ListBucketResult>&#xD800;</ListBucketResult>", "<ListBucketResult>&#99999999999;",
            "<ListBucketResult>&amp</ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            String(repeating: "<a>", count: 100),
            "<" + String(repeating: "a", count: 1000) + "/>",
            "<ListBucketResult><Name>" + String(repeating: "a", count: 10_000),
            "<ListBucketResult>"
                + String(repeating: "<Contents><Key>a</Key><Size>1</Size></Contents>", count: 1001)
                + "</ListBucketResult>",
        ]
    )
    func malformed(text: String) {
        #expect(throws: ObjectStorageError(.malformedResponse, "")) { try listing(text) }
    }

    @Test("no cut and no changed byte traps", arguments: 1...20 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let sound = Array(Self.answer.utf8)
        for count in 0..<sound.count {
            #expect(throws: ObjectStorageError.self) {
                try S3Listing(Array(sound[..<count]), date: nil)
            }
        }
        for _ in 0..<500 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = Array("<>/&;#x a0".utf8).randomElement(using: &generator) ?? 0
            }
            // Some changes are harmless; whatever comes has the limits.
            let list = try? S3Listing(bytes, date: nil)
            #expect(list?.entries.count ?? 0 <= 2)
        }
    }

    @Test("a list's URL has its fields in the order of a signature, with escaped values")
    func urls() throws {
        let location = try S3Location("s3://bucket/a b/")
        let endpoint = try S3Endpoint(url: "http://127.0.0.1:9000", region: "us-east-1")
        #expect(
            endpoint.url(listing: location, after: "x+/=", limit: 7).text
                == "http://127.0.0.1:9000/bucket?continuation-token=x%2B%2F%3D&list-type=2&max-keys=7"
                + "&prefix=a%20b%2F"
        )
        let aws = try S3Endpoint(region: "eu-west-3")
        #expect(
            aws.url(listing: location, after: nil, limit: 1).text
                == "https://bucket.s3.eu-west-3.amazonaws.com/?list-type=2&max-keys=1&prefix=a%20b%2F"
        )
    }
}
