internal import DAGBytes
internal import DAGMultiformats
package import ShardIndex

extension FuzzCheck {
    static func checkPage(_ input: ByteView) throws(Contradiction) {
        let decoded = try? DecodedPage(reading: input)
        try checkPageView(input, decoded)
        guard let page = decoded else { return }
        try require((1...IndexPage.countMax).contains(page.count), "\(page.count) sections")
        try require(page.cost > 0, "a page that costs nothing")
        var last: UInt64 = 0
        for slot in 0..<page.count {
            let entry = page.entry(slot)
            try require(entry.offset >= last, "offsets fall at \(slot)")
            last = entry.offset
            try require(entry.offset == page.offset(of: slot), "two offsets of \(slot)")
            try require(entry.sectionSize == page.sectionSize(of: slot), "two sizes of \(slot)")
            try require((entry.sectionSize == nil) != page.sizesKnown, "whether sizes are known")
            try require(entry.kind == page.kind(of: slot), "two kinds of \(slot)")
            let cidSize = entry.cid?.bytes.count
            try require(cidSize == nil || cidSize == entry.kind.cidSize, "two sizes of a CID")
            if let dataSize = entry.dataSize, let sectionSize = entry.sectionSize {
                try require(dataSize < sectionSize, "more data than section")
            }
            let first = page.slot(at: entry.offset)
            try require(first.map { page.offset(of: $0) } == entry.offset, "\(slot) is lost")
            try entry.digest.withView { digest throws(Contradiction) in
                let hashCode = entry.kind.hashCode ?? HashCode.sha2_256
                try require(
                    page.matches(slot, hashCode: hashCode, digest: digest),
                    "\(slot) is not itself"
                )
                let found = page.firstSlot(hashCode: hashCode, digest: digest)
                try require(found.map { $0 <= slot } == true, "\(slot) is not found by digest")
                let rest = page.firstSlot(hashCode: hashCode, digest: digest, from: slot)
                try require(rest == slot, "\(slot) is not found from itself")
            }
        }
    }

    /// Compares the view of a page with the page decoded.
    ///
    /// A view of a page that cannot be decoded may answer anything, but it may not trap.
    private static func checkPageView(
        _ input: ByteView,
        _ page: DecodedPage?
    ) throws(Contradiction) {
        let isChecked = (try? PageView.check(input)) != nil
        try require(isChecked == (page != nil), "a check that decoding contradicts")
        guard let view = PageView(trusting: input) else {
            try require(page?.wasCompressed ?? true, "a page without a view")
            return
        }
        for slot in 0..<view.count {
            let offset = view.offset(of: slot)
            let size = view.sectionSize(of: slot)
            let kind = view.kind(of: slot)
            let found = view.slot(at: offset)
            let isMatch = view.matches(slot, hashCode: HashCode.sha2_256, digest: input)
            guard let page else { continue }
            try require(offset == page.offset(of: slot), "the view's offset of \(slot)")
            try require(size == page.sectionSize(of: slot), "the view's size of \(slot)")
            try require(kind == page.kind(of: slot), "the view's kind of \(slot)")
            try require(found == page.slot(at: offset), "the view's section at \(offset)")
            try require(!isMatch, "a digest as large as its page")
            try page.entry(slot).digest.withView { digest throws(Contradiction) in
                let hashCode = kind.hashCode ?? HashCode.sha2_256
                try require(
                    view.matches(slot, hashCode: hashCode, digest: digest),
                    "\(slot) is not itself in the view"
                )
                let first = page.firstSlot(hashCode: hashCode, digest: digest)
                try require(
                    view.firstSlot(hashCode: hashCode, digest: digest) == first,
                    "\(slot) is not found by digest in the view"
                )
            }
        }
    }

    static func checkRoot(_ input: ByteView) throws(Contradiction) {
        guard let root = try? IndexRoot(reading: input) else { return }
        var ordinal: UInt64 = 0
        var offset: UInt64 = 0
        for (number, page) in root.pages.enumerated() {
            try require(page.firstOrdinal == ordinal, "a page out of order")
            try require(page.baseOffset >= offset, "page \(number) begins before the one before it")
            offset = page.baseOffset
            let found = root.page(ofOrdinal: ordinal)
            try require(found == number, "section \(ordinal) is not on its page")
            ordinal += UInt64(page.count)
            let covering = root.page(ofOffset: offset)
            try require(covering.map { $0 >= number } == true, "no page covers \(offset)")
            try require(Int(page.value) < root.valueCount, "a page outside the values")
        }
        try require(ordinal == root.sectionCount, "\(ordinal) sections")
        try require(root.page(ofOrdinal: ordinal) == nil, "a page after the last")
        _ = root.indexSize
        for policy in PagePolicy.allCases {
            let again = try? root.encoded(policy: policy).withView { view throws(ShardIndexError) in
                try IndexRoot(reading: view)
            }
            try require(again == root, "a root page that does not survive \(policy)")
        }
    }

    static func checkSegment(_ input: ByteView) throws(Contradiction) {
        guard let segment = try? LocatorSegment(reading: input) else { return }
        var numbers = Numbers(for: input)
        let isSound = (try? segment.check()) != nil
        for round in 0..<32 {
            let position =
                switch round {
                case 0: UInt64.min
                case 1: UInt64.max
                default: numbers.next()
                }
            let found = segment.candidates(position: position)
            try require(found.count <= segment.entryCount, "more candidates than entries")
            guard isSound else { continue }
            let offsetMax: UInt64 = 1 << UInt64(LocatorSegment.offsetBitsMax)
            try require(found.allSatisfy { $0 < offsetMax }, "an offset too wide")
        }
    }

    /// One of sixteen shapes of a run.
    package static func runShape(_ selector: UInt8) -> InverseRunShape {
        let entries = [1, 20, 300, 5000][Int(selector & 3)] as UInt64
        let spread = [0, 1, 5, 1 << 20][Int(selector >> 2 & 3)] as UInt32
        return InverseRunShape(entries: entries, shards: 7...7 + spread)
    }

    static func checkInverse(
        _ input: ByteView,
        _ shape: InverseRunShape
    ) throws(Contradiction) {
        guard let segment = try? InverseSegment(reading: input, of: shape) else { return }
        var numbers = Numbers(for: input)
        _ = try? segment.check()
        // A list may have as many shards as there are bits, and every entry may lead to it.
        guard input.count < 2000 else { return }
        var hashes: [UInt64] = [0, 1 << 48 - 1]
        for _ in 0..<16 { hashes.append(numbers.next() >> 16) }
        segment.forEach(number: 0) { if hashes.count < 64 { hashes.append($0.hash) } }
        for hash in hashes {
            var count = 0
            segment.forEachShard(of: hash) { _ in count += 1 }
            try require(count <= input.count * 8 * input.count * 8, "more shards than bits")
        }
    }

    static func checkChunkDirectory(_ input: ByteView) throws(Contradiction) {
        var bytes = input.copied
        if bytes.count >= 64 {
            writeChecksum(of: 32..<56, at: 56, in: &bytes)
            writeChecksum(of: 8..<bytes.count, at: 0, in: &bytes)
        }
        guard let directory = try? ChunkDirectory(reading: bytes) else { return }
        let shape = directory.shape
        let chunks = directory.chunks
        try require(chunks.count <= ChunkDirectory.chunkCountMax, "\(chunks.count) chunks")
        try require(chunks.upperBound <= shape.segmentCount, "chunks after the last hash")
        try require(!chunks.isEmpty || shape.entryCount == 0, "entries without chunks")
        var end: UInt64 = 0
        for chunk in chunks.prefix(200) {
            let range = directory.byteRange(ofChunk: chunk)
            try require(range.lowerBound == end, "chunk \(chunk) begins elsewhere")
            end = range.upperBound
        }
        try require(end <= directory.totalSize, "chunks larger than the run")
        var numbers = Numbers(for: input)
        for _ in 0..<16 {
            let hash = numbers.next() >> 16
            let chunk = directory.chunk(of: hash)
            try require(chunk.map(chunks.contains) ?? true, "a chunk that the run lacks")
            let bits = numbers.next(below: ChunkDirectory.partitionBitsMax + 1)
            let partition = Int(hash >> UInt64(48 - bits))
            let those = directory.chunks(ofPartition: partition, bits: bits)
            try require(chunk.map(those.contains) ?? true, "a chunk outside its partition")
        }
        let again = try? ChunkDirectory(reading: directory.encoded)
        try require(again == directory, "a directory that does not survive encoding")
    }
}
