public import Bytes
internal import Crypto

/// The hash functions that blocks are checked with, by their multicodec number.
///
/// | code              | function     | largest digest           |
/// |-------------------|--------------|--------------------------|
/// | `0x00`            | identity     | the data                 |
/// | `0x11`            | sha1         | 20 bytes                 |
/// | `0x12`            | sha2-256     | 32 bytes                 |
/// | `0x13`            | sha2-512     | 64 bytes                 |
/// | `0x14`            | sha3-512     | 64 bytes                 |
/// | `0x15`            | sha3-384     | 48 bytes                 |
/// | `0x16`            | sha3-256     | 32 bytes                 |
/// | `0x20`            | sha2-384     | 48 bytes                 |
/// | `0x56`            | dbl-sha2-256 | 32 bytes                 |
/// | `0xd5`            | md5          | 16 bytes                 |
/// | `0xb201...0xb240` | blake2b      | `code - 0xb200` bytes    |
///
/// Any other function, BLAKE3 with them, is unsupported: its blocks can be stored but not checked.
///
/// *Concurrency*: pure functions; any thread.
///
/// Source: multiformats/multicodec, table.csv.
public enum BlockHash {
    /// What a check found.
    @frozen public enum Outcome: Equatable, Sendable {
        /// The digest is the data's.
        case matches
        /// The digest is not the data's.
        case differs
        /// Nobody here can compute this function.
        case unsupported
    }

    /// Whether `digest` and `check` know the function `code`.
    public static func isSupported(_ code: UInt64) -> Bool {
        switch code {
        case 0x00, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x20, 0x56, 0xd5: true
        case 0xb201...0xb240: true
        default: false
        }
    }

    /// Computes the whole digest of `data`.
    ///
    /// - Returns: The digest, not truncated, or nil if `code` is unsupported.
    ///
    /// *Cost*: O(data); identity copies it.
    public static func digest(_ code: UInt64, of data: ByteView) -> [UInt8]? {
        switch code {
        case 0x00: data.copied
        case 0xb201...0xb240: BLAKE2b.hash(data, size: Int(code - 0xb200)).bytes
        default: withDigest(code, of: data) { $0.copied }
        }
    }

    /// Checks `data` against `digest`, which may be truncated.
    ///
    /// The function is computed anew and cut to the size of `digest`; of identity, nothing is cut.
    /// A digest without bytes therefore matches any data, as it does in go-multihash: a caller that
    /// wants a least size asks for it. Comparing takes as long as the bytes agree; digests are not
    /// secrets.
    ///
    /// - Returns: `.differs` also if `digest` is longer than the function's output.
    ///
    /// *Cost*: O(data); no allocation but those of the crypto library.
    public static func check(code: UInt64, digest: ByteView, data: ByteView) -> Outcome {
        let matches: Bool?
        switch code {
        case 0x00:
            matches = digest.elementsEqual(data)
        case 0xb201...0xb240:
            matches = BLAKE2b.hash(data, size: Int(code - 0xb200)).hasPrefix(digest)
        default:
            matches = withDigest(code, of: data) { full in
                digest.count <= full.count && full[0..<digest.count].elementsEqual(digest)
            }
        }
        guard let matches else { return .unsupported }
        return matches ? .matches : .differs
    }

    /// Calls `body` with the digest that the crypto library computes, valid inside `body` only.
    ///
    /// - Returns: What `body` returns, or nil if the library has no function `code`.
    private static func withDigest<R>(
        _ code: UInt64,
        of data: ByteView,
        _ body: (ByteView) -> R
    ) -> R? {
        switch code {
        case 0x11: withDigest(Insecure.SHA1.self, of: data, body)
        case 0x12: withDigest(SHA256.self, of: data, body)
        case 0x13: withDigest(SHA512.self, of: data, body)
        case 0x14: withDigest(SHA3_512.self, of: data, body)
        case 0x15: withDigest(SHA3_384.self, of: data, body)
        case 0x16: withDigest(SHA3_256.self, of: data, body)
        case 0x20: withDigest(SHA384.self, of: data, body)
        case 0x56:
            withDigest(SHA256.self, of: data) { once in
                withDigest(SHA256.self, of: once, body)
            }
        case 0xd5: withDigest(Insecure.MD5.self, of: data, body)
        default: nil
        }
    }

    private static func withDigest<H: HashFunction, R>(
        _ function: H.Type,
        of data: ByteView,
        _ body: (ByteView) -> R
    ) -> R where H.Digest: DigestBytes {
        var hash = H()
        // SAFETY: the view's maker keeps the bytes alive and unchanged for the whole of this call.
        unsafe hash.update(bufferPointer: data.buffer)
        return unsafe hash.finalize().withUnsafeBytes { buffer in
            // SAFETY: the digest lives until `body` has returned, and the view goes nowhere else.
            unsafe body(ByteView(buffer))
        }
    }
}

/// What every digest of the crypto library can do by itself.
///
/// Generic code would find the same method in a protocol of Foundation, which this floor does
/// without.
private protocol DigestBytes {
    @unsafe func withUnsafeBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R
}

extension Insecure.SHA1Digest: DigestBytes {}
extension Insecure.MD5Digest: DigestBytes {}
extension SHA256Digest: DigestBytes {}
extension SHA384Digest: DigestBytes {}
extension SHA512Digest: DigestBytes {}
extension SHA3_256Digest: DigestBytes {}
extension SHA3_384Digest: DigestBytes {}
extension SHA3_512Digest: DigestBytes {}
