package import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import ShardIndex

/// A walk over the sections of a shard's index, in CAR order; the walk holds the lease.
///
/// *Concurrency*: one thread at a time.
package struct IndexWalk {
    private let shard: Shard
    private var steps = IndexSteps()
    private var cid = SectionCID()

    /// Creates a walk that stands before the first section.
    package init(_ shard: Shard) { self.shard = shard }

    /// Calls `body` with the next section's binary CID and the place of its block.
    ///
    /// *Cost*: allocates for new pages only.
    ///
    /// - Parameter body: Receives a view that is valid during the call.
    /// - Returns: Whether there was a section.
    /// - Throws: `catalogCorrupt`.
    package mutating func next(_ body: (ByteView, BlockLocation) -> Void) throws -> Bool {
        let reader = shard.reader
        guard let (page, slot) = try steps.next(in: reader.index) else { return false }
        guard let code = page.kind(of: slot).hashCode, page.kind(of: slot).codec != nil else {
            throw DAGStoreError(.catalogCorrupt, "a CID is unknown", shard: shard.key)
        }
        let section = try translating {
            try reader.index.section(page, slot, hashCode: code)
        }
        page.withDigest(of: slot) { cid.read(section.cid, $0) }
        cid.bytes.withView { body($0, reader.index.location(section)) }
        return true
    }
}
