import DAGBytes
import DAGCAR
import DAGMultiformats
import TestSupport
import Testing

@Suite("CAR index")
struct CARIndexTests {
    typealias Record = (code: UInt64, digest: [UInt8], offset: UInt64)

    static func encoded(_ records: [Record], codec: UInt64, identity: Bool = true) -> [UInt8] {
        var builder = CARIndexBuilder(storesIdentity: identity)
        for record in records {
            record.digest.withView {
                builder.append(hashCode: record.code, digest: $0, offset: record.offset)
            }
        }
        return builder.encoded(codec: codec)
    }

    /// Calls `body` with the index that `bytes` are.
    static func withIndex<R>(_ bytes: [UInt8], _ body: (CARIndex) throws -> R) throws -> R {
        try bytes.withView { (view: ByteView) throws -> R in try body(try CARIndex(reading: view)) }
    }

    static func offsets(in bytes: [UInt8], of digest: [UInt8], code: UInt64) throws -> [UInt64] {
        try withIndex(bytes) { index in
            digest.withView { index.offsets(of: $0, hashCode: code) }
        }
    }

    static func count32(_ value: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: value)
        return bytes
    }

    static func count64(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: value)
        return bytes
    }

    @Test(
        "an index of nothing is its codec and a zero",
        arguments: [(CARIndex.sorted, 0x80), (CARIndex.multihashSorted, 0x81)]
            as [(UInt64, UInt8)]
    )
    func empty(codec: UInt64, first: UInt8) throws {
        let bytes = Self.encoded([], codec: codec)
        #expect(bytes == [first, 0x08, 0, 0, 0, 0])
        try Self.withIndex(bytes) { index in
            #expect(index.codec == codec)
            #expect(index.buckets == [])
            #expect(index.count == 0)
        }
        #expect(try Self.offsets(in: bytes, of: [], code: 0) == [])
    }

    @Test("the counts before the buckets are numbers, the ones in them are bytes")
    func layoutOfOneRecord() {
        let digest = [UInt8](1...32)
        let bucketset =
            Self.count32(1) + Self.count32(40) + Self.count64(40) + digest + Self.count64(18)
        let records: [Record] = [(0x12, digest, 18)]
        #expect(
            Self.encoded(records, codec: CARIndex.sorted) == [0x80, 0x08] + bucketset
        )
        #expect(
            Self.encoded(records, codec: CARIndex.multihashSorted)
                == [0x81, 0x08] + Self.count32(1) + Self.count64(0x12) + bucketset
        )
    }

    @Test("identity CIDs are left out unless they are asked for")
    func identity() throws {
        let records: [Record] = [(0, [1, 2], 18), (0x12, [3, 4], 30)]
        for codec in [CARIndex.sorted, CARIndex.multihashSorted] {
            let without = Self.encoded(records, codec: codec, identity: false)
            #expect(try Self.offsets(in: without, of: [1, 2], code: 0) == [])
            #expect(try Self.offsets(in: without, of: [3, 4], code: 0x12) == [30])
            let with = Self.encoded(records, codec: codec, identity: true)
            #expect(try Self.offsets(in: with, of: [1, 2], code: 0) == [18])
        }
    }

    @Test("hash functions, widths and digests ascend, in any order of insertion")
    func order() throws {
        var generator = SplitMix64(seed: 5)
        var records: [Record] = []
        for code in [0xb220, 0x12, 0x13, 0x7fff_ffff_ffff_ffff, 0] as [UInt64] {
            for size in [64, 32, 0, 1, 20, 7, 8, 9, 300] {
                for _ in 0..<20 {
                    records.append((code, generator.bytes(size), generator.next() >> 8))
                }
            }
        }
        records.shuffle(using: &generator)
        for codec in [CARIndex.sorted, CARIndex.multihashSorted] {
            let bytes = Self.encoded(records, codec: codec)
            try Self.withIndex(bytes) { index in
                #expect(index.count == records.count)
                #expect(index.bytes.count == bytes.count)
                let keys = index.buckets.map { [$0.hashCode ?? 0, UInt64($0.width)] }
                #expect(keys == keys.sorted { $0.lexicographicallyPrecedes($1) })
                #expect(keys.count == (codec == CARIndex.sorted ? 9 : 45))
                for bucket in index.buckets {
                    let entries = (0..<bucket.count).map { index.entry($0, of: bucket) }
                    #expect(entries.allSatisfy { $0.hashCode == bucket.hashCode })
                    #expect(entries.allSatisfy { $0.digest.count == bucket.width - 8 })
                    for (one, other) in zip(entries, entries.dropFirst()) {
                        #expect(!other.digest.lexicographicallyPrecedes(one.digest))
                        guard one.digest.elementsEqual(other.digest) else { continue }
                        #expect(one.offset <= other.offset)
                    }
                }
            }
        }
    }

    @Test("every record is found, and no other", arguments: 1...3 as ClosedRange<UInt64>)
    func lookups(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let records: [Record] = (0..<400).map { number in
            let size = [4, 20, 32].randomElement(using: &generator) ?? 4
            let code = ([0x12, 0x13, 0xb220] as [UInt64]).randomElement(using: &generator) ?? 0x12
            // The bytes have few values, so many digests are equal or share their beginning.
            let digest = generator.bytes(size).map { $0 & 1 }
            return (code: code, digest: digest, offset: UInt64(number) * 100)
        }
        for codec in [CARIndex.sorted, CARIndex.multihashSorted] {
            let bytes = Self.encoded(records.shuffled(using: &generator), codec: codec)
            for record in records {
                let same = records.filter {
                    $0.digest == record.digest
                        && (codec == CARIndex.sorted || $0.code == record.code)
                }
                let found = try Self.offsets(in: bytes, of: record.digest, code: record.code)
                #expect(found == same.map(\.offset), "seed \(seed)")
            }
            #expect(try Self.offsets(in: bytes, of: [2, 2, 2, 2], code: 0x12) == [])
            #expect(try Self.offsets(in: bytes, of: [], code: 0x12) == [])
            #expect(
                try Self.offsets(in: bytes, of: [UInt8](repeating: 0, count: 33), code: 0) == []
            )
        }
    }

    @Test("one format keeps hash functions, the other drops them")
    func hashFunctions() throws {
        let digest = [UInt8](repeating: 3, count: 32)
        let records: [Record] = [(0x12, digest, 50), (0xb220, digest, 20)]
        let sorted = Self.encoded(records, codec: CARIndex.sorted)
        for code in [0x12, 0xb220, 0x77] as [UInt64] {
            #expect(try Self.offsets(in: sorted, of: digest, code: code) == [20, 50])
        }
        let grouped = Self.encoded(records, codec: CARIndex.multihashSorted)
        #expect(try Self.offsets(in: grouped, of: digest, code: 0x12) == [50])
        #expect(try Self.offsets(in: grouped, of: digest, code: 0xb220) == [20])
        #expect(try Self.offsets(in: grouped, of: digest, code: 0x77) == [])
    }

    @Test("equal digests are ordered by offset")
    func equalDigests() throws {
        let digest = [UInt8](repeating: 8, count: 16)
        let offsets: [UInt64] = [1 << 40, 7, .max, 256, 0, 1, 255]
        let records: [Record] = offsets.map { (0x12, digest, $0) }
        let bytes = Self.encoded(records, codec: CARIndex.multihashSorted)
        #expect(try Self.offsets(in: bytes, of: digest, code: 0x12) == offsets.sorted())
    }

    @Test("the bytes do not depend on the order of the records")
    func canonical() {
        var generator = SplitMix64(seed: 9)
        let records: [Record] = (0..<300).map { number in
            (UInt64(number % 3), generator.bytes(number % 5).map { $0 & 3 }, UInt64(number))
        }
        for codec in [CARIndex.sorted, CARIndex.multihashSorted] {
            let bytes = Self.encoded(records, codec: codec)
            let shuffled = records.shuffled(using: &generator)
            #expect(Self.encoded(shuffled, codec: codec) == bytes)
        }
    }

    @Test("bytes after an index are not part of it")
    func trailingBytes() throws {
        let bytes = Self.encoded([(0x12, [1], 2)], codec: CARIndex.multihashSorted)
        let read = try Self.withIndex(bytes + [1, 2, 3]) { $0.bytes.copied }
        #expect(read == bytes)
    }

    @Test("an index cut anywhere is truncated")
    func truncation() {
        let records: [Record] = [(0x12, [1], 2), (0x12, [1, 2], 3), (0x13, [], 4)]
        for codec in [CARIndex.sorted, CARIndex.multihashSorted] {
            let bytes = Self.encoded(records, codec: codec)
            for size in bytes.indices {
                #expect(throws: CARError(.truncated, at: 0), "cut at \(size)") {
                    _ = try Self.withIndex(Array(bytes[..<size])) { $0.codec }
                }
            }
        }
    }

    @Test("buckets without records, repeated widths and repeated hash functions are read")
    func unusualShapes() throws {
        func bucket(_ digest: UInt8, _ offset: UInt64) -> [UInt8] {
            Self.count32(9) + Self.count64(9) + [digest] + Self.count64(offset)
        }
        let none = Self.count32(9) + Self.count64(0)
        let bytes =
            [0x81, 0x08] + Self.count32(3)
            + Self.count64(0x12) + Self.count32(3) + bucket(1, 10) + none + bucket(1, 20)
            + Self.count64(0x13) + Self.count32(0)
            + Self.count64(0x12) + Self.count32(1) + bucket(1, 30)
        #expect(try Self.offsets(in: bytes, of: [1], code: 0x12) == [10, 20, 30])
        #expect(try Self.withIndex(bytes) { $0.buckets.map(\.count) } == [1, 0, 1, 1])
    }

    @Test("records out of order are read and searched without harm")
    func unsorted() throws {
        var generator = SplitMix64(seed: 11)
        let records = (0..<100).flatMap { _ in generator.bytes(12) }
        let bytes =
            [0x80, 0x08] + Self.count32(1) + Self.count32(12) + Self.count64(1200) + records
        for start in stride(from: 0, to: records.count, by: 12) {
            _ = try Self.offsets(in: bytes, of: Array(records[start..<start + 4]), code: 0)
        }
    }

    @Test("the widest record is as wide as go-car's")
    func width() throws {
        func index(_ width: UInt32) -> [UInt8] {
            [0x80, 0x08] + Self.count32(1) + Self.count32(width) + Self.count64(0)
        }
        #expect(try Self.withIndex(index(32 << 20)) { $0.count } == 0)
        #expect(try Self.withIndex(index(8)) { $0.count } == 0)
        expectError(.malformedIndex, at: 6) {
            _ = try Self.withIndex(index((32 << 20) + 1)) { $0.count }
        }
        expectError(.malformedIndex, at: 6) { _ = try Self.withIndex(index(7)) { $0.count } }
    }

    @Test("a builder counts its records")
    func count() {
        var builder = CARIndexBuilder()
        #expect(builder.count == 0)
        for (code, size) in [(0x12, 32), (0x12, 32), (0, 4), (0x13, 0)] as [(UInt64, Int)] {
            [UInt8](repeating: 1, count: size).withView {
                builder.append(hashCode: code, digest: $0, offset: 1)
            }
        }
        #expect(builder.count == 3)
    }

    @Test("another codec and a record that is not there are the caller's bugs")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            _ = CARIndexBuilder().encoded(codec: 0x0402)
        }
        await #expect(processExitsWith: .failure) {
            let bytes = [0x80, 0x08] + CARIndexTests.count32(1) + CARIndexTests.count32(8)
            try CARIndexTests.withIndex(bytes + CARIndexTests.count64(0)) { index in
                _ = index.entry(0, of: index.buckets[0])
            }
        }
    }
}
