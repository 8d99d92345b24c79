internal import DAGBytes
internal import DAGMultiformats

extension PageView {
    /// Returns the CID of section `slot` without its digest.
    ///
    /// *Cost*: O(kinds); for an exception also O(count / 64).
    package func kind(of slot: Int) -> EntryKind {
        precondition(slot >= 0 && slot < count, "a section outside the page")
        let number = Int(kindNumber(of: slot))
        var offset = IndexPage.headerSize
        for _ in 0..<min(number, kindCount - 1) { _ = PageKind(reading: page, at: &offset) }
        // Only an unchecked page can have an impossible kind.
        return (try? EntryKind(reading: page, at: &offset))
            ?? EntryKind(version: 1, codec: nil, hashCode: hashCode, digestSize: digestSize)
    }

    var kindCount: Int { Int(page[39]) + 1 }

    /// Returns the kind of section `slot`, by its number in the table.
    func kindNumber(of slot: Int) -> UInt8 {
        switch kindTag {
        case IndexPage.KindTag.constant:
            return 0
        case IndexPage.KindTag.plain:
            return page[kindsStart &+ slot]
        default:
            guard isException(slot) else { return commonKind }
            return page[exceptionsStart &+ page.countSetBits(from: kindsStart, count: slot)]
        }
    }

    private func isException(_ slot: Int) -> Bool {
        page[kindsStart &+ slot >> 3] &>> UInt8(slot & 7) & 1 == 1
    }

    /// Returns the offset of the digest of section `slot`, if digests have several sizes.
    ///
    /// *Cost*: O(kinds + count).
    func mixedDigestStart(of slot: Int) -> Int {
        let sizes = DigestSizes(of: page)
        guard kindTag != IndexPage.KindTag.constant else { return slot &* digestSize }
        let isPlain = kindTag == IndexPage.KindTag.plain
        let listed = isPlain ? slot : page.countSetBits(from: kindsStart, count: slot)
        let list = isPlain ? kindsStart : exceptionsStart
        var start = (slot &- listed) &* digestSize
        for index in 0..<listed { start &+= Int(sizes.values[Int(page[list &+ index])]) }
        return start
    }

    /// Checks that every section has a kind of the table, and that the digests have their sizes.
    func checkKinds() throws(ShardIndexError) {
        var offset = IndexPage.headerSize
        let body = page[0..<digestsStart]
        for _ in 0..<kindCount { _ = try EntryKind(reading: body, at: &offset) }
        let sizes = DigestSizes(of: page)
        var end = 0
        var exception = exceptionsStart
        for slot in 0..<count {
            var number = commonKind
            if kindTag == IndexPage.KindTag.plain {
                number = page[kindsStart &+ slot]
            } else if kindTag == IndexPage.KindTag.exceptions, isException(slot) {
                number = page[exception]
                exception &+= 1
            }
            guard number < kindCount else {
                throw ShardIndexError(.malformed, "a kind is outside the table")
            }
            end &+= Int(sizes.values[Int(number)])
        }
        guard end == page.count - digestsStart else {
            throw ShardIndexError(.malformed, "a digest column has a wrong size")
        }
    }

    /// Reads the first kind of the table, and whether all kinds have its digest size.
    @inline(__always)
    static func kindTable(
        _ page: ByteView,
        at offset: inout Int,
        count: Int
    ) -> (first: PageKind, isUniform: Bool)? {
        guard let first = PageKind(reading: page, at: &offset) else { return nil }
        var isUniform = true
        var rest = count
        while rest > 1 {
            guard let kind = PageKind(reading: page, at: &offset) else { return nil }
            isUniform = isUniform && kind.digestSize == first.digestSize
            rest &-= 1
        }
        return (first, isUniform)
    }
}

/// The part of a kind that a search compares.
struct PageKind {
    /// The hash function, or nil if the index lacks it.
    let hashCode: UInt64?
    /// The size of the digest in bytes.
    let digestSize: Int

    init(hashCode: UInt64?, digestSize: Int) {
        self.hashCode = hashCode
        self.digestSize = digestSize
    }

    /// Reads a kind of the table; nil if it does not fit the page or its digest is too large.
    @inline(__always)
    init?(reading page: ByteView, at offset: inout Int) {
        guard offset < page.count else { return nil }
        let flags = page[offset]
        // Nearly every kind has varints of one byte each.
        if offset <= page.count &- 8 {
            let word = page.loadUInt64(at: offset)
            if word & 0x8080_8000 == 0 {
                offset &+= 4
                hashCode = flags & 4 == 0 ? word >> 16 & 0x7f : nil
                digestSize = Int(truncatingIfNeeded: word >> 24 & 0x7f)
                return
            }
        }
        let codec = Varint.decode(page, at: offset &+ 1)
        guard codec.size > 0 else { return nil }
        offset &+= 1 &+ codec.size
        let hash = Varint.decode(page, at: offset)
        guard hash.size > 0 else { return nil }
        offset &+= hash.size
        let digest = Varint.decode(page, at: offset)
        guard digest.size > 0, digest.value <= UInt64(IndexPage.digestSizeMax) else { return nil }
        offset &+= digest.size
        hashCode = flags & 4 == 0 ? hash.value : nil
        digestSize = Int(truncatingIfNeeded: digest.value)
    }

    /// Reads kind `number` of the page's table, or the last kind if the table is shorter.
    ///
    /// Only an unchecked page has a section with a kind outside the table.
    init(number: Int, of page: ByteView) {
        var offset = IndexPage.headerSize
        var kind = PageKind(reading: page, at: &offset)
        for _ in 0..<min(number, Int(page[39])) { kind = PageKind(reading: page, at: &offset) }
        self = kind ?? PageKind(hashCode: nil, digestSize: 0)
    }

    /// Returns whether sections of this kind can have such a multihash.
    func matches(hashCode: UInt64, digestSize: Int) -> Bool {
        self.digestSize == digestSize && (self.hashCode ?? hashCode) == hashCode
    }
}

/// The encoding of a page's kind column and the places of its parts.
struct KindColumn {
    let tag: UInt8
    /// The kind of every section that is no exception; 0 without exceptions.
    let common: UInt8
    /// The first byte of the bitmap of exceptions, or of the plain column.
    let start: Int
    /// The first byte of the kinds of exceptions.
    let exceptionsStart: Int

    /// Finds the column; nil if it does not fit the page.
    @inline(__always)
    init?(reading page: ByteView, at offset: inout Int, count: Int) {
        guard offset < page.count else { return nil }
        tag = page[offset]
        switch tag {
        case IndexPage.KindTag.constant:
            common = 0
            start = offset
            exceptionsStart = offset
            offset &+= 1
        case IndexPage.KindTag.exceptions:
            let bitmapSize = (count &+ 7) >> 3
            guard offset &+ 2 &+ bitmapSize <= page.count else { return nil }
            common = page[offset &+ 1]
            start = offset &+ 2
            exceptionsStart = start &+ bitmapSize
            offset = exceptionsStart &+ page.countSetBits(from: start, count: count)
        case IndexPage.KindTag.plain:
            common = 0
            start = offset &+ 1
            exceptionsStart = start
            offset = start &+ count
        default:
            return nil
        }
    }
}

/// The digest size of every kind of a page, on the stack; 0 for kinds outside its table.
struct DigestSizes: ~Copyable {
    private(set) var values = InlineArray<256, UInt32>(repeating: 0)

    /// Reads the page's table of kinds.
    init(of page: ByteView) {
        var offset = IndexPage.headerSize
        for number in 0...Int(page[39]) {
            let kind = PageKind(reading: page, at: &offset)
            values[number] = UInt32(truncatingIfNeeded: kind?.digestSize ?? 0)
        }
    }
}

extension ByteView {
    /// Counts the set bits among the first `count` bits from byte `start` on.
    fileprivate func countSetBits(from start: Int, count: Int) -> Int {
        var sum = 0
        var offset = start
        var rest = count
        while rest >= 64 {
            sum &+= loadWord(at: offset).nonzeroBitCount
            offset &+= 8
            rest &-= 64
        }
        guard rest > 0 else { return sum }
        let mask = ~0 &>> UInt64(64 &- rest) as UInt64
        return sum &+ (loadWord(at: offset) & mask).nonzeroBitCount
    }
}
