package import Bytes

/// The bases in which a CID is read and written.
///
/// The first byte of the text, the prefix, names the base. Bases 16, 32 and 36 are read in either
/// case.
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

    /// The base that `prefix` names, if it is one of these.
    public init?(prefix: UInt8) {
        switch prefix {
        case UInt8(ascii: "f"): self = .base16
        case UInt8(ascii: "F"): self = .base16Upper
        case UInt8(ascii: "b"): self = .base32
        case UInt8(ascii: "B"): self = .base32Upper
        case UInt8(ascii: "k"): self = .base36
        case UInt8(ascii: "K"): self = .base36Upper
        case UInt8(ascii: "z"): self = .base58btc
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
        }
    }

    /// Whether reading and writing cost O(n^2), because the text is one big number.
    public var isPositional: Bool {
        switch self {
        case .base16, .base16Upper, .base32, .base32Upper: false
        case .base36, .base36Upper, .base58btc: true
        }
    }

    /// The text of `bytes`, prefix and all.
    package func text(of bytes: ByteView) -> String {
        switch self {
        case .base16: Base16.text(of: bytes, prefix: prefix)
        case .base16Upper: Base16.text(of: bytes, prefix: prefix, isUpper: true)
        case .base32: Base32.text(of: bytes, prefix: prefix)
        case .base32Upper: Base32.text(of: bytes, prefix: prefix, isUpper: true)
        case .base36: Base36.text(of: bytes, prefix: prefix)
        case .base36Upper: Base36Upper.text(of: bytes, prefix: prefix)
        case .base58btc: Base58BTC.text(of: bytes, prefix: prefix)
        }
    }

    /// Reads the text from `start` on, which is after the prefix.
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
        }
    }
}
