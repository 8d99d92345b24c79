internal import DAGBytes

/// A base that writes the bytes as one big number, such as base58btc.
///
/// Each leading zero byte becomes a leading zero digit, because the number alone would lose it. The code handles
/// digits in chunks of 64 bits.
///
/// The constants belong to a type, so that the compiler divides by constants.
///
/// *Cost*: O(n^2) both ways, so `CID.textSizeMax` and `CID.positionalSizeMax` are small.
protocol PositionalBase {
    /// The number of digits.
    static var radix: UInt64 { get }
    /// The most digits whose value always fits 64 bits.
    static var digitsPerChunk: Int { get }
    /// `radix` to the power of `digitsPerChunk`.
    static var chunkRadix: UInt64 { get }
    /// The symbols of the digits.
    static var alphabet: Alphabet { get }
}

/// Base58 with Bitcoin's alphabet, which leaves out 0, I, O and l.
///
/// Source: multiformats/multibase, rfcs/Base58BTC.md.
enum Base58BTC: PositionalBase {
    static var radix: UInt64 { 58 }
    static var digitsPerChunk: Int { 10 }
    static var chunkRadix: UInt64 { 430_804_206_899_405_824 }
    static let alphabet = Alphabet(
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        ignoresCase: false
    )
}

/// Base58 with Flickr's alphabet: small letters come before capitals.
///
/// Source: multiformats/multibase, multibase.csv.
enum Base58Flickr: PositionalBase {
    static var radix: UInt64 { Base58BTC.radix }
    static var digitsPerChunk: Int { Base58BTC.digitsPerChunk }
    static var chunkRadix: UInt64 { Base58BTC.chunkRadix }
    static let alphabet = Alphabet(
        "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ",
        ignoresCase: false
    )
}

/// Base36; reads both cases and writes lower case.
///
/// Source: multiformats/multibase, rfcs/Base36.md.
enum Base36: PositionalBase {
    static var radix: UInt64 { 36 }
    static var digitsPerChunk: Int { 12 }
    static var chunkRadix: UInt64 { 4_738_381_338_321_616_896 }
    static let alphabet = Alphabet("0123456789abcdefghijklmnopqrstuvwxyz", ignoresCase: true)
}

/// Base36; reads both cases and writes upper case.
enum Base36Upper: PositionalBase {
    static var radix: UInt64 { Base36.radix }
    static var digitsPerChunk: Int { Base36.digitsPerChunk }
    static var chunkRadix: UInt64 { Base36.chunkRadix }
    static let alphabet = Alphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", ignoresCase: true)
}

extension PositionalBase {
    /// Returns the text of `bytes` after `prefix`.
    static func text(of bytes: ByteView, prefix: UInt8?) -> String {
        var zeroCount = 0
        while zeroCount < bytes.count, bytes[zeroCount] == 0 {
            zeroCount += 1
        }
        var limbs = limbs(of: bytes[zeroCount..<bytes.count])
        // Eight bytes are at most 13 digits in base 36, the smaller radix. The loop builds the text from its end.
        var text = [UInt8](repeating: alphabet.symbols[0], count: 1 + zeroCount + 13 * limbs.count)
        var start = fill(&text, with: &limbs) - zeroCount
        if let prefix {
            start -= 1
            text[start] = prefix
        }
        return String(decoding: text[start...], as: UTF8.self)
    }

    /// Splits a big-endian number without leading zeros into limbs, the lowest first.
    private static func limbs(of bytes: ByteView) -> [UInt64] {
        let limbCount = (bytes.count + 7) / 8
        return [UInt64](capacity: limbCount) { (limbs: inout OutputSpan<UInt64>) in
            var end = bytes.count
            while end >= 8 {
                end -= 8
                limbs.append(bytes.loadUInt64(at: end).byteSwapped)
            }
            guard end > 0 else { return }
            var top: UInt64 = 0
            for index in 0..<end {
                top = top << 8 | UInt64(bytes[index])
            }
            limbs.append(top)
        }
    }

    /// Writes the digits of a number at the end of `text`; the number is zero afterwards.
    ///
    /// - Parameters:
    ///   - text: Receives the digits.
    ///   - limbs: The number, the lowest limb first; its top limb is not zero.
    /// - Returns: The index of the first digit.
    private static func fill(_ text: inout [UInt8], with limbs: inout [UInt64]) -> Int {
        var start = text.count
        var limbCount = limbs.count
        while limbCount > 0 {
            var rest: UInt64 = 0
            var index = limbCount
            while index > 0 {
                index -= 1
                // The rest is below the divisor, so the quotient fits.
                (limbs[index], rest) = chunkRadix.dividingFullWidth((rest, limbs[index]))
            }
            // The divisor is below 2^64: only the top limb can become zero.
            if limbs[limbCount - 1] == 0 {
                limbCount -= 1
            }
            // The last chunk has no leading zeros; the others keep theirs.
            let chunkStart = start - digitsPerChunk
            while start > chunkStart, limbCount > 0 || rest > 0 {
                start -= 1
                text[start] = alphabet.symbols[Int(rest % radix & 63)]
                rest /= radix
            }
        }
        return start
    }

    /// Reads the text from `start` on.
    ///
    /// - Throws: `.malformedText` at a byte outside the alphabet.
    static func decode(
        _ text: Span<UInt8>,
        from start: Int
    ) throws(MultiformatsError) -> [UInt8] {
        var zeroCount = 0
        while start + zeroCount < text.count, text[start + zeroCount] == alphabet.symbols[0] {
            zeroCount += 1
        }
        // The number, the lowest limb first; its top limb is not zero.
        var limbs: [UInt64] = []
        // Both radixes are below 2^6.
        limbs.reserveCapacity((text.count - start - zeroCount) * 6 / 64 + 1)
        var index = start + zeroCount
        while index < text.count {
            let chunkEnd = min(index + digitsPerChunk, text.count)
            var value: UInt64 = 0
            var power: UInt64 = 1
            while index < chunkEnd {
                let digit = alphabet.digits[Int(text[index])]
                guard digit != Alphabet.none else {
                    throw MultiformatsError(.malformedText, at: index)
                }
                value = value &* radix &+ UInt64(digit)
                power = power &* radix
                index += 1
            }
            multiply(&limbs, by: power, adding: value)
        }
        return bytes(of: limbs, after: zeroCount)
    }

    /// Replaces `limbs` by `limbs * factor + summand`.
    private static func multiply(
        _ limbs: inout [UInt64],
        by factor: UInt64,
        adding summand: UInt64
    ) {
        var carry = summand
        for index in limbs.indices {
            let product = limbs[index].multipliedFullWidth(by: factor)
            let (low, overflow) = product.low.addingReportingOverflow(carry)
            limbs[index] = low
            // The upper half of a product is at most 2^64 - 2.
            carry = product.high &+ (overflow ? 1 : 0)
        }
        if carry > 0 {
            limbs.append(carry)
        }
    }

    /// Returns the bytes of a number, the highest first, after `zeroCount` zeros.
    private static func bytes(of limbs: [UInt64], after zeroCount: Int) -> [UInt8] {
        let bitCount = limbs.count * 64 - (limbs.last?.leadingZeroBitCount ?? 0)
        let size = (bitCount + 7) / 8
        return [UInt8](capacity: zeroCount + size) { (bytes: inout OutputSpan<UInt8>) in
            for _ in 0..<zeroCount {
                bytes.append(0)
            }
            var place = size
            while place > 0 {
                place -= 1
                let limb = limbs[place / 8]
                bytes.append(UInt8(truncatingIfNeeded: limb >> (8 * UInt64(place % 8))))
            }
        }
    }
}
