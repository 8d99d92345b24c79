package import DAGBytes
internal import DAGMultiformats

/// An index page, read in place.
///
/// A page has a view if zstd compressed neither its body nor its digests. The caller checks the page once with
/// `check(_:)`, and then makes a view for each search. A view of a checked page returns the same as a `DecodedPage`.
/// A view of an unchecked page may return anything, but it loads only bytes of the page.
///
/// *Cost*: no call allocates or copies. Making a view reads the header and the table of kinds.
///
/// *Concurrency*: a view is a value; any thread may read through it while the page stays unchanged.
package struct PageView: Sendable {
    let page: ByteView
    /// The number of sections.
    package let count: Int
    /// The first byte of the digests, which end the page.
    let digestsStart: Int
    /// The digest size of `commonKind`.
    let digestSize: Int
    /// The hash function of `commonKind`.
    let hashCode: UInt64?
    /// The first byte of the bitmap of exceptions, or of plain kinds.
    let kindsStart: Int
    /// The first byte of the kinds of exceptions.
    let exceptionsStart: Int
    /// The first byte of plain sizes, or of the low parts of Elias-Fano.
    let offsetsStart: Int
    /// The first byte of the high parts of Elias-Fano, which end the body.
    let highsStart: Int
    /// The size of all sections, or the span of Elias-Fano.
    let extent: UInt64
    let kindTag: UInt8
    let offsetTag: UInt8
    /// The number of low bits of each value that Elias-Fano stores apart.
    let lowBits: UInt8
    /// The kind of every section that is no exception, by its number in the table.
    let commonKind: UInt8
    /// Whether all kinds have one digest size.
    let isUniform: Bool
    /// Whether the sections' sizes are known.
    package let sizesKnown: Bool

    /// Creates a view of a page that the caller has checked.
    ///
    /// The result is nil if zstd compressed a part of the page, or if the header, the kinds or the lengths of columns
    /// are damaged. The caller then decodes a `DecodedPage`, which throws the error.
    ///
    /// - Parameter page: Exactly the bytes of the page, alive and unchanged while the view is used.
    ///
    /// *Cost*: O(kinds); 16 to 20 ns for one kind.
    @inline(__always)
    package init?(trusting page: ByteView) {
        // Without the attribute, the optimizer makes a second function of this body and copies the view between them,
        // which takes 6 ns.
        let zstd = IndexPage.Flag.bodyZstd | IndexPage.Flag.digestsZstd
        guard let header = PageHeader(trusting: page), header.flags & zstd == 0 else { return nil }
        let sizesKnown = header.flags & IndexPage.Flag.sizesUnknown == 0
        // The columns fill the body exactly, so one comparison at the end bounds them all.
        var offset = IndexPage.headerSize
        guard let table = Self.kindTable(page, at: &offset, count: header.kindCount),
            let kinds = KindColumn(reading: page, at: &offset, count: header.count),
            let offsets = OffsetColumn(
                reading: page,
                at: &offset,
                base: header.baseOffset,
                count: header.count,
                sizesKnown: sizesKnown
            ),
            offset == header.digestsStart
        else { return nil }
        var common = table.first
        if kinds.common > 0 {
            guard kinds.common < header.kindCount else { return nil }
            common = PageKind(number: Int(kinds.common), of: page)
        }
        guard !table.isUniform || header.count &* common.digestSize == header.digestsSize else {
            return nil
        }
        self.page = page
        count = header.count
        digestsStart = header.digestsStart
        digestSize = common.digestSize
        hashCode = common.hashCode
        kindsStart = kinds.start
        exceptionsStart = kinds.exceptionsStart
        offsetsStart = offsets.start
        highsStart = offsets.highsStart
        extent = offsets.extent
        kindTag = kinds.tag
        offsetTag = offsets.tag
        lowBits = offsets.lowBits
        commonKind = kinds.common
        isUniform = table.isUniform
        self.sizesKnown = sizesKnown
    }

    /// Checks a page so that its views can be trusted.
    ///
    /// - Parameter page: Exactly the bytes of the page. Its parts may be in zstd.
    /// - Throws: `.malformed` exactly where `DecodedPage` throws it: if the checksum is wrong or a part of the page
    ///   is impossible.
    ///
    /// *Cost*: O(size of the page); allocates only for a page with parts in zstd.
    package static func check(_ page: ByteView) throws(ShardIndexError) {
        guard let view = PageView(trusting: page) else {
            _ = try DecodedPage(reading: page)
            return
        }
        _ = try PageHeader(reading: page)
        try view.checkKinds()
        try view.checkOffsets()
    }

    /// The number of the first section in CAR order.
    package var firstOrdinal: UInt64 { page.loadUInt64(at: 16) }

    // MARK: Search

    /// Returns whether section `slot` has this multihash; an unknown hash function matches any.
    ///
    /// *Cost*: compares one digest. If kinds differ in digest size, also O(kinds + count).
    package func matches(_ slot: Int, hashCode: UInt64, digest: ByteView) -> Bool {
        precondition(slot >= 0 && slot < count, "a section outside the page")
        guard kindTag == IndexPage.KindTag.constant else {
            return isMatch(slot, hashCode: hashCode, digest: digest)
        }
        guard digest.count == digestSize, (self.hashCode ?? hashCode) == hashCode else {
            return false
        }
        return hasDigest(digest, at: slot &* digestSize)
    }

    /// Compares as `matches` does, in a page with several kinds.
    private func isMatch(_ slot: Int, hashCode: UInt64, digest: ByteView) -> Bool {
        let number = kindNumber(of: slot)
        let kind =
            number == commonKind
            ? PageKind(hashCode: self.hashCode, digestSize: digestSize)
            : PageKind(number: Int(number), of: page)
        guard kind.matches(hashCode: hashCode, digestSize: digest.count) else { return false }
        return hasDigest(digest, at: isUniform ? slot &* digestSize : mixedDigestStart(of: slot))
    }

    /// Finds the first section that has this multihash.
    ///
    /// *Cost*: O(count), eight bytes of each digest; the search in a shard of one page.
    package func firstSlot(hashCode: UInt64, digest: ByteView) -> Int? {
        guard isUniform else { return firstMixedSlot(hashCode: hashCode, digest: digest) }
        guard digest.count == digestSize else { return nil }
        guard digestSize >= 8 else {
            return (0..<count).first { matches($0, hashCode: hashCode, digest: digest) }
        }
        let head = digest.loadUInt64(at: 0)
        var start = digestsStart
        for slot in 0..<count {
            if page.loadUInt64(at: start) == head,
                matches(slot, hashCode: hashCode, digest: digest)
            {
                return slot
            }
            start &+= digestSize
        }
        return nil
    }

    /// Searches as `firstSlot` does, in a page whose digests have several sizes.
    private func firstMixedSlot(hashCode: UInt64, digest: ByteView) -> Int? {
        let sizes = DigestSizes(of: page)
        var start = 0
        for slot in 0..<count {
            let number = Int(kindNumber(of: slot))
            let size = Int(sizes.values[number])
            if size == digest.count, hasDigest(digest, at: start),
                PageKind(number: number, of: page).matches(hashCode: hashCode, digestSize: size)
            {
                return slot
            }
            start &+= size
        }
        return nil
    }

    @inline(__always)
    private func hasDigest(_ digest: ByteView, at start: Int) -> Bool {
        let place = digestsStart &+ start
        // Only an unchecked page has digests beyond its end.
        guard place &+ digest.count <= page.count else { return false }
        return page[place..<place &+ digest.count].elementsEqual(digest)
    }
}
