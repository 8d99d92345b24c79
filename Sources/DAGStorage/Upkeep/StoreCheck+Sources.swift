internal import DAGCAR
internal import DAGCARFiles
internal import DAGCatalog
internal import DAGHashing
internal import DAGMounts
internal import DAGMultiformats

/// Checks the sources of shards, and their blocks.
extension StoreCheck {
    /// Checks that a shard's local source has the indexed bytes.
    ///
    /// - Returns: Whether the source is local.
    ///
    /// - Throws: `sourceChanged`, `mountGone`, `mountUnreachable`, `unknownScheme`.
    func isWithinReach(_ record: ShardRecord) throws -> Bool {
        do {
            guard let source = try engine.sources.sourceAtOnce(record, isOpening: true) else {
                return false
            }
            let known = SourceFacts(record)
            let isOther = source.facts.identity != known.identity
            guard !isOther, !source.facts.agrees(with: known) else { return true }
            guard source.facts.resembles(known) else {
                throw DAGStoreError(
                    .sourceChanged,
                    "\(source.reader.name) is not what was indexed"
                )
            }
            let reader = try engine.worker.reader(record, source)
            try reader.checkSample(of: source.reader)
            return true
        } catch {
            throw DAGStoreError(any: error)
        }
    }

    /// Hashes every block of a shard, and compares every section with the index.
    ///
    /// - Throws: `hashMismatch` with the number of wrong blocks and the first one's offset; `sourceChanged`, and the
    ///   errors of the reads.
    func hashBlocks(of reader: ShardReader) throws -> HashedBlocks {
        var hashed = HashedBlocks()
        var wrong: (first: UInt64, count: Int)?
        do {
            let source = try reader.openReader()
            try reader.checkSections(of: source)
            let car = try CARFile(source, limits: reader.limits)
            let window = FileWindow(on: source, capacity: 1 << 20)
            var walk = car.walk()
            try walk.forEach { section, digest in
                let size = Int(section.dataSize)
                try window.fill(at: car.layout.dataOffset + section.dataOffset, size: size)
                let found = BlockHash.check(
                    code: section.cid.hashCode,
                    digest: digest,
                    data: window.bytes
                )
                guard found != .differs else {
                    wrong = (wrong?.first ?? section.offset, (wrong?.count ?? 0) + 1)
                    return
                }
                guard found == .matches else {
                    hashed.unverified += 1
                    return
                }
                hashed.blocks += 1
                hashed.bytes += UInt64(size)
            }
            hashed.ignored = try car.ignoredBytes(after: walk.position)
        } catch {
            throw DAGStoreError(any: error)
        }
        guard let wrong else { return hashed }
        let message =
            wrong.count == 1
            ? "the block at payload offset \(wrong.first) has another hash"
            : "\(wrong.count) blocks have another hash, the first at payload offset \(wrong.first)"
        throw DAGStoreError(.hashMismatch, message, offset: wrong.first)
    }
}

/// The result of hashing the blocks of a shard.
struct HashedBlocks {
    /// The number of blocks with the hash of their CIDs.
    var blocks: UInt64 = 0
    /// The size of these blocks in bytes.
    var bytes: UInt64 = 0
    /// The number of blocks with an unknown hash function, or with a digest too short to prove anything.
    var unverified: UInt64 = 0
    /// Bytes after the end of the data that are not all zero.
    var ignored: IgnoredBytes?
}
