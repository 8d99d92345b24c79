internal import CDAGDigest
public import DAGBytes

/// The hash functions that check blocks, by their multicodec number.
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
/// All other functions are unsupported: the store holds their blocks but cannot check them.
///
/// libcrypto has Keccak only from OpenSSL 3.2 on, and its calls for SHAKE allocate.
///
/// *Concurrency*: pure functions; any thread.
///
/// Source: multiformats/multicodec, table.csv.
public enum BlockHash {
    /// The smallest digest that proves anything, in bytes; identity digests are exempt.
    ///
    /// For a shorter digest an attacker can find other data. Source: ipfs/go-verifcid.
    public static let minimumDigestSize = 20

    /// The result of a check.
    @frozen public enum Outcome: Equatable, Sendable {
        /// The digest is that of the data.
        case matches
        /// The digest is that of other data.
        case differs
        /// The digest is that of the data, but too short to prove it.
        case tooShort
        /// This package cannot compute the function.
        case unsupported
    }

    /// Computes the whole digest of `data`.
    ///
    /// - Returns: The whole digest, or nil if `code` is unsupported.
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
    /// Computes the digest and cuts it to the size of `digest`; it never cuts identity digests. The comparison stops
    /// at the first difference, because digests are not secret.
    ///
    /// - Parameters:
    ///   - code: The multicodec of the hash function.
    ///   - digest: The digest, cut or whole.
    ///   - data: The data to check.
    ///   - minimumDigestSize: The size in bytes of the shortest digest that proves anything. With 0, an empty digest
    ///     matches any data, as in go-multihash.
    /// - Returns: `.differs` also if `digest` is longer than the function's output. `.tooShort` if the digest
    ///   matches, is shorter than `minimumDigestSize`, and is not an identity digest.
    ///
    /// *Cost*: O(data); only the crypto library allocates.
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

    /// Returns the digest of the functions that this package computes; nil for all others.
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

    /// Calls `body` with the crypto library's digest, valid inside `body` only.
    ///
    /// - Returns: The result of `body`, or nil if the library has no function `code`.
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
            // SAFETY: `write` filled `size` bytes, and the view stays inside `body`.
            return unsafe body(ByteView(UnsafeRawBufferPointer(start: start, count: size)))
        }
    }

    /// Writes the crypto library's digest.
    ///
    /// - Returns: Its size; nil if the library has no function `code`.
    private static func write(
        _ code: UInt64,
        of data: ByteView,
        to digest: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        // SAFETY: the view's creator keeps the bytes alive and unchanged for the whole of this call. The caller's
        // buffer has room for the largest digest.
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
