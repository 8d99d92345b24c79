import DAGMultiformats
import ShardIndex

/// A section as a test knows it, to be compared with that of an index.
struct KnownSection: Equatable {
    var ordinal: UInt64
    var offset: UInt64
    var sectionSize: UInt64?
    var kind: EntryKind
    var digest: [UInt8]

    init(
        ordinal: UInt64,
        offset: UInt64,
        sectionSize: UInt64?,
        kind: EntryKind,
        digest: [UInt8]
    ) {
        self.ordinal = ordinal
        self.offset = offset
        self.sectionSize = sectionSize
        self.kind = kind
        self.digest = digest
    }

    /// Creates the section of an index.
    init(_ entry: IndexEntry) {
        self.init(
            ordinal: entry.ordinal,
            offset: entry.offset,
            sectionSize: entry.sectionSize,
            kind: entry.kind,
            digest: entry.digest
        )
    }

    /// The multihash, if the hash function is known.
    var multihash: Multihash? {
        kind.hashCode.map { Multihash(code: $0, digest: digest) }
    }

    /// The CID, if all of it is known.
    var cid: CID? {
        guard let codec = kind.codec, let multihash else { return nil }
        guard kind.version == 0 else { return CID(codec: codec, multihash: multihash) }
        return try? CID(bytes: multihash.bytes)
    }
}
