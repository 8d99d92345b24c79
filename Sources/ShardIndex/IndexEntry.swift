package import DAGMultiformats

/// One section as the index knows it.
package struct IndexEntry: Equatable, Sendable {
    /// The section's number in CAR order, from 0.
    package var ordinal: UInt64
    /// Where the section's length varint starts in the payload.
    package var offset: UInt64
    /// The size of the whole section, varint included, or nil if the index does not know it.
    package var sectionSize: UInt64?
    /// The CID but for its digest.
    package var kind: EntryKind
    /// The digest.
    package var digest: [UInt8]

    /// The multihash, or nil if the hash function is unknown.
    package var multihash: Multihash? {
        kind.hashCode.map { Multihash(code: $0, digest: digest) }
    }

    /// The CID, or nil if the index does not know all of it.
    package var cid: CID? {
        guard let codec = kind.codec, let multihash else { return nil }
        guard kind.version == 0 else { return CID(codec: codec, multihash: multihash) }
        return CID(bytes: multihash.bytes, layout: .versionZero)
    }

    /// The size of the block's data, or nil if the index does not know it.
    package var dataSize: UInt64? {
        guard let sectionSize, let cidSize = kind.cidSize else { return nil }
        return Self.dataSize(ofSection: sectionSize, cidSize: UInt64(cidSize))
    }

    /// The size of a section's data.
    ///
    /// The whole size determines the length: a minimal varint of k bytes stands before it.
    package static func dataSize(ofSection size: UInt64, cidSize: UInt64) -> UInt64? {
        for prefixSize in 1...UInt64(Varint.sizeMax) where size > prefixSize {
            let length = size - prefixSize
            guard UInt64(Varint.size(of: length)) == prefixSize else { continue }
            return length >= cidSize ? length - cidSize : nil
        }
        return nil
    }
}

/// How pages choose between their direct encodings and zstd.
package enum PagePolicy: String, Sendable, CaseIterable {
    /// Whatever is smaller, page by page.
    case smallest
    /// Always zstd.
    case zstd
    /// Never zstd.
    case direct
}
