import DAGBytes
import TestSupport
import Testing

@testable import ShardIndex

/// A run in memory, with the owner of its segments.
struct BuiltRun {
    var shape: InverseRunShape
    var owners: [OwnedBytes]

    /// Builds a run of entries in any order.
    init(_ entries: [InverseEntry], extraRoom: UInt64 = 0) throws {
        let shards = entries.map(\.shard)
        let shape = InverseRunShape(
            entries: UInt64(entries.count) + extraRoom,
            shards: (shards.min() ?? 0)...(shards.max() ?? 0)
        )
        let segments = Segments()
        var builder = InverseRunBuilder(shape) { segments.add($0, $1) }
        for entry in entries.sorted(by: <) { try builder.append(entry) }
        self.shape = try builder.finish()
        owners = segments.all.map { $0.withView { OwnedBytes(copying: $0) } }
    }

    init(_ shape: InverseRunShape, _ segments: [[UInt8]]) {
        self.shape = shape
        owners = segments.map { $0.withView { OwnedBytes(copying: $0) } }
    }

    func segments() throws -> [InverseSegment] {
        try owners.map { try InverseSegment(reading: $0.view, of: shape) }
    }

    func run() throws -> InverseRun { InverseRun(shape, segments: try segments()) }

    func shards(of hash: UInt64) throws -> [UInt32] {
        var found: [UInt32] = []
        try segments()[shape.segment(of: hash)].forEachShard(of: hash) { found.append($0) }
        return found
    }

    /// Every entry, in order.
    func entries() throws -> [InverseEntry] {
        var found: [InverseEntry] = []
        for (number, segment) in try segments().enumerated() {
            try segment.check()
            segment.forEach(number: number) { found.append($0) }
        }
        return found
    }
}

/// Takes segments.
final class Segments {
    private(set) var all: [[UInt8]] = []

    func add(_ number: Int, _ bytes: [UInt8]) {
        #expect(number == all.count)
        all.append(bytes)
    }
}

@Suite("Inverse runs")
struct InverseRunTests {
    /// Entries of all sorts, without repetitions: many shards to a hash, and hashes close together.
    static func entries(_ count: Int, shards: UInt32, seed: UInt64) -> Set<InverseEntry> {
        var random = SplitMix64(seed: seed)
        var hashes = (0..<max(1, count / 2)).map { _ in random.next() >> 16 }
        hashes += [0, 1, (1 << 48) - 1, (1 << 48) - 2]
        var entries: Set<InverseEntry> = []
        while entries.count < count {
            let hash =
                random.next() % 8 == 0
                ? hashes[Int(random.next() % 3) % hashes.count]
                : hashes[Int(random.next() % UInt64(hashes.count))]
            entries.insert(
                InverseEntry(hash: hash, shard: 7 + UInt32(random.next() % UInt64(shards)))
            )
            if shards == 1, entries.count >= hashes.count { break }
        }
        return entries
    }

    @Test(
        "a run answers as a dictionary does",
        arguments: [0, 1, 2, 21, 22, 500, 20_000],
        [1, 2, 3, 4, 1000, .max - 7] as [UInt32]
    )
    func answers(count: Int, shards: UInt32) throws {
        let entries = Self.entries(count, shards: shards, seed: UInt64(count) &+ UInt64(shards))
        let built = try BuiltRun(entries.shuffled())
        #expect(try built.entries() == entries.sorted(by: <))
        #expect(built.shape.entryCount == UInt64(entries.count))
        var expected: [UInt64: [UInt32]] = [:]
        for entry in entries { expected[entry.hash, default: []].append(entry.shard) }
        for (hash, shards) in expected {
            let isSame = try built.shards(of: hash) == shards.sorted()
            #expect(isSame, "\(hash)")
        }
        var random = SplitMix64(seed: 1)
        for _ in 0..<1000 {
            let hash = random.next() >> 16
            let isSame = try built.shards(of: hash) == expected[hash, default: []].sorted()
            #expect(isSame)
        }
        #expect(try InverseRunShape(reading: built.shape.encoded) == built.shape)
    }

    @Test("a run of several segments answers from each of them")
    func severalSegments() throws {
        var random = SplitMix64(seed: 3)
        let hashes = (0..<700_000).map { _ in random.next() >> 16 }
        let built = try BuiltRun(hashes.map { InverseEntry(hash: $0, shard: 9) })
        #expect(built.shape.segmentCount == 4)
        #expect(built.owners.allSatisfy { $0.view.count <= IndexPage.valueSizeMax })
        for hash in hashes.prefix(2000) {
            let isThere = try built.shards(of: hash) == [9]
            #expect(isThere)
        }
        // One shard needs no bits: the entries have the rest of 48 bits, and the share of the directory.
        #expect(Double(built.shape.byteCount) / 700_000 < 4.5)
    }

    @Test("one hash in many shards is a list, and costs its neighbours nothing")
    func lists() throws {
        let many = (0..<10_000).map { InverseEntry(hash: 5, shard: 3 * UInt32($0)) }
        let others = (0..<1000).map { InverseEntry(hash: UInt64($0) << 32 | 77, shard: 1) }
        let built = try BuiltRun(many + others)
        #expect(try built.shards(of: 5) == many.map(\.shard))
        #expect(try built.shards(of: 3 << 32 | 77) == [1])
        #expect(try built.shards(of: 6) == [])
        #expect(try built.segments().reduce(0) { $0 + $1.count } == 1001)
        #expect(built.shape.byteCount < 40_000)
    }

    @Test(
        "a merge is the union without removed shards, resumed at any segment",
        arguments: 0..<12 as Range<UInt64>
    )
    func merges(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let sets = (0..<Int.random(in: 1...6, using: &random)).map { number in
            Self.entries(
                Int.random(in: 0...[10, 3000, 60_000][Int(seed % 3)], using: &random),
                shards: [1, 3, 5000][number % 3],
                seed: seed &* 31 &+ UInt64(number)
            )
        }
        let runs = try sets.map { try BuiltRun(Array($0)) }
        let isWanted: (UInt32) -> Bool = { $0 % 5 != 0 }
        let all = sets.reduce(Set<InverseEntry>()) { $0.union($1) }
        let expected = all.filter { isWanted($0.shard) }.sorted(by: <)
        let merge = try InverseMerge(runs.map { try $0.run() }, isWanted: isWanted)
        let segments = Segments()
        var builder = InverseRunBuilder(merge.shape) { segments.add($0, $1) }
        var dropped: UInt64 = 0
        for number in 0..<merge.shape.segmentCount {
            dropped += try merge.run(number..<number + 1, into: &builder)
        }
        let shape = try builder.finish()
        let built = BuiltRun(shape, segments.all)
        #expect(try built.entries() == expected)
        #expect(Int(dropped) == sets.reduce(0) { $0 + $1.count } - expected.count)
        // The same from the middle: segments are the same bytes.
        let middle = merge.shape.segmentCount / 2
        var rest: [[UInt8]] = []
        var second = InverseRunBuilder(merge.shape, from: middle) { rest.append($1) }
        _ = try merge.run(middle..<merge.shape.segmentCount, into: &second)
        _ = try second.finish()
        #expect(rest == Array(segments.all[middle...]))
    }

    @Test(
        "damage is found by the check, and never traps a search",
        arguments: 0..<40 as Range<UInt64>
    )
    func damage(seed: UInt64) throws {
        let entries = Self.entries(600, shards: 50, seed: 1)
        var built = try BuiltRun(Array(entries))
        var random = SplitMix64(seed: seed)
        var bytes = built.owners[0].view.copied
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            bytes[Int.random(in: 8..<bytes.count, using: &random)] = UInt8(
                truncatingIfNeeded: random.next()
            )
        }
        guard bytes != built.owners[0].view.copied else { return }
        built.owners[0] = bytes.withView { OwnedBytes(copying: $0) }
        guard let segment = try? InverseSegment(reading: built.owners[0].view, of: built.shape)
        else {
            return
        }
        #expect(throws: ShardIndexError(.malformed, "")) { try segment.check() }
        for entry in entries { segment.forEachShard(of: entry.hash) { _ in } }
    }

    @Test("the newest entries are found while they come", arguments: [1, 100, 5000])
    func recent(count: Int) throws {
        let recent = RecentEntries(capacity: count)
        let entries = Self.entries(count, shards: 40, seed: 2).shuffled()
        var expected: [UInt64: Set<UInt32>] = [:]
        for entry in entries.prefix(count) {
            #expect(recent.append(entry))
            expected[entry.hash, default: []].insert(entry.shard)
            var found: Set<UInt32> = []
            _ = recent.forEachShard(of: entry.hash) { shard in
                found.insert(shard)
                return true
            }
            #expect(found == expected[entry.hash])
        }
        #expect(recent.count == count)
        #expect(!recent.append(entries[0]))
        #expect(recent.entries == Array(entries.prefix(count)))
    }
}
