import Glibc
import Peers
import Testing

/// A peer with a name for test output.
struct Subject: CustomTestStringConvertible, Sendable {
    let type: any IndexPeer.Type
    var testDescription: String { type.system }

    static let all = Peers.all.map { Subject(type: $0) }
    static let available = all.filter { $0.type.unavailability() == nil }
}

@Suite("Index peers")
struct IndexPeerTests {
    private static let seed: UInt64 = 42

    /// Shards of different sizes; the first 20 digests of each are the same, at other offsets.
    private static func makeShards(sizes: [Int]) -> [[PeerEntry]] {
        var shards: [[PeerEntry]] = []
        for (shard, size) in sizes.enumerated() {
            var random = SplitMix64(seed: seed + UInt64(shard))
            var common = SplitMix64(seed: seed - 1)
            var offset: UInt64 = 59
            var entries: [PeerEntry] = []
            for place in 0..<size {
                let digest =
                    place < 20
                    ? (common.next(), common.next(), common.next(), common.next())
                    : (random.next(), random.next(), random.next(), random.next())
                entries.append(PeerEntry(digest: digest, offset: offset, size: UInt32(place)))
                // Past 2^32 soon.
                offset += random.next() % (1 << 28)
            }
            shards.append(entries)
        }
        return shards
    }

    private static func ingest(
        _ shards: [[PeerEntry]],
        _ numbers: [UInt32],
        into peer: any IndexPeer
    ) throws {
        for (entries, number) in zip(shards, numbers) {
            try entries.withUnsafeBufferPointer { try peer.ingest(shard: number, $0) }
        }
    }

    /// Counts the wrong answers.
    private static func faults(
        of peer: any IndexPeer,
        _ shards: [[PeerEntry]],
        _ numbers: [UInt32]
    ) throws -> Int {
        var faults = 0
        for (place, entries) in shards.enumerated() {
            for (index, entry) in entries.enumerated() {
                var digest = entry.digest
                let found = try peer.offset(of: &digest, in: numbers[place])
                if found != entry.offset { faults += 1 }
                let expected = index < 20 ? numbers.sorted() : [numbers[place]]
                if try peer.shards(of: &digest).sorted() != expected { faults += 1 }
                let other = numbers[(place + 1) % numbers.count]
                if index >= 20, try peer.offset(of: &digest, in: other) != nil { faults += 1 }
                // Digests that differ from an entry in one bit.
                digest.3 ^= 1 << 63
                if try peer.offset(of: &digest, in: numbers[place]) != nil { faults += 1 }
                digest.0 ^= 1
                if try !peer.shards(of: &digest).isEmpty { faults += 1 }
            }
            var digest = entries[0].digest
            if try peer.offset(of: &digest, in: 77_777) != nil { faults += 1 }
        }
        return faults
    }

    @Test(
        "a peer finds exactly its entries, at their places",
        arguments: Subject.available
    )
    func findsExactly(_ subject: Subject) throws {
        // 12,000: more than RocksDB takes in a batch. The numbers go up and down, so that LMDB
        // appends some and not others.
        let shards = Self.makeShards(sizes: [100, 12_000, 2_500, 21])
        let numbers: [UInt32] = [9, 300, 0, 70_000]
        try withDirectory { directory in
            let folder = directory + "/deep/peer"
            var peer = try subject.type.init(at: folder)
            try Self.ingest(shards, numbers, into: peer)
            #expect(try Self.faults(of: peer, shards, numbers) == 0)
            try peer.close()
            try peer.close()
            #expect(subject.type.sizeOnDisk(of: folder) > 14_000 * 40)

            peer = try subject.type.init(at: folder)
            #expect(try Self.faults(of: peer, shards, numbers) == 0)
            try peer.settle()
            #expect(try Self.faults(of: peer, shards, numbers) == 0)

            // Later lookups find a shard that was added after the first ones.
            let more = Self.makeShards(sizes: [100, 12_000, 2_500, 21, 9_000])
            try Self.ingest([more[4]], [5], into: peer)
            #expect(try Self.faults(of: peer, more, numbers + [5]) == 0)
            try peer.close()
        }
    }

    @Test("a digest that a shard has twice is found", arguments: Subject.available)
    func repeatedDigest(_ subject: Subject) throws {
        var entries = Self.makeShards(sizes: [500])[0]
        for place in 0..<100 {
            entries.append(entries[place])
            entries[500 + place].offset += 1 << 40
        }
        try withDirectory { directory in
            let peer = try subject.type.init(at: directory)
            try Self.ingest([entries], [3], into: peer)
            for place in 0..<500 {
                var digest = entries[place].digest
                let found = try #require(try peer.offset(of: &digest, in: 3))
                #expect(found & (1 << 40 - 1) == entries[place].offset)
                #expect(try peer.shards(of: &digest) == [3])
            }
            try peer.close()
        }
    }

    @Test("digests that are not random are sorted too", arguments: Subject.available)
    func sameBeginnings(_ subject: Subject) throws {
        var random = SplitMix64(seed: 5)
        // Eight and more equal bytes at the front: the radix passes see no difference.
        let entries = (0..<3_000).map { place in
            PeerEntry(
                digest: (1, UInt64(place % 3), random.next(), 0),
                offset: UInt64(place),
                size: 1
            )
        }
        try withDirectory { directory in
            let peer = try subject.type.init(at: directory)
            try Self.ingest([entries], [1], into: peer)
            for entry in entries {
                var digest = entry.digest
                #expect(try peer.offset(of: &digest, in: 1) == entry.offset)
            }
            try peer.close()
        }
    }

    @Test(
        "an empty shard is accepted, and an empty peer finds nothing",
        arguments: Subject.available
    )
    func empty(_ subject: Subject) throws {
        try withDirectory { directory in
            let peer = try subject.type.init(at: directory)
            var digest = (UInt64(1), UInt64(2), UInt64(3), UInt64(4))
            #expect(try peer.offset(of: &digest, in: 1) == nil)
            try Self.ingest([[]], [1], into: peer)
            #expect(try peer.offset(of: &digest, in: 1) == nil)
            #expect(try peer.shards(of: &digest) == [])
            try peer.close()
        }
    }

    @Test(
        "a directory that cannot be created gives an error with a text",
        arguments: Subject.available
    )
    func unusableDirectory(_ subject: Subject) throws {
        let error = #expect(throws: PeerError.self) {
            _ = try subject.type.init(at: "/proc/nothing/here")
        }
        #expect(error?.system == subject.type.system)
        #expect(error?.text.isEmpty == false)
    }

    @Test("systems have the names that figures use")
    func names() {
        #expect(Peers.all.map { $0.system } == ["leveldb", "rocksdb", "lmdb", "flat"])
    }
}
