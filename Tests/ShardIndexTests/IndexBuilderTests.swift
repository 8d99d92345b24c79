import DAGBytes
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Index builder")
struct IndexBuilderTests {
    private static let counts = [0, 1, 2, 255, 256, 257, 1000, 70_000, 300_000]
    private static let kinds: [EntryKind] = [.common, .common, .common, .versionZero, .identity(7)]

    @Test("pages list every section, the locator every multihash once", arguments: counts)
    func model(count: Int) throws {
        let sections = BuilderSections.random(
            count: count,
            digests: max(1, count * 2 / 3),
            kinds: Self.kinds,
            seed: UInt64(count)
        )
        try Self.check(sections, try sections.built(), seed: UInt64(count))
    }

    /// Compares an index with a dictionary.
    private static func check(
        _ sections: BuilderSections,
        _ built: BuilderSections.Built,
        seed: UInt64
    ) throws {
        let root = built.root
        let first = sections.firstOffsets
        #expect(root.sectionCount == UInt64(sections.entries.count))
        #expect(root.multihashCount == UInt64(first.count), "seed \(seed)")
        let identities = sections.entries.count { $0.kind.hashCode == HashCode.identity }
        #expect(root.identityCount == UInt64(identities))
        #expect(root.dataEnd == sections.payloadSize)
        #expect(root.isFreeOfDuplicates == (first.count == sections.entries.count))
        #expect(root.segmentSizes == built.sink.segments.map { UInt32($0.count) })
        #expect(root.valueCount == built.sink.values.count)
        let sizes = built.sink.values.reduce(0) { $0 + $1.count }
        #expect(root.indexSize == UInt64(sizes + built.sink.segments.reduce(0) { $0 + $1.count }))
        let isEqual = try built.decodedEntries() == sections.entries
        #expect(isEqual, "seed \(seed): the pages list other sections")
        guard sections.entries.count > IndexPage.countMax else {
            #expect(built.sink.segments.isEmpty)
            return
        }
        #expect(try built.locatorEntryCount() == first.count)
        try built.sink.segments.forEach { bytes in
            try bytes.withView { try LocatorSegment(reading: $0).check() }
        }
        try built.withLocator { candidates in
            var missing = 0
            var repeated = 0
            for entry in sections.entries {
                let offsets = candidates(entry.digest)
                guard let offset = first[BuilderSections.Name(entry)] else { continue }
                if !offsets.contains(offset) { missing += 1 }
                if entry.offset != offset, offsets.contains(entry.offset) { repeated += 1 }
            }
            #expect(missing == 0, "seed \(seed): multihashes that the locator lacks")
            #expect(
                repeated == 0,
                "seed \(seed): sections that the locator has for the second time"
            )
        }
    }

    @Test("a shard that does not fit in memory gets the same index, bit for bit")
    func spilling() throws {
        let sections = BuilderSections.random(
            count: 400_000,
            digests: 250_000,
            kinds: [.identity(16), .identity(8)],
            seed: 9
        )
        let kept = try sections.built()
        let spilled = try sections.built(sortBudget: 0)
        #expect(kept.sink.spillCount == 0)
        #expect(spilled.sink.spillCount > 256, "nothing was put aside")
        #expect(spilled.root == kept.root)
        #expect(spilled.statistics == kept.statistics)
        let isEqual =
            spilled.sink.values == kept.sink.values && spilled.sink.segments == kept.sink.segments
        #expect(isEqual, "spilling changes the index")
    }

    @Test("one multihash without end is one entry, also when it spills", arguments: [0, 256 << 20])
    func allEqual(sortBudget: Int) throws {
        let sections = BuilderSections.random(
            count: 300_000,
            digests: 1,
            kinds: [.identity(8)],
            sectionSize: 20...20,
            seed: 3
        )
        let built = try sections.built(sortBudget: sortBudget)
        #expect(built.root.multihashCount == 1)
        #expect(try built.locatorEntryCount() == 1)
        try built.withLocator { candidates in
            #expect(candidates(sections.entries[0].digest) == [BuilderSections.headerSize])
        }
        #expect((sortBudget == 0) == (built.sink.spillCount > 0))
    }

    @Test("one digest under two hash functions is two multihashes", arguments: [2, 1000])
    func twoHashFunctions(count: Int) throws {
        var sections = BuilderSections.random(
            count: count,
            digests: .max,
            kinds: [.common],
            seed: 4
        )
        for ordinal in stride(from: 1, to: count, by: 2) {
            sections.entries[ordinal].digest = sections.entries[ordinal - 1].digest
            sections.entries[ordinal].kind.hashCode = HashCode.blake2b_256
        }
        let built = try sections.built()
        #expect(built.root.multihashCount == UInt64(count))
        #expect(built.root.isFreeOfDuplicates)
        guard count > IndexPage.countMax else { return }
        try built.withLocator { candidates in
            for ordinal in stride(from: 1, to: count, by: 2) {
                let pair = sections.entries[ordinal - 1...ordinal]
                let offsets = candidates(pair[ordinal].digest)
                #expect(Set(pair.map(\.offset)).isSubset(of: offsets), "section \(ordinal)")
            }
        }
    }

    // Sorting uses the hash of the digest, and the hash function only breaks ties. A CAR that repeats one digest
    // under many hash functions puts all of them into one place.
    @Test(
        "one digest under thousands of hash functions is sorted in reasonable time",
        .timeLimit(.minutes(10))
    )
    func manyHashFunctions() throws {
        let count = 50_000
        var sections = BuilderSections.random(
            count: count,
            digests: 1,
            kinds: [.identity(8)],
            sectionSize: 20...20,
            seed: 5
        )
        for ordinal in 0..<count { sections.entries[ordinal].kind.hashCode = UInt64(ordinal) + 1 }
        #expect(try sections.built().root.multihashCount == UInt64(count))
    }

    @Test("a CAR of no sections has an empty root page")
    func empty() throws {
        let built = try BuilderSections(entries: []).built()
        #expect(built.root.pages.isEmpty)
        #expect(built.root.page(ofOrdinal: 0) == nil)
        #expect(built.root.page(ofOffset: 1000) == nil)
        #expect(try IndexRoot.reading(built.root.encoded(policy: .smallest)) == built.root)
    }

    @Test("both ways to add a section give the same index")
    func layouts() throws {
        let sections = BuilderSections.random(
            count: 600,
            digests: 600,
            kinds: Self.kinds,
            seed: 6
        )
        let sink = MemorySink()
        var builder = try IndexBuilder(
            hash: BuilderSections.hash,
            policy: .smallest,
            dataOffset: 51,
            payloadSize: sections.payloadSize,
            headerSize: BuilderSections.headerSize,
            roots: [],
            sink: sink
        )
        for entry in sections.entries {
            let cid = try #require(entry.cid)
            try cid.withDigest { digest in
                try builder.append(
                    offset: entry.offset,
                    size: try #require(entry.sectionSize),
                    layout: cid.layout,
                    digest: digest
                )
            }
        }
        let built = try builder.finish(dataEnd: sections.payloadSize)
        let other = try sections.built()
        #expect(built.root == other.root)
        #expect(built.statistics == other.statistics)
        #expect(sink.values == other.sink.values)
        #expect(sink.segments == other.sink.segments)
    }

    // A CAR with one identity CID of 64 KiB and a byte could not be indexed at all.
    @Test("a digest of a megabyte is indexed, in a page with a value for itself")
    func largeDigest() throws {
        let sink = MemorySink()
        var builder = try IndexBuilder(
            hash: BuilderSections.hash,
            policy: .direct,
            dataOffset: 0,
            payloadSize: 8 << 20,
            headerSize: 59,
            roots: [],
            sink: sink
        )
        var random = SplitMix64(seed: 21)
        let cids = [3, 2 << 20, 40].map {
            CID(codec: Codec.raw, multihash: Multihash(code: 0, digest: random.bytes($0)))
        }
        var offset: UInt64 = 59
        for cid in cids {
            let size = UInt64(cid.bytes.count + 4)
            try cid.withDigest { digest in
                try builder.append(offset: offset, size: size, layout: cid.layout, digest: digest)
            }
            offset += size
        }
        let built = try builder.finish(dataEnd: offset)
        let bytes = built.root.encoded(policy: .direct)
        let root = try bytes.withView { view throws(ShardIndexError) in try IndexRoot(reading: view)
        }
        #expect(root.pages.map(\.count) == [2, 1])
        #expect(sink.values.count == 2)
        let pages = try zip(root.pages, sink.values).map { place, value in
            try value.withView { view throws(ShardIndexError) in
                try DecodedPage(reading: view[Int(place.start)..<Int(place.start + place.size)])
            }
        }
        let entries = pages.flatMap { page in (0..<page.count).map { page.entry($0) } }
        #expect(entries.map(\.digest) == cids.map(\.digest))
    }

    @Test("a payload of 32 TiB is beyond the limits")
    func limits() throws {
        let sink = MemorySink()
        #expect(throws: ShardIndexError(.limitExceeded, "")) {
            _ = try IndexBuilder(
                hash: BuilderSections.hash,
                policy: .smallest,
                dataOffset: 0,
                payloadSize: 1 << 45,
                headerSize: 59,
                roots: [],
                sink: sink
            ).statistics
        }
    }

    @Test("a sink that fails fails the build with its error")
    func failingSink() throws {
        struct Refusal: Error {}
        final class Refusing: IndexSink {
            func writePages(_ number: Int, _ bytes: [UInt8]) throws { throw Refusal() }
            func writeSegment(_ number: Int, _ bytes: [UInt8]) throws { throw Refusal() }
            func writeInverse(_ number: Int, _ bytes: [UInt8]) throws { throw Refusal() }
            func spill(_ bytes: ByteView) throws -> UInt64 { throw Refusal() }
            func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) throws {}
        }
        var builder = try IndexBuilder(
            hash: BuilderSections.hash,
            policy: .smallest,
            dataOffset: 0,
            payloadSize: 1000,
            headerSize: 59,
            roots: [],
            sink: Refusing()
        )
        try [1, 2, 3].withView { digest in
            try builder.append(offset: 59, size: 10, kind: .identity(3), digest: digest)
        }
        do {
            _ = try builder.finish(dataEnd: 69)
            Issue.record("the build succeeds")
        } catch {
            #expect(error == ShardIndexError(.storage, ""))
            #expect(error.underlying is Refusal)
        }
    }

    // The bar for a million sections of 292 bytes; a tenth of them shows it as well.
    @Test("an entry of a common CAR takes at most 38.2 bytes, 5.6 of them in the locator")
    func size() throws {
        let count = 100_000
        let sections = BuilderSections.random(
            count: count,
            digests: .max,
            kinds: [.common],
            sectionSize: 292...292,
            seed: 7
        )
        let root = try sections.built().root
        let locator = root.segmentSizes.reduce(0) { $0 + Double($1) } / Double(count)
        #expect(Double(root.indexSize) / Double(count) <= 38.2)
        #expect(locator <= 5.6)
    }
}
