public import DAGMultiformats
internal import ShardIndex

/// The CIDs of a shard in CAR order.
///
/// Iterating reads index pages, not the CAR. The sequence holds the lease.
public struct ShardCIDs: AsyncSequence, Sendable {
    /// The element: a CID.
    public typealias Element = CID

    let shard: Shard

    /// Begins at the first section.
    public func makeAsyncIterator() -> Iterator { Iterator(shard: shard) }

    /// Walks the pages.
    public struct Iterator: AsyncIteratorProtocol {
        private let shard: Shard
        private var steps = IndexSteps()

        init(shard: Shard) { self.shard = shard }

        /// Returns the next CID; nil at the end.
        ///
        /// - Throws: `catalogCorrupt`.
        public mutating func next() async throws -> CID? {
            try shard.checkHeld()
            guard let (page, slot) = try steps.next(in: shard.reader.index) else { return nil }
            guard let cid = page.entry(slot).cid else {
                throw DAGStoreError(.catalogCorrupt, "a CID is unknown", shard: shard.key)
            }
            return cid
        }
    }
}
