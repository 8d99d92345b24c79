internal import ShardIndex

/// A position between two sections of an index, which steps forward in CAR order.
struct IndexSteps {
    /// The number of pages that it has begun.
    private var pageCount = 0
    private var page: DecodedPage?
    /// The place of the next section in `page`.
    private var slot = 0

    /// Steps over the next section.
    ///
    /// *Cost*: reads one page when it begins the page.
    ///
    /// - Parameter index: The index; evaluated once a page.
    /// - Returns: The section's page and its place there; nil at the end.
    /// - Throws: `catalogCorrupt`.
    @inline(__always)
    mutating func next(
        in index: @autoclosure () -> IndexReader
    ) throws(DAGStoreError) -> (page: DecodedPage, slot: Int)? {
        while true {
            if let page, slot < page.count {
                defer { slot += 1 }
                return (page, slot)
            }
            let index = index()
            guard pageCount < index.root.pages.count else { return nil }
            page = try translating { try index.page(pageCount) }
            pageCount += 1
            slot = 0
        }
    }

    /// Returns whether the position is behind the last section of `index`.
    func isAtEnd(of index: IndexReader) -> Bool {
        pageCount == index.root.pages.count && slot == page?.count ?? 0
    }
}
