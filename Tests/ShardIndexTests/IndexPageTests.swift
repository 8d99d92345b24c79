import DAGBytes
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Index pages")
struct IndexPageTests {
    private static let counts = [1, 2, 3, 7, 8, 9, 255, 256]

    @Test(
        "a decoded page has the sections that were encoded",
        arguments: PagePolicy.allCases,
        SizeShape.allCases
    )
    func roundTrip(policy: PagePolicy, shape: SizeShape) throws {
        let seed: UInt64 = 1
        var generator = SplitMix64(seed: seed)
        let kindSets = [
            [EntryKind.common], [.common, .versionZero, .identity(5)], EntryKind.many(5),
        ]
        for count in Self.counts {
            for kinds in kindSets {
                for base in [0, 59, 1 << 32 - 3, 1 << 45 - 1] as [UInt64] {
                    let sections = PageSections(
                        count: count,
                        shape: shape,
                        kinds: kinds,
                        base: base,
                        firstOrdinal: base >> 1,
                        using: &generator
                    )
                    let page = try DecodedPage.reading(sections.encoded(policy))
                    #expect(
                        page.sections == sections,
                        "seed \(seed), \(count) sections of \(kinds.count) kinds at \(base)"
                    )
                }
            }
        }
    }

    @Test("a page keeps starts and gaps where sizes are unknown", arguments: PagePolicy.allCases)
    func unknownSizes(policy: PagePolicy) throws {
        let seed: UInt64 = 2
        var generator = SplitMix64(seed: seed)
        for shape in SizeShape.allCases {
            for count in Self.counts {
                let sections = PageSections(
                    count: count,
                    shape: shape,
                    kinds: EntryKind.many(3),
                    base: 1 << 40,
                    knowsSizes: false,
                    using: &generator
                )
                let page = try DecodedPage.reading(sections.encoded(policy))
                #expect(!page.sizesKnown)
                #expect(page.sections == sections, "seed \(seed), \(count) sections, \(shape)")
            }
        }
    }

    @Test(
        "a page has as many kinds as sections",
        arguments: PagePolicy.allCases,
        [2, 17, 255, 256]
    )
    func kinds(policy: PagePolicy, count: Int) throws {
        var generator = SplitMix64(seed: 3)
        let sections = PageSections(
            count: 256,
            shape: .constant,
            kinds: EntryKind.many(count),
            using: &generator
        )
        #expect(try DecodedPage.reading(sections.encoded(policy)).sections == sections)
    }

    // Few exceptions are a bitmap and a list, many are a plain column: the sizes are where it changes.
    @Test("a page keeps any number of exceptions", arguments: PagePolicy.allCases)
    func exceptions(policy: PagePolicy) throws {
        var generator = SplitMix64(seed: 4)
        for exceptions in [0, 1, 2, 3, 30, 31, 32, 33, 100, 127, 128, 222, 223, 224, 255, 256] {
            var sections = PageSections(
                count: 256,
                shape: .constant,
                kinds: [.common],
                using: &generator
            )
            for slot in (0..<256).shuffled(using: &generator).prefix(exceptions) {
                sections.entries[slot].kind = .versionZero
            }
            let page = try DecodedPage.reading(sections.encoded(policy))
            #expect(page.sections == sections, "\(exceptions) exceptions")
        }
    }

    @Test(
        "an identity digest of any size is kept",
        arguments: PagePolicy.allCases,
        [0, 1, 31, 127, 128, 4096, 64 << 10, (64 << 10) + 1, 2 << 20]
    )
    func identity(policy: PagePolicy, size: Int) throws {
        var generator = SplitMix64(seed: 5)
        let sections = PageSections(
            count: 2,
            shape: .random,
            kinds: [.identity(size), .common],
            using: &generator
        )
        #expect(try DecodedPage.reading(sections.encoded(policy)).sections == sections)
    }

    @Test("a page is full at 256 sections or when its digests are large")
    func fullPages() {
        #expect(Self.sectionsUntilFull(digestSize: 32) == 256)
        #expect(Self.sectionsUntilFull(digestSize: 0) == 256)
        #expect(Self.sectionsUntilFull(digestSize: 64 << 10) == 2)
        #expect(Self.sectionsUntilFull(digestSize: (64 << 10) - 1) == 3)
        #expect(Self.sectionsUntilFull(digestSize: 8 << 20) == 1)
    }

    private static func sectionsUntilFull(digestSize: Int) -> Int {
        var encoder = PageEncoder(policy: .direct)
        let digest = [UInt8](repeating: 7, count: digestSize)
        while !encoder.isFull {
            digest.withView { digest in
                encoder.append(
                    ordinal: UInt64(encoder.count),
                    offset: UInt64(encoder.count),
                    size: 1,
                    kind: .identity(digestSize),
                    isSameKind: false,
                    digest: digest,
                    hash: 0
                )
            }
        }
        return encoder.count
    }

    // Elias-Fano splits each value at floor(log2(span / count)): spans about every power of two, and
    // values at both ends of the high part.
    @Test("Elias-Fano keeps values at its edges", arguments: [2, 3, 64, 256])
    func eliasFanoEdges(count: Int) throws {
        for power in 0..<46 {
            for delta in [-1, 0, 1] {
                let span = UInt64(max(count, count << power + delta))
                try Self.checkEliasFano(count: count, span: span, isSteepAtEnd: false)
                try Self.checkEliasFano(count: count, span: span, isSteepAtEnd: true)
            }
        }
    }

    private static func checkEliasFano(count: Int, span: UInt64, isSteepAtEnd: Bool) throws {
        guard span < 1 << 53 else { return }
        let large = span - UInt64(count) + 1
        for knowsSizes in [true, false] {
            var offset: UInt64 = 1 << 40
            let entries = (0..<count).map { index in
                let size = index == (isSteepAtEnd ? count - 1 : 0) ? large : 1
                defer { offset += size }
                return KnownSection(
                    ordinal: UInt64(index),
                    offset: offset,
                    sectionSize: knowsSizes ? size : nil,
                    kind: .identity(0),
                    digest: []
                )
            }
            let sections = PageSections(entries: entries)
            let page = try DecodedPage.reading(sections.encoded(.direct))
            #expect(page.sections == sections, "\(count) sections over \(span) bytes")
        }
    }

    @Test("a page finds sections by offset and by multihash", arguments: PagePolicy.allCases)
    func search(policy: PagePolicy) throws {
        let seed: UInt64 = 6
        var generator = SplitMix64(seed: seed)
        let kinds: [EntryKind] = [.common, .identity(3), .identity(0), .versionZero, .identity(8)]
        var sections = PageSections(count: 200, shape: .random, kinds: kinds, using: &generator)
        sections.entries[150].kind = sections.entries[20].kind
        sections.entries[150].digest = sections.entries[20].digest
        let page = try DecodedPage.reading(sections.encoded(policy))
        for (slot, entry) in sections.entries.enumerated() {
            let first = sections.entries.firstIndex { $0.multihash == entry.multihash }
            let found = entry.digest.withView {
                page.firstSlot(hashCode: entry.kind.hashCode ?? 0, digest: $0)
            }
            #expect(found == first, "seed \(seed), slot \(slot)")
            #expect(page.slot(at: entry.offset) == slot)
            #expect(page.slot(at: entry.offset + 1) == (entry.sectionSize == 1 ? slot + 1 : nil))
            let other = entry.digest.withView { page.firstSlot(hashCode: 0x99, digest: $0) }
            #expect(other == nil)
        }
        let again = sections.entries[20].digest.withView {
            page.firstSlot(hashCode: HashCode.sha2_256, digest: $0, from: 21)
        }
        #expect(again == 150)
        #expect(page.slot(at: 0) == nil)
    }

    @Test("a section of an unknown hash function matches any")
    func unknownHashFunction() throws {
        var kind = EntryKind.common
        kind.hashCode = nil
        let digest = [UInt8](repeating: 9, count: 32)
        let entry = KnownSection(
            ordinal: 0,
            offset: 59,
            sectionSize: nil,
            kind: kind,
            digest: digest
        )
        let page = try DecodedPage.reading(PageSections(entries: [entry]).encoded(.smallest))
        digest.withView { digest in
            #expect(page.matches(0, hashCode: HashCode.sha2_256, digest: digest))
            #expect(page.matches(0, hashCode: HashCode.blake2b_256, digest: digest))
            #expect(!page.matches(0, hashCode: HashCode.sha2_256, digest: digest[0..<31]))
        }
        #expect(page.entry(0).multihash == nil)
        #expect(page.entry(0).cid == nil)
    }

    @Test("a policy decides when pages are zstd")
    func policies() throws {
        var generator = SplitMix64(seed: 7)
        // Sizes that repeat in a pattern: Elias-Fano pays for each of them, zstd for one.
        var sections = PageSections(count: 256, shape: .random, kinds: [.common], using: &generator)
        var offset: UInt64 = 59
        for slot in 0..<256 {
            let size: UInt64 = [100_003, 17, 5_000][slot % 3]
            sections.entries[slot].sectionSize = size
            sections.entries[slot].offset = offset
            offset += size
        }
        let sizes = try PagePolicy.allCases.map { policy in
            let bytes = sections.encoded(policy)
            let page = try DecodedPage.reading(bytes)
            #expect(page.wasCompressed == (policy != .direct))
            #expect(page.sections == sections)
            return bytes.count
        }
        #expect(sizes[0] < sizes[2])
        #expect(sizes[0] <= sizes[1])
    }

    @Test("digests that repeat are compressed, digests of hash functions are not")
    func digestColumn() throws {
        var generator = SplitMix64(seed: 8)
        var sections = PageSections(
            count: 256,
            shape: .constant,
            kinds: [.common],
            using: &generator
        )
        #expect(try !DecodedPage.reading(sections.encoded(.smallest)).wasCompressed)
        for slot in 4..<256 { sections.entries[slot].digest = sections.entries[slot % 4].digest }
        let bytes = sections.encoded(.smallest)
        #expect(bytes.count < 1024)
        #expect(try DecodedPage.reading(bytes).sections == sections)
    }
}
