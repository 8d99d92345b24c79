import DAGBytes
import DAGCatalog
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Generations")
struct GenerationTests {
    private static func root() -> [UInt8] {
        var root = IndexRoot()
        root.payloadSize = 1000
        root.dataEnd = 1000
        return root.encoded(policy: .direct)
    }

    private static func pieces(_ count: Int, size: Int = 5000) -> [IndexPiece] {
        (0..<count).flatMap { number -> [IndexPiece] in
            let bytes = [UInt8](repeating: UInt8(number & 0xff), count: size)
            return [
                .pages(number: UInt32(number), bytes: bytes),
                .segment(number: UInt32(number), bytes: bytes.map { ~$0 }),
            ]
        }
    }

    @Test("a generation is pending until a record names it")
    func publishing() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let generation = try catalog.beginGeneration(Self.pieces(2))
        try catalog.append([.pages(number: 2, bytes: [1, 2, 3])], to: generation)
        #expect(try catalog.pendingGenerations() == [generation])
        #expect(try catalog.keys().isEmpty)
        let record = try catalog.publish(
            .available("a"),
            root: Self.root(),
            generation: generation,
            pieces: [.pages(number: 3, bytes: [4])]
        )
        #expect(record.generation == generation)
        #expect(try catalog.pendingGenerations().isEmpty)
        #expect(try catalog.root(generation).payloadSize == 1000)
        #expect(try catalog.withPages(generation, 2) { $0.copied } == [1, 2, 3])
        #expect(try catalog.withPages(generation, 3) { $0.copied } == [4])
        #expect(try catalog.withSegment(generation, 1) { $0.count } == 5000)
        #expect(throws: CatalogError(.corrupt, "")) {
            try catalog.withPages(generation, 4) { _ in }
        }
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.segment(generation, 2) }
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.root(generation + 1) }
        catalog.close()
    }

    @Test("an index that is written at once has a generation of its own")
    func atOnce() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        let records = try ["a", "b"].map { key in
            try catalog.publish(
                .available(key),
                root: Self.root(),
                generation: nil,
                pieces: Self.pieces(1)
            )
        }
        #expect(records.map(\.generation) == [1, 2])
        #expect(try catalog.pendingGenerations().isEmpty)
        catalog.close()
    }

    @Test("an unfinished generation of an ended process is deleted, and no other")
    func leftovers() throws {
        let folder = try CatalogFolder()
        var catalog = try folder.open()
        _ = try catalog.publish(
            .available("a"),
            root: Self.root(),
            generation: nil,
            pieces: Self.pieces(3)
        )
        catalog.close()
        let before = try folder.rowCounts()
        catalog = try folder.open()
        // More values than one deletion takes at once, between two generations that stay or go.
        let generations = try [1, 150, 2].map {
            try catalog.beginGeneration(Self.pieces($0, size: 100))
        }
        catalog.close()
        #expect(try folder.rowCounts()["pages"] == 156)
        catalog = try folder.open()
        #expect(try catalog.pendingGenerations() == generations)
        try catalog.deleteGeneration(generations[1])
        #expect(try catalog.pendingGenerations() == [generations[0], generations[2]])
        #expect(try catalog.withPages(generations[0], 0) { $0.count } == 100)
        #expect(try catalog.withPages(generations[2], 1) { $0.count } == 100)
        for generation in try catalog.pendingGenerations() {
            try catalog.deleteGeneration(generation)
        }
        #expect(try catalog.withPages(1, 2) { $0.count } == 5000)
        catalog.close()
        #expect(try folder.rowCounts() == before)
    }

    @Test("a removed shard leaves its index on pending, and its deletion leaves no row")
    func removal() throws {
        let folder = try CatalogFolder()
        var catalog = try folder.open()
        catalog.close()
        let before = try folder.rowCounts()
        catalog = try folder.open()
        let record = try catalog.publish(
            .available("a"),
            root: Self.root(),
            generation: nil,
            pieces: Self.pieces(70)
        )
        try catalog.remove(record)
        #expect(try catalog.pendingGenerations() == [record.generation])
        // Whoever still reads it may go on until it is deleted.
        #expect(try catalog.withPages(record.generation, 69) { $0.count } == 5000)
        try catalog.deleteGeneration(record.generation)
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.root(record.generation) }
        try catalog.deleteGeneration(record.generation)
        catalog.close()
        #expect(try folder.rowCounts() == before)
    }

    @Test("the room of deleted generations is used again")
    func room() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        var usage: [UInt64] = []
        for _ in 0..<30 {
            let record = try catalog.publish(
                .available("a"),
                root: Self.root(),
                generation: nil,
                pieces: Self.pieces(10, size: 100_000)
            )
            try catalog.remove(record)
            try catalog.deleteGeneration(record.generation)
            usage.append(try catalog.usage().bytesInUse)
        }
        // LMDB looks for pages in a row, so some holes stay.
        #expect(usage[29] < usage[5] + usage[5] / 4, "\(usage)")
        catalog.close()
    }

    // Two kilobytes are where LMDB begins to use pages of their own.
    @Test(
        "a segment stays readable while others are written",
        arguments: [1, 32, 1000, 2017, 2018, 2019, 2047, 2048, 2049, 4096, 100_000, (1 << 20) - 16]
    )
    func pinnedSegments(size: Int) throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let record = try catalog.publish(
            .available("a"),
            root: Self.root(),
            generation: nil,
            pieces: [.segment(number: 0, bytes: bytes)]
        )
        let pinned = try catalog.segment(record.generation, 0)
        #expect(bytes.withView { pinned.bytes.elementsEqual($0) })
        // There are rows on both sides, so LMDB copies, splits and merges the leaf.
        for round in 0..<20 {
            let other = try catalog.publish(
                .available("\(round)"),
                root: Self.root(),
                generation: nil,
                pieces: Self.pieces(5, size: [10, 1900, 3000][round % 3])
            )
            guard round % 2 == 0 else { continue }
            try catalog.remove(other)
            try catalog.deleteGeneration(other.generation)
        }
        let isEqual = pinned.bytes.copied == bytes
        #expect(isEqual, "the segment moved")
        catalog.close()
    }

    @Test("a root page that is damaged is corrupt")
    func damagedRoot() throws {
        let folder = try CatalogFolder()
        let catalog = try folder.open()
        var root = Self.root()
        root[20] ^= 1
        let record = try catalog.publish(.available("a"), root: root, generation: nil, pieces: [])
        #expect(throws: CatalogError(.corrupt, "")) { try catalog.root(record.generation) }
        catalog.close()
    }
}
