import DAGBytes
import DAGMultiformats
import TestSupport
import Testing

private func text(_ bytes: [UInt8], in base: Multibase) -> String {
    bytes.withView { base.text(of: $0) }
}

private func decoded(_ text: String) throws -> [UInt8] {
    let base = try #require(text.utf8.first.flatMap(Multibase.init(prefix:)))
    return try base.decode(text.utf8Span.span, from: 1)
}

@Suite("Multibase")
struct MultibaseTests {
    // multiformats/multibase, tests/basic.csv, leading_zero.csv and two_leading_zeros.csv.
    @Test(
        "the specification's texts come out, and are read back",
        arguments: [
            (
                "yes mani !",
                [
                    "f796573206d616e692021", "F796573206D616E692021",
                    "bpfsxgidnmfxgsibb", "BPFSXGIDNMFXGSIBB",
                    "k2lcpzo5yikidynfl", "K2LCPZO5YIKIDYNFL", "z7paNL19xttacUY",
                    "Z7Pznk19XTTzBtx", "cpfsxgidnmfxgsibb",
                    "CPFSXGIDNMFXGSIBB", "vf5in683dc5n6i811",
                    "VF5IN683DC5N6I811", "tf5in683dc5n6i811",
                    "TF5IN683DC5N6I811", "hxf1zgedpcfzg1ebb",
                    "meWVzIG1hbmkgIQ", "MeWVzIG1hbmkgIQ==",
                    "ueWVzIG1hbmkgIQ", "UeWVzIG1hbmkgIQ==",
                ]
            ),
            (
                "\0yes mani !",
                [
                    "f00796573206d616e692021", "F00796573206D616E692021",
                    "bab4wk4zanvqw42jaee", "BAB4WK4ZANVQW42JAEE",
                    "k02lcpzo5yikidynfl", "K02LCPZO5YIKIDYNFL", "z17paNL19xttacUY",
                    "Z17Pznk19XTTzBtx", "cab4wk4zanvqw42jaee======",
                    "CAB4WK4ZANVQW42JAEE======", "v01smasp0dlgmsq9044",
                    "V01SMASP0DLGMSQ9044", "t01smasp0dlgmsq9044======",
                    "T01SMASP0DLGMSQ9044======", "hybhskh3ypiosh4jyrr",
                    "mAHllcyBtYW5pICE", "MAHllcyBtYW5pICE=",
                    "uAHllcyBtYW5pICE", "UAHllcyBtYW5pICE=",
                ]
            ),
            (
                "\0\0yes mani !",
                [
                    "f0000796573206d616e692021", "F0000796573206D616E692021",
                    "baaahszltebwwc3tjeaqq", "BAAAHSZLTEBWWC3TJEAQQ",
                    "k002lcpzo5yikidynfl", "K002LCPZO5YIKIDYNFL", "z117paNL19xttacUY",
                    "Z117Pznk19XTTzBtx", "caaahszltebwwc3tjeaqq====",
                    "CAAAHSZLTEBWWC3TJEAQQ====", "v0007ipbj41mm2rj940gg",
                    "V0007IPBJ41MM2RJ940GG", "t0007ipbj41mm2rj940gg====",
                    "T0007IPBJ41MM2RJ940GG====", "hyyy813murbssn5ujryoo",
                    "mAAB5ZXMgbWFuaSAh", "MAAB5ZXMgbWFuaSAh",
                    "uAAB5ZXMgbWFuaSAh", "UAAB5ZXMgbWFuaSAh",
                ]
            ),
            (
                "hello world",
                [
                    "f68656c6c6f20776f726c64", "F68656C6C6F20776F726C64",
                    "bnbswy3dpeb3w64tmmq", "BNBSWY3DPEB3W64TMMQ",
                    "kfuvrsivvnfrbjwajo", "KFUVRSIVVNFRBJWAJO", "zStV1DL6CwTryKyV",
                    "ZrTu1dk6cWsRYjYu", "cnbswy3dpeb3w64tmmq======",
                    "CNBSWY3DPEB3W64TMMQ======", "vd1imor3f41rmusjccg",
                    "VD1IMOR3F41RMUSJCCG", "td1imor3f41rmusjccg======",
                    "TD1IMOR3F41RMUSJCCG======", "hpb1sa5dxrb5s6hucco",
                    "maGVsbG8gd29ybGQ", "MaGVsbG8gd29ybGQ=",
                    "uaGVsbG8gd29ybGQ", "UaGVsbG8gd29ybGQ=",
                ]
            ),
            (
                "\0\0\0",
                [
                    "f000000", "F000000", "baaaaa", "BAAAAA", "k000", "K000", "z111", "Z111",
                    "caaaaa===", "CAAAAA===", "v00000", "V00000", "t00000===", "T00000===",
                    "hyyyyy", "mAAAA", "MAAAA", "uAAAA", "UAAAA",
                ]
            ),
            (
                "",
                [
                    "f", "F", "b", "B", "k", "K", "z", "Z", "c", "C", "v", "V", "t", "T", "h", "m",
                    "M", "u", "U",
                ]
            ),
        ] as [(String, [String])]
    )
    func specifiedTexts(plain: String, texts: [String]) throws {
        let bytes = Array(plain.utf8)
        #expect(Multibase.allCases.map { text(bytes, in: $0) } == texts)
        for text in texts {
            #expect(try decoded(text) == bytes, "\(text)")
        }
    }

    // multiformats/multibase, tests/case_insensitivity.csv.
    @Test(
        "bases with one case of letters are read in either",
        arguments: [
            "f68656c6c6f20776F726C64", "F68656c6c6f20776F726C64",
            "bnbswy3dpeB3W64TMMQ", "Bnbswy3dpeB3W64TMMQ",
            "kfUvrsIvVnfRbjWaJo", "KfUVrSIVVnFRbJWAJo",
            "vd1imor3f41RMUSJCCG", "Vd1imor3f41RMUSJCCG",
            "td1imor3f41RMUSJCCG======", "Td1imor3f41RMUSJCCG======",
            "cnbswy3dpeB3W64TMMQ======", "Cnbswy3dpeB3W64TMMQ======",
        ]
    )
    func eitherCase(text: String) throws {
        #expect(try decoded(text) == Array("hello world".utf8))
    }

    @Test("every message of up to two bytes survives the round trip", arguments: Multibase.allCases)
    func exhaustive(base: Multibase) throws {
        var messages: [[UInt8]] = [[]]
        messages += (0...255).map { [$0] }
        // Steps of 3 meet all values of either byte with few of the other.
        messages += stride(from: 0, through: 0xffff, by: 3).map {
            [UInt8($0 >> 8), UInt8($0 & 0xff)]
        }
        for message in messages {
            let text = text(message, in: base)
            guard try decoded(text) != message else { continue }
            Issue.record("\(message) became \(text)")
        }
    }

    @Test("messages of every size survive the round trip, zeros in front or not")
    func everySize() throws {
        var random = SplitMix64(seed: 4)
        for size in 0...150 {
            for zeroCount in [0, 1, 2, 8, 9] {
                let zeros = [UInt8](repeating: 0, count: zeroCount)
                let tops: [[UInt8]] = [random.bytes(size), Array(repeating: 0xff, count: size)]
                for message in tops.map({ zeros + $0 }) {
                    for base in Multibase.allCases {
                        let text = text(message, in: base)
                        #expect(text.utf8.first == base.prefix)
                        #expect(try decoded(text) == message, "\(text)")
                    }
                }
            }
        }
    }

    @Test("a power of the radix, where digits carry into a new chunk, survives the round trip")
    func chunkEdges() throws {
        for base in [Multibase.base36, .base58btc] {
            let one = base == .base36 ? "1" : "2"
            let zero = base == .base36 ? "0" : "1"
            let prefix = base == .base36 ? "k" : "z"
            for count in 0...40 {
                for digits in [
                    one + String(repeating: zero, count: count),
                    String(repeating: "z", count: count),
                ] {
                    #expect(text(try decoded(prefix + digits), in: base) == prefix + digits)
                }
            }
        }
    }

    @Test("every byte outside the alphabet is refused at its offset", arguments: Multibase.allCases)
    func foreignBytes(base: Multibase) throws {
        let digits = "0123456789"
        let lower = "abcdefghijklmnopqrstuvwxyz"
        let symbols: Set<UInt8> =
            switch base {
            case .base16, .base16Upper: Set("0123456789abcdefABCDEF".utf8)
            case .base32, .base32Upper: Set(("234567" + lower + lower.uppercased()).utf8)
            case .base36, .base36Upper: Set((digits + lower + lower.uppercased()).utf8)
            case .base58btc:
                Set((digits + lower + lower.uppercased()).utf8).subtracting("0OIl".utf8)
            case .base58flickr:
                Set((digits + lower + lower.uppercased()).utf8).subtracting("0OIl".utf8)
            case .base32Pad, .base32PadUpper: Set(("234567" + lower + lower.uppercased()).utf8)
            case .base32Hex, .base32HexUpper, .base32HexPad, .base32HexPadUpper:
                Set((digits + "abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV").utf8)
            case .base32Z: Set("ybndrfg8ejkmcpqxot1uwisza345h769".utf8)
            case .base64, .base64Pad: Set((digits + lower + lower.uppercased() + "+/").utf8)
            case .base64URL, .base64URLPad: Set((digits + lower + lower.uppercased() + "-_").utf8)
            }
        for byte in UInt8.min...UInt8.max {
            // Eight bytes, which every base can decode.
            let zero = UInt8(ascii: base == .base32Z ? "y" : "2")
            var bytes = Array(repeating: zero, count: 8)
            bytes[5] = byte
            if symbols.contains(byte) {
                #expect(throws: Never.self) { try base.decode(bytes.span, from: 0) }
            } else {
                let error = #expect(throws: MultiformatsError(.malformedText, at: 5)) {
                    try base.decode(bytes.span, from: 0)
                }
                #expect(error?.offset == 5)
            }
        }
    }

    @Test("leftover bits and symbols that add no byte are refused")
    func leftovers() throws {
        let symbols = "abcdefghijklmnopqrstuvwxyz234567"
        // Of the last symbol, 2, 4, 1 or 3 bits are left over, by the number of symbols.
        for (head, leftoverBits) in [("ba", 2), ("baaa", 4), ("baaaa", 1), ("baaaaaa", 3)] {
            for (digit, symbol) in symbols.enumerated() {
                let text = head + String(symbol)
                if digit & (1 << leftoverBits - 1) == 0 {
                    #expect(throws: Never.self) { try decoded(text) }
                } else {
                    let error = #expect(throws: MultiformatsError(.malformedText, at: 0)) {
                        try decoded(text)
                    }
                    #expect(error?.offset == head.utf8.count, "\(text)")
                }
            }
        }
        for text in ["ba", "baaa", "baaaaaa", "baaaaaaaaa", "f0", "f000"] {
            let error = #expect(throws: MultiformatsError(.malformedText, at: 0)) {
                try decoded(text)
            }
            #expect(error?.offset == text.utf8.count - 1, "\(text)")
        }
    }

    @Test(
        "padding that is missing, too long or in the middle is refused",
        arguments: [
            "cnbswy3dpeb3w64tmmq", "cnbswy3dpeb3w64tmmq=====", "cnbswy3dpeb3w64tmmq=======",
            "cnb=wy3dpeb3w64tmmq======", "MaGVsbG8gd29ybGQ", "MaGVsbG8gd29ybGQ==",
            "M====", "maGVsbG8gd29ybGQ=", "vd1imor3f41rmusjccg======",
        ]
    )
    func padding(text: String) {
        #expect(throws: MultiformatsError(.malformedText, at: 0)) { try decoded(text) }
    }

    @Test("a prefix names its base, and no other byte does")
    func prefixes() {
        for base in Multibase.allCases {
            #expect(Multibase(prefix: base.prefix) == base)
        }
        let known = (UInt8.min...UInt8.max).filter { Multibase(prefix: $0) != nil }
        #expect(known == Array("BCFKMTUVZbcfhkmtuvz".utf8))
    }
}
