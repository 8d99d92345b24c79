import DAGBytes
import DAGMultiformats
import Testing

@Suite("CID")
struct CIDTests {
    static let digest = [UInt8](1...32)

    @Test("a version 1 CID has the parts that it was made of")
    func partsOfVersionOne() throws {
        let multihash = Multihash(code: HashCode.blake2b_256, digest: Self.digest)
        let cid = CID(codec: Codec.dagJSON, multihash: multihash)
        #expect(cid.bytes == [1, 0xa9, 0x02, 0xa0, 0xe4, 0x02, 0x20] + Self.digest)
        #expect(cid.version == 1)
        #expect(cid.codec == Codec.dagJSON)
        #expect(cid.hashCode == HashCode.blake2b_256)
        #expect(cid.multihash == multihash)
        #expect(cid.digest == Self.digest)
        #expect(cid.withDigest(\.copied) == Self.digest)
        #expect(!cid.isIdentity)
        #expect(try CID(bytes: cid.bytes) == cid)
        #expect(try cid.bytes.withView { view throws(MultiformatsError) in try CID(view) } == cid)
    }

    @Test("a version 0 CID is a multihash")
    func partsOfVersionZero() throws {
        let cid = try CID(bytes: [0x12, 0x20] + Self.digest)
        #expect(cid.version == 0)
        #expect(cid.codec == Codec.dagPB)
        #expect(cid.multihash == Multihash(code: HashCode.sha2_256, digest: Self.digest))
        #expect(cid.multihash.bytes == cid.bytes)
        #expect(cid != CID(codec: cid.codec, multihash: cid.multihash))
    }

    @Test("an identity CID may hold nothing")
    func emptyIdentity() throws {
        let cid = try CID(bytes: [1, 0x55, 0x00, 0x00])
        #expect(cid.isIdentity)
        #expect(cid.digest == [])
        #expect(cid.description == "bafkqaaa")
    }

    @Test(
        "bytes that are not a CID are refused",
        arguments: [
            ([], .truncated, 0),
            ([1], .truncated, 0),
            ([1, 0x55, 0x12, 0x20, 0xff], .truncated, 0),
            ([0x12, 0x20, 0xff], .truncated, 0),
            ([1, 0x80, 0x00, 0x12, 0x00], .malformedVarint, 0),
            ([0x81, 0x00, 0x55, 0x00, 0x00], .malformedVarint, 0),
            ([0], .unsupportedVersion, 0),
            ([2, 0x55, 0x00, 0x00], .unsupportedVersion, 0),
            ([0x12, 0x21, 0x00], .unsupportedVersion, 0),
            ([1, 0x55, 0x00, 0xff, 0xff, 0xff, 0x7f], .limitExceeded, 0),
            ([1, 0x55, 0x00, 0x01, 0x07, 0x08], .malformedCID, 5),
            ([0x12, 0x20] + Array(repeating: 7, count: 33), .malformedCID, 34),
        ] as [([UInt8], MultiformatsError.Code, Int)]
    )
    func refuses(bytes: [UInt8], code: MultiformatsError.Code, offset: Int) {
        let ofArray = #expect(throws: MultiformatsError(code, at: offset)) { try CID(bytes: bytes) }
        #expect(ofArray?.offset == offset)
        let ofView = #expect(throws: MultiformatsError(code, at: offset)) {
            try bytes.withView { view throws(MultiformatsError) in try CID(view) }
        }
        #expect(ofView?.offset == offset)
    }
}

@Suite("Multihash")
struct MultihashTests {
    @Test("a multihash keeps its code and its digest")
    func parts() throws {
        let multihash = Multihash(code: 0xb220, digest: [1, 2, 3])
        #expect(multihash.bytes == [0xa0, 0xe4, 0x02, 0x03, 1, 2, 3])
        #expect(multihash.digest == [1, 2, 3])
        #expect(multihash.digestSize == 3)
        #expect(multihash.hexadecimal == "a0e40203010203")
        #expect(try Multihash(bytes: multihash.bytes) == multihash)
        #expect(try Multihash(bytes: [0, 0]).hexadecimal == "0000")
    }

    @Test("hexadecimal is two lower-case digits a byte")
    func hexadecimal() {
        let multihash = Multihash(code: 0, digest: Array(0...127))
        #expect(multihash.hexadecimal.hasPrefix("0080010001020304"))
        #expect(multihash.hexadecimal.hasSuffix("797a7b7c7d7e7f"))
        #expect(multihash.hexadecimal.utf8.count == 2 * multihash.bytes.count)
    }

    @Test(
        "bytes that are not a multihash are refused",
        arguments: [
            ([], .truncated, 0),
            ([0x12], .truncated, 1),
            ([0x12, 0x01], .truncated, 0),
            ([0x80, 0x00, 0x00], .malformedVarint, 0),
            ([0x12, 0x80, 0x00], .malformedVarint, 1),
            ([0x00, 0xff, 0xff, 0xff, 0x7f], .limitExceeded, 0),
            ([0x00, 0x01, 0x07, 0x08], .malformedCID, 3),
        ] as [([UInt8], MultiformatsError.Code, Int)]
    )
    func refuses(bytes: [UInt8], code: MultiformatsError.Code, offset: Int) {
        let error = #expect(throws: MultiformatsError(code, at: offset)) {
            try Multihash(bytes: bytes)
        }
        #expect(error?.offset == offset)
    }
}
