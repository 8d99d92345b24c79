import DAGBytes
import DAGMultiformats
import TestSupport
import Testing

@Suite("CID text")
struct CIDTextTests {
    // The pairs are from the documents of multiformats and IPFS; the other bases were computed in
    // Python.
    @Test(
        "a version 0 CID and its version 1 have the published texts",
        arguments: [
            [
                "QmYjtig7VJQ6XsnUjqqJvj7QaMcCAwtrgNdahSiFofrE7o",
                "bafybeie2reiz2q6rbcuwpy2etyztjnceolu4rdi7rp3th2lsky4r5ckeey",
                "zdj7Wfq967BLmshQb6QUanvo6wyCZodtVJzYh37NF6vd7R8Hj",
                "k2jmtxv7rovb0qk0how7cs97xstfdu3phui5qzfaa9l9iu4nsaefa61y",
                "f017012209a89119d43d108a967e3449e3334b44472e9c88d1f8bf733e97256391e894426",
            ],
            [
                "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
                "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
                "zdj7Wkkhxcu2rsiN6GUyHCLsSLL47kdUNfjbFqBUUhMFTZKBi",
                "k2jmtxx1epa2wl096hsbpuhrz9xhppklonehzwkmskc9rmeb51kwn4ut",
                "f01701220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ],
            [
                "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR",
                "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
                "zdj7Wic6KcJAfWz1c9o4M6kq9Lwd5BfbxkVafnrojaaGiSFxM",
                "k2jmtxw8rjh1z69c6not3wtdxb0u3urbzhyll1t9jg6ox26dhi5sfi1m",
                "f01701220c3c4733ec8affd06cf9e9ff50ffc6bcd2ec85a6170004bb709669c31de94391a",
            ],
        ]
    )
    func publishedPairs(texts: [String]) throws {
        let old = try CID(texts[0])
        #expect(old.version == 0)
        #expect(old.description == texts[0])
        let new = CID(codec: old.codec, multihash: old.multihash)
        #expect(new.description == texts[1])
        for text in texts[1...] {
            #expect(try CID(text) == new, "\(text)")
        }
        #expect(try new.text(in: .base32) == texts[1])
        #expect(try new.text(in: .base58btc) == texts[2])
        #expect(try new.text(in: .base36) == texts[3])
        #expect(try new.text(in: .base16) == texts[4])
        #expect(try new.text(in: .base32Upper) == texts[1].uppercased())
        #expect(try new.text(in: .base36Upper) == texts[3].uppercased())
        #expect(try new.text(in: .base16Upper) == texts[4].uppercased())
    }

    // multiformats/cid, README.
    @Test("the specification's own example is read")
    func specifiedExample() throws {
        let cid = try CID("zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA")
        #expect(cid.codec == Codec.raw)
        #expect(
            cid.multihash.hexadecimal
                == "12206e6ff7950a36187a801613426e858dce686cd7d7e3c0fc42ee0330072d245c95"
        )
        #expect(cid.description == "bafkreidon73zkcrwdb5iafqtijxildoonbwnpv7dyd6ef3qdgads2jc4su")
    }

    @Test("a version 0 CID has one text, whatever the base", arguments: Multibase.allCases)
    func versionZeroHasOneText(base: Multibase) throws {
        let text = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"
        #expect(try CID(text).text(in: base) == text)
    }

    // All of them have 46 bytes of text, for any digest.
    @Test("every version 0 CID survives the round trip")
    func versionZeroRoundTrips() throws {
        var random = SplitMix64(seed: 5)
        var digests = (0..<200).map { _ in random.bytes(32) }
        digests += [Array(repeating: 0, count: 32), Array(repeating: 0xff, count: 32)]
        for digest in digests {
            let cid = try CID(bytes: [0x12, 0x20] + digest)
            #expect(cid.description.utf8.count == 46)
            #expect(cid.description.hasPrefix("Qm"))
            #expect(try CID(cid.description) == cid)
        }
    }

    @Test("a version 1 CID of any size survives the round trip in every base")
    func versionOneRoundTrips() throws {
        var random = SplitMix64(seed: 6)
        for size in 0...70 {
            let multihash = Multihash(code: HashCode.identity, digest: random.bytes(size))
            let cid = CID(codec: UInt64(size) << 5, multihash: multihash)
            for base in Multibase.allCases {
                #expect(try CID(cid.text(in: base)) == cid, "size \(size), \(base)")
            }
            #expect(try CID(cid.description) == cid)
            #expect(try cid.text(in: .base32) == cid.description)
        }
    }

    /// A text, and its error.
    struct Bad: Sendable, CustomTestStringConvertible {
        let text: String
        let code: MultiformatsError.Code
        let offset: Int
        var testDescription: String { "\(text.prefix(60)): \(code) at \(offset)" }

        init(_ text: String, _ code: MultiformatsError.Code, at offset: Int) {
            self.text = text
            self.code = code
            self.offset = offset
        }
    }

    @Test(
        "a text that is not a CID is refused",
        arguments: [
            Bad("", .truncated, at: 0),
            Bad("b", .truncated, at: 1),
            Bad("z", .truncated, at: 1),
            Bad("bae", .truncated, at: 1),
            Bad("f01551220ff", .truncated, at: 1),
            Bad("f1220ff", .truncated, at: 1),
            Bad("mAVUSIG5v", .truncated, at: 1),
            // The unknown prefixes: base10, base2, a path, and a version 0 of 45 or 47.
            Bad("9123", .unsupportedBase, at: 0),
            Bad("0101", .unsupportedBase, at: 0),
            Bad("Qm", .unsupportedBase, at: 0),
            Bad("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1", .unsupportedBase, at: 0),
            Bad("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1nn", .unsupportedBase, at: 0),
            Bad("/ipfs/bafkqaaa", .unsupportedBase, at: 0),
            Bad(" bafkqaaa", .unsupportedBase, at: 0),
            Bad("\u{e9}afkqaaa", .unsupportedBase, at: 0),
            Bad("\0", .unsupportedBase, at: 0),
            // Bytes outside the alphabet; base58 knows no 0, O, I and l.
            Bad("bafkqaaa ", .malformedText, at: 8),
            Bad("bafkqaa1", .malformedText, at: 7),
            Bad("bafkqaaa=", .malformedText, at: 8),
            Bad("bafk\u{e9}aaa", .malformedText, at: 4),
            Bad("f015500zz", .malformedText, at: 7),
            Bad("zdj7W0", .malformedText, at: 5),
            Bad("k2jmt_", .malformedText, at: 5),
            Bad("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR10", .malformedText, at: 45),
            Bad("QmlfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n", .malformedText, at: 2),
            // Bits left over, and a symbol that adds no byte.
            Bad("bafkqaab", .malformedText, at: 7),
            Bad("bafkqaaaaa", .malformedText, at: 9),
            Bad("f0155000", .malformedText, at: 7),
            // 46 bytes that begin with Qm and are not a SHA-256 multihash: 121e… and 1222….
            Bad("Qm" + String(repeating: "1", count: 44), .malformedCID, at: 0),
            Bad("Qm" + String(repeating: "z", count: 44), .malformedCID, at: 0),
            // A version 0 behind a prefix: base58btc, base32, base16.
            Bad("zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n", .malformedCID, at: 1),
            Bad(
                "f1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                .malformedCID,
                at: 1
            ),
            Bad("f0155000107ff", .malformedCID, at: 1),
            Bad("f0055", .unsupportedVersion, at: 1),
            Bad("f02550000", .unsupportedVersion, at: 1),
            Bad("f0180000000", .malformedVarint, at: 1),
            Bad("f015500ffffff7f", .limitExceeded, at: 1),
            Bad("z" + String(repeating: "1", count: CID.textSizeMax), .limitExceeded, at: 0),
            // The limit is checked before the prefix.
            Bad(String(repeating: "!", count: CID.textSizeMax + 1), .limitExceeded, at: 0),
        ]
    )
    func refuses(bad: Bad) {
        let error = #expect(throws: MultiformatsError(bad.code, at: bad.offset)) {
            try CID(bad.text)
        }
        #expect(error?.offset == bad.offset)
    }

    @Test("a text as long as the limit is read, in the slowest base too")
    func longestText() throws {
        for base in Multibase.allCases {
            let text = String(decoding: [base.prefix], as: UTF8.self)
            let padded = text + String(repeating: "2", count: CID.textSizeMax - 1)
            let error = #expect(throws: MultiformatsError.self) { try CID(padded) }
            #expect(error?.code != .limitExceeded, "\(base)")
        }
    }

    @Test("a CID too large for a positional base is still written in the others")
    func positionalLimit() throws {
        func identity(size: Int) -> CID {
            // 01, raw, identity and a size of two bytes come before the digest.
            let digest = [UInt8](repeating: 0xff, count: size - 5)
            return CID(codec: Codec.raw, multihash: Multihash(code: 0, digest: digest))
        }
        let largest = identity(size: CID.positionalSizeMax)
        #expect(largest.bytes.count == CID.positionalSizeMax)
        let tooLarge = identity(size: CID.positionalSizeMax + 1)
        for base in Multibase.allCases where base.isPositional {
            let text = try largest.text(in: base)
            #expect(text.utf8.count <= CID.textSizeMax)
            #expect(try CID(text) == largest)
            #expect(throws: MultiformatsError(.limitExceeded, at: 0)) {
                try tooLarge.text(in: base)
            }
        }
        for base in Multibase.allCases where !base.isPositional {
            #expect(try tooLarge.text(in: base).utf8.first == base.prefix)
        }
    }
}
