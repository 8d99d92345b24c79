import DAGBytes
import DAGHashing
import DAGMultiformats
import ShardIndex
import TestSupport

/// Sections for an `IndexBuilder`, and a model of the result.
struct BuilderSections {
    /// The key of a multihash in comparisons.
    struct Name: Hashable {
        let hashCode: UInt64?
        let digest: [UInt8]

        init(_ entry: KnownSection) {
            hashCode = entry.kind.hashCode
            digest = entry.digest
        }
    }

    /// An index, built into memory.
    struct Built {
        let root: IndexRoot
        let statistics: PageStatistics
        let inverse: InverseParts
        let sink: MemorySink
    }

    static let headerSize: UInt64 = 59
    static let hash = KeyedHash(key: (0x0123_4567_89ab_cdef, 42))

    var entries: [KnownSection]
    var roots: [CID] = []
    var payloadSize: UInt64

    init(entries: [KnownSection], roots: [CID] = []) {
        self.entries = entries
        self.roots = roots
        payloadSize = entries.last.map { $0.offset + ($0.sectionSize ?? 1) } ?? Self.headerSize
    }

    /// `count` sections that share `digests` digests of each size.
    static func random(
        count: Int,
        digests: Int,
        kinds: [EntryKind],
        sectionSize: ClosedRange<UInt64> = 100...400,
        roots: [CID] = [],
        seed: UInt64
    ) -> BuilderSections {
        var generator = SplitMix64(seed: seed)
        var offset = headerSize
        let entries = (0..<count).map { ordinal in
            let kind =
                kinds.count == 1 ? kinds[0] : kinds[Int(generator.next() % UInt64(kinds.count))]
            let size = UInt64.random(in: sectionSize, using: &generator)
            var digest = SplitMix64(seed: seed &+ generator.next() % UInt64(digests))
            defer { offset += size }
            return KnownSection(
                ordinal: UInt64(ordinal),
                offset: offset,
                sectionSize: size,
                kind: kind,
                digest: digest.bytes(kind.digestSize)
            )
        }
        return BuilderSections(entries: entries, roots: roots)
    }

    /// The first offset of each multihash.
    var firstOffsets: [Name: UInt64] {
        var offsets: [Name: UInt64] = [:]
        offsets.reserveCapacity(entries.count)
        for entry in entries where offsets[Name(entry)] == nil {
            offsets[Name(entry)] = entry.offset
        }
        return offsets
    }

    /// Builds the index.
    func built(
        policy: PagePolicy = .smallest,
        sortBudget: Int = IndexBuilder.sortBudgetDefault
    ) throws -> Built {
        let sink = MemorySink()
        var builder = try IndexBuilder(
            hash: Self.hash,
            policy: policy,
            sortBudget: sortBudget,
            dataOffset: 51,
            payloadSize: payloadSize,
            headerSize: Self.headerSize,
            roots: roots,
            sink: sink
        )
        for entry in entries {
            try entry.digest.withView { digest in
                try builder.append(
                    offset: entry.offset,
                    size: entry.sectionSize,
                    kind: entry.kind,
                    digest: digest
                )
            }
        }
        let built = try builder.finish(dataEnd: payloadSize)
        return Built(
            root: built.root,
            statistics: built.statistics,
            inverse: built.inverse,
            sink: sink
        )
    }
}

extension BuilderSections.Built {
    /// Every entry of every page, read as the root page says.
    func decodedEntries() throws -> [KnownSection] {
        try root.pages.flatMap { place in
            let end = Int(place.start) + Int(place.size)
            let bytes = Array(sink.values[Int(place.value)][Int(place.start)..<end])
            return try DecodedPage.reading(bytes).sections.entries
        }
    }

    /// Calls `body` with a function that asks the locator.
    func withLocator(_ body: (([UInt8]) -> [UInt64]) throws -> Void) throws {
        // The views stay inside the arrays that the sink holds.
        let segments = try sink.segments.map { bytes in
            let owner = bytes.withView { OwnedBytes(copying: $0) }
            return (owner, try LocatorSegment(reading: owner.view))
        }
        try body { digest in
            let hash = digest.withView { BuilderSections.hash.hash($0).high }
            let (number, position) = hash.multipliedFullWidth(by: UInt64(segments.count))
            return segments[Int(number)].1.candidates(position: position)
        }
    }

    /// The entries of all segments.
    func locatorEntryCount() throws -> Int {
        try sink.segments.reduce(0) { sum, bytes in
            try bytes.withView { sum + (try LocatorSegment(reading: $0)).entryCount }
        }
    }
}
