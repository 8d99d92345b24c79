internal import DAGBytes
package import DAGHashing
internal import DAGMultiformats

/// Compares the parts of a shard's index: pages with the root page, the locator with the pages.
///
/// *Cost*: decodes every page and searches every digest: about 200 ns a section.
package struct IndexCheck {
    private let root: IndexRoot
    private let hash: KeyedHash
    private let segments: [LocatorSegment]
    /// The problems, in the order of their discovery; at most `problemsMax`.
    package private(set) var problems: [String] = []
    /// The number of problems after which the check stops.
    package static let problemsMax = 100

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - root: The root page.
    ///   - segments: All segments of the locator.
    ///   - hash: The store's keyed hash.
    package init(root: IndexRoot, segments: [LocatorSegment], hash: KeyedHash) {
        self.root = root
        self.segments = segments
        self.hash = hash
    }

    /// Checks everything.
    ///
    /// - Parameter page: Returns a page of the index, decoded.
    package mutating func run(page: (Int) throws -> DecodedPage) {
        for (number, segment) in segments.enumerated() {
            do {
                try segment.check()
            } catch {
                report("locator segment \(number): \(error)")
            }
        }
        if segments.map({ UInt32($0.bytes.count) }) != root.segmentSizes {
            report("the sizes of the locator's segments differ from the root page")
        }
        let entries = segments.reduce(0) { $0 + UInt64($1.entryCount) }
        if !segments.isEmpty, entries != root.multihashCount {
            report("the locator has \(entries) entries, not \(root.multihashCount)")
        }
        var end = root.headerSize
        var firsts: UInt64 = 0
        for number in root.pages.indices where problems.count < Self.problemsMax {
            do {
                let decoded = try page(number)
                check(decoded, number, &end)
                firsts += try countFirsts(decoded, number, page)
            } catch {
                report("page \(number): \(error)")
            }
        }
        guard problems.isEmpty else { return }
        if firsts != root.multihashCount {
            report("\(firsts) multihashes, not \(root.multihashCount)")
        }
        if end != root.dataEnd { report("the sections end at \(end), not at \(root.dataEnd)") }
    }

    private mutating func report(_ problem: String) {
        if problems.count < Self.problemsMax { problems.append(problem) }
    }

    /// Returns whether a page lies where the root page says, right after the page before.
    private mutating func check(_ page: DecodedPage, _ number: Int, _ end: inout UInt64) {
        let place = root.pages[number]
        guard page.firstOrdinal == place.firstOrdinal, page.count == Int(place.count),
            page.offset(of: 0) == place.baseOffset
        else { return report("page \(number) differs from its row in the root page") }
        if page.sizesKnown, place.baseOffset != end {
            report("there is a gap before page \(number)")
        }
        let last = page.count - 1
        end = page.offset(of: last) + (page.sectionSize(of: last) ?? 1)
    }

    /// Searches every digest of a page, and counts the sections that are the first of their multihash.
    private mutating func countFirsts(
        _ page: DecodedPage,
        _ number: Int,
        _ pageOf: (Int) throws -> DecodedPage
    ) throws -> UInt64 {
        var firsts: UInt64 = 0
        for slot in 0..<page.count {
            guard let first = try first(of: page, number, slot, pageOf) else {
                report("a search does not find section \(slot) of page \(number)")
                continue
            }
            if first == page.offset(of: slot) { firsts += 1 }
        }
        return firsts
    }

    /// Returns the offset that a search for this section's multihash finds.
    private func first(
        of page: DecodedPage,
        _ pageNumber: Int,
        _ slot: Int,
        _ pageOf: (Int) throws -> DecodedPage
    ) throws -> UInt64? {
        let hashCode = page.kind(of: slot).hashCode ?? HashCode.identity
        guard !segments.isEmpty else {
            return page.withDigest(of: slot) { digest in
                page.firstSlot(hashCode: hashCode, digest: digest).map(page.offset)
            }
        }
        let hashed = page.withDigest(of: slot) { hash.hash($0).high }
        let (number, position) = hashed.multipliedFullWidth(by: UInt64(segments.count))
        for offset in segments[Int(number)].candidates(position: position) {
            guard let other = root.page(ofOffset: offset) else { continue }
            // Nearly always this is the current page, which is already decoded.
            let found = other == pageNumber ? page : try pageOf(other)
            guard let place = found.slot(at: offset) else { continue }
            if found.matchesMultihash(place, page, slot) { return offset }
        }
        return nil
    }
}

extension DecodedPage {
    /// Returns whether section `slot` has the multihash of section `otherSlot` of another page.
    fileprivate func matchesMultihash(
        _ slot: Int,
        _ other: DecodedPage,
        _ otherSlot: Int
    ) -> Bool {
        guard kind(of: slot).hashCode == other.kind(of: otherSlot).hashCode else { return false }
        return withDigest(of: slot) { mine in
            other.withDigest(of: otherSlot) { mine.elementsEqual($0) }
        }
    }
}
