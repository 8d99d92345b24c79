import DAGBytes
import ShardIndex
import TestSupport
import Testing

@Suite("Locator segments")
struct LocatorSegmentTests {
    @Test("every entry is found, and a digest that is not there rarely gives a candidate")
    func search() throws {
        let seed: UInt64 = 1
        let sections = BuilderSections.random(
            count: 50_000,
            digests: .max,
            kinds: [.common],
            seed: seed
        )
        let built = try sections.built()
        var generator = SplitMix64(seed: seed + 1)
        try built.withLocator { candidates in
            let found = sections.entries.count { candidates($0.digest).contains($0.offset) }
            #expect(found == sections.entries.count, "seed \(seed)")
            // 16 to 17 entries are compared by 12 bits: 1 in 240.
            let useless = (0..<24_000).reduce(0) { sum, _ in
                sum + candidates(generator.bytes(32)).count
            }
            #expect(useless > 30, "seed \(seed)")
            #expect(useless < 200, "seed \(seed)")
        }
    }

    @Test("a locator of several segments sends each hash to its own")
    func segments() throws {
        let sections = BuilderSections.random(
            count: 240_000,
            digests: .max,
            kinds: [.identity(8)],
            sectionSize: 1 << 17...1 << 18,
            seed: 2
        )
        let built = try sections.built(policy: .direct)
        #expect(built.sink.segments.count == 2)
        for segment in built.sink.segments { #expect(segment.count <= IndexPage.valueSizeMax) }
        try built.withLocator { candidates in
            let found = sections.entries.count { candidates($0.digest).contains($0.offset) }
            #expect(found == sections.entries.count)
        }
    }

    @Test("an offset of 45 bits fits beside its fingerprint")
    func largeOffsets() throws {
        var sections = BuilderSections.random(
            count: 400,
            digests: .max,
            kinds: [.common],
            sectionSize: 1...1 << 35,
            seed: 3
        )
        sections.payloadSize = 1 << 45 - 1
        // The sections end in the highest place there is.
        let shift = sections.payloadSize - sections.entries[399].offset - 1
        for ordinal in 1..<400 { sections.entries[ordinal].offset += shift }
        sections.entries[0].sectionSize = sections.entries[1].offset - sections.entries[0].offset
        sections.entries[399].sectionSize = 1
        let built = try sections.built()
        #expect(built.root.offsetBits == LocatorSegment.offsetBitsMax)
        #expect(try built.decodedEntries() == sections.entries)
        try built.withLocator { candidates in
            for entry in sections.entries {
                #expect(candidates(entry.digest).contains(entry.offset))
            }
        }
    }

    @Test("hashes at both ends of their range find a bucket")
    func extremes() throws {
        let sections = BuilderSections.random(
            count: 300,
            digests: .max,
            kinds: [.common],
            seed: 4
        )
        try sections.built().sink.segments[0].withView { view in
            let segment = try LocatorSegment(reading: view)
            for hash in [0, 1, .max, .max - 1, 1 << 63] as [UInt64] {
                _ = segment.candidates(position: hash)
            }
            #expect(segment.entryCount == 300)
        }
    }
}
