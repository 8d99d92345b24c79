import DAGBytes
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

/// The bytes of every format, so that a test finds each change.
///
/// Whoever has to change them changes the format: a store that was written before must still be read.
@Suite("Golden bytes")
struct GoldenTests {
    /// Sections of three kinds, whose digests count up.
    private static func sections(_ sizes: [UInt64], kinds: [EntryKind]) -> PageSections {
        var offset: UInt64 = 0x1234
        var next: UInt8 = 0xa0
        return PageSections(
            entries: sizes.enumerated().map { index, size in
                let kind = kinds[index % kinds.count]
                let digest = (0..<kind.digestSize).map { _ -> UInt8 in
                    next &+= 1
                    return next
                }
                defer { offset += size }
                return KnownSection(
                    ordinal: 0x500 + UInt64(index),
                    offset: offset,
                    sectionSize: size,
                    kind: kind,
                    digest: digest
                )
            }
        )
    }

    private static let short = EntryKind(version: 1, codec: 0x71, hashCode: 0xb220, digestSize: 4)

    @Test("a page of one kind and one size")
    func constantPage() throws {
        let sections = Self.sections([300, 300, 300], kinds: [Self.short])
        let words = [
            // Checksum, base offset, first ordinal.
            "1e8d24be41e1f13b", "3412000000000000", "0005000000000000",
            // Digests stored and decoded, body, count, flags, kinds - 1.
            "0c000000", "0c000000", "0a000000", "0300", "00", "00",
            // One kind, without bytes for each section, and one size.
            "0171a0e40204", "00", "00ac02",
            "a1a2a3a4a5a6a7a8a9aaabac",
        ]
        #expect(sections.encoded(.direct).hexadecimal == words.joined())
    }

    @Test("a page with an exception and Elias-Fano offsets")
    func mixedPage() throws {
        var sections = Self.sections(
            [40, 300, 45, 70_000, 41, 42, 500, 40, 1000, 44, 43, 90_000],
            kinds: [Self.short]
        )
        sections.entries[7].kind = .identity(4)
        let words = [
            "c90e936a8cafab47", "3412000000000000", "0005000000000000",
            "30000000", "30000000", "2b000000", "0c00", "00", "01",
            // Two kinds; the mode is the first, and bit 7 is set: one exception, of the second.
            "0171a0e40204", "01550004", "01", "00", "8000", "01",
            // The span, 13 low bits each, the high parts in unary.
            "01", "aff209", "28802a048678a93189264e05ab48992e7fe6970c", "07f80740",
            "a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8",
            "b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0",
        ]
        #expect(sections.encoded(.direct).hexadecimal == words.joined())
    }

    @Test("a page of starts with gaps, and kinds that are not wholly known")
    func unknownPage() throws {
        var kind = Self.short
        kind.codec = nil
        var other = kind
        other.hashCode = nil
        var sections = Self.sections([40, 1000, 70_000, 5], kinds: [kind, other])
        for index in sections.entries.indices { sections.entries[index].sectionSize = nil }
        let words = [
            "74e2ce3801e3979d", "3412000000000000", "0005000000000000",
            "10000000", "10000000", "1b000000", "0400", "04", "01",
            "0300a0e40204", "07000004", "02", "00010001",
            "01", "80ab04", "00000a0041005687",
            "a1a2a3a4a5a6a7a8a9aaabacadaeafb0",
        ]
        #expect(sections.encoded(.direct).hexadecimal == words.joined())
    }

    /// 260 sections of three multihashes: two pages, and a locator of three entries.
    private static func built() throws -> BuilderSections.Built {
        let entries = (0..<260).map { ordinal in
            KnownSection(
                ordinal: UInt64(ordinal),
                offset: BuilderSections.headerSize + UInt64(ordinal) * 11,
                sectionSize: 11,
                kind: .identity(2),
                digest: [UInt8(ordinal % 3), 0x77]
            )
        }
        let roots = try [CID(bytes: [1, 0x55, 0, 2, 0, 0x77])]
        return try BuilderSections(entries: entries, roots: roots).built(policy: .direct)
    }

    @Test("a root page")
    func root() throws {
        let words = [
            // Checksum, size, version, flags.
            "eb53bb7418923fe0", "72000000", "01", "00", "0000",
            // Data offset, payload size, header size, sections, multihashes, identities, data end.
            "3300000000000000", "670b000000000000", "3b00000000000000", "0401000000000000",
            "0300000000000000", "0401000000000000", "670b000000000000",
            // Pages, segments, roots, offset bits.
            "02000000", "01000000", "01000000", "0c", "000000",
            // Base offsets, counts and sizes of the pages; the segment's size; the root.
            "3b00000000000000", "000b000000000000", "0001", "0400", "2f020000", "37000000",
            "49000000", "06000000", "015500020077",
        ]
        #expect(try Self.built().root.encoded(policy: .direct).hexadecimal == words.joined())
    }

    @Test("a locator segment")
    func segment() throws {
        let words = [
            // Checksum, buckets, entries, offset bits, fingerprint bits.
            "782d255961899fc2", "01000000", "03000000", "0c", "0c", "000000000000",
            // Where buckets start, tags, entries of 16 bits, zeros.
            "00000000", "03000000", "447ee1", "1205", "6c04", "b503",
            String(repeating: "00", count: 32),
        ]
        #expect(try Self.built().sink.segments.map(\.hexadecimal) == [words.joined()])
    }
}
