/// Multicodec numbers of content types that this package names.
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

    /// The table's name for `codec`, or its number as `0x…`.
    public static func name(of codec: UInt64) -> String {
        switch codec {
        case 0x00: "identity"
        case 0x50: "protobuf"
        case 0x51: "cbor"
        case raw: "raw"
        case dagPB: "dag-pb"
        case dagCBOR: "dag-cbor"
        case 0x72: "libp2p-key"
        case 0x78: "git-raw"
        case 0x85: "dag-jose"
        case 0x86: "dag-cose"
        case 0x90: "eth-block"
        case 0x0129: "dag-json"
        case 0x0200: "json"
        case 0xf101: "fil-commitment-unsealed"
        case 0xf102: "fil-commitment-sealed"
        default: "0x" + String(codec, radix: 16)
        }
    }
}

/// Multicodec numbers of hash functions that this package names.
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
    /// SHA-384.
    public static let sha2_384: UInt64 = 0x20
    /// BLAKE3.
    public static let blake3: UInt64 = 0x1e
    /// SHA-256 of SHA-256.
    public static let doubleSHA2_256: UInt64 = 0x56
    /// BLAKE2b with a digest of 8 bits; each code after it has 8 bits more, up to `blake2b_512`.
    public static let blake2b_8: UInt64 = 0xb201
    /// BLAKE2b with a digest of 256 bits.
    public static let blake2b_256: UInt64 = 0xb220
    /// BLAKE2b with a digest of 512 bits.
    public static let blake2b_512: UInt64 = 0xb240

    /// The table's name for `code`, or its number as `0x…`.
    public static func name(of code: UInt64) -> String {
        switch code {
        case identity: "identity"
        case sha1: "sha1"
        case sha2_256: "sha2-256"
        case sha2_512: "sha2-512"
        case sha3_512: "sha3-512"
        case sha3_384: "sha3-384"
        case sha3_256: "sha3-256"
        case 0x17: "sha3-224"
        case 0x18: "shake-128"
        case 0x19: "shake-256"
        case 0x1b: "keccak-256"
        case blake3: "blake3"
        case sha2_384: "sha2-384"
        case 0x22: "murmur3-x64-64"
        case doubleSHA2_256: "dbl-sha2-256"
        case 0xd5: "md5"
        case blake2b_8...blake2b_512: "blake2b-\((code - blake2b_8 + 1) * 8)"
        case 0xb241...0xb260: "blake2s-\((code - 0xb240) * 8)"
        case 0x1011: "sha2-256-trunc254-padded"
        case 0x1012: "sha2-224"
        case 0xb401: "poseidon-bls12_381-a2-fc1"
        default: "0x" + String(code, radix: 16)
        }
    }
}
