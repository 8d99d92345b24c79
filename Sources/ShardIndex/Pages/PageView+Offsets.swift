internal import DAGBytes
internal import DAGMultiformats

extension PageView {
    /// Finds the section that starts at `offset`.
    ///
    /// *Cost*: O(1) if all sections have one size. Elias-Fano takes O(count / 64). For plain sizes, the search adds
    /// eight bytes at a time.
    package func slot(at offset: UInt64) -> Int? {
        let relative = offset &- baseOffset
        guard offset >= baseOffset else { return nil }
        switch offsetTag {
        case IndexPage.OffsetTag.constant:
            // Only an unchecked page has sections without bytes.
            let slot = relative / max(extent, 1)
            guard slot < UInt64(count), slot &* extent == relative else { return nil }
            return Int(truncatingIfNeeded: slot)
        case IndexPage.OffsetTag.eliasFano:
            guard relative > 0 || !sizesKnown else { return 0 }
            guard let index = eliasFano.firstIndex(of: relative) else { return nil }
            // With sizes known, a section starts at the end of the section before.
            let slot = sizesKnown ? index &+ 1 : index
            return slot < count ? slot : nil
        case IndexPage.OffsetTag.plain: return plainSlot(at: relative, widthLog: 0)
        case IndexPage.OffsetTag.plain + 1: return plainSlot(at: relative, widthLog: 1)
        default: return plainSlot(at: relative, widthLog: Int(offsetTag) - 2)
        }
    }

    /// Returns the payload offset of section `slot`.
    package func offset(of slot: Int) -> UInt64 {
        precondition(slot >= 0 && slot < count, "a section outside the page")
        switch offsetTag {
        case IndexPage.OffsetTag.constant:
            return baseOffset &+ extent &* UInt64(slot)
        case IndexPage.OffsetTag.eliasFano:
            guard sizesKnown else { return baseOffset &+ eliasFano.value(slot) }
            return slot == 0 ? baseOffset : baseOffset &+ eliasFano.value(slot &- 1)
        default:
            return baseOffset &+ plainSum(count: slot)
        }
    }

    /// Returns the size of section `slot`, or nil if it is unknown.
    package func sectionSize(of slot: Int) -> UInt64? {
        precondition(slot >= 0 && slot < count, "a section outside the page")
        guard sizesKnown else { return nil }
        switch offsetTag {
        case IndexPage.OffsetTag.constant: return extent
        case IndexPage.OffsetTag.eliasFano: return eliasFano.difference(slot)
        default: return plainSize(slot, widthLog: Int(offsetTag) - 2)
        }
    }

    /// Checks that offsets rise and stay in their range.
    func checkOffsets() throws(ShardIndexError) {
        guard offsetTag != IndexPage.OffsetTag.eliasFano else {
            return try eliasFano.forEachValue { _ in }
        }
        var next = baseOffset
        for slot in 0..<count {
            next = try PageBody.end(of: sectionSize(of: slot) ?? 0, after: next)
        }
    }

    /// The payload offset of the first section.
    private var baseOffset: UInt64 { page.loadUInt64(at: 8) }

    private var eliasFano: EliasFanoColumn {
        EliasFanoColumn(
            page,
            count: count,
            span: extent,
            low: Int(lowBits),
            start: offsetsStart,
            highs: highsStart..<digestsStart
        )
    }

    // MARK: Plain sizes

    private func plainSize(_ slot: Int, widthLog: Int) -> UInt64 {
        let mask = ~0 &>> UInt64(64 &- 8 &<< widthLog) as UInt64
        return page.loadWord(at: offsetsStart &+ slot &<< widthLog) & mask
    }

    /// Sums the first `count` sizes.
    private func plainSum(count: Int) -> UInt64 {
        let widthLog = Int(offsetTag) - 2
        let step = 8 &>> widthLog
        var sum: UInt64 = 0
        var slot = 0
        while slot &+ step <= count {
            let word = page.loadUInt64(at: offsetsStart &+ slot &<< widthLog)
            sum &+= word.sum(ofFieldsOfWidth: widthLog)
            slot &+= step
        }
        while slot < count {
            sum &+= plainSize(slot, widthLog: widthLog)
            slot &+= 1
        }
        return sum
    }

    /// Finds the section at `relative`: the sizes of the sections before it have that sum.
    @inline(__always)
    private func plainSlot(at relative: UInt64, widthLog: Int) -> Int? {
        let step = 8 &>> widthLog
        var sum: UInt64 = 0
        var slot = 0
        while slot &+ step <= count {
            let word = page.loadUInt64(at: offsetsStart &+ slot &<< widthLog)
            let next = sum &+ word.sum(ofFieldsOfWidth: widthLog)
            guard next <= relative else { break }
            sum = next
            slot &+= step
        }
        guard slot < count else { return nil }
        let mask = ~0 &>> UInt64(64 &- 8 &<< widthLog) as UInt64
        // At most one word is left to search: the one that contains `relative`, or the last.
        var word = page.loadWord(at: offsetsStart &+ slot &<< widthLog)
        while sum < relative {
            sum &+= word & mask
            word = widthLog == 3 ? 0 : word &>> UInt64(8 &<< widthLog)
            slot &+= 1
            guard slot < count else { return nil }
        }
        return sum == relative ? slot : nil
    }
}

/// The encoding of a page's offset column, and the places of its parts.
struct OffsetColumn {
    let tag: UInt8
    /// The number of low bits of each value that Elias-Fano stores apart.
    let lowBits: UInt8
    /// The first byte of plain sizes, or of the low parts of Elias-Fano.
    let start: Int
    /// The first byte of the high parts of Elias-Fano.
    let highsStart: Int
    /// The size of all sections, or the span of Elias-Fano.
    let extent: UInt64

    /// Finds the column; nil if it does not fit the page.
    @inline(__always)
    init?(
        reading page: ByteView,
        at offset: inout Int,
        base: UInt64,
        count: Int,
        sizesKnown: Bool
    ) {
        guard offset < page.count else { return nil }
        tag = page[offset]
        offset &+= 1
        switch tag {
        case IndexPage.OffsetTag.eliasFano:
            guard
                let column = EliasFanoColumn(reading: page, at: &offset, base: base, count: count)
            else { return nil }
            lowBits = UInt8(truncatingIfNeeded: column.low)
            start = column.start
            highsStart = column.highsStart
            extent = column.span
        case IndexPage.OffsetTag.constant:
            let size = Varint.decode(page, at: offset)
            guard size.size > 0, sizesKnown else { return nil }
            offset &+= size.size
            lowBits = 0
            start = offset
            highsStart = offset
            extent = size.value
        default:
            guard tag <= IndexPage.OffsetTag.plain &+ 3, sizesKnown else { return nil }
            lowBits = 0
            start = offset
            highsStart = offset
            extent = 0
            offset &+= count &<< Int(tag &- IndexPage.OffsetTag.plain)
        }
    }
}

extension UInt64 {
    /// Sums the word's fields, which have `1 << widthLog` bytes each.
    @inline(__always)
    fileprivate func sum(ofFieldsOfWidth widthLog: Int) -> UInt64 {
        switch widthLog {
        case 0:
            let pairs = (self & 0x00ff_00ff_00ff_00ff) &+ (self >> 8 & 0x00ff_00ff_00ff_00ff)
            return (pairs &* 0x0001_0001_0001_0001) >> 48
        case 1:
            let pairs = (self & 0x0000_ffff_0000_ffff) &+ (self >> 16 & 0x0000_ffff_0000_ffff)
            return (pairs &+ pairs >> 32) & 0xffff_ffff
        case 2:
            return (self & 0xffff_ffff) &+ self >> 32
        default:
            return self
        }
    }
}
