internal import CDAGDigest
public import DAGBytes

/// The hash functions that blocks are checked with, by their multicodec number.
///
/// | code              | function                  | largest digest        | computed by |
/// |-------------------|---------------------------|-----------------------|-------------|
/// | `0x00`            | identity                  | the data              |             |
/// | `0x11`            | sha1                      | 20 bytes              | libcrypto   |
/// | `0x12`            | sha2-256                  | 32 bytes              | libcrypto   |
/// | `0x13`            | sha2-512                  | 64 bytes              | libcrypto   |
/// | `0x14...0x17`     | sha3-512, 384, 256, 224   | 64, 48, 32, 28 bytes  | libcrypto   |
/// | `0x18`, `0x19`    | shake-128, shake-256      | 32, 64 bytes          | `Keccak`    |
/// | `0x1a...0x1d`     | keccak-224, 256, 384, 512 | 28, 32, 48, 64 bytes  | `Keccak`    |
/// | `0x1e`            | blake3                    | any                   | `BLAKE3`    |
/// | `0x20`            | sha2-384                  | 48 bytes              | libcrypto   |
/// | `0x56`            | dbl-sha2-256              | 32 bytes              | libcrypto   |
/// | `0xd5`            | md5                       | 16 bytes              | libcrypto   |
/// | `0x1013`          | sha2-224                  | 28 bytes              | libcrypto   |
/// | `0x1014`, `0x1015`| sha2-512-224, sha2-512-256| 28, 32 bytes          | libcrypto   |
/// | `0xb201...0xb240` | blake2b                   | `code - 0xb200` bytes | `BLAKE2b`   |
/// | `0xb241...0xb260` | blake2s                   | `code - 0xb240` bytes | `BLAKE2s`   |
///
/// Any other function is unsupported: its blocks can be stored but not checked.
///
/// libcrypto has Keccak from OpenSSL 3.2 on only, and SHAKE behind calls that allocate.
///
/// *Concurrency*: pure functions; any thread.
///
/// Source: multiformats/multicodec, table.csv.
public enum BlockHash {
    /// The smallest digest that proves anything, in bytes; identity digests are exempt.
    ///
    /// An attacker finds other data for a shorter one. Source: ipfs/go-verifcid.
    public static let minimumDigestSize = 20

    /// What a check found.
    @frozen public enum Outcome: Equatable, Sendable {
        /// The digest is the data's.
        case matches
        /// The digest is not the data's.
        case differs
        /// The digest is the data's, and too short to prove anything.
        case tooShort
        /// This package cannot compute the function.
        case unsupported
    }

    /// Computes the whole digest of `data`.
    ///
    /// - Returns: The digest, not truncated, or nil if `code` is unsupported.
    ///
    /// *Cost*: O(data); identity copies it.
    public static func digest(_ code: UInt64, of data: ByteView) -> [UInt8]? {
        switch code {
        case 0x00: data.copied
        case 0x1e: BLAKE3.hash(data).digest
        default: wordDigest(code, of: data)?.bytes ?? withDigest(code, of: data) { $0.copied }
        }
    }

    /// Checks `data` against `digest`, which may be truncated.
    ///
    /// The function is computed anew and cut to the size of `digest`; of identity, nothing is cut.
    /// Comparing takes as long as the bytes agree; digests are not secrets.
    ///
    /// - Parameters:
    ///   - code: The multicodec of the hash function.
    ///   - digest: The digest, cut or whole.
    ///   - data: The data that it should be of.
    ///   - minimumDigestSize: The size in bytes from which on a digest proves something. With 0 a digest without
    ///     bytes matches any data, as it does in go-multihash.
    /// - Returns: `.differs` also if `digest` is longer than the function's output; `.tooShort` if it is the data's,
    ///   shorter than `minimumDigestSize`, and not identity's.
    ///
    /// *Cost*: O(data); no allocation but those of the crypto library.
    public static func check(
        code: UInt64,
        digest: ByteView,
        data: ByteView,
        minimumDigestSize: Int = minimumDigestSize
    ) -> Outcome {
        let matches: Bool?
        switch code {
        case 0x00: return digest.elementsEqual(data) ? .matches : .differs
        case 0x1e: matches = BLAKE3.hash(data).hasPrefix(digest)
        default:
            matches =
                wordDigest(code, of: data)?.hasPrefix(digest)
                ?? withDigest(code, of: data) { full in
                    digest.count <= full.count && full[0..<digest.count].elementsEqual(digest)
                }
        }
        guard let matches else { return .unsupported }
        guard matches else { return .differs }
        return digest.count < minimumDigestSize ? .tooShort : .matches
    }

    /// The digest, if it is one of those that are computed here; nil if the crypto library computes it, if any.
    private static func wordDigest(_ code: UInt64, of data: ByteView) -> WordDigest? {
        func keccak(_ size: Int, capacity: Int, _ suffix: UInt64) -> WordDigest {
            Keccak.hash(data, size: size, capacity: capacity, suffix: suffix)
        }
        return switch code {
        case 0x18: keccak(32, capacity: 32, Keccak.shakeSuffix)
        case 0x19: keccak(64, capacity: 64, Keccak.shakeSuffix)
        case 0x1a: keccak(28, capacity: 56, Keccak.originalSuffix)
        case 0x1b: keccak(32, capacity: 64, Keccak.originalSuffix)
        case 0x1c: keccak(48, capacity: 96, Keccak.originalSuffix)
        case 0x1d: keccak(64, capacity: 128, Keccak.originalSuffix)
        case 0xb201...0xb240: BLAKE2b.hash(data, size: Int(code - 0xb200))
        case 0xb241...0xb260: BLAKE2s.hash(data, size: Int(code - 0xb240))
        default: nil
        }
    }

    /// Calls `body` with the digest that the crypto library computes, valid inside `body` only.
    ///
    /// - Returns: What `body` returns, or nil if the library has no function `code`.
    private static func withDigest<R>(
        _ code: UInt64,
        of data: ByteView,
        _ body: (ByteView) -> R
    ) -> R? {
        unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self,
            capacity: Int(DAGSTORE_DIGEST_SIZE_MAX)
        ) { digest in
            guard let start = digest.baseAddress,
                let size = unsafe write(code, of: data, to: start)
            else { return nil }
            // SAFETY: so many bytes were written, and the view goes nowhere else.
            return unsafe body(ByteView(UnsafeRawBufferPointer(start: start, count: size)))
        }
    }

    /// Writes the digest that the crypto library computes.
    ///
    /// - Returns: Its size; nil if the library has no function `code`.
    private static func write(
        _ code: UInt64,
        of data: ByteView,
        to digest: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        // SAFETY: the view's maker keeps the bytes alive and unchanged for the whole of this call, and there is room
        // for the largest digest.
        let start = unsafe data.buffer.baseAddress
        switch code {
        case 0x11:
            unsafe dagstore_sha1(start, data.count, digest)
            return 20
        case 0x12:
            unsafe dagstore_sha256(start, data.count, digest)
            return 32
        case 0x13:
            unsafe dagstore_sha512(start, data.count, digest)
            return 64
        case 0x14: return unsafe dagstore_sha3(start, data.count, 64, digest) ? 64 : nil
        case 0x15: return unsafe dagstore_sha3(start, data.count, 48, digest) ? 48 : nil
        case 0x16: return unsafe dagstore_sha3(start, data.count, 32, digest) ? 32 : nil
        case 0x17: return unsafe dagstore_sha3(start, data.count, 28, digest) ? 28 : nil
        case 0x20:
            unsafe dagstore_sha384(start, data.count, digest)
            return 48
        case 0x56:
            unsafe dagstore_sha256(start, data.count, digest)
            unsafe dagstore_sha256(digest, 32, digest)
            return 32
        case 0xd5:
            unsafe dagstore_md5(start, data.count, digest)
            return 16
        case 0x1013:
            unsafe dagstore_sha224(start, data.count, digest)
            return 28
        case 0x1014: return unsafe dagstore_sha512_cut(start, data.count, 28, digest) ? 28 : nil
        case 0x1015: return unsafe dagstore_sha512_cut(start, data.count, 32, digest) ? 32 : nil
        default: return nil
        }
    }
}
