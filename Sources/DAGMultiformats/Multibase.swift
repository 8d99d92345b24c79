package import DAGBytes

/// The bases that CIDs are read and written in.
///
/// The first byte of the text, the prefix, selects the base. Reading bases 16, 32 and 36 accepts both cases;
/// z-base-32 has one case.
///
/// Source: multiformats/multibase, multibase.csv.
public enum Multibase: Sendable, CaseIterable {
    /// Hexadecimal in lower case, `f`.
    case base16
    /// Hexadecimal in upper case, `F`.
    case base16Upper
    /// RFC 4648 base32 in lower case without padding, `b`.
    case base32
    /// RFC 4648 base32 in upper case without padding, `B`.
    case base32Upper
    /// Base36 in lower case, `k`.
    case base36
    /// Base36 in upper case, `K`.
    case base36Upper
    /// Base58 with Bitcoin's alphabet, `z`.
    case base58btc
    /// Base58 with Flickr's alphabet, `Z`.
    case base58flickr
    /// RFC 4648 base32 in lower case with padding, `c`.
    case base32Pad
    /// RFC 4648 base32 in upper case with padding, `C`.
    case base32PadUpper
    /// RFC 4648 base32hex in lower case without padding, `v`.
    case base32Hex
    /// RFC 4648 base32hex in upper case without padding, `V`.
    case base32HexUpper
    /// RFC 4648 base32hex in lower case with padding, `t`.
    case base32HexPad
    /// RFC 4648 base32hex in upper case with padding, `T`.
    case base32HexPadUpper
    /// z-base-32, in lower case, `h`.
    case base32Z
    /// RFC 4648 base64 without padding, `m`.
    case base64
    /// RFC 4648 base64 with padding, `M`.
    case base64Pad
    /// RFC 4648 base64url without padding, `u`.
    case base64URL
    /// RFC 4648 base64url with padding, `U`.
    case base64URLPad

    /// Creates the base of `prefix`; nil for any other byte.
    public init?(prefix: UInt8) {
        switch prefix {
        case UInt8(ascii: "f"): self = .base16
        case UInt8(ascii: "F"): self = .base16Upper
        case UInt8(ascii: "b"): self = .base32
        case UInt8(ascii: "B"): self = .base32Upper
        case UInt8(ascii: "k"): self = .base36
        case UInt8(ascii: "K"): self = .base36Upper
        case UInt8(ascii: "z"): self = .base58btc
        case UInt8(ascii: "Z"): self = .base58flickr
        case UInt8(ascii: "c"): self = .base32Pad
        case UInt8(ascii: "C"): self = .base32PadUpper
        case UInt8(ascii: "v"): self = .base32Hex
        case UInt8(ascii: "V"): self = .base32HexUpper
        case UInt8(ascii: "t"): self = .base32HexPad
        case UInt8(ascii: "T"): self = .base32HexPadUpper
        case UInt8(ascii: "h"): self = .base32Z
        case UInt8(ascii: "m"): self = .base64
        case UInt8(ascii: "M"): self = .base64Pad
        case UInt8(ascii: "u"): self = .base64URL
        case UInt8(ascii: "U"): self = .base64URLPad
        default: return nil
        }
    }

    /// The first byte of a text in this base.
    public var prefix: UInt8 {
        switch self {
        case .base16: UInt8(ascii: "f")
        case .base16Upper: UInt8(ascii: "F")
        case .base32: UInt8(ascii: "b")
        case .base32Upper: UInt8(ascii: "B")
        case .base36: UInt8(ascii: "k")
        case .base36Upper: UInt8(ascii: "K")
        case .base58btc: UInt8(ascii: "z")
        case .base58flickr: UInt8(ascii: "Z")
        case .base32Pad: UInt8(ascii: "c")
        case .base32PadUpper: UInt8(ascii: "C")
        case .base32Hex: UInt8(ascii: "v")
        case .base32HexUpper: UInt8(ascii: "V")
        case .base32HexPad: UInt8(ascii: "t")
        case .base32HexPadUpper: UInt8(ascii: "T")
        case .base32Z: UInt8(ascii: "h")
        case .base64: UInt8(ascii: "m")
        case .base64Pad: UInt8(ascii: "M")
        case .base64URL: UInt8(ascii: "u")
        case .base64URLPad: UInt8(ascii: "U")
        }
    }

    /// Whether reading and writing cost O(n^2), because the text is one big number.
    public var isPositional: Bool {
        switch self {
        case .base36, .base36Upper, .base58btc, .base58flickr: true
        default: false
        }
    }

    /// Returns the text of `bytes`, with the prefix.
    package func text(of bytes: ByteView) -> String {
        switch self {
        case .base16: Base16.text(of: bytes, prefix: prefix)
        case .base16Upper: Base16.text(of: bytes, prefix: prefix, isUpper: true)
        case .base32: Base32.text(of: bytes, prefix: prefix)
        case .base32Upper: Base32.text(of: bytes, prefix: prefix, isUpper: true)
        case .base36: Base36.text(of: bytes, prefix: prefix)
        case .base36Upper: Base36Upper.text(of: bytes, prefix: prefix)
        case .base58btc: Base58BTC.text(of: bytes, prefix: prefix)
        case .base58flickr: Base58Flickr.text(of: bytes, prefix: prefix)
        case .base32Pad: BitBase.base32Pad.text(of: bytes, prefix: prefix)
        case .base32PadUpper: BitBase.base32PadUpper.text(of: bytes, prefix: prefix)
        case .base32Hex: BitBase.base32Hex.text(of: bytes, prefix: prefix)
        case .base32HexUpper: BitBase.base32HexUpper.text(of: bytes, prefix: prefix)
        case .base32HexPad: BitBase.base32HexPad.text(of: bytes, prefix: prefix)
        case .base32HexPadUpper: BitBase.base32HexPadUpper.text(of: bytes, prefix: prefix)
        case .base32Z: BitBase.base32Z.text(of: bytes, prefix: prefix)
        case .base64: BitBase.base64.text(of: bytes, prefix: prefix)
        case .base64Pad: BitBase.base64Pad.text(of: bytes, prefix: prefix)
        case .base64URL: BitBase.base64URL.text(of: bytes, prefix: prefix)
        case .base64URLPad: BitBase.base64URLPad.text(of: bytes, prefix: prefix)
        }
    }

    /// Reads the text from `start` on, which is the byte after the prefix.
    ///
    /// - Throws: `.malformedText`.
    package func decode(
        _ text: Span<UInt8>,
        from start: Int
    ) throws(MultiformatsError) -> [UInt8] {
        switch self {
        case .base16, .base16Upper: try Base16.decode(text, from: start)
        case .base32, .base32Upper: try Base32.decode(text, from: start)
        case .base36, .base36Upper: try Base36.decode(text, from: start)
        case .base58btc: try Base58BTC.decode(text, from: start)
        case .base58flickr: try Base58Flickr.decode(text, from: start)
        case .base32Pad: try BitBase.base32Pad.decode(text, from: start)
        case .base32PadUpper: try BitBase.base32PadUpper.decode(text, from: start)
        case .base32Hex: try BitBase.base32Hex.decode(text, from: start)
        case .base32HexUpper: try BitBase.base32HexUpper.decode(text, from: start)
        case .base32HexPad: try BitBase.base32HexPad.decode(text, from: start)
        case .base32HexPadUpper: try BitBase.base32HexPadUpper.decode(text, from: start)
        case .base32Z: try BitBase.base32Z.decode(text, from: start)
        case .base64: try BitBase.base64.decode(text, from: start)
        case .base64Pad: try BitBase.base64Pad.decode(text, from: start)
        case .base64URL: try BitBase.base64URL.decode(text, from: start)
        case .base64URLPad: try BitBase.base64URLPad.decode(text, from: start)
        }
    }
}
