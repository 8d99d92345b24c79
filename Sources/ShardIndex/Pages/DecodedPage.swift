package import DAGBytes
internal import DAGHashing
internal import DAGZstd

/// A decoded index page, as the page cache keeps it.
///
/// *Cost*: decoding is O(count) and copies the digests. Afterwards every access is O(1), and a search by offset O(log
/// count). About 40 bytes a section with 32-byte digests.
///
/// *Concurrency*: immutable.
package final class DecodedPage: Sendable {
    /// The number of the first section in CAR order.
    package let firstOrdinal: UInt64
    /// The number of sections.
    package let count: Int
    /// Whether the index knows the sections' sizes.
    package let sizesKnown: Bool
    /// Whether zstd compressed the body or the digests.
    package let wasCompressed: Bool
    /// The payload offsets of the sections.
    ///
    /// With sizes known it has one more: the end of the last.
    let starts: [UInt64]
    let kinds: [EntryKind]
    let kindIndices: [UInt8]
    /// The start of each digest in `digests`, and the end of the last.
    let digestStarts: [UInt32]
    let digests: [UInt8]

    /// Decodes a page.
    ///
    /// - Parameter page: Exactly the bytes of the page.
    /// - Throws: `.malformed` if the checksum is wrong or the page is impossible.
    package init(reading page: ByteView) throws(ShardIndexError) {
        let header = try PageHeader(reading: page)
        let body = page[IndexPage.headerSize..<header.digestsStart]
        let digests = page[header.digestsStart..<page.count]
        self.digests =
            header.flags & IndexPage.Flag.digestsZstd == 0
            ? digests.copied : try Self.decompress(digests, size: header.digestsSize)
        let decoded: PageBody
        if header.flags & IndexPage.Flag.bodyZstd == 0 {
            decoded = try PageBody(reading: body, header: header)
        } else {
            let plain = try Self.decompress(body, size: header.bodySize)
            decoded = try plain.withView { view throws(ShardIndexError) in
                try PageBody(reading: view, header: header)
            }
        }
        self.kinds = decoded.kinds
        self.kindIndices = decoded.kindIndices
        self.starts = decoded.starts
        var digestStarts: [UInt32] = [0]
        digestStarts.reserveCapacity(header.count + 1)
        var end = 0
        for index in kindIndices {
            end += kinds[Int(index)].digestSize
            guard end <= header.digestsSize else {
                throw ShardIndexError(.malformed, "digests end after their column")
            }
            digestStarts.append(UInt32(end))
        }
        guard end == header.digestsSize else {
            throw ShardIndexError(.malformed, "a digest column has a wrong size")
        }
        self.digestStarts = digestStarts
        self.firstOrdinal = header.firstOrdinal
        self.count = header.count
        self.sizesKnown = header.flags & IndexPage.Flag.sizesUnknown == 0
        self.wasCompressed = header.flags & 3 != 0
    }

    private static func decompress(
        _ frame: ByteView,
        size: Int
    ) throws(ShardIndexError) -> [UInt8] {
        do {
            return try Zstd.decompress(frame, size: size)
        } catch {
            throw ShardIndexError(.malformed, "a zstd frame: \(error)")
        }
    }

    /// The page's cost in the cache, in bytes.
    package var cost: Int { 256 + starts.count * 8 + kindIndices.count * 5 + digests.count }

    /// Returns the payload offset of section `slot`.
    package func offset(of slot: Int) -> UInt64 { starts[slot] }

    /// Returns the size of section `slot`, or nil if it is unknown.
    package func sectionSize(of slot: Int) -> UInt64? {
        sizesKnown ? starts[slot + 1] - starts[slot] : nil
    }

    /// Returns the CID of section `slot` without its digest.
    package func kind(of slot: Int) -> EntryKind { kinds[Int(kindIndices[slot])] }

    /// Calls `body` with the digest of section `slot`.
    package func withDigest<R>(of slot: Int, _ body: (ByteView) -> R) -> R {
        digests.withView { body($0[Int(digestStarts[slot])..<Int(digestStarts[slot + 1])]) }
    }

    /// Returns the entry of section `slot`.
    package func entry(_ slot: Int) -> IndexEntry {
        IndexEntry(
            ordinal: firstOrdinal + UInt64(slot),
            offset: starts[slot],
            sectionSize: sectionSize(of: slot),
            kind: kind(of: slot),
            digest: Array(digests[Int(digestStarts[slot])..<Int(digestStarts[slot + 1])])
        )
    }

    /// Finds the section that starts at `offset`.
    package func slot(at offset: UInt64) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < count && starts[low] == offset ? low : nil
    }

    /// Returns whether section `slot` has this multihash; an unknown hash function matches any.
    package func matches(_ slot: Int, hashCode: UInt64, digest: ByteView) -> Bool {
        let kind = kind(of: slot)
        guard kind.digestSize == digest.count, (kind.hashCode ?? hashCode) == hashCode else {
            return false
        }
        return withDigest(of: slot) { $0.elementsEqual(digest) }
    }

    /// Finds the first section from `slot` on that has this multihash.
    ///
    /// *Cost*: O(count); the search in a shard of one page.
    package func firstSlot(hashCode: UInt64, digest: ByteView, from slot: Int = 0) -> Int? {
        guard digest.count >= 8 else {
            return (slot..<count).first { matches($0, hashCode: hashCode, digest: digest) }
        }
        let head = digest.loadUInt64(at: 0)
        return digests.withView { column in
            for candidate in slot..<count {
                let start = Int(digestStarts[candidate])
                guard start + 8 <= column.count, column.loadUInt64(at: start) == head else {
                    continue
                }
                if matches(candidate, hashCode: hashCode, digest: digest) { return candidate }
            }
            return nil
        }
    }
}

/// The fixed part of a page, with valid fields.
struct PageHeader {
    let baseOffset: UInt64
    let firstOrdinal: UInt64
    let digestsSize: Int
    let bodySize: Int
    let count: Int
    let flags: UInt8
    let kindCount: Int
    let digestsStart: Int

    /// Reads the header of a page after it checks the page's checksum.
    init(reading page: ByteView) throws(ShardIndexError) {
        guard page.count >= IndexPage.headerSize, page.count <= IndexPage.pageSizeMax else {
            throw ShardIndexError(.malformed, "a page has \(page.count) bytes")
        }
        guard Checksum.xxh64(page[8..<page.count]) == page.loadUInt64(at: 0) else {
            throw ShardIndexError(.malformed, "the checksum of a page is wrong")
        }
        guard let header = PageHeader(trusting: page) else {
            throw ShardIndexError(.malformed, "a page's header")
        }
        self = header
    }

    /// Reads the header of a page without checking the checksum.
    ///
    /// - Returns: Nil if a field is out of its range.
    @inline(__always)
    init?(trusting page: ByteView) {
        guard page.count >= IndexPage.headerSize, page.count <= IndexPage.pageSizeMax else {
            return nil
        }
        baseOffset = page.loadUInt64(at: 8)
        firstOrdinal = page.loadUInt64(at: 16)
        let digestsStored = Int(page.loadUInt32(at: 24))
        digestsSize = Int(page.loadUInt32(at: 28))
        bodySize = Int(page.loadUInt32(at: 32))
        count = Int(page.loadUInt16(at: 36))
        flags = page[38]
        kindCount = Int(page[39]) + 1
        digestsStart = page.count - digestsStored
        let isBodyStored = flags & IndexPage.Flag.bodyZstd == 0
        let isDigestsStored = flags & IndexPage.Flag.digestsZstd == 0
        let sizeMax = IndexPage.digestsSizeSoftMax + IndexPage.digestSizeMax
        guard count >= 1, count <= IndexPage.countMax, flags <= 7,
            digestsStart >= IndexPage.headerSize, digestsSize <= sizeMax,
            bodySize <= IndexPage.valueSizeMax,
            baseOffset < 1 << 62, firstOrdinal < 1 << 62,
            !isDigestsStored || digestsStored == digestsSize,
            !isBodyStored || bodySize == digestsStart - IndexPage.headerSize
        else { return nil }
    }
}

/// The body of a page: kinds and offsets.
struct PageBody {
    var kinds: [EntryKind] = []
    var kindIndices: [UInt8] = []
    var starts: [UInt64] = []

    init(reading body: ByteView, header: PageHeader) throws(ShardIndexError) {
        var offset = 0
        kinds.reserveCapacity(header.kindCount)
        for _ in 0..<header.kindCount {
            kinds.append(try EntryKind(reading: body, at: &offset))
        }
        try readKindColumn(body, at: &offset, count: header.count)
        let sizesKnown = header.flags & IndexPage.Flag.sizesUnknown == 0
        try readOffsetColumn(body, at: &offset, header: header, sizesKnown: sizesKnown)
        guard offset == body.count else {
            throw ShardIndexError(.malformed, "bytes follow a page's body")
        }
    }

    private mutating func readKindColumn(
        _ body: ByteView,
        at offset: inout Int,
        count: Int
    ) throws(ShardIndexError) {
        switch try Self.readBytes(body, 1, at: &offset)[0] {
        case IndexPage.KindTag.constant:
            kindIndices = [UInt8](repeating: 0, count: count)
        case IndexPage.KindTag.exceptions:
            let mode = try Self.readBytes(body, 1, at: &offset)[0]
            let bitmap = try Self.readBytes(body, (count + 7) / 8, at: &offset)
            kindIndices = [UInt8](repeating: mode, count: count)
            for index in 0..<count where bitmap[index >> 3] & (1 << UInt8(index & 7)) != 0 {
                kindIndices[index] = try Self.readBytes(body, 1, at: &offset)[0]
            }
        case IndexPage.KindTag.plain:
            kindIndices = try Self.readBytes(body, count, at: &offset).copied
        default:
            throw ShardIndexError(.malformed, "a kind column has an unknown tag")
        }
        guard kindIndices.allSatisfy({ Int($0) < kinds.count }) else {
            throw ShardIndexError(.malformed, "a kind is outside the table")
        }
    }

    private mutating func readOffsetColumn(
        _ body: ByteView,
        at offset: inout Int,
        header: PageHeader,
        sizesKnown: Bool
    ) throws(ShardIndexError) {
        let base = header.baseOffset
        let count = header.count
        starts.reserveCapacity(count + 1)
        let tag = try Self.readBytes(body, 1, at: &offset)[0]
        if tag == IndexPage.OffsetTag.eliasFano {
            if sizesKnown { starts.append(base) }
            try readEliasFano(body, at: &offset, base: base, count: count)
            return
        }
        guard sizesKnown, tag <= IndexPage.OffsetTag.plain + 3 else {
            throw ShardIndexError(.malformed, "an offset column has an unknown tag")
        }
        var next = base
        starts.append(next)
        if tag == IndexPage.OffsetTag.constant {
            let size = try body.readVarint(at: &offset)
            for _ in 0..<count {
                next = try Self.end(of: size, after: next)
                starts.append(next)
            }
            return
        }
        let width = 1 << Int(tag - IndexPage.OffsetTag.plain)
        let column = try Self.readBytes(body, count * width, at: &offset)
        for index in 0..<count {
            var size: UInt64 = 0
            for byte in 0..<width {
                size |= UInt64(column[index * width + byte]) << UInt64(8 * byte)
            }
            next = try Self.end(of: size, after: next)
            starts.append(next)
        }
    }

    /// Returns the end of a section of `size` bytes that starts at `start`.
    static func end(of size: UInt64, after start: UInt64) throws(ShardIndexError) -> UInt64 {
        guard size > 0, size < 1 << 62, start + size < 1 << 62 else {
            throw ShardIndexError(.malformed, "a section's size")
        }
        return start + size
    }

    /// Appends `count` values, each plus `base`.
    private mutating func readEliasFano(
        _ body: ByteView,
        at offset: inout Int,
        base: UInt64,
        count: Int
    ) throws(ShardIndexError) {
        guard
            let column = EliasFanoColumn(reading: body, at: &offset, base: base, count: count)
        else { throw ShardIndexError(.malformed, "an offset column has a wrong span or size") }
        try column.forEachValue { starts.append(base + $0) }
    }

    private static func readBytes(
        _ body: ByteView,
        _ size: Int,
        at offset: inout Int
    ) throws(ShardIndexError) -> ByteView {
        guard size <= body.count - offset else {
            throw ShardIndexError(.malformed, "a page's body is cut short")
        }
        defer { offset += size }
        return body[offset..<offset + size]
    }
}
