package import DAGBytes
internal import DAGHashing

/// A checksum of the whole of a CAR, which shows whether a transient still has the fetched bytes.
///
/// The bytes are cut into pieces of 1 MiB; the last one is shorter. XXH64 runs over each piece, with the hash of the
/// pieces before as its seed, and zero for the first. A final zero becomes one, so that zero can mean *unknown*. The
/// checksum finds accidents; an attacker can find collisions.
package enum ContentChecksum {
    /// The size of every piece but the last, in bytes.
    package static let pieceSize = 1 << 20

    /// Returns the hash of the chain after one more piece.
    ///
    /// - Parameters:
    ///   - piece: `pieceSize` bytes, or fewer in the last piece.
    ///   - hash: The hash of the pieces before; zero for the first.
    /// - Returns: The hash of the chain.
    package static func chain(_ piece: ByteView, after hash: UInt64) -> UInt64 {
        precondition(piece.count <= pieceSize)
        return Checksum.xxh64(piece, seed: hash)
    }

    /// Returns the checksum for the last hash of the chain.
    package static func final(_ hash: UInt64) -> UInt64 { hash == 0 ? 1 : hash }

    /// Returns the checksum of `bytes`.
    ///
    /// *Cost*: O(bytes).
    package static func of(_ bytes: ByteView) -> UInt64 {
        var hash: UInt64 = 0
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            hash = chain(bytes[start..<min(start + pieceSize, bytes.count)], after: hash)
        }
        return final(hash)
    }

    /// Returns the checksum of all bytes of `source`.
    ///
    /// *Cost*: O(size); reads and holds one piece at a time.
    ///
    /// *Concurrency*: the calling thread blocks.
    ///
    /// - Throws: `.changed` if the source ends before its size; the errors of its reads.
    package static func of(_ source: any ByteSource) throws(MountError) -> UInt64 {
        let window = FileWindow(on: source, capacity: pieceSize)
        var hash: UInt64 = 0
        var offset: UInt64 = 0
        while offset < source.size {
            let size = Int(min(UInt64(pieceSize), source.size - offset))
            try window.fill(at: offset, size: size)
            hash = chain(window.bytes, after: hash)
            offset += UInt64(size)
        }
        return final(hash)
    }
}
