import Bytes
import Catalog
import TestSupport
import Testing

@Suite("Shard records")
struct ShardRecordTests {
    private static func full() -> ShardRecord {
        var record = ShardRecord(
            number: 1,
            key: "key/ü\n",
            mountURL: "file:///srv/a.car",
            state: .failed
        )
        record.isLazy = true
        record.errorCode = -31
        record.errorText = "cut short — at byte 61"
        record.generation = 0x0102_0304_0506_0708
        record.registered = 1
        record.stateSince = .max
        record.sectionCount = 2
        record.payloadSize = 1 << 40
        record.indexSize = 3
        record.fileSize = 1 << 41
        record.fileModified = -5
        record.fileInode = .max
        record.fileDevice = 6
        return record
    }

    @Test("a record gives back what went in", arguments: ShardRecord.State.allCases)
    func roundTrip(state: ShardRecord.State) throws {
        var record = Self.full()
        record.state = state
        #expect(try ShardRecord.reading(record.encoded()) == record)
        let bare = ShardRecord(number: 9, key: "", mountURL: "", state: state)
        #expect(try ShardRecord.reading(bare.encoded(), number: 9) == bare)
    }

    @Test("the bytes of a record are these")
    func golden() {
        var record = ShardRecord(number: 7, key: "k", mountURL: "file://a", state: .available)
        record.isLazy = true
        record.errorCode = -2
        record.generation = 3
        record.registered = 4
        record.stateSince = 5
        record.sectionCount = 6
        record.payloadSize = 0x1122_3344_5566_7788
        record.indexSize = 8
        record.fileSize = 9
        record.fileModified = -1
        record.fileInode = 10
        record.fileDevice = 11
        record.errorText = "e"
        let words = [
            "01020100", "feffffff", "0300000000000000", "0400000000000000", "0500000000000000",
            "0600000000000000", "8877665544332211", "0800000000000000", "0900000000000000",
            "ffffffffffffffff", "0a00000000000000", "0b00000000000000", "0100", "0000", "08000000",
            "01000000", "6b", "66696c653a2f2f61", "65",
        ]
        #expect(record.encoded().hexadecimal == words.joined())
    }

    @Test("a long error text is cut, also in the middle of a character")
    func longErrorText() throws {
        var record = Self.full()
        record.errorText = "a" + String(repeating: "ü", count: 5000)
        let again = try ShardRecord.reading(record.encoded())
        #expect(again.errorText.hasPrefix("aüüü"))
        #expect(again.errorText.utf8.count <= ShardRecord.errorTextSizeMax + 3)
        #expect(again.key == record.key)
    }

    @Test("every truncated or extended record is corrupt")
    func truncated() {
        let bytes = Self.full().encoded()
        for size in 0..<bytes.count {
            #expect(throws: CatalogError(.corrupt, ""), "\(size) bytes") {
                try ShardRecord.reading(Array(bytes.prefix(size)))
            }
        }
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes + [0]) }
    }

    @Test("a record of a later version is too new, one of version 0 is corrupt")
    func versions() {
        var bytes = Self.full().encoded()
        bytes[0] = 2
        #expect(throws: CatalogError(.tooNew, "")) { try ShardRecord.reading(bytes) }
        bytes[0] = 0
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes) }
        bytes[0] = 1
        bytes[1] = 99
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes) }
    }

    @Test("a damaged record is refused or read, and never traps")
    func mutated() {
        let seed: UInt64 = 1
        var generator = SplitMix64(seed: seed)
        let record = Self.full().encoded()
        for round in 0..<20_000 {
            var bytes = record
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = [0, 0xff, UInt8.random(in: 0...255, using: &generator)][round % 3]
            }
            if round % 7 == 0 { bytes.removeLast(Int.random(in: 0..<20, using: &generator)) }
            do {
                let read = try ShardRecord.reading(bytes)
                _ = read.encoded()
            } catch {
                let isKnown =
                    error == CatalogError(.corrupt, "") || error == CatalogError(.tooNew, "")
                #expect(isKnown, "seed \(seed), round \(round): \(error)")
            }
        }
    }
}
