import Bytes
import Multiformats
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
                ]
            ),
            (
                "\0yes mani !",
                [
                    "f00796573206d616e692021", "F00796573206D616E692021",
                    "bab4wk4zanvqw42jaee", "BAB4WK4ZANVQW42JAEE",
                    "k02lcpzo5yikidynfl", "K02LCPZO5YIKIDYNFL", "z17paNL19xttacUY",
                ]
            ),
            (
                "\0\0yes mani !",
                [
                    "f0000796573206d616e692021", "F0000796573206D616E692021",
                    "baaahszltebwwc3tjeaqq", "BAAAHSZLTEBWWC3TJEAQQ",
                    "k002lcpzo5yikidynfl", "K002LCPZO5YIKIDYNFL", "z117paNL19xttacUY",
                ]
            ),
            (
                "hello world",
                [
                    "f68656c6c6f20776f726c64", "F68656C6C6F20776F726C64",
                    "bnbswy3dpeb3w64tmmq", "BNBSWY3DPEB3W64TMMQ",
                    "kfuvrsivvnfrbjwajo", "KFUVRSIVVNFRBJWAJO", "zStV1DL6CwTryKyV",
                ]
            ),
            ("\0\0\0", ["f000000", "F000000", "baaaaa", "BAAAAA", "k000", "K000", "z111"]),
            ("", ["f", "F", "b", "B", "k", "K", "z"]),
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

    @Test("every byte that is no symbol is refused where it stands", arguments: Multibase.allCases)
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
            }
        for byte in UInt8.min...UInt8.max {
            // Eight bytes, which every base can decode.
            var bytes = Array(repeating: UInt8(ascii: "2"), count: 8)
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

    @Test("a prefix names its base, and no other byte does")
    func prefixes() {
        for base in Multibase.allCases {
            #expect(Multibase(prefix: base.prefix) == base)
        }
        let known = (UInt8.min...UInt8.max).filter { Multibase(prefix: $0) != nil }
        #expect(known == Array("BFKbfkz".utf8))
    }
}
