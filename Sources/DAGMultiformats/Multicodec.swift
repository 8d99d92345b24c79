/// Multicodec numbers of content types.
///
/// Source: multiformats/multicodec, table.csv.
public enum Codec {
    /// Raw bytes.
    public static let raw: UInt64 = 0x55
    /// MerkleDAG protobuf.
    public static let dagPB: UInt64 = 0x70
    /// MerkleDAG CBOR.
    public static let dagCBOR: UInt64 = 0x71
    /// MerkleDAG JSON.
    public static let dagJSON: UInt64 = 0x0129

    /// Returns the table's name of `codec`, or its number as `0x…`.
    public static func name(of codec: UInt64) -> String {
        MulticodecNames.codecs[codec] ?? "0x" + String(codec, radix: 16)
    }
}

/// Multicodec numbers of hash functions.
///
/// Source: multiformats/multicodec, table.csv.
public enum HashCode {
    /// The digest is the data.
    public static let identity: UInt64 = 0x00
    /// SHA-1.
    public static let sha1: UInt64 = 0x11
    /// SHA-256.
    public static let sha2_256: UInt64 = 0x12
    /// SHA-512.
    public static let sha2_512: UInt64 = 0x13
    /// SHA3-512.
    public static let sha3_512: UInt64 = 0x14
    /// SHA3-384.
    public static let sha3_384: UInt64 = 0x15
    /// SHA3-256.
    public static let sha3_256: UInt64 = 0x16
    /// SHA3-224.
    public static let sha3_224: UInt64 = 0x17
    /// SHAKE-128 with a digest of 32 bytes.
    public static let shake_128: UInt64 = 0x18
    /// SHAKE-256 with a digest of 64 bytes.
    public static let shake_256: UInt64 = 0x19
    /// Keccak with a digest of 224 bits, from before SHA3.
    public static let keccak_224: UInt64 = 0x1a
    /// Keccak with a digest of 256 bits, which Ethereum uses.
    public static let keccak_256: UInt64 = 0x1b
    /// Keccak with a digest of 384 bits.
    public static let keccak_384: UInt64 = 0x1c
    /// Keccak with a digest of 512 bits.
    public static let keccak_512: UInt64 = 0x1d
    /// SHA-384.
    public static let sha2_384: UInt64 = 0x20
    /// BLAKE3.
    public static let blake3: UInt64 = 0x1e
    /// SHA-256 of SHA-256.
    public static let doubleSHA2_256: UInt64 = 0x56
    /// SHA-256 as Filecoin's proofs use it: the two highest bits of the last byte are zero.
    public static let sha2_256_trunc254Padded: UInt64 = 0x1012
    /// SHA-224.
    public static let sha2_224: UInt64 = 0x1013
    /// SHA-512/224.
    public static let sha2_512_224: UInt64 = 0x1014
    /// SHA-512/256.
    public static let sha2_512_256: UInt64 = 0x1015
    /// BLAKE2b with a digest of 8 bits.
    ///
    /// Each next code has 8 bits more, up to `blake2b_512`.
    public static let blake2b_8: UInt64 = 0xb201
    /// BLAKE2b with a digest of 256 bits.
    public static let blake2b_256: UInt64 = 0xb220
    /// BLAKE2b with a digest of 512 bits.
    public static let blake2b_512: UInt64 = 0xb240
    /// BLAKE2s with a digest of 8 bits.
    ///
    /// Each next code has 8 bits more, up to `blake2s_256`.
    public static let blake2s_8: UInt64 = 0xb241
    /// BLAKE2s with a digest of 256 bits.
    public static let blake2s_256: UInt64 = 0xb260

    /// Returns the table's name of `code`, or its number as `0x…`.
    public static func name(of code: UInt64) -> String {
        if let name = MulticodecNames.hashes[code] { return name }
        for (codes, name) in MulticodecNames.hashFamilies where codes.contains(code) {
            return "\(name)-\((code - codes.lowerBound + 1) * 8)"
        }
        return "0x" + String(code, radix: 16)
    }
}
