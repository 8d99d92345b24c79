import DAGBytes
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Page views")
struct PageViewTests {
    @Test(
        "a view returns the same as the decoded page, in all encodings",
        arguments: ViewedSizes.allCases,
        ViewedKinds.allCases
    )
    func encodings(sizes: ViewedSizes, kinds: ViewedKinds) throws {
        let seed = UInt64(sizes.rawValue * 100 + kinds.rawValue)
        var generator = SplitMix64(seed: seed)
        for count in [1, 2, 3, 7, 8, 9, 63, 64, 65, 200, 255, 256] {
            for knowsSizes in [true, false] {
                let sections = ViewedPage.sections(
                    count: min(count, sizes.countMax),
                    sizes: sizes,
                    kinds: kinds,
                    knowsSizes: knowsSizes,
                    using: &generator
                )
                let bytes = sections.encoded(.direct)
                let differences = try ViewedPage.differences(in: bytes, using: &generator)
                #expect(differences == [], "seed \(seed), \(count) sections, \(knowsSizes)")
            }
        }
    }

    @Test("the sizes of these tests reach every encoding of offsets")
    func offsetTags() {
        var generator = SplitMix64(seed: 1)
        let tags = ViewedSizes.allCases.map { sizes in
            let sections = ViewedPage.sections(
                count: min(200, sizes.countMax),
                sizes: sizes,
                kinds: .one,
                using: &generator
            )
            // The header has 40 bytes, the only kind four and the kind column one.
            return sections.encoded(.direct)[45]
        }
        #expect(Set(tags) == [0, 1, 2, 3, 4, 5])
    }

    @Test("a view answers as the decoded page for pages of any shape", arguments: 0..<8)
    func randomPages(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for round in 0..<40 {
            let shape = try #require(SizeShape.allCases.randomElement(using: &generator))
            let kindCount = Int.random(in: 1...40, using: &generator)
            let sections = PageSections(
                count: Int.random(in: 1...256, using: &generator),
                shape: shape,
                kinds: EntryKind.many(kindCount),
                base: .random(in: 0..<1 << 45, using: &generator),
                firstOrdinal: .random(in: 0..<1 << 45, using: &generator),
                knowsSizes: Bool.random(using: &generator),
                using: &generator
            )
            let policy = PagePolicy.allCases[round % PagePolicy.allCases.count]
            let bytes = sections.encoded(policy)
            let differences = try ViewedPage.differences(in: bytes, using: &generator)
            #expect(differences == [], "seed \(seed), round \(round), \(policy)")
        }
    }

    @Test("a page with parts in zstd is checked, but has no view")
    func compressed() throws {
        var generator = SplitMix64(seed: 2)
        let sections = PageSections(
            count: 256,
            shape: .lognormal,
            kinds: [.common],
            using: &generator
        )
        let bytes = sections.encoded(.zstd)
        try bytes.withView { page in
            try PageView.check(page)
            #expect(PageView(trusting: page) == nil)
        }
    }

    @Test("the first of two sections with one digest is found")
    func repeatedDigests() throws {
        var generator = SplitMix64(seed: 3)
        for kinds in [[EntryKind.common], [.common, .identity(7), .identity(0)]] {
            var sections = PageSections(
                count: 100,
                shape: .random,
                kinds: kinds,
                using: &generator
            )
            sections.entries[90].kind = .common
            sections.entries[20].kind = .common
            sections.entries[20].digest = generator.bytes(32)
            sections.entries[90].digest = sections.entries[20].digest
            // It shares the first eight bytes only.
            sections.entries[10].kind = .common
            let head = sections.entries[20].digest.prefix(8)
            sections.entries[10].digest = head + generator.bytes(24)
            sections.encoded(.direct).withView { page in
                let view = PageView(trusting: page)
                let found = sections.entries[90].digest.withView {
                    view?.firstSlot(hashCode: HashCode.sha2_256, digest: $0)
                }
                #expect(found == 20)
            }
        }
    }

    // A caller may have skipped the check by mistake, or the page changed after it.
    @Test(
        "a page with a damaged byte never traps, and answers as a decoded page if the check holds",
        arguments: ViewedSizes.allCases
    )
    func damagedBytes(sizes: ViewedSizes) throws {
        var generator = SplitMix64(seed: 4)
        for kinds in ViewedKinds.allCases {
            for knowsSizes in [true, false] {
                let sections = ViewedPage.sections(
                    count: min(9, sizes.countMax),
                    sizes: sizes,
                    kinds: kinds,
                    knowsSizes: knowsSizes,
                    using: &generator
                )
                let page = sections.encoded(.direct)
                for place in 0..<min(page.count, 150) {
                    for mask in [0x01, 0x80, 0xff, UInt8.random(in: 1...255, using: &generator)] {
                        var bytes = page
                        bytes[place] ^= mask
                        #expect(throws: ShardIndexError(.malformed, "")) {
                            try bytes.withView { view in try PageView.check(view) }
                        }
                        let differences = try ViewedPage.differences(
                            in: bytes.withChecksum(),
                            using: &generator
                        )
                        #expect(differences == [], "byte \(place) ^ \(mask), \(kinds)")
                    }
                }
            }
        }
    }

    @Test("a page that is cut short never traps", arguments: ViewedSizes.allCases)
    func cutPages(sizes: ViewedSizes) throws {
        var generator = SplitMix64(seed: 5)
        for kinds in ViewedKinds.allCases {
            let sections = ViewedPage.sections(
                count: min(20, sizes.countMax),
                sizes: sizes,
                kinds: kinds,
                using: &generator
            )
            let page = sections.encoded(.direct)
            for size in 0..<page.count {
                let bytes = Array(page.prefix(size))
                for bytes in [bytes, bytes.withChecksum()] {
                    #expect(throws: ShardIndexError(.malformed, "")) {
                        try bytes.withView { view in try PageView.check(view) }
                    }
                    let differences = try ViewedPage.differences(in: bytes, using: &generator)
                    #expect(differences == [], "\(size) bytes, \(kinds)")
                }
            }
        }
    }

    @Test("a heavily damaged page never traps", arguments: 0..<4 as Range<UInt64>)
    func heavilyDamaged(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for round in 0..<4000 {
            let pages = DamagedIndexTests.pages
            let bytes = pages[round % pages.count].damaged(using: &generator).withChecksum()
            let differences = try ViewedPage.differences(in: bytes, using: &generator)
            #expect(differences == [], "seed \(seed), round \(round)")
        }
    }
}

/// Sizes of sections, one set for each encoding of the offset column.
enum ViewedSizes: Int, CaseIterable {
    case constant, eliasFano, eliasFanoSteep, eliasFanoEmpty, plain1, plain2, plain4, plain8

    /// The most sections of such sizes that stay below 2^62.
    var countMax: Int { self == .plain8 ? 3 : 256 }

    func next(_ generator: inout SplitMix64) -> UInt64 {
        switch self {
        case .constant: 262_191
        case .eliasFano: .random(in: 1...2 << 20, using: &generator)
        case .eliasFanoSteep: SizeShape.steep.next(&generator)
        case .eliasFanoEmpty: .random(in: 1...2, using: &generator)
        case .plain1: .random(in: 100...255, using: &generator)
        case .plain2: .random(in: 30_000...65_535, using: &generator)
        case .plain4: .random(in: 1 << 31..<1 << 32, using: &generator)
        case .plain8: .random(in: 1 << 59..<1 << 60, using: &generator)
        }
    }
}

/// Kinds of sections, one set for each encoding of the kind column.
enum ViewedKinds: Int, CaseIterable {
    case one, exceptions, mixedExceptions, plain, mixedPlain, identity, empty, unknown

    func next(_ generator: inout SplitMix64) -> EntryKind {
        let isMode = Int.random(in: 0..<12, using: &generator) > 0
        let number = Int.random(in: 0..<5, using: &generator)
        return switch self {
        case .one: .common
        case .exceptions: isMode ? .common : .versionZero
        case .mixedExceptions: isMode ? .common : .identity(number * 3)
        case .plain: number < 2 ? .common : .versionZero
        case .mixedPlain: EntryKind.many(12)[number + (isMode ? 7 : 0)]
        case .identity: .identity(4)
        case .empty: .identity(0)
        case .unknown: EntryKind(version: 1, codec: nil, hashCode: nil, digestSize: 32)
        }
    }
}

/// Comparisons of views with decoded pages.
enum ViewedPage {
    /// Random sections of such sizes and kinds.
    static func sections(
        count: Int,
        sizes: ViewedSizes,
        kinds: ViewedKinds,
        knowsSizes: Bool = true,
        using generator: inout SplitMix64
    ) -> PageSections {
        let firstOrdinal = UInt64.random(in: 0..<1 << 40, using: &generator)
        var offset = UInt64.random(in: 0..<1 << 40, using: &generator)
        let entries = (0..<count).map { index in
            let size = sizes.next(&generator)
            let kind = kinds.next(&generator)
            defer { offset += size }
            return KnownSection(
                ordinal: firstOrdinal + UInt64(index),
                offset: offset,
                sectionSize: knowsSizes ? size : nil,
                kind: kind,
                digest: generator.bytes(kind.digestSize)
            )
        }
        return PageSections(entries: entries)
    }

    /// Everything in which a view, its check and the decoded page do not agree.
    ///
    /// A view of a page that cannot be decoded may return anything, so the test calls all its methods.
    static func differences(
        in bytes: [UInt8],
        using generator: inout SplitMix64
    ) throws -> [String] {
        let decoded = try? DecodedPage.reading(bytes)
        return bytes.withView { page in
            let isChecked = (try? PageView.check(page)) != nil
            guard isChecked == (decoded != nil) else { return ["check: \(isChecked)"] }
            guard let decoded else {
                if let view = PageView(trusting: page) { touch(view, using: &generator) }
                return []
            }
            guard let view = PageView(trusting: page) else {
                return decoded.wasCompressed ? [] : ["no view"]
            }
            guard !decoded.wasCompressed else { return ["a view of a compressed page"] }
            return differences(view, decoded, using: &generator)
        }
    }

    private static func touch(_ view: PageView, using generator: inout SplitMix64) {
        let digest = generator.bytes(Int.random(in: 0...64, using: &generator))
        digest.withView { digest in
            for slot in 0..<view.count {
                let offset = view.offset(of: slot)
                for delta in [0, 1, .max] as [UInt64] { _ = view.slot(at: offset &+ delta) }
                let kind = view.kind(of: slot)
                _ = view.sectionSize(of: slot)
                _ = view.matches(slot, hashCode: kind.hashCode ?? 0, digest: digest)
                let same = [UInt8](repeating: 0, count: kind.digestSize)
                same.withView { same in
                    _ = view.matches(slot, hashCode: kind.hashCode ?? 0, digest: same)
                    guard slot < 3 else { return }
                    _ = view.firstSlot(hashCode: kind.hashCode ?? 0, digest: same)
                }
            }
            _ = view.firstSlot(hashCode: HashCode.sha2_256, digest: digest)
            for _ in 0..<20 {
                let width = UInt64.random(in: 0...63, using: &generator)
                _ = view.slot(at: generator.next() >> width)
            }
        }
    }

    private static func differences(
        _ view: PageView,
        _ page: DecodedPage,
        using generator: inout SplitMix64
    ) -> [String] {
        var found: [String] = []
        if view.count != page.count { found.append("count") }
        if view.firstOrdinal != page.firstOrdinal { found.append("firstOrdinal") }
        if view.sizesKnown != page.sizesKnown { found.append("sizesKnown") }
        let stride = page.count > 20 ? 7 : 1
        for slot in 0..<page.count {
            if view.kind(of: slot) != page.kind(of: slot) { found.append("kind \(slot)") }
            if view.offset(of: slot) != page.offset(of: slot) { found.append("offset \(slot)") }
            if view.sectionSize(of: slot) != page.sectionSize(of: slot) {
                found.append("size \(slot)")
            }
            let start = page.offset(of: slot)
            let size = page.sectionSize(of: slot) ?? 100
            let between = start &+ .random(in: 0...max(size, 1), using: &generator)
            for offset in [start, start &- 1, start &+ 1, start &+ size, between]
            where view.slot(at: offset) != page.slot(at: offset) {
                found.append("slot at \(offset)")
            }
            found += digestDifferences(view, page, slot, searches: slot % stride == 0)
        }
        for offset in [0, .max, 1 << 62, generator.next()] as [UInt64]
        where view.slot(at: offset) != page.slot(at: offset) {
            found.append("slot at \(offset)")
        }
        return found
    }

    /// Compares the digests of section `slot`, similar digests, and those of its neighbor.
    private static func digestDifferences(
        _ view: PageView,
        _ page: DecodedPage,
        _ slot: Int,
        searches: Bool
    ) -> [String] {
        let entry = page.entry(slot)
        var other = entry.digest
        if !other.isEmpty { other[other.count - 1] ^= 1 }
        let neighbor = page.entry((slot + 1) % page.count).digest
        let digests = [entry.digest, other, neighbor, entry.digest + [0], entry.digest.dropLast()]
        let hashCodes = [entry.kind.hashCode ?? HashCode.sha2_256, HashCode.identity]
        var found: [String] = []
        for digest in digests {
            for code in hashCodes {
                digest.withView { digest in
                    if view.matches(slot, hashCode: code, digest: digest)
                        != page.matches(slot, hashCode: code, digest: digest)
                    {
                        found.append("match \(slot)")
                    }
                    guard searches else { return }
                    let first = page.firstSlot(hashCode: code, digest: digest)
                    if view.firstSlot(hashCode: code, digest: digest) != first {
                        found.append("search \(slot)")
                    }
                }
            }
        }
        return found
    }
}
