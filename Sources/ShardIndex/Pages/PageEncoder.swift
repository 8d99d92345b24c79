package import DAGBytes
internal import DAGHashing
internal import DAGZstd

/// How pages choose between the direct encodings and zstd.
package enum PagePolicy: String, Sendable, CaseIterable {
    /// Each page takes the smaller encoding.
    case smallest
    /// Always zstd.
    case zstd
    /// Never zstd.
    case direct
}

/// Counts of the encodings that pages chose.
package struct PageStatistics: Equatable, Sendable {
    /// The number of pages.
    package var pages = 0
    /// The number of pages with a zstd body.
    package var zstdBodies = 0
    /// The number of pages with a zstd digest column.
    package var zstdDigests = 0
    /// The bytes that zstd saved against the direct encodings, in pages that chose it.
    package var bytesSaved = 0
    /// The size of all pages in bytes.
    package var bytes = 0

    package init() {}
}

/// Collects the sections of one page and encodes it.
package struct PageEncoder {
    /// How pages choose their encodings.
    package let policy: PagePolicy
    /// The statistics of the pages so far.
    package private(set) var statistics = PageStatistics()

    private var sizes = [UInt64](repeating: 0, count: IndexPage.countMax)
    private var starts = [UInt64](repeating: 0, count: IndexPage.countMax)
    private var kindIndices = [UInt8](repeating: 0, count: IndexPage.countMax)
    private var kinds: [EntryKind] = []
    private var lastKind = 0
    private var digests: [UInt8] = []
    private var body: [UInt8] = []
    private var plainBody: [UInt8] = []
    private var bits = BitWriter()
    /// A set of the ten-bit hashes of the digests so far, to count collisions.
    private var seen = [UInt64](repeating: 0, count: 16)
    private var collisions = 0
    private var sizesKnown = true
    /// How often zstd lost on bodies in a row.
    private var lossesInRow = 0
    /// The number of next pages that do not try zstd.
    private var pagesLeftOut = 0
    private var firstOrdinal: UInt64 = 0

    /// The number of sections so far.
    package private(set) var count = 0

    package init(policy: PagePolicy) {
        self.policy = policy
        digests.reserveCapacity(IndexPage.countMax * 64)
    }

    /// Whether the page is full.
    package var isFull: Bool {
        count == IndexPage.countMax || digests.count >= IndexPage.digestsSizeSoftMax
    }

    /// Adds the next section.
    ///
    /// - Parameters:
    ///   - ordinal: Its number in CAR order.
    ///   - offset: Its payload offset.
    ///   - size: The size of the section, or nil if it is unknown. All sections of a page have a size or none has.
    ///   - kind: Its CID without the digest.
    ///   - isSameKind: Whether the section before has the same kind.
    ///   - digest: The digest, of `kind.digestSize` bytes.
    ///   - hash: Any uniform hash of the digest.
    package mutating func append(
        ordinal: UInt64,
        offset: UInt64,
        size: UInt64?,
        kind: EntryKind,
        isSameKind: Bool,
        digest: ByteView,
        hash: UInt64
    ) {
        precondition(count < IndexPage.countMax && digest.count == kind.digestSize)
        if count == 0 {
            firstOrdinal = ordinal
            sizesKnown = size != nil
        }
        precondition(sizesKnown == (size != nil))
        starts[count] = offset
        sizes[count] = size ?? 0
        if !isSameKind || count == 0 { lastKind = index(of: kind) }
        kindIndices[count] = UInt8(lastKind)
        digests.append(digest)
        let slot = Int(hash & 1023)
        let bit: UInt64 = 1 << UInt64(slot & 63)
        if seen[slot >> 6] & bit != 0 { collisions += 1 }
        seen[slot >> 6] |= bit
        count += 1
    }

    /// Returns the number of further sections with digests of a size that the page has room for.
    package func room(digestSize: Int) -> Int {
        guard !isFull else { return 0 }
        let sections = IndexPage.countMax - count
        guard digestSize > 0 else { return sections }
        let bytes = IndexPage.digestsSizeSoftMax - digests.count
        return min(sections, (bytes + digestSize - 1) / digestSize)
    }

    /// Adds sections of one kind that follow each other without gaps.
    ///
    /// - Parameters:
    ///   - ordinal: The number of the first section in CAR order.
    ///   - start: The payload offset of the first section.
    ///   - ends: The end of each section; at most as many as there is room for.
    ///   - kind: Their CIDs without the digests.
    ///   - digests: Their digests, one after the other.
    ///   - hashes: Any uniform hashes of the digests; there may be more.
    mutating func append(
        ordinal: UInt64,
        start: UInt64,
        ends: Span<UInt64>,
        kind: EntryKind,
        digests: ByteView,
        hashes: [UInt64]
    ) {
        precondition(count + ends.count <= IndexPage.countMax && hashes.count >= ends.count)
        precondition(digests.count == ends.count * kind.digestSize)
        if count == 0 {
            firstOrdinal = ordinal
            sizesKnown = true
        }
        precondition(sizesKnown)
        lastKind = index(of: kind)
        self.digests.append(digests)
        let places = count..<count + ends.count
        let kindIndex = UInt8(lastKind)
        // SAFETY: all arrays but `seen` have `countMax` elements, and `places` ends before that; a slot has 10 bits.
        unsafe starts.withUnsafeMutableBufferPointer { starts in
            unsafe starts[places.lowerBound] = start
            for index in 1..<max(1, ends.count) {
                unsafe starts[places.lowerBound &+ index] = ends[index &- 1]
            }
        }
        unsafe sizes.withUnsafeMutableBufferPointer { sizes in
            var last = start
            for index in ends.indices {
                unsafe sizes[places.lowerBound &+ index] = ends[index] &- last
                last = ends[index]
            }
        }
        unsafe kindIndices.withUnsafeMutableBufferPointer { kindIndices in
            for place in places { unsafe kindIndices[place] = kindIndex }
        }
        let repetitions = unsafe seen.withUnsafeMutableBufferPointer { seen in
            var repetitions = 0
            for hash in hashes[..<ends.count] {
                let slot = Int(hash & 1023)
                let bit: UInt64 = 1 &<< UInt64(slot & 63)
                if unsafe seen[slot >> 6] & bit != 0 { repetitions += 1 }
                unsafe seen[slot >> 6] |= bit
            }
            return repetitions
        }
        collisions += repetitions
        count = places.upperBound
    }

    private mutating func index(of kind: EntryKind) -> Int {
        if lastKind < kinds.count, kinds[lastKind] == kind { return lastKind }
        if let index = kinds.firstIndex(of: kind) { return index }
        kinds.append(kind)
        return kinds.count - 1
    }

    /// Appends the page to `output` and begins an empty page.
    ///
    /// - Returns: The page's size in bytes.
    package mutating func finish(to output: inout [UInt8]) -> Int {
        precondition(count > 0)
        let start = output.count
        body.removeAll(keepingCapacity: true)
        for kind in kinds { kind.append(to: &body) }
        let kindTableSize = body.count
        appendKindColumn(isPlain: false)
        appendOffsetColumn(isPlain: false)
        var flags: UInt8 = sizesKnown ? 0 : IndexPage.Flag.sizesUnknown
        var bodySize = body.count
        var storedBody = body
        if let zstd = compressedBody(kindTableSize) {
            flags |= IndexPage.Flag.bodyZstd
            statistics.zstdBodies += 1
            statistics.bytesSaved += body.count - zstd.count
            bodySize = plainBody.count
            storedBody = zstd
        }
        let storedDigests = compressedDigests()
        if let storedDigests {
            flags |= IndexPage.Flag.digestsZstd
            statistics.zstdDigests += 1
            statistics.bytesSaved += digests.count - storedDigests.count
        }
        output.append(littleEndian: UInt64(0))
        output.append(littleEndian: starts[0])
        output.append(littleEndian: firstOrdinal)
        output.append(littleEndian: UInt32(storedDigests?.count ?? digests.count))
        output.append(littleEndian: UInt32(digests.count))
        output.append(littleEndian: UInt32(bodySize))
        output.append(littleEndian: UInt16(count))
        output.append(flags)
        output.append(UInt8(kinds.count - 1))
        output += storedBody
        output += storedDigests ?? digests
        output.writeChecksum(at: start)
        statistics.pages += 1
        statistics.bytes += output.count - start
        reset()
        return output.count - start
    }

    private mutating func reset() {
        count = 0
        kinds.removeAll(keepingCapacity: true)
        lastKind = 0
        digests.removeAll(keepingCapacity: true)
        for index in seen.indices { seen[index] = 0 }
        collisions = 0
    }

    // MARK: Columns

    private mutating func appendKindColumn(isPlain: Bool) {
        guard kinds.count > 1 else {
            body.append(IndexPage.KindTag.constant)
            return
        }
        var counts = [Int](repeating: 0, count: kinds.count)
        for index in kindIndices[..<count] { counts[Int(index)] += 1 }
        let mode = counts.indices.max { counts[$0] < counts[$1] } ?? 0
        let exceptionsSize = 1 + (count + 7) / 8 + count - counts[mode]
        guard !isPlain, exceptionsSize < count else {
            body.append(IndexPage.KindTag.plain)
            body += kindIndices[..<count]
            return
        }
        body.append(IndexPage.KindTag.exceptions)
        body.append(UInt8(mode))
        for index in kindIndices[..<count] {
            bits.append(Int(index) == mode ? 0 : 1, width: 1)
        }
        bits.finish(to: &body)
        for index in kindIndices[..<count] where Int(index) != mode { body.append(index) }
    }

    private mutating func appendOffsetColumn(isPlain: Bool) {
        guard sizesKnown else { return appendStarts() }
        var largest: UInt64 = 0
        var span: UInt64 = 0
        var isConstant = true
        for index in 0..<count {
            largest = max(largest, sizes[index])
            span += sizes[index]
            isConstant = isConstant && sizes[index] == sizes[0]
        }
        if isConstant {
            body.append(IndexPage.OffsetTag.constant)
            body.appendVarint(sizes[0])
            return
        }
        let widthLog =
            largest < 1 << 8 ? 0 : largest < 1 << 16 ? 1 : largest < 1 << 32 ? 2 : 3
        let low = IndexPage.lowBits(span: span, count: count)
        let eliasFanoSize =
            5 + (low * count + 7) / 8 + (Int(span >> UInt64(low)) + count + 7) / 8
        if isPlain || low > ByteView.bitWidthMax || count << widthLog <= eliasFanoSize {
            body.append(IndexPage.OffsetTag.plain + UInt8(widthLog))
            for size in sizes[..<count] {
                for byte in 0..<1 << widthLog {
                    body.append(UInt8(truncatingIfNeeded: size >> UInt64(8 * byte)))
                }
            }
            return
        }
        var ends = sizes
        for index in 1..<count { ends[index] += ends[index - 1] }
        appendEliasFano(ends, span: span, low: low)
    }

    private mutating func appendStarts() {
        var relative = starts
        for index in 0..<count { relative[index] -= starts[0] }
        let span = relative[count - 1]
        let low = min(IndexPage.lowBits(span: span, count: count), ByteView.bitWidthMax)
        appendEliasFano(relative, span: span, low: low)
    }

    private mutating func appendEliasFano(_ values: [UInt64], span: UInt64, low: Int) {
        body.append(IndexPage.OffsetTag.eliasFano)
        body.appendVarint(span)
        let mask: UInt64 = (1 << UInt64(low)) &- 1
        for value in values[..<count] { bits.append(value & mask, width: low) }
        bits.finish(to: &body)
        let start = body.count
        body += repeatElement(0, count: (Int(span >> UInt64(low)) + count + 7) / 8)
        for index in 0..<count {
            let bit = Int(values[index] >> UInt64(low)) + index
            body[start + bit >> 3] |= 1 << UInt8(bit & 7)
        }
    }

    // MARK: zstd

    /// Below this size a frame's own header outweighs its gain.
    private static let zstdBodySizeMin = 64
    /// After this number of losses in a row, only some pages try zstd, until it wins again.
    ///
    /// On independent sizes zstd never wins, and took 10 % of the time of indexing. The sections of one CAR may
    /// differ.
    private static let lossesMax = 16
    private static let pagesPassedOver = 31

    private mutating func compressedBody(_ kindTableSize: Int) -> [UInt8]? {
        guard policy != .direct, sizesKnown else { return nil }
        guard policy == .zstd || body.count >= Self.zstdBodySizeMin else { return nil }
        guard policy == .zstd || pagesLeftOut == 0 else {
            pagesLeftOut -= 1
            return nil
        }
        let direct = body
        body.removeSubrange(kindTableSize...)
        appendKindColumn(isPlain: true)
        appendOffsetColumn(isPlain: true)
        plainBody = body
        body = direct
        let zstd = plainBody.withView { Zstd.compress($0) }
        if policy == .zstd || zstd.count < direct.count {
            lossesInRow = 0
            return zstd
        }
        lossesInRow += 1
        if lossesInRow >= Self.lossesMax { pagesLeftOut = Self.pagesPassedOver }
        return nil
    }

    /// Tries zstd on digests that may repeat or that are data.
    ///
    /// The digests of cryptographic hash functions do not compress.
    ///
    /// Of 256 uniform hashes in 1,024 places, 29 collide on average, and 64 with a probability under 1e-8.
    private func compressedDigests() -> [UInt8]? {
        guard policy != .direct, !digests.isEmpty else { return nil }
        let isPromising = collisions >= 64 || kinds.contains { $0.hashCode == 0 }
        guard policy == .zstd || isPromising else { return nil }
        let zstd = digests.withView { Zstd.compress($0) }
        return policy == .zstd || zstd.count < digests.count ? zstd : nil
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Writes the xxh64 of all bytes after the eight at `start` into those eight.
    mutating func writeChecksum(at start: Int) {
        let checksum = withView { Checksum.xxh64($0[start + 8..<$0.count]) }
        for index in 0..<8 {
            self[start + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
        }
    }
}
