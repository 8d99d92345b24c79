internal import CDAGDigest
package import DAGBytes

/// The SHA-256 of bytes that come piece by piece.
///
/// *Cost*: O(bytes), no allocation until `finish`. *Concurrency*: a value; one thread at a time changes it.
package struct SHA256Stream: Sendable {
    /// The size of the digest in bytes.
    package static let digestSize = 32

    private var context = SHA256_CTX()

    /// Creates a hash of no bytes.
    package init() {
        // SAFETY: the library writes one context.
        unsafe _ = SHA256_Init(&context)
    }

    /// Adds bytes after those that came before.
    package mutating func update(_ bytes: ByteView) {
        guard !bytes.isEmpty else { return }
        // SAFETY: the context was initialized, and the view's creator keeps the bytes alive during the call.
        unsafe _ = SHA256_Update(&context, bytes.buffer.baseAddress, bytes.count)
    }

    /// Returns the digest of all bytes; later updates continue as if there were no such call.
    package func finish() -> [UInt8] {
        var last = context
        var digest = [UInt8](repeating: 0, count: Self.digestSize)
        // SAFETY: the context was initialized, and the digest has room for 32 bytes.
        unsafe _ = SHA256_Final(&digest, &last)
        return digest
    }
}
