import DAGBytes
import DAGCatalog
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
        record.identity = .content
        record.validator = "\"5e-ü\""
        record.transientPath = Array("/srv/a".utf8) + [0xff, 0x0a]
        record.contentChecksum = 0x1020_3040_5060_7080
        record.sectionSizeMax = 0x11
        record.headerSizeMax = 1 << 33
        return record
    }

    @Test("a decoded record equals the encoded one", arguments: ShardRecord.State.allCases)
    func roundTrip(state: ShardRecord.State) throws {
        var record = Self.full()
        record.state = state
        #expect(try ShardRecord.reading(record.encoded()) == record)
        let bare = ShardRecord(number: 9, key: "", mountURL: "", state: state)
        #expect(try ShardRecord.reading(bare.encoded(), number: 9) == bare)
    }

    @Test("a decoded record has the encoded identity", arguments: ShardRecord.Identity.allCases)
    func identities(identity: ShardRecord.Identity) throws {
        var record = Self.full()
        record.identity = identity
        #expect(try ShardRecord.reading(record.encoded()) == record)
    }

    @Test("fields of the largest size are decoded, and fields of one byte more are corrupt")
    func greatestSizes() throws {
        var record = Self.full()
        record.key = String(repeating: "k", count: ShardRecord.keySizeMax)
        record.mountURL = String(repeating: "u", count: ShardRecord.urlSizeMax)
        record.errorText = String(repeating: "e", count: ShardRecord.errorTextSizeMax)
        record.validator = String(repeating: "v", count: ShardRecord.validatorSizeMax)
        record.transientPath = Array(repeating: 0x2f, count: ShardRecord.transientPathSizeMax)
        let bytes = record.encoded()
        #expect(try ShardRecord.reading(bytes) == record)
        // Where the five sizes stand.
        for place in [88, 92, 96, 100, 102] {
            var longer = bytes + [0x61]
            longer[place] &+= 1
            if longer[place] == 0 { longer[place + 1] &+= 1 }
            longer = longer.withChecksumAtEnd()
            #expect(throws: CatalogError(.corrupt, ""), "\(place)") {
                try ShardRecord.reading(longer)
            }
        }
    }

    @Test("only a record with a policy has version 4", arguments: ShardRecord.Policy.allCases)
    func policies(policy: ShardRecord.Policy) throws {
        var record = Self.full()
        let plain = record.encoded()
        record.policy = policy
        let bytes = record.encoded()
        #expect(try ShardRecord.reading(bytes) == record)
        #expect(bytes[0] == (policy == .automatic ? 3 : 4))
        #expect(bytes[90] == policy.rawValue)
        // Earlier programs read version 3, and refuse version 4 as too new.
        if policy == .automatic { #expect(bytes == plain) }
        record.policy = .automatic
        #expect(record.encoded() == plain)
    }

    @Test(
        "a policy that has no meaning is corrupt",
        arguments: [(3, 90, 1), (3, 90, 3), (4, 90, 0), (4, 90, 4), (4, 90, 255), (4, 91, 1)]
            as [(UInt8, Int, UInt8)]
    )
    func meaninglessPolicies(version: UInt8, place: Int, value: UInt8) {
        var record = Self.full()
        record.policy = .cache
        var bytes = record.encoded()
        bytes[0] = version
        bytes[place] = value
        bytes = bytes.withChecksumAtEnd()
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes) }
    }

    private static func small() -> ShardRecord {
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
        return record
    }

    /// The record above, as format 1 wrote it.
    private static let smallOfVersion1 = [
        "01020100", "feffffff", "0300000000000000", "0400000000000000", "0500000000000000",
        "0600000000000000", "8877665544332211", "0800000000000000", "0900000000000000",
        "ffffffffffffffff", "0a00000000000000", "0b00000000000000", "0100", "0000", "08000000",
        "01000000", "6b", "66696c653a2f2f61", "65",
    ]

    @Test("the bytes of a record are these")
    func golden() {
        var record = Self.small()
        record.identity = .content
        record.validator = "v1"
        record.transientPath = [0x2f, 0xff]
        record.contentChecksum = 0x0807_0605_0403_0201
        record.sectionSizeMax = 12
        record.headerSizeMax = 13
        let words = [
            "03020102", "feffffff", "0300000000000000", "0400000000000000", "0500000000000000",
            "0600000000000000", "8877665544332211", "0800000000000000", "0900000000000000",
            "ffffffffffffffff", "0a00000000000000", "0b00000000000000", "0100", "0000", "08000000",
            "01000000", "0200", "0200", "0102030405060708", "0c00000000000000",
            "0d00000000000000", "6b", "66696c653a2f2f61", "65", "7631", "2fff",
            "4d69c95d593cb015",
        ]
        #expect(record.encoded().hexadecimal == words.joined())
        record.policy = .cache
        let policy = record.encoded().hexadecimal
        let end = words.joined().count - 16
        let before = "04" + words.joined().prefix(end).dropFirst(2)
        #expect(policy.prefix(end) == before.prefix(180) + "0200" + before.dropFirst(184))
    }

    /// The record above, as format 3 wrote it.
    private static let smallOfVersion2 = [
        "02020102", "feffffff", "0300000000000000", "0400000000000000", "0500000000000000",
        "0600000000000000", "8877665544332211", "0800000000000000", "0900000000000000",
        "ffffffffffffffff", "0a00000000000000", "0b00000000000000", "0100", "0000", "08000000",
        "01000000", "0200", "0200", "0102030405060708", "6b", "66696c653a2f2f61", "65", "7631",
        "2fff",
    ]

    @Test("a record of version 2 is read, and written as version 3")
    func version2() throws {
        let bytes = try #require([UInt8](hexadecimal: Self.smallOfVersion2.joined()))
        let record = try ShardRecord.reading(bytes, number: 7)
        #expect(record.validator == "v1")
        #expect(record.contentChecksum == 0x0807_0605_0403_0201)
        #expect((record.sectionSizeMax, record.headerSizeMax) == (0, 0))
        #expect(record.encoded()[0] == 3)
        #expect(try ShardRecord.reading(record.encoded(), number: 7) == record)
        for size in 0..<bytes.count {
            #expect(throws: CatalogError(.corrupt, ""), "\(size) bytes") {
                try ShardRecord.reading(Array(bytes.prefix(size)))
            }
        }
    }

    @Test("every flipped bit of a record is seen")
    func flippedBits() {
        let bytes = Self.full().encoded()
        for bit in 0..<8 * bytes.count {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            // One flipped bit of the version makes the record a newer one.
            #expect(throws: CatalogError.self, "bit \(bit)") { try ShardRecord.reading(flipped) }
        }
    }

    @Test("a record of version 1 is read, and written as version 3")
    func version1() throws {
        let bytes = try #require([UInt8](hexadecimal: Self.smallOfVersion1.joined()))
        let record = try ShardRecord.reading(bytes, number: 7)
        #expect(record == Self.small())
        #expect(record.identity == .file)
        #expect(record.encoded()[0] == 3)
        #expect(try ShardRecord.reading(record.encoded(), number: 7) == record)
        for size in 0..<bytes.count {
            #expect(throws: CatalogError(.corrupt, ""), "\(size) bytes") {
                try ShardRecord.reading(Array(bytes.prefix(size)))
            }
        }
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes + [0]) }
    }

    @Test(
        "a byte that has no meaning is corrupt",
        arguments: [(1, 1), (1, 3), (2, 12), (2, 16), (2, 255), (3, 3), (90, 1), (91, 1)]
            as [(Int, UInt8)]
    )
    func meaninglessBytes(place: Int, value: UInt8) {
        var bytes = Self.full().encoded()
        bytes[place] = value
        bytes = bytes.withChecksumAtEnd()
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes) }
    }

    @Test(
        "a long error text is cut between two characters",
        arguments: ["ü", "文", "🧊"],
        0..<4
    )
    func longErrorText(character: String, shift: Int) throws {
        var record = Self.full()
        let head = String(repeating: "a", count: shift)
        record.errorText = head + String(repeating: character, count: 5000)
        let again = try ShardRecord.reading(record.encoded())
        #expect(record.errorText.hasPrefix(again.errorText))
        #expect(again.errorText.utf8.count <= ShardRecord.errorTextSizeMax)
        #expect(
            again.errorText.utf8.count > ShardRecord.errorTextSizeMax - character.utf8.count
        )
        #expect(again.key == record.key)
        #expect(again.validator == record.validator)
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
        bytes[0] = 5
        #expect(throws: CatalogError(.tooNew, "")) { try ShardRecord.reading(bytes) }
        bytes[0] = 0
        #expect(throws: CatalogError(.corrupt, "")) { try ShardRecord.reading(bytes) }
        bytes[0] = 3
        bytes[1] = 99
        #expect(throws: CatalogError(.corrupt, "")) {
            try ShardRecord.reading(bytes.withChecksumAtEnd())
        }
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
            if round % 2 == 0 { bytes = bytes.withChecksumAtEnd() }
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
