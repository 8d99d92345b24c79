package import DAGBytes
internal import DAGHashing
package import DAGMultiformats
internal import DAGZstd

/// The root page of a shard's index, which a cold acquisition reads.
///
/// ```
///  0  u64 checksum           xxh64 of everything after it
///  8  u32 size               of the content when decoded
/// 12  u8  version            1
/// 13  u8  flags              bit 0 content is zstd
/// 14  u16 zero
/// 16  content
/// ```
///
/// The content, all integers little-endian:
///
/// ```
///  0  u64 data offset        of the payload in the file
///  8  u64 payload size       in bytes
/// 16  u64 header size        of the CARv1 header in the payload
/// 24  u64 sections
/// 32  u64 multihashes        different ones: the entries of the locator, if there is one
/// 40  u64 identities         sections with identity CIDs
/// 48  u64 data end           the payload offset after the last section
/// 56  u32 pages
/// 60  u32 segments
/// 64  u32 roots
/// 68  u8  offset bits        of locator entries
/// 69  3 bytes of zero
/// 72  u64 base offset[pages]     each less the one before
///  …  u16 count[pages]
///  …  u32 size[pages]            in bytes
///  …  u32 size[segments]         in bytes
///  …  { u32 size, CID }[roots]
/// ```
///
/// Pages follow one after another in values of at most `IndexPage.valueSizeMax` bytes. A page that does not fit
/// begins the next value, so the sizes determine the place of each page.
package struct IndexRoot: Equatable, Sendable {
    /// The place of a page, and the sections that it covers.
    package struct Page: Equatable, Sendable {
        /// The payload offset of its first section.
        package var baseOffset: UInt64
        /// The number of its first section in CAR order.
        package var firstOrdinal: UInt64
        /// The number of its value.
        package var value: UInt32
        /// Its offset in that value.
        package var start: UInt32
        /// Its size in bytes.
        package var size: UInt32
        /// The number of its sections.
        package var count: UInt32
    }

    package static let version: UInt8 = 1
    static let headerSize = 16
    static let contentHeaderSize = 72
    /// The largest content in bytes; 100 million sections take 6 MB.
    static let contentSizeMax = 1 << 30

    /// The offset of the payload in the file.
    package var dataOffset: UInt64 = 0
    /// The payload's size in bytes.
    package var payloadSize: UInt64 = 0
    /// The size of the CARv1 header in the payload.
    package var headerSize: UInt64 = 0
    /// The number of sections, with repeated ones.
    package var sectionCount: UInt64 = 0
    /// The number of different multihashes, which is the number of entries in the locator.
    package var multihashCount: UInt64 = 0
    /// The number of sections with identity CIDs.
    package var identityCount: UInt64 = 0
    /// The payload offset after the last section.
    package var dataEnd: UInt64 = 0
    /// The width of an offset in the locator, in bits.
    package var offsetBits = 0
    /// The pages in CAR order.
    package var pages: [Page] = []
    /// The sizes of the locator's segments in bytes.
    package var segmentSizes: [UInt32] = []
    /// The CAR's roots.
    package var roots: [CID] = []

    package init() {}

    /// The number of values with pages.
    package var valueCount: Int { pages.last.map { Int($0.value) + 1 } ?? 0 }
    /// Whether each multihash has one section only.
    package var isFreeOfDuplicates: Bool { multihashCount == sectionCount }
    /// The size of pages and locator in bytes.
    package var indexSize: UInt64 {
        pages.reduce(0) { $0 + UInt64($1.size) } + segmentSizes.reduce(0) { $0 + UInt64($1) }
    }

    /// Returns the page that covers the section with this number.
    package func page(ofOrdinal ordinal: UInt64) -> Int? {
        guard ordinal < sectionCount else { return nil }
        return lastPage { $0.firstOrdinal <= ordinal }
    }

    /// Returns the page that would cover a section that starts at `offset`.
    package func page(ofOffset offset: UInt64) -> Int? {
        lastPage { $0.baseOffset <= offset }
    }

    private func lastPage(where isBefore: (Page) -> Bool) -> Int? {
        var low = 0
        var high = pages.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(pages[middle]) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// Adds a page after the last one.
    ///
    /// - Returns: Whether it begins a new value.
    mutating func appendPage(
        baseOffset: UInt64,
        firstOrdinal: UInt64,
        size: Int,
        count: Int
    ) -> Bool {
        var page = Page(
            baseOffset: baseOffset,
            firstOrdinal: firstOrdinal,
            value: 0,
            start: 0,
            size: UInt32(size),
            count: UInt32(count)
        )
        guard let last = pages.last else {
            pages.append(page)
            return true
        }
        let end = last.start + last.size
        let isNew = Int(end) + size > IndexPage.valueSizeMax
        page.value = isNew ? last.value + 1 : last.value
        page.start = isNew ? 0 : end
        pages.append(page)
        return isNew
    }

    /// Returns the root page's bytes.
    ///
    /// - Parameter policy: `.direct` never uses zstd, `.zstd` always does, `.smallest` takes the smaller form.
    /// - Returns: The bytes.
    package func encoded(policy: PagePolicy) -> [UInt8] {
        var content: [UInt8] = []
        for value in [
            dataOffset, payloadSize, headerSize, sectionCount, multihashCount, identityCount,
            dataEnd,
        ] {
            content.append(littleEndian: value)
        }
        content.append(littleEndian: UInt32(pages.count))
        content.append(littleEndian: UInt32(segmentSizes.count))
        content.append(littleEndian: UInt32(roots.count))
        content += [UInt8(offsetBits), 0, 0, 0]
        var last: UInt64 = 0
        for page in pages {
            content.append(littleEndian: page.baseOffset - last)
            last = page.baseOffset
        }
        for page in pages { content.append(littleEndian: UInt16(page.count)) }
        for page in pages { content.append(littleEndian: page.size) }
        for size in segmentSizes { content.append(littleEndian: size) }
        for root in roots {
            content.append(littleEndian: UInt32(root.bytes.count))
            content += root.bytes
        }
        var stored = content
        var isCompressed = false
        if policy != .direct {
            let zstd = content.withView { Zstd.compress($0) }
            isCompressed = policy == .zstd || zstd.count < content.count
            if isCompressed { stored = zstd }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerSize + stored.count)
        bytes.append(littleEndian: UInt64(0))
        bytes.append(littleEndian: UInt32(content.count))
        bytes += [Self.version, isCompressed ? 1 : 0, 0, 0]
        bytes += stored
        bytes.writeChecksum(at: 0)
        return bytes
    }

    /// Reads a root page.
    ///
    /// - Throws: `.malformed` if the checksum is wrong or the content is impossible; `.unsupportedVersion` if a newer
    ///   version wrote it.
    package init(reading bytes: ByteView) throws(ShardIndexError) {
        guard bytes.count >= Self.headerSize else {
            throw ShardIndexError(.malformed, "a root page of \(bytes.count) bytes")
        }
        guard Checksum.xxh64(bytes[8..<bytes.count]) == bytes.loadUInt64(at: 0) else {
            throw ShardIndexError(.malformed, "the checksum of a root page is wrong")
        }
        guard bytes[12] <= Self.version else {
            throw ShardIndexError(.unsupportedVersion, "a root page has version \(bytes[12])")
        }
        let size = Int(bytes.loadUInt32(at: 8))
        let stored = bytes[Self.headerSize..<bytes.count]
        guard bytes[12] == Self.version, bytes[13] <= 1, size <= Self.contentSizeMax,
            bytes[13] == 1 || stored.count == size
        else { throw ShardIndexError(.malformed, "the header of a root page is impossible") }
        guard bytes[13] == 1 else {
            try self.init(content: stored)
            return
        }
        let content: [UInt8]
        do {
            content = try Zstd.decompress(stored, size: size)
        } catch {
            throw ShardIndexError(.malformed, "a root page's zstd frame: \(error)")
        }
        self = try content.withView { view throws(ShardIndexError) in
            try IndexRoot(content: view)
        }
    }

    private init(content: ByteView) throws(ShardIndexError) {
        guard content.count >= Self.contentHeaderSize else {
            throw ShardIndexError(.malformed, "a root page is cut short")
        }
        dataOffset = content.loadUInt64(at: 0)
        payloadSize = content.loadUInt64(at: 8)
        headerSize = content.loadUInt64(at: 16)
        sectionCount = content.loadUInt64(at: 24)
        multihashCount = content.loadUInt64(at: 32)
        identityCount = content.loadUInt64(at: 40)
        dataEnd = content.loadUInt64(at: 48)
        let pageCount = Int(content.loadUInt32(at: 56))
        let segmentCount = Int(content.loadUInt32(at: 60))
        let rootCount = Int(content.loadUInt32(at: 64))
        offsetBits = Int(content[68])
        let tables = Self.contentHeaderSize + 14 * pageCount + 4 * segmentCount
        guard tables + 4 * rootCount <= content.count,
            offsetBits <= LocatorSegment.offsetBitsMax,
            dataOffset < 1 << 62, payloadSize < 1 << 62, dataEnd <= payloadSize,
            headerSize <= dataEnd
        else { throw ShardIndexError(.malformed, "the counts of a root page are impossible") }
        try readPages(content, count: pageCount)
        var offset = Self.contentHeaderSize + 14 * pageCount
        for _ in 0..<segmentCount {
            segmentSizes.append(content.loadUInt32(at: offset))
            offset += 4
        }
        for _ in 0..<rootCount {
            guard content.count - offset >= 4 else {
                throw ShardIndexError(.malformed, "a root is cut short")
            }
            let size = Int(content.loadUInt32(at: offset))
            offset += 4
            guard size <= content.count - offset,
                let root = try? CID(content[offset..<offset + size])
            else { throw ShardIndexError(.malformed, "a root is not a CID") }
            roots.append(root)
            offset += size
        }
        guard offset == content.count else {
            throw ShardIndexError(.malformed, "bytes follow a root page")
        }
    }

    private mutating func readPages(_ content: ByteView, count: Int) throws(ShardIndexError) {
        pages.reserveCapacity(count)
        let counts = Self.contentHeaderSize + 8 * count
        let sizes = counts + 2 * count
        var base: UInt64 = 0
        var ordinal: UInt64 = 0
        for index in 0..<count {
            let step = content.loadUInt64(at: Self.contentHeaderSize + 8 * index)
            guard step < 1 << 62 else {
                throw ShardIndexError(.malformed, "a page directory is not in order")
            }
            base += step
            let sections = Int(content.loadUInt16(at: counts + 2 * index))
            let size = Int(content.loadUInt32(at: sizes + 4 * index))
            guard sections >= 1, sections <= IndexPage.countMax, size >= IndexPage.headerSize,
                size <= IndexPage.pageSizeMax, base < payloadSize
            else { throw ShardIndexError(.malformed, "a row of a page directory is impossible") }
            _ = appendPage(
                baseOffset: base,
                firstOrdinal: ordinal,
                size: size,
                count: sections
            )
            ordinal += UInt64(sections)
        }
        guard ordinal == sectionCount else {
            throw ShardIndexError(
                .malformed,
                "a page directory has \(ordinal) sections, not \(sectionCount)"
            )
        }
    }
}
