public import DAGMultiformats
internal import ShardIndex

/// The CIDs of a shard in CAR order.
///
/// Iterating reads index pages, not the CAR; it holds the lease.
public struct ShardCIDs: AsyncSequence, Sendable {
    /// The element: a CID.
    public typealias Element = CID

    let shard: Shard

    /// Begins at the first section.
    public func makeAsyncIterator() -> Iterator { Iterator(shard: shard) }

    /// Walks the pages.
    public struct Iterator: AsyncIteratorProtocol {
        private let shard: Shard
        private var number = 0
        private var slot = 0
        private var page: DecodedPage?

        init(shard: Shard) { self.shard = shard }

        /// The next CID, or nil at the end.
        ///
        /// - Throws: `catalogCorrupt`.
        public mutating func next() async throws -> CID? {
            try shard.checkHeld()
            while true {
                if let page, slot < page.count {
                    defer { slot += 1 }
                    guard let cid = page.entry(slot).cid else {
                        throw DAGStoreError(.catalogCorrupt, "a CID is unknown", shard: shard.key)
                    }
                    return cid
                }
                guard number < shard.reader.root.pages.count else { return nil }
                page = try translating { try shard.reader.index.page(number) }
                number += 1
                slot = 0
            }
        }
    }
}
