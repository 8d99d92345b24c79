package import DAGBytes
internal import DAGMultiformats

/// Checks the values of a complete index one after another, against its root page.
///
/// The caller passes every value of index pages and then every segment, in order.
///
/// *Cost*: decodes every page, about 100 ns a section. *Memory*: one decoded page.
package struct BundleCheck {
    private let root: IndexRoot
    private var nextPage = 0
    private var nextSegment = 0
    /// The payload offset after the last section so far.
    private var end: UInt64
    private var identities: UInt64 = 0
    private var entries: UInt64 = 0

    /// Creates a check.
    ///
    /// - Parameter root: The root page.
    /// - Throws: `.malformed` if the root page alone is impossible.
    package init(_ root: IndexRoot) throws(ShardIndexError) {
        self.root = root
        end = root.headerSize
        guard root.multihashCount <= root.sectionCount, root.identityCount <= root.sectionCount,
            root.payloadSize < 1 << UInt64(LocatorSegment.offsetBitsMax),
            // A search without segments reads the first page alone.
            root.pages.count <= 1 || !root.segmentSizes.isEmpty
        else { throw ShardIndexError(.malformed, "the counts of a root page are impossible") }
    }

    /// Checks the next value of index pages.
    ///
    /// - Parameters:
    ///   - value: The bytes of the value.
    ///   - body: Receives each page of the value in order.
    /// - Throws: `.malformed`, and the errors of `body`.
    package mutating func checkPages(
        _ value: ByteView,
        _ body: (DecodedPage) throws(ShardIndexError) -> Void = { _ in }
    ) throws(ShardIndexError) {
        guard nextPage < root.pages.count else {
            throw ShardIndexError(.malformed, "a value follows the last index page")
        }
        let number = root.pages[nextPage].value
        while nextPage < root.pages.count, root.pages[nextPage].value == number {
            let place = root.pages[nextPage]
            let pageEnd = Int(place.start) + Int(place.size)
            guard pageEnd <= value.count else {
                throw ShardIndexError(.malformed, "index page \(nextPage) lies outside its value")
            }
            let page = try DecodedPage(reading: value[Int(place.start)..<pageEnd])
            try check(page, at: place)
            try body(page)
            nextPage += 1
        }
    }

    private mutating func check(
        _ page: DecodedPage,
        at place: IndexRoot.Page
    ) throws(ShardIndexError) {
        guard page.firstOrdinal == place.firstOrdinal, page.count == Int(place.count),
            page.sizesKnown, place.baseOffset == end, page.offset(of: 0) == end
        else { throw ShardIndexError(.malformed, "index page \(nextPage) is another page") }
        for slot in 0..<page.count {
            let kind = page.kind(of: slot)
            guard let size = page.sectionSize(of: slot), let cidSize = kind.cidSize,
                IndexEntry.dataSize(ofSection: size, cidSize: UInt64(cidSize)) != nil
            else {
                throw ShardIndexError(
                    .malformed,
                    "section \(slot) of index page \(nextPage) has an impossible size"
                )
            }
            if kind.hashCode == HashCode.identity { identities += 1 }
        }
        end = page.starts[page.count]
    }

    /// Checks the next segment of the locator.
    ///
    /// - Throws: `.malformed`.
    package mutating func checkSegment(_ bytes: ByteView) throws(ShardIndexError) {
        guard nextSegment < root.segmentSizes.count,
            bytes.count == Int(root.segmentSizes[nextSegment])
        else { throw ShardIndexError(.malformed, "a locator segment of \(bytes.count) bytes") }
        let segment = try LocatorSegment(reading: bytes)
        try segment.check()
        guard segment.entryBits == root.offsetBits + LocatorSegment.restBits else {
            throw ShardIndexError(.malformed, "locator segment \(nextSegment) is of another index")
        }
        entries += UInt64(segment.entryCount)
        nextSegment += 1
    }

    /// Checks the sums of all values.
    ///
    /// - Throws: `.malformed`.
    package func finish() throws(ShardIndexError) {
        guard nextPage == root.pages.count, nextSegment == root.segmentSizes.count else {
            throw ShardIndexError(.malformed, "values of an index are missing")
        }
        guard end == root.dataEnd, identities == root.identityCount,
            root.segmentSizes.isEmpty || entries == root.multihashCount
        else { throw ShardIndexError(.malformed, "the sums of an index differ from its root page") }
    }
}
