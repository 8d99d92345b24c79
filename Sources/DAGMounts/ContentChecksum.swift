package import DAGBytes
internal import DAGHashing

/// One number for the whole of a CAR, which tells whether a copy is still what was fetched.
///
/// XXH64 over pieces of 1 MiB, the last one shorter, in a chain: the seed of a piece is the hash of what
/// came before, zero for the first. A final zero becomes one, so that zero can mean *not known*. It
/// finds accidents; it is no defence against somebody who wants a collision.
package enum ContentChecksum {
    /// The size of every piece but the last.
    package static let pieceSize = 1 << 20

    /// The chain's hash after one more piece.
    ///
    /// - Parameters:
    ///   - piece: `pieceSize` bytes, or fewer if it is the last.
    ///   - hash: The hash of the pieces before, zero if there are none.
    /// - Returns: The hash to go on with.
    package static func chain(_ piece: ByteView, after hash: UInt64) -> UInt64 {
        precondition(piece.count <= pieceSize)
        return Checksum.xxh64(piece, seed: hash)
    }

    /// The checksum that the chain's last hash gives.
    package static func final(_ hash: UInt64) -> UInt64 { hash == 0 ? 1 : hash }

    /// The checksum of `bytes`.
    ///
    /// *Cost*: O(bytes).
    package static func of(_ bytes: ByteView) -> UInt64 {
        var hash: UInt64 = 0
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            hash = chain(bytes[start..<min(start + pieceSize, bytes.count)], after: hash)
        }
        return final(hash)
    }

    /// The checksum of all that `source` has.
    ///
    /// *Cost*: O(size), read in pieces; memory for one piece.
    ///
    /// *Concurrency*: the calling thread blocks.
    ///
    /// - Throws: `.changed` if the source ends before its size; what its reads throw.
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
