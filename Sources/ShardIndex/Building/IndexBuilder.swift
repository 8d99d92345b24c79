package import DAGBytes
package import DAGHashing
package import DAGMultiformats

/// Builds the index of one shard from its sections, in CAR order and in bounded memory.
///
/// The sink gets each page value when it is full. The builder collects the locator's entries, and spills them to the
/// sink above `sortBudget`. `finish` writes the locator and returns the root page.
///
/// *Cost*: O(sections), about 100 ns each. *Memory*: a page, a value of at most 1 MiB, `sortBudget`, and a segment of
/// at most 1 MiB with its entries.
package struct IndexBuilder: ~Copyable {
    /// The default memory for entries: enough for 11 million sections.
    package static let sortBudgetDefault = 256 << 20

    private let hash: KeyedHash
    private let sink: any IndexSink
    private let helper: HelperThread?
    private let policy: PagePolicy
    private var root = IndexRoot()
    private var encoder: PageEncoder
    private var sorter: LocatorSorter
    private var value: [UInt8] = []
    private var page: [UInt8] = []
    /// The hashes of the sections that `append` adds now.
    private var hashes = [UInt64](repeating: 0, count: IndexPage.countMax)
    private var pageBase: UInt64 = 0
    private var kindLayout: CIDLayout?
    private var kind = EntryKind(version: 1, codec: nil, hashCode: nil, digestSize: 0)
    private var kindMix: UInt64 = 0
    /// Whether the last section has the same kind.
    private var isSameKind = false
    /// The payload offset after the last section.
    package private(set) var end: UInt64

    /// Creates a builder without sections.
    ///
    /// - Parameters:
    ///   - hash: The store's keyed hash.
    ///   - policy: How pages choose their encodings.
    ///   - sortBudget: The memory for the locator's entries, in bytes.
    ///   - helper: Starts a thread that shares the work of `finish`; nil for none.
    ///   - dataOffset: The offset of the payload in the file.
    ///   - payloadSize: The payload's size; below 2^45, because of the locator.
    ///   - headerSize: The size of the CARv1 header in the payload.
    ///   - roots: The CAR's roots.
    ///   - sink: Receives the values of the index.
    /// - Throws: `.limitExceeded` if the payload is too large.
    package init(
        hash: KeyedHash,
        policy: PagePolicy,
        sortBudget: Int = sortBudgetDefault,
        helper: HelperThread? = nil,
        dataOffset: UInt64,
        payloadSize: UInt64,
        headerSize: UInt64,
        roots: [CID],
        sink: any IndexSink
    ) throws(ShardIndexError) {
        guard payloadSize < 1 << UInt64(LocatorSegment.offsetBitsMax) else {
            throw ShardIndexError(.limitExceeded, "a payload of \(payloadSize) bytes")
        }
        self.hash = hash
        self.policy = policy
        self.sink = sink
        self.helper = helper
        self.encoder = PageEncoder(policy: policy)
        self.sorter = LocatorSorter(budget: sortBudget)
        self.end = headerSize
        root.dataOffset = dataOffset
        root.payloadSize = payloadSize
        root.headerSize = headerSize
        root.roots = roots
        root.offsetBits = max(1, 64 - payloadSize.leadingZeroBitCount)
    }

    /// The number of sections so far.
    package var sectionCount: UInt64 { root.sectionCount }
    /// The statistics of the pages so far.
    package var statistics: PageStatistics { encoder.statistics }

    /// Adds the next section of a CAR.
    ///
    /// - Parameters:
    ///   - offset: Its payload offset, which is the end of the section before.
    ///   - size: The size of the section.
    ///   - layout: The parts of its CID.
    ///   - digest: The digest.
    /// - Throws: `.limitExceeded` for a digest over `IndexPage.digestSizeMax`; `.storage`.
    package mutating func append(
        offset: UInt64,
        size: UInt64,
        layout: CIDLayout,
        digest: ByteView
    ) throws(ShardIndexError) {
        try begin(layout, at: offset)
        try add(offset: offset, size: size, digest: digest)
    }

    /// Sets the kind of the sections from `offset` on.
    private mutating func begin(
        _ layout: CIDLayout,
        at offset: UInt64
    ) throws(ShardIndexError) {
        guard kindLayout != layout else { return }
        guard layout.digestSize <= IndexPage.digestSizeMax else {
            throw ShardIndexError(
                .limitExceeded,
                "a digest of \(layout.digestSize) bytes at payload offset \(offset)"
            )
        }
        kindLayout = layout
        kind = EntryKind(layout)
        kindMix = Self.mix(kind)
        isSameKind = false
    }

    /// Adds the next sections of a CAR.
    ///
    /// - Parameter batch: The sections; the first starts at the end of the last one added.
    /// - Throws: The errors of the other `append`.
    package mutating func append(_ batch: borrowing SectionBatch) throws(ShardIndexError) {
        for (number, run) in batch.runs.enumerated() {
            let end = number + 1 < batch.runs.count ? batch.runs[number + 1].first : batch.count
            let start = run.first == 0 ? batch.start : batch.ends[run.first - 1]
            try begin(run.layout, at: start)
            var place = run.first
            while place < end {
                if encoder.isFull { try flushPage() }
                let count = min(end - place, encoder.room(digestSize: kind.digestSize))
                let digestStart = run.digestStart + (place - run.first) * kind.digestSize
                let digests = batch.digests[digestStart..<digestStart + count * kind.digestSize]
                try add(batch, place..<place + count, digests)
                place += count
            }
        }
    }

    /// Adds sections of one kind, at most as many as the page has room for.
    private mutating func add(
        _ batch: borrowing SectionBatch,
        _ places: Range<Int>,
        _ digests: ByteView
    ) throws(ShardIndexError) {
        let start = places.lowerBound == 0 ? batch.start : batch.ends[places.lowerBound - 1]
        precondition(start == end, "sections are out of order or have gaps")
        if encoder.count == 0 { pageBase = start }
        let size = kind.digestSize
        var next = start
        for (index, place) in places.enumerated() {
            let hashed = hash.hash(digests[index &* size..<(index &+ 1) &* size])
            hashes[index] = hashed.high
            sorter.append(
                LocatorEntry(hash: hashed.high, check: hashed.low ^ kindMix, offset: next)
            )
            next = batch.ends[place]
        }
        let ordinal = root.sectionCount
        encoder.append(
            ordinal: ordinal,
            start: start,
            ends: batch.ends.extracting(places),
            kind: kind,
            digests: digests,
            hashes: hashes
        )
        isSameKind = true
        if sorter.isOverBudget { try sorter.spill(to: sink) }
        let count = UInt64(places.count)
        if kind.hashCode == HashCode.identity { root.identityCount += count }
        root.sectionCount += count
        end = next
    }

    /// Adds the next section of an index that may lack sizes or codecs.
    ///
    /// - Parameters:
    ///   - offset: Its payload offset, after that of the section before.
    ///   - size: The size of the section, or nil if it is unknown. All sections have a size or none has.
    ///   - kind: Its CID without the digest.
    ///   - digest: The digest, of `kind.digestSize` bytes.
    /// - Throws: The errors of the other `append`.
    package mutating func append(
        offset: UInt64,
        size: UInt64?,
        kind: EntryKind,
        digest: ByteView
    ) throws(ShardIndexError) {
        precondition(kind.digestSize <= IndexPage.digestSizeMax)
        self.kind = kind
        kindLayout = nil
        kindMix = Self.mix(kind)
        isSameKind = false
        try add(offset: offset, size: size, digest: digest)
    }

    private mutating func add(
        offset: UInt64,
        size: UInt64?,
        digest: ByteView
    ) throws(ShardIndexError) {
        precondition(offset >= end, "sections are out of order")
        precondition(size == nil || offset == end, "there is a gap between sections")
        let hashed = hash.hash(digest)
        if encoder.isFull { try flushPage() }
        if encoder.count == 0 { pageBase = offset }
        encoder.append(
            ordinal: root.sectionCount,
            offset: offset,
            size: size,
            kind: kind,
            isSameKind: isSameKind,
            digest: digest,
            hash: hashed.high
        )
        isSameKind = true
        sorter.append(
            LocatorEntry(
                hash: hashed.high,
                check: hashed.low ^ kindMix,
                offset: offset
            )
        )
        if sorter.isOverBudget { try sorter.spill(to: sink) }
        if kind.hashCode == HashCode.identity { root.identityCount += 1 }
        root.sectionCount += 1
        end = size.map { offset + $0 } ?? offset + 1
    }

    /// Returns the hash function and digest size spread over 64 bits, so that equal digests of two functions differ.
    @inline(__always)
    private static func mix(_ kind: EntryKind) -> UInt64 {
        (kind.hashCode ?? .max) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(kind.digestSize)
    }

    private mutating func flushPage() throws(ShardIndexError) {
        page.removeAll(keepingCapacity: true)
        let count = encoder.count
        let size = encoder.finish(to: &page)
        let isNew = root.appendPage(
            baseOffset: pageBase,
            firstOrdinal: root.sectionCount - UInt64(count),
            size: size,
            count: count
        )
        if isNew, !value.isEmpty {
            try flushValue(number: root.valueCount - 2)
        }
        if value.isEmpty {
            value = sink.makeBuffer()
            // A small shard has one page.
            if root.pages.count > 1 { value.reserveCapacity(IndexPage.valueSizeMax) }
        }
        value += page
    }

    private mutating func flushValue(number: Int) throws(ShardIndexError) {
        let bytes = value
        value = []
        do {
            try sink.writePages(number, bytes)
        } catch {
            throw ShardIndexError(.storage, "index pages", underlying: error)
        }
    }

    /// Writes the rest: the last page, the locator, and the segments for the inverse index.
    ///
    /// - Parameter dataEnd: The payload offset after the last section.
    /// - Returns: The root, the statistics of the pages, and the hashes for the inverse index.
    /// - Throws: `.storage`.
    package consuming func finish(
        dataEnd: UInt64
    ) throws(ShardIndexError) -> BuiltIndex {
        root.dataEnd = dataEnd
        if encoder.count > 0 { try flushPage() }
        if !value.isEmpty { try flushValue(number: root.valueCount - 1) }
        let inverse = InverseHashes(entries: sorter.count, sink, helper: helper)
        defer { inverse.end() }
        try writeLocator(inverse)
        return BuiltIndex(
            root: root,
            statistics: encoder.statistics,
            inverse: try inverse.finish()
        )
    }

    /// Returns the number of segments for `count` entries.
    private static func segmentCount(entries count: UInt64, offsetBits: Int) -> UInt64 {
        let bits = UInt64(offsetBits + LocatorSegment.fingerprintBits)
        let size = count * bits / 8 + count / UInt64(LocatorSegment.entriesPerBucket) * 4
        // Three percent stay free, because the share of a segment varies.
        let share = UInt64(IndexPage.valueSizeMax) * 97 / 100
        return max(1, (size + share - 1) / share)
    }

    /// Writes the locator.
    ///
    /// A shard of one page has none, because a search reads its digests; its entries are only counted.
    private mutating func writeLocator(
        _ inverse: InverseHashes
    ) throws(ShardIndexError) {
        guard root.pages.count > 1 else {
            var count: UInt64 = 0
            try sorter.drain(from: sink) { entries throws(ShardIndexError) in
                count += UInt64(entries.count)
                try inverse.append(&entries)
            }
            root.multihashCount = count
            return
        }
        var locator = LocatorWriter(
            segmentCount: Self.segmentCount(entries: sorter.count, offsetBits: root.offsetBits),
            offsetBits: root.offsetBits,
            sink: sink
        )
        try sorter.drain(from: sink) { entries throws(ShardIndexError) in
            try locator.append(entries)
            try inverse.append(&entries)
        }
        try locator.finish()
        root.segmentSizes = locator.sizes
        root.multihashCount = locator.located
    }
}

/// The result of building an index.
package struct BuiltIndex: Sendable {
    /// The root page's content.
    package let root: IndexRoot
    /// The statistics of the pages.
    package let statistics: PageStatistics
    /// The entries for the inverse index.
    package let inverse: InverseParts
}

/// Writes the segments of a locator.
private struct LocatorWriter: ~Copyable {
    private let segmentCount: UInt64
    private let offsetBits: Int
    private let sink: any IndexSink
    private var pending = LocatorEntries()
    private var number: UInt64 = 0
    private(set) var sizes: [UInt32] = []
    private(set) var located: UInt64 = 0

    init(segmentCount: UInt64, offsetBits: Int, sink: any IndexSink) {
        self.segmentCount = segmentCount
        self.offsetBits = offsetBits
        self.sink = sink
    }

    /// Adds entries in order of their hashes; the first hash is not below the last one added.
    mutating func append(_ entries: borrowing LocatorEntries) throws(ShardIndexError) {
        pending.reserve(pending.count + entries.count)
        for index in 0..<entries.count {
            let entry = entries[index]
            let own = entry.hash.multipliedFullWidth(by: segmentCount).high
            while number < own { try flush() }
            pending.append(entry)
        }
    }

    /// Writes the rest, with empty segments.
    mutating func finish() throws(ShardIndexError) {
        while number < segmentCount { try flush() }
    }

    private mutating func flush() throws(ShardIndexError) {
        let bytes = LocatorSegment.encoded(
            pending,
            segmentCount: segmentCount,
            offsetBits: offsetBits,
            buffer: sink.makeBuffer()
        )
        do {
            try sink.writeSegment(sizes.count, bytes)
        } catch {
            throw ShardIndexError(.storage, "a locator segment", underlying: error)
        }
        sizes.append(UInt32(bytes.count))
        located += UInt64(pending.count)
        pending.removeAll()
        number += 1
    }
}
