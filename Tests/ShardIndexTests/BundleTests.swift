import DAGBytes
import DAGHashing
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Bundles of an index")
struct BundleTests {
    private static let keyID = [UInt8](100..<116)

    private static func built(_ count: Int) throws -> BuilderSections.Built {
        let roots = try [CID(bytes: [1, 0x55, 0, 2, 7, 8])]
        return try BuilderSections.random(
            count: count,
            digests: max(1, count / 2),
            kinds: [.common, .identity(2)],
            // No section has 129 bytes: 128 need a prefix of two.
            sectionSize: 200...400,
            roots: roots,
            seed: UInt64(count)
        ).built()
    }

    private static func header(of built: BuilderSections.Built) throws -> (IndexBundle, [UInt8]) {
        let rootBytes = built.root.encoded(policy: .smallest)
        let header = try IndexBundle(
            of: built.root,
            rootSize: rootBytes.count,
            keyID: keyID,
            sourceSize: built.root.dataOffset + built.root.payloadSize + 17
        )
        return (header, rootBytes)
    }

    @Test("a decoded header equals the encoded one", arguments: [0, 1, 300, 5000])
    func roundTrip(count: Int) throws {
        let built = try Self.built(count)
        let origins: [IndexBundle.Origin?] = [
            nil, .init(codec: 0x0400, hasIdentity: false), .init(codec: 0x0401, hasIdentity: true),
        ]
        for origin in origins {
            var (header, rootBytes) = try Self.header(of: built)
            header.origin = origin
            header.contentChecksum = 0x0102_0304_0506_0708
            header.sectionSizeMax = 5 << 30
            header.headerSizeMax = 6 << 30
            let bytes = header.encoded()
            #expect(bytes.count == header.encodedSize)
            let size = try bytes.withView {
                try IndexBundle.encodedSize(reading: $0[0..<IndexBundle.headerSize])
            }
            #expect(size == bytes.count)
            let decoded = try IndexBundle.reading(bytes)
            #expect(decoded == header)
            #expect(try decoded.root(rootBytes) == built.root)
            #expect(decoded.pageValueSizes == built.sink.values.map { UInt32($0.count) })
            #expect(decoded.segmentSizes == built.sink.segments.map { UInt32($0.count) })
            let values = (built.sink.values + built.sink.segments).reduce(0) { $0 + $1.count }
            #expect(decoded.bundleSize == UInt64(bytes.count + rootBytes.count + values))
        }
    }

    // Other nodes read the bytes, so they stay what they are.
    @Test("the header has the bytes of the drawing")
    func golden() throws {
        let built = try Self.built(1)
        let (header, rootBytes) = try Self.header(of: built)
        var expected = Array("dagindex".utf8) + [1, 0, 0, 0, 0, 0, 0, 0] + Self.keyID
        expected.append(littleEndian: header.sourceSize)
        for _ in 0..<3 { expected.append(littleEndian: UInt64(0)) }
        for count in [rootBytes.count, 1, 0, 0] { expected.append(littleEndian: UInt32(count)) }
        expected.append(littleEndian: UInt32(built.sink.values[0].count))
        expected.append(littleEndian: expected.withView { Checksum.xxh64($0) })
        #expect(header.encoded() == expected)
    }

    @Test("a header with a changed bit, or cut short, is refused")
    func damagedHeader() throws {
        let bytes = try Self.header(of: Self.built(300)).0.encoded()
        for place in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[place] ^= 1 << UInt8(bit)
                #expect(throws: ShardIndexError.self) { try IndexBundle.reading(other) }
            }
            #expect(throws: ShardIndexError(.malformed, "")) {
                try IndexBundle.reading(Array(bytes[..<place]))
            }
        }
        #expect(throws: ShardIndexError(.malformed, "")) { try IndexBundle.reading(bytes + [0]) }
        var newer = bytes
        newer[8] = 2
        #expect(throws: ShardIndexError(.unsupportedVersion, "")) { try IndexBundle.reading(newer) }
    }

    @Test("impossible fields under a right checksum are refused")
    func hostile() throws {
        let bytes = try Self.header(of: Self.built(300)).0.encoded()
        let table = IndexBundle.headerSize
        // A place, and the bytes there.
        let changes: [(Int, [UInt8])] = [
            (8, [0]), (9, [3]), (9, [4]), (9, [8]), (10, [1]), (15, [1]), (76, [1]),
            (39, [0x40]), (55, [0x40]), (63, [0x40]),
            (64, [0, 0, 0, 0]), (64, [16, 0, 0, 0]), (64, [255, 255, 255, 255]),
            (68, [255, 255, 255, 255]), (72, [255, 255, 255, 255]), (68, [2, 0, 0, 0]),
            (table, [0, 0, 0, 0]), (table, [255, 255, 255, 255]), (table + 4, [9, 0, 0, 0]),
        ]
        for (place, change) in changes {
            var other = bytes
            other.replaceSubrange(place..<place + change.count, with: change)
            other.removeLast(8)
            other.append(littleEndian: other.withView { Checksum.xxh64($0) })
            #expect(throws: ShardIndexError(.malformed, ""), "\(place): \(change)") {
                try IndexBundle.reading(other)
            }
        }
    }

    @Test("a header names at most a million values, which take 8 MiB")
    func counts() throws {
        var bytes = try Self.header(of: Self.built(1)).0.encoded()
        let max = UInt32(IndexBundle.valueCountMax)
        for (place, count) in [(68, max), (72, max)] {
            for index in 0..<4 {
                bytes[place + index] = UInt8(truncatingIfNeeded: count >> UInt32(8 * index))
            }
        }
        let size = try bytes.withView { try IndexBundle.encodedSize(reading: $0) }
        #expect(size == IndexBundle.headerSize + 8 + 8 << 20)
    }

    @Test("the root page of another index is refused")
    func otherRoot() throws {
        let (header, rootBytes) = try Self.header(of: Self.built(300))
        let other = try Self.header(of: Self.built(600)).1
        #expect(throws: ShardIndexError(.malformed, "")) { try header.root(other) }
        #expect(throws: ShardIndexError(.malformed, "")) {
            try header.root(Array(rootBytes.dropLast()))
        }
        var smallSource = header
        smallSource.sourceSize -= 18
        #expect(throws: ShardIndexError(.malformed, "")) { try smallSource.root(rootBytes) }
        // A claim of a gigabyte, under a right checksum.
        var bomb = rootBytes
        bomb.replaceSubrange(8..<12, with: [0, 0, 0, 0x40])
        #expect(throws: ShardIndexError(.malformed, "")) { try header.root(bomb.withChecksum()) }
    }

    @Test("all values of a built index pass", arguments: [0, 1, 256, 257, 5000])
    func values(count: Int) throws {
        let built = try Self.built(count)
        var sections = 0
        try Self.check(built.root, built.sink.values, built.sink.segments) { sections += $0.count }
        #expect(sections == count)
    }

    @Test("values that are missing, swapped, repeated or damaged are refused")
    func damagedValues() throws {
        let built = try Self.built(600)
        let (root, values, segments) = (built.root, built.sink.values, built.sink.segments)
        func refuses(_ root: IndexRoot, _ values: [[UInt8]], _ segments: [[UInt8]]) {
            #expect(throws: ShardIndexError(.malformed, "")) {
                try Self.check(root, values, segments)
            }
        }
        refuses(root, values, [])
        refuses(root, [], segments)
        refuses(root, values + values, segments)
        refuses(root, values, segments + segments)
        refuses(root, segments, values)
        let other = try Self.built(601)
        refuses(root, other.sink.values, segments)
        refuses(root, values, other.sink.segments)
        for place in stride(from: 0, to: values[0].count, by: 5) {
            var damaged = values
            damaged[0][place] ^= 0x10
            refuses(root, damaged, segments)
        }
        for place in stride(from: 0, to: segments[0].count, by: 5) {
            var damaged = segments
            damaged[0][place] ^= 0x10
            refuses(root, values, damaged)
        }
    }

    @Test("a root page with other sums is refused")
    func otherSums() throws {
        let built = try Self.built(600)
        let changes: [(inout IndexRoot) -> Void] = [
            { $0.multihashCount += 1 }, { $0.multihashCount = 10_000 }, { $0.identityCount += 1 },
            { $0.dataEnd -= 1 }, { $0.offsetBits += 1 }, { $0.headerSize += 1 },
            { $0.segmentSizes = [] }, { $0.payloadSize = 1 << 60 },
            { $0.pages[1].baseOffset += 1 }, { $0.pages[1].firstOrdinal += 1 },
            { $0.pages[1].count += 1 }, { $0.pages[2].size += 1 },
        ]
        for (number, change) in changes.enumerated() {
            var root = built.root
            change(&root)
            #expect(throws: ShardIndexError(.malformed, ""), "change \(number)") {
                try Self.check(root, built.sink.values, built.sink.segments)
            }
        }
    }

    private static func check(
        _ root: IndexRoot,
        _ values: [[UInt8]],
        _ segments: [[UInt8]],
        _ body: (DecodedPage) -> Void = { _ in }
    ) throws(ShardIndexError) {
        var check = try BundleCheck(root)
        for value in values {
            try value.withView { view throws(ShardIndexError) in
                try check.checkPages(view) { page throws(ShardIndexError) in body(page) }
            }
        }
        for segment in segments {
            try segment.withView { view throws(ShardIndexError) in try check.checkSegment(view) }
        }
        try check.finish()
    }

    @Test("hashes come in order and once each, spilled or not", arguments: [0, 10, 300_000])
    func hashes(count: Int) throws {
        var generator = SplitMix64(seed: 5)
        let highs = (0..<count).map { _ in generator.next() }
        let expected = Set(highs.map(InverseEntry.hash(of:))).sorted()
        for budget in [Int.max, 1] {
            let sink = MemorySink()
            var builder = InverseBuilder(budget: budget)
            for high in highs + highs.prefix(100) { try builder.append(high, spillingTo: sink) }
            var hashes: [UInt64] = []
            try builder.forEachHash(from: sink) { hashes.append($0) }
            #expect(hashes == expected)
            #expect((sink.spillCount > 0) == (budget == 1 && count > 10))
        }
    }

    @Test("the error of a receiver of hashes comes unchanged")
    func receiverFails() throws {
        struct Full: Error {}
        #expect(throws: Full.self) {
            var builder = InverseBuilder()
            builder.append(1 << 40)
            try builder.forEachHash(from: MemorySink()) { _ in throw Full() }
        }
    }
}

extension IndexBundle {
    fileprivate static func reading(_ bytes: [UInt8]) throws(ShardIndexError) -> IndexBundle {
        try bytes.withView { view throws(ShardIndexError) in try IndexBundle(reading: view) }
    }

    fileprivate func root(_ bytes: [UInt8]) throws(ShardIndexError) -> IndexRoot {
        try bytes.withView { view throws(ShardIndexError) in try root(reading: view) }
    }
}
