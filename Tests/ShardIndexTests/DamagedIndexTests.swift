import DAGBytes
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Damaged pages, roots and segments")
struct DamagedIndexTests {
    /// Pages of every encoding, small enough to be damaged in every place.
    static let pages: [[UInt8]] = {
        var generator = SplitMix64(seed: 1)
        var pages: [[UInt8]] = []
        for policy in PagePolicy.allCases {
            for shape in [SizeShape.constant, .random, .nearlyConstant, .steep] {
                for knowsSizes in [true, false] {
                    let sections = PageSections(
                        count: pages.count + 1,
                        shape: shape,
                        kinds: [.identity(4), .identity(1), .versionZero],
                        knowsSizes: knowsSizes,
                        using: &generator
                    )
                    pages.append(sections.encoded(policy))
                }
            }
        }
        return pages
    }()

    /// A root page with two pages, a segment and two roots.
    static func root(_ policy: PagePolicy) throws -> [UInt8] {
        let roots = try [CID(bytes: [1, 0x55, 0, 2, 7, 8]), CID(bytes: [1, 0x71, 0, 0])]
        let sections = BuilderSections.random(
            count: 300,
            digests: 300,
            kinds: [.common],
            roots: roots,
            seed: 2
        )
        return try sections.built(policy: policy).root.encoded(policy: policy)
    }

    @Test("every flipped bit of a page is found", arguments: [0, 3, 9, 14, 18, 23])
    func flippedPage(number: Int) throws {
        let page = Self.pages[number]
        for bit in 0..<page.count * 8 {
            var bytes = page
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ShardIndexError(.malformed, ""), "bit \(bit)") {
                try DecodedPage.reading(bytes)
            }
        }
    }

    @Test("every truncated or extended page is refused", arguments: [0, 3, 9, 14, 18, 23])
    func truncatedPage(number: Int) throws {
        let page = Self.pages[number]
        for size in 0..<page.count {
            let bytes = Array(page.prefix(size))
            #expect(throws: ShardIndexError(.malformed, ""), "\(size) bytes") {
                try DecodedPage.reading(bytes)
            }
            // With a checksum that holds, the sizes in the header give it away.
            #expect(throws: ShardIndexError(.malformed, ""), "\(size) bytes") {
                try DecodedPage.reading(bytes.withChecksum())
            }
        }
        #expect(throws: ShardIndexError(.malformed, "")) {
            try DecodedPage.reading((page + [0]).withChecksum())
        }
    }

    @Test("every flipped bit of a root page is found", arguments: PagePolicy.allCases)
    func flippedRoot(policy: PagePolicy) throws {
        let root = try Self.root(policy)
        for bit in 0..<root.count * 8 {
            var bytes = root
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ShardIndexError(.malformed, ""), "bit \(bit)") {
                try IndexRoot.reading(bytes)
            }
        }
    }

    @Test("every truncated or extended root page is refused", arguments: PagePolicy.allCases)
    func truncatedRoot(policy: PagePolicy) throws {
        let root = try Self.root(policy)
        for size in 0..<root.count {
            let bytes = Array(root.prefix(size))
            #expect(throws: ShardIndexError(.malformed, ""), "\(size) bytes") {
                try IndexRoot.reading(bytes)
            }
            #expect(throws: ShardIndexError(.malformed, ""), "\(size) bytes") {
                try IndexRoot.reading(bytes.withChecksum())
            }
        }
        #expect(throws: ShardIndexError(.malformed, "")) {
            try IndexRoot.reading((root + [0]).withChecksum())
        }
    }

    @Test("the error of a damaged page names no more than its code in a comparison")
    func errors() {
        #expect(ShardIndexError(.malformed, "one") == ShardIndexError(.malformed, "other"))
        #expect(ShardIndexError(.malformed, "") != ShardIndexError(.storage, ""))
    }

    // A checksum does not stop an attacker who can write the catalog.
    @Test("a damaged page with a good checksum never traps", arguments: 0..<4 as Range<UInt64>)
    func mutatedPages(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var decoded = 0
        for round in 0..<15_000 {
            let page = Self.pages[round % Self.pages.count]
            let bytes = page.damaged(using: &generator).withChecksum()
            let result = Result { () throws(ShardIndexError) in try DecodedPage.reading(bytes) }
            guard case .success(let page) = result else {
                #expect(throws: ShardIndexError(.malformed, ""), "seed \(seed), round \(round)") {
                    try result.get()
                }
                continue
            }
            decoded += 1
            Self.touch(page)
        }
        #expect(decoded > 100, "seed \(seed): the damage is too heavy to reach much")
    }

    /// Asks a page for all it has.
    private static func touch(_ page: DecodedPage) {
        for slot in 0..<page.count {
            let entry = page.entry(slot)
            _ = (entry.cid, entry.multihash, entry.dataSize, page.slot(at: entry.offset))
            _ = entry.digest.withView {
                page.firstSlot(hashCode: entry.kind.hashCode ?? 1, digest: $0)
            }
        }
    }

    @Test("a damaged root page with a good checksum never traps", arguments: PagePolicy.allCases)
    func mutatedRoots(policy: PagePolicy) throws {
        let seed: UInt64 = 11
        var generator = SplitMix64(seed: seed)
        let root = try Self.root(policy)
        for round in 0..<8000 {
            let bytes = root.damaged(using: &generator).withChecksum()
            let result = Result { () throws(ShardIndexError) in try IndexRoot.reading(bytes) }
            guard case .success(let root) = result else {
                let isNewer = bytes.count >= 16 && bytes[12] > 1
                let expected = ShardIndexError(isNewer ? .unsupportedVersion : .malformed, "")
                #expect(throws: expected, "seed \(seed), round \(round)") { try result.get() }
                continue
            }
            _ = (root.indexSize, root.valueCount, root.isFreeOfDuplicates)
            _ = (root.page(ofOrdinal: root.sectionCount / 2), root.page(ofOffset: 1000))
        }
    }

    @Test("a damaged segment is searched without a trap", arguments: 0..<2 as Range<UInt64>)
    func mutatedSegments(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let sections = BuilderSections.random(
            count: 300,
            digests: 300,
            kinds: [.common],
            seed: seed
        )
        let segment = try sections.built(policy: .direct).sink.segments[0]
        var searched = 0
        for _ in 0..<10_000 {
            let bytes = segment.damaged(using: &generator)
            bytes.withView { view in
                guard let segment = try? LocatorSegment(reading: view) else { return }
                searched += 1
                let hash = generator.next()
                _ = segment.candidates(position: hash)
                _ = segment.candidates(position: .max)
                _ = segment.candidates(position: 0)
                _ = try? segment.check()
            }
        }
        #expect(searched > 1000, "seed \(seed)")
    }

    @Test("the check of a segment finds every flipped bit, its reading every truncation")
    func flippedSegment() throws {
        let sections = BuilderSections.random(count: 300, digests: 40, kinds: [.common], seed: 5)
        let segment = try sections.built(policy: .direct).sink.segments[0]
        try segment.withView { view in try LocatorSegment(reading: view).check() }
        for bit in 0..<segment.count * 8 {
            var bytes = segment
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ShardIndexError(.malformed, ""), "bit \(bit)") {
                try bytes.withView { view in try LocatorSegment(reading: view).check() }
            }
        }
        for size in 0..<segment.count {
            #expect(throws: ShardIndexError(.malformed, ""), "\(size) bytes") {
                try segment.withView { view in try LocatorSegment(reading: view[0..<size]) }
            }
        }
    }
}
