internal import DAGBytes

/// A base with a fixed number of bits per symbol, padded or unpadded: base64 and the rarer kinds of base32.
///
/// ```
/// bytes      76543210 76543210 76543210          three bytes are four symbols of base64
/// symbols    543210 543210 543210 543210         five bytes are eight symbols of base32
/// ```
///
/// Leftover bits of the last symbol are zero. Padding fills the last group of symbols with `=`.
///
/// Source: RFC 4648, sections 3 to 7; multiformats/multibase, multibase.csv.
struct BitBase: Sendable {
    private let alphabet: Alphabet
    private let bitsPerSymbol: UInt64
    /// The number of symbols in a padded group; 1 for a base without padding.
    private let groupSize: Int

    private static let padding = UInt8(ascii: "=")

    private init(_ text: StaticString, bits: UInt64, groupSize: Int = 1, ignoresCase: Bool = false)
    {
        alphabet = Alphabet(text, ignoresCase: ignoresCase)
        bitsPerSymbol = bits
        self.groupSize = groupSize
    }

    /// Returns the text of `bytes` after `prefix`.
    func text(of bytes: ByteView, prefix: UInt8) -> String {
        let symbolCount = (bytes.count * 8 + Int(bitsPerSymbol) - 1) / Int(bitsPerSymbol)
        var text: [UInt8] = []
        text.reserveCapacity(1 + symbolCount + groupSize)
        text.append(prefix)
        let mask: UInt64 = 1 << bitsPerSymbol - 1
        var bits: UInt64 = 0
        var bitCount: UInt64 = 0
        for index in 0..<bytes.count {
            bits = bits << 8 | UInt64(bytes[index])
            bitCount += 8
            while bitCount >= bitsPerSymbol {
                bitCount -= bitsPerSymbol
                text.append(alphabet.symbols[Int(bits >> bitCount & mask)])
            }
        }
        if bitCount > 0 {
            text.append(alphabet.symbols[Int(bits << (bitsPerSymbol - bitCount) & mask)])
        }
        for _ in 0..<paddingSize(symbols: symbolCount) { text.append(Self.padding) }
        return String(decoding: text, as: UTF8.self)
    }

    private func paddingSize(symbols: Int) -> Int {
        (groupSize - symbols % groupSize) % groupSize
    }

    /// Reads the text from `start` on.
    ///
    /// - Throws: `.malformedText` at a byte outside the alphabet. At the end if the padding is wrong. At the last
    ///   symbol if its leftover bits are not zero, or if it adds no byte.
    func decode(_ text: Span<UInt8>, from start: Int) throws(MultiformatsError) -> [UInt8] {
        var end = text.count
        if groupSize > 1 {
            while end > start, text[end - 1] == Self.padding { end -= 1 }
            guard text.count - end == paddingSize(symbols: end - start) else {
                throw MultiformatsError(.malformedText, at: end)
            }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity((end - start) * Int(bitsPerSymbol) / 8)
        var bits: UInt64 = 0
        var bitCount: UInt64 = 0
        for index in start..<end {
            let digit = alphabet.digits[Int(text[index])]
            guard digit != Alphabet.none else {
                throw MultiformatsError(.malformedText, at: index)
            }
            bits = bits << bitsPerSymbol | UInt64(digit)
            bitCount += bitsPerSymbol
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        }
        guard bitCount < bitsPerSymbol, bits & (1 << bitCount - 1) == 0 else {
            throw MultiformatsError(.malformedText, at: end - 1)
        }
        return bytes
    }
}

extension BitBase {
    private static let lower: StaticString = "abcdefghijklmnopqrstuvwxyz234567"
    private static let upper: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    private static let hexLower: StaticString = "0123456789abcdefghijklmnopqrstuv"
    private static let hexUpper: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
    private static let standard: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    private static let urlSafe: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    static let base32Pad = BitBase(lower, bits: 5, groupSize: 8, ignoresCase: true)
    static let base32PadUpper = BitBase(upper, bits: 5, groupSize: 8, ignoresCase: true)
    static let base32Hex = BitBase(hexLower, bits: 5, ignoresCase: true)
    static let base32HexUpper = BitBase(hexUpper, bits: 5, ignoresCase: true)
    static let base32HexPad = BitBase(hexLower, bits: 5, groupSize: 8, ignoresCase: true)
    static let base32HexPadUpper = BitBase(hexUpper, bits: 5, groupSize: 8, ignoresCase: true)
    /// Base32 with an alphabet for people.
    static let base32Z = BitBase("ybndrfg8ejkmcpqxot1uwisza345h769", bits: 5)
    static let base64 = BitBase(standard, bits: 6)
    static let base64Pad = BitBase(standard, bits: 6, groupSize: 4)
    static let base64URL = BitBase(urlSafe, bits: 6)
    static let base64URLPad = BitBase(urlSafe, bits: 6, groupSize: 4)
}
