import DAGBytes
import DAGMultiformats
import TestSupport
import Testing

@testable import DAGIPLD

@Suite("Strict decoders")
struct StrictCodecTests {
    /// A block that breaks one rule.
    struct Sample: CustomTestStringConvertible, Sendable {
        var name: String
        var bytes: [UInt8]
        /// Whether only the canonical form forbids it.
        var isReadable: Bool

        init(_ name: String, _ hexadecimal: String, readable isReadable: Bool = false) {
            self.name = name
            bytes = [UInt8](hexadecimal: hexadecimal) ?? []
            self.isReadable = isReadable
        }

        init(_ name: String, json: String, readable isReadable: Bool = false) {
            self.name = name
            bytes = Array(json.utf8)
            self.isReadable = isReadable
        }

        var testDescription: String { name }
    }

    /// Reads a block in canonical form, and in any form, and compares the outcomes with the sample.
    static func check(_ sample: Sample, _ read: ([UInt8], DAGLimits) throws -> Void) throws {
        #expect(throws: IPLDError(.malformedBlock)) { try read(sample.bytes, DAGLimits()) }
        var limits = DAGLimits()
        limits.requiresCanonicalForm = false
        if sample.isReadable {
            try read(sample.bytes, limits)
        } else {
            #expect(throws: IPLDError(.malformedBlock)) { try read(sample.bytes, limits) }
        }
    }

    @Test(
        "dag-cbor",
        arguments: [
            Sample("nothing", ""), Sample("bytes after the item", "0000"),
            Sample("a one-byte number in two", "1800", readable: true),
            Sample("a one-byte number in three", "190017", readable: true),
            Sample("a number in nine bytes", "1b00000000ffffffff", readable: true),
            Sample("a text length in two bytes", "780161", readable: true),
            Sample("a tag in three bytes", "d9002a450001550000", readable: true),
            Sample("a list of indefinite length", "9fff"), Sample("indefinite bytes", "5fff"),
            Sample("a reserved head", "1c"), Sample("a break", "ff"),
            Sample("undefined", "f7"), Sample("a simple value", "e0"),
            Sample("a simple value in two bytes", "f820"),
            Sample("a half float", "f93c00"), Sample("a float32", "fa3f800000"),
            Sample("infinity", "fb7ff0000000000000"), Sample("NaN", "fb7ff8000000000000"),
            Sample("negative infinity", "fbfff0000000000000"),
            Sample("another tag", "c100"), Sample("a tag over a text", "d82a60"),
            Sample("a link without a prefix", "d82a4401550000"),
            Sample("a link with another prefix", "d82a450101550000"),
            Sample("an empty link", "d82a40"), Sample("a link of a prefix alone", "d82a4100"),
            Sample("a link with a byte too many", "d82a46000155000000"),
            Sample("a link cut short", "d82a450001550001"),
            Sample("a number as a key", "a10000"), Sample("a key twice", "a2616100616100"),
            Sample("keys out of order", "a2616200616100", readable: true),
            Sample("a longer key first", "a262616100616200", readable: true),
            Sample("a map cut short", "a161610061"), Sample("a map without a value", "a16161"),
            Sample("a list cut short", "8200"),
            Sample("a list that claims 2^64 - 1 entries", "9bffffffffffffffff"),
            Sample("a map that claims 2^63 pairs", "bb8000000000000000"),
            Sample("a text that claims 2^64 - 1 bytes", "7bffffffffffffffff"),
            Sample("a head cut short", "19ff"),
        ]
    )
    func dagCBOR(sample: Sample) throws {
        try Self.check(sample) { bytes, limits in
            _ = try bytes.withView { try LinkList(of: $0, codec: Codec.dagCBOR, limits: limits) }
        }
    }

    @Test(
        "dag-json",
        arguments: [
            Sample("nothing", json: ""), Sample("two values", json: "1 2"),
            Sample("two values in one", json: "[]]"),
            Sample("white space", json: "[1, 2]", readable: true),
            Sample("a line feed at the end", json: "{}\n", readable: true),
            Sample("keys out of order", json: #"{"b":1,"a":2}"#, readable: true),
            Sample("a longer key first", json: #"{"b":1,"aa":2}"#, readable: true),
            Sample("a key twice", json: #"{"a":1,"a":2}"#),
            Sample("a key twice, escaped", json: #"{"a":1,"\u0061":2}"#),
            Sample("a comma at the end", json: "[1,]"),
            Sample("a comma at the start", json: "[,1]"),
            Sample("a comma at the end of a map", json: #"{"a":1,}"#),
            Sample("no comma", json: "[1 2]"), Sample("no colon", json: #"{"a"1}"#),
            Sample("a key without quotes", json: "{a:1}"), Sample("a list as a map", json: "[1}"),
            Sample("a number as a key", json: "{1:1}"), Sample("zeros first", json: "01"),
            Sample("a plus sign", json: "+1"), Sample("a minus sign alone", json: "-"),
            Sample("a point at the end", json: "1."), Sample("a point first", json: ".1"),
            Sample("an exponent without digits", json: "1e"), Sample("NaN", json: "NaN"),
            Sample("a float beyond 64 bits", json: "1e999"),
            Sample("an integer beyond 64 bits", json: "18446744073709551616"),
            Sample("half a word", json: "tru"), Sample("a word with an end", json: "nulll"),
            Sample("a string cut short", json: "\"a"), Sample("an escape cut short", json: "\"\\"),
            Sample("an unknown escape", json: #""\x""#),
            Sample("a control character", json: "\"\u{1}\""),
            Sample("half a surrogate pair", json: #""\ud800""#),
            Sample("a low surrogate", json: #""\udc00""#),
            Sample("two high surrogates", json: #""\ud800\ud800""#),
            Sample("an escape of three digits", json: #""\u123""#),
            Sample("a string that is not UTF-8", "22ff22"),
            Sample("a slash over a number", json: #"{"/":1}"#),
            Sample("a slash over an empty map", json: #"{"/":{}}"#),
            Sample("a slash before another key", json: #"{"/":"bafkqaaa","a":1}"#),
            Sample("a link that is no CID", json: #"{"/":"bafk"}"#),
            Sample("an empty link", json: #"{"/":""}"#),
            Sample("a link in another base", json: #"{"/":"f01550000"}"#, readable: true),
            Sample("bytes with padding", json: #"{"/":{"bytes":"AQ=="}}"#),
            Sample("bytes of one character", json: #"{"/":{"bytes":"A"}}"#),
            Sample("bytes in another alphabet", json: #"{"/":{"bytes":"A-_A"}}"#),
            Sample("bytes with another key", json: #"{"/":{"bytes":"AQ","a":1}}"#),
            Sample("a map cut short", json: #"{"a":1"#), Sample("a list cut short", json: "[1"),
        ]
    )
    func dagJSON(sample: Sample) throws {
        try Self.check(sample) { bytes, limits in
            _ = try bytes.withView { try LinkList(of: $0, codec: Codec.dagJSON, limits: limits) }
        }
    }

    @Test("dag-json has links where the key is a slash alone, and bytes, and plain maps")
    func links() throws {
        let text =
            ##"{"a":[{"/":"bafkqaaa"},{"//":1},{"0":{"/":{"bytes":"AQID"}}}],"b":{"x":"##
            + ##"{"/":"bafkqaalb"}},"c":"\ud83d\ude00\n\/","d":-0,"e":1.5e2}"##
        let items = try ItemList(dagJSON: Array(text.utf8))
        #expect(items.links == [try CID("bafkqaaa"), try CID("bafkqaalb")])
        #expect(items.items.contains(.bytes([1, 2, 3])))
        #expect(items.items.contains(.string(Array("😀\n/".utf8))))
        #expect(items.items.contains(.float((150.0).bitPattern)))
    }

    /// A link of an empty identity CID, as the field 2 of a node.
    static let link = "1206" + "0a0401550000"

    @Test(
        "dag-pb",
        arguments: [
            Sample("an unknown field", "1a00"), Sample("a number as data", "0801"),
            Sample("a group", "0b"), Sample("field zero", "0200"), Sample("data twice", "0a000a00"),
            Sample("data between links", link + "0a00" + link),
            Sample("data cut short", "0a05"), Sample("a link cut short", "1205"),
            Sample("a length in two bytes", "0a8000", readable: true),
            Sample("a length of eleven bytes", "0a8080808080808080808001"),
            Sample("a link with an unknown field", "12080a04015500002000"),
            Sample("a name before the CID", "120812000a0401550000"),
            Sample("a size before the name", "120a0a0401550000" + "1800" + "1200"),
            Sample("a CID twice", "120c0a0401550000" + "0a0401550000"),
            Sample("a name twice", "120a0a0401550000" + "1200" + "1200"),
            Sample("a name as a number", "12080a0401550000" + "1000"),
            Sample("a CID with a byte too many", "12070a050155000000"),
            Sample("a CID of version 2", "12060a0402550000"),
            Sample("half a CID of version 0", "12040a021220"),
        ]
    )
    func dagPB(sample: Sample) throws {
        try Self.check(sample) { bytes, limits in
            _ = try bytes.withView { try LinkList(of: $0, codec: Codec.dagPB, limits: limits) }
        }
    }

    @Test("dag-pb has its data before or after its links, and may be empty")
    func dagPBOrders() throws {
        let samples =
            [
                ("", 0, nil), ("0a00", 0, 2..<2), (Self.link, 1, nil),
                (Self.link + "0a00", 1, 10..<10),
                ("0a00" + Self.link + Self.link, 2, 2..<2),
            ] as [(String, Int, Range<Int>?)]
        for (text, linkCount, data) in samples {
            let bytes = try #require([UInt8](hexadecimal: text))
            let node = try bytes.withView { try DagPBNode(decoding: $0) }
            #expect(node.data == data)
            #expect(node.links.count == linkCount)
        }
    }

    @Test("limits are errors of their own, before memory is taken")
    func limits() throws {
        var limits = DAGLimits()
        limits.nestingMax = 10
        limits.linksMax = 3
        limits.blockSizeMax = 100
        let link = try #require([UInt8](hexadecimal: "d82a450001550000"))
        let deep = [UInt8](repeating: 0x81, count: 11) + [0]
        let many = [0x84] + link + link + link + link
        let large = [0x58, 99] + [UInt8](repeating: 0, count: 99)
        for (bytes, codec) in [
            (deep, Codec.dagCBOR), (many, Codec.dagCBOR), (large, Codec.dagCBOR),
            ([UInt8](repeating: UInt8(ascii: "["), count: 11), Codec.dagJSON),
            ([UInt8](repeating: 0x0a, count: 101), Codec.dagPB),
            ([UInt8](hexadecimal: String(repeating: Self.link, count: 4)) ?? [], Codec.dagPB),
        ] {
            #expect(throws: IPLDError(.limitExceeded)) {
                try bytes.withView { try LinkList(of: $0, codec: codec, limits: limits) }
            }
        }
        #expect(throws: IPLDError(.unsupportedCodec)) {
            try [1].withView { try LinkList(of: $0, codec: 0x90) }
        }
        #expect(try [1].withView { try LinkList(of: $0, codec: Codec.raw).count } == 0)
    }

    @Test(
        "nesting of 8 MiB is refused without a deep stack",
        arguments: [Codec.dagCBOR, Codec.dagJSON]
    )
    func deepNesting(codec: UInt64) throws {
        var limits = DAGLimits()
        limits.nestingMax = .max
        let byte = codec == Codec.dagCBOR ? 0x81 : UInt8(ascii: "[")
        let bytes = [UInt8](repeating: byte, count: 1 << 20)
        #expect(throws: IPLDError(.malformedBlock)) {
            try bytes.withView { try LinkList(of: $0, codec: codec, limits: limits) }
        }
    }
}
