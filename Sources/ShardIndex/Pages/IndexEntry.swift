package import DAGMultiformats

/// One section, as the index describes it.
package struct IndexEntry: Equatable, Sendable {
    /// The section's number in CAR order, from 0.
    package var ordinal: UInt64
    /// The payload offset of the section's length varint.
    package var offset: UInt64
    /// The size of the section with its varint, or nil if the index lacks it.
    package var sectionSize: UInt64?
    /// The CID without its digest.
    package var kind: EntryKind
    /// The digest.
    package var digest: [UInt8]

    /// The multihash, or nil if the hash function is unknown.
    package var multihash: Multihash? {
        kind.hashCode.map { Multihash(code: $0, digest: digest) }
    }

    /// The CID, or nil if the index lacks a part of it.
    package var cid: CID? {
        guard let codec = kind.codec, let multihash else { return nil }
        guard kind.version == 0 else { return CID(codec: codec, multihash: multihash) }
        return CID(bytes: multihash.bytes, layout: .versionZero)
    }

    /// The size of the block's data, or nil if the index lacks it.
    package var dataSize: UInt64? {
        guard let sectionSize, let cidSize = kind.cidSize else { return nil }
        return Self.dataSize(ofSection: sectionSize, cidSize: UInt64(cidSize))
    }

    /// Returns the size of a section's data.
    ///
    /// The section's size determines its length: a minimal varint of k bytes precedes it.
    package static func dataSize(ofSection size: UInt64, cidSize: UInt64) -> UInt64? {
        for prefixSize in 1...UInt64(Varint.sizeMax) where size > prefixSize {
            let length = size - prefixSize
            guard UInt64(Varint.size(of: length)) == prefixSize else { continue }
            return length >= cidSize ? length - cidSize : nil
        }
        return nil
    }
}
