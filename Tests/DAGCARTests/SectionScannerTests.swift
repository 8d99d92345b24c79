import DAGBytes
import DAGCAR
import DAGMultiformats
import FuzzChecks
import TestSupport
import Testing

@Suite("Section scanner")
struct SectionScannerTests {
    /// A few sections of the shapes that matter, small enough to try everything with.
    static let small = CARBuilder(
        roots: [CARBuilder.Block.identity([]).cid],
        blocks: [
            .versionZero([1, 2, 3]), .identity([]), .raw([]),
            .hashed([4], codec: Codec.dagCBOR, hashCode: HashCode.blake2b_256),
            .identity([UInt8](repeating: 9, count: 130)), .versionZero([]),
        ]
    )

    static func scan(
        _ bytes: [UInt8],
        limits: CARLimits = CARLimits(),
        windowSize: Int? = nil
    ) throws -> SectionList {
        try bytes.withView { view in
            let layout = try CARLayout(reading: view, limits: limits)
            let start = Int(layout.dataOffset)
            let payload = view[start..<start + Int(layout.dataSize)]
            guard let windowSize else {
                return SectionList(of: payload, from: layout.headerSize, limits: limits)
            }
            return SectionList(of: payload, from: layout.headerSize, limits: limits) { windowSize }
        }
    }

    @Test("the sections are those that were written", arguments: 1...8 as ClosedRange<UInt64>)
    func sectionsOfMixedKinds(seed: UInt64) throws {
        let car = CARBuilder.mixed(seed: seed)
        let list = try Self.scan(car.bytes)
        #expect(list.sections == car.sections)
        #expect(list.end == UInt64(car.bytes.count))
        #expect(list.error == nil)
    }

    @Test("a header alone has no sections")
    func headerOnly() throws {
        let list = try Self.scan(CARBuilder(roots: Self.small.roots).bytes)
        #expect(list.sections == [])
        #expect(list.error == nil)
    }

    // A window that ends after the 12 of a version 0 CID shows the beginning of a CID of version 18.
    @Test("windows of every size show the same sections")
    func everyWindowSize() throws {
        let bytes = Self.small.bytes
        let whole = try Self.scan(bytes)
        #expect(whole.sections == Self.small.sections)
        for size in 1...bytes.count {
            let list = try Self.scan(bytes, windowSize: size)
            let isSame = list == whole
            #expect(isSame, "windows of \(size) bytes stop at \(list.end), \(list.reason)")
        }
    }

    @Test("windows show the same sections of any CAR", arguments: 1...4 as ClosedRange<UInt64>)
    func windowsOverMixedKinds(seed: UInt64) throws {
        let car = CARBuilder.mixed(seed: seed)
        let bytes = car.bytes
        for size in Array(1...300) + [511, 512, 513, 1021, 4093, bytes.count] {
            let list = try Self.scan(bytes, windowSize: size)
            let isSame = list.sections == car.sections && list.error == nil && !list.isStalled
            #expect(isSame, "windows of \(size) bytes stop at \(list.end), \(list.reason)")
        }
    }

    @Test("a CAR cut at any byte gives the sections before the cut, and says that it was cut")
    func everyTruncation() throws {
        let bytes = Self.small.bytes
        let sections = Self.small.sections
        let headerSize = try CARLayout(bytes: bytes).headerSize
        for size in Int(headerSize)..<bytes.count {
            let cut = Array(bytes[..<size])
            let before = sections.filter { $0.end <= UInt64(size) }
            let end = before.last?.end ?? headerSize
            for windowSize in [nil, 1, 7, 64] {
                let list = try Self.scan(cut, windowSize: windowSize)
                #expect(list.sections == before, "cut at \(size)")
                #expect(list.end == end, "cut at \(size)")
                #expect(list.error == (end == UInt64(size) ? nil : CARError(.truncated, at: end)))
            }
        }
    }

    @Test("no byte of a section can be changed into a trap, or into windows that disagree")
    func everyByteReplaced() throws {
        let bytes = Self.small.bytes
        let headerSize = Int(try CARLayout(bytes: bytes).headerSize)
        for index in headerSize..<bytes.count {
            for value in [0x00, 0x01, 0x12, 0x20, 0x7f, 0x80, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] = value
                let whole = try Self.scan(changed)
                for windowSize in [1, 2, 37] {
                    let isSame = try Self.scan(changed, windowSize: windowSize) == whole
                    #expect(isSame, "\(value) at \(index), windows of \(windowSize) bytes")
                }
            }
        }
    }

    @Test("the largest section is as large as the limit, CID and data together")
    func limit() throws {
        let block = CARBuilder.Block.raw([UInt8](repeating: 1, count: 64))
        let bytes = CARBuilder(blocks: [block]).bytes
        #expect(try Self.scan(bytes, limits: CARLimits(sectionSizeMax: 100)).error == nil)
        let list = try Self.scan(bytes, limits: CARLimits(sectionSizeMax: 99))
        #expect(list.error == CARError(.limitExceeded, at: 18))
        #expect(list.error?.offset == 18)
    }

    @Test("a block of 8 MiB is over go-car's limit, which counts the CID")
    func defaultLimit() throws {
        let most = 8 << 20
        let fits = CARBuilder.Block.raw([UInt8](repeating: 0, count: most - 36))
        #expect(try Self.scan(CARBuilder(blocks: [fits]).bytes).error == nil)
        let over = CARBuilder.Block.raw([UInt8](repeating: 0, count: most - 35))
        #expect(try Self.scan(CARBuilder(blocks: [over]).bytes).error?.code == .limitExceeded)
    }

    @Test("a limit is checked before the section's bytes are asked for")
    func limitComesFirst() throws {
        var scanner = SectionScanner(start: 0, payloadSize: 1 << 40)
        var section = Section.none
        expectError(.limitExceeded, at: 0) {
            _ = try ([0x81, 0x80, 0x80, 0x04] as [UInt8]).withView {
                try scanner.next(in: $0, at: 0, into: &section)
            }
        }
    }

    @Test("null padding ends the data, whatever bytes follow", arguments: [nil, 1, 5, 64])
    func nullPadding(windowSize: Int?) throws {
        let end = UInt64(Self.small.bytes.count)
        for padding in [[0], [0, 0, 0, 0], [0, 0xff, 0xff], [0] + Self.small.bytes] as [[UInt8]] {
            let list = try Self.scan(Self.small.bytes + padding, windowSize: windowSize)
            #expect(list.sections == Self.small.sections)
            #expect(list.end == end)
            #expect(list.error == nil)
        }
    }

    @Test("null padding is an error where it is refused", arguments: [nil, 1, 5, 64])
    func nullPaddingRefused(windowSize: Int?) throws {
        let end = UInt64(Self.small.bytes.count)
        let limits = CARLimits(nullPadding: .refused)
        let list = try Self.scan(Self.small.bytes + [0, 0], limits: limits, windowSize: windowSize)
        #expect(list.sections == Self.small.sections)
        #expect(list.error == CARError(.nullPadding, at: end))
        #expect(list.error?.offset == end)
        #expect(try Self.scan(Self.small.bytes, limits: limits).error == nil)
    }

    @Test("a padded header alone is a CAR without sections")
    func paddedHeader() throws {
        let list = try Self.scan(CARBuilder().bytes + [UInt8](repeating: 0, count: 100))
        #expect(list.sections == [])
        #expect(list.end == 18)
        #expect(list.error == nil)
    }

    @Test("offsets do not end at 32 bits")
    func largeOffsets() throws {
        let start: UInt64 = (1 << 32) - 3
        let block = CARBuilder.Block.raw([1, 2, 3])
        let body = [UInt8(39)] + block.cid.bytes + block.data
        var scanner = SectionScanner(start: start, payloadSize: 1 << 50)
        var section = Section.none
        let steps = try (body + body).withView { view in
            [
                try scanner.next(in: view, at: start, into: &section),
                try scanner.next(in: view, at: start, into: &section),
                try scanner.next(in: view, at: start, into: &section),
            ]
        }
        #expect(steps == [.section, .section, .needs(64)])
        #expect(section.offset == start + 40)
        #expect(section.dataOffset == start + 40 + 37)
        #expect(section.dataSize == 3)
        #expect(scanner.position == start + 80)
    }

    @Test("a window at another offset is refused")
    func windowElsewhere() throws {
        let bytes = Self.small.bytes
        let start = try CARLayout(bytes: bytes).headerSize
        let size = UInt64(bytes.count)
        let wanted = min(64, Int(size - start))
        for offset in [start + 1, size, .max] {
            var scanner = SectionScanner(start: start, payloadSize: size)
            var section = Section.none
            let step = try bytes.withView { try scanner.next(in: $0, at: offset, into: &section) }
            #expect(step == .needs(wanted))
            #expect(scanner.position == start)
        }
    }

    @Test("a large CID is asked for as a whole and its data are not")
    func largeIdentity() throws {
        let block = CARBuilder.Block.identity([UInt8](repeating: 5, count: 5000))
        let bytes = CARBuilder(blocks: [block]).bytes
        var scanner = SectionScanner(start: 18, payloadSize: UInt64(bytes.count))
        var section = Section.none
        let step = try bytes.withView { view in
            try scanner.next(in: view[18..<50], at: 18, into: &section)
        }
        #expect(step == .needs(3 + block.cid.bytes.count - 1))
    }

    @Test("a first section after the payload is the caller's bug")
    func startOutsideTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = SectionScanner(start: 2, payloadSize: 1)
        }
    }
}

@Suite("Section reading")
struct SectionReadingTests {
    @Test("a section is read at its offset", arguments: 1...3 as ClosedRange<UInt64>)
    func atSections(seed: UInt64) {
        let car = CARBuilder.mixed(seed: seed)
        car.bytes.withView { payload in
            for section in car.sections {
                #expect(Section.reading(payload, at: section.offset) == section)
            }
        }
    }

    @Test("anywhere else there is nothing, or something that ends inside the payload")
    func elsewhere() throws {
        let car = CARBuilder.mixed(seed: 4)
        let starts = Set(car.sections.map(\.offset))
        try car.bytes.withView { (payload: ByteView) throws in
            let size = UInt64(payload.count)
            for offset in 0..<size where !starts.contains(offset) {
                guard let section = Section.reading(payload, at: offset) else { continue }
                #expect(section.offset == offset)
                #expect(section.end <= size)
                let bytes = payload[Int(section.cidOffset)..<Int(section.dataOffset)]
                let cid = try CID(bytes)
                #expect(cid.layout == section.cid)
            }
            for offset in [size, size + 1, 1 << 63, .max] {
                #expect(Section.reading(payload, at: offset) == nil)
            }
        }
    }

    @Test(
        "bytes that are not a section give nil",
        arguments: [
            [], [0], [0x80], [0x80, 0x00], [1], [1, 1], [4, 1, 0x55, 0],
            [4, 2, 0x55, 0, 0], [3, 1, 0x55, 0], [5, 1, 0x55, 0, 2, 9],
            [2, 0x12, 0x20], [UInt8](repeating: 0xff, count: 20),
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0x55, 0, 0],
        ] as [[UInt8]]
    )
    func refuses(bytes: [UInt8]) {
        #expect(bytes.withView { Section.reading($0, at: 0) } == nil)
    }
}
