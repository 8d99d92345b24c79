import DAGBytes
import DAGCAR
import DAGCARFiles
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// CAR files on disk, made here.
@Suite("CAR file")
struct CARFileTests {
    /// A folder with one CAR in it.
    struct Fixture {
        let folder: TemporaryFolder
        let file: CARFile

        init(_ bytes: [UInt8], limits: CARLimits = CARLimits()) throws {
            folder = try TemporaryFolder()
            file = try CARFile(URL(filePath: try folder.write(bytes, to: "a.car")), limits: limits)
        }
    }

    static let mixed = CARBuilder.mixed(seed: 1)

    // A window that ends after the 12 of a version 0 CID shows the beginning of a CID of version 18: one
    // in so many windows of a CAR of such blocks ends there.
    @Test("a window may end at any byte of a section", arguments: 0..<39)
    func windowEnds(shift: Int) throws {
        // Sections of 39 bytes, more than a window of them, behind one that decides where the window ends.
        let blocks =
            [CARBuilder.Block.versionZero([UInt8](repeating: 1, count: shift))]
            + (0..<UInt32(7000)).map { number in
                .versionZero([1, 2, UInt8(number >> 8), UInt8(number & 0xff)])
            }
        let car = CARBuilder(blocks: blocks)
        #expect(car.bytes.count > SectionWalk.windowSize + 5000)
        let content = try CARContent(walking: Fixture(car.bytes).file)
        #expect(content.error == nil)
        let isSame = content.rows.map(\.offset) == car.sections.map(\.offset)
        #expect(isSame)
    }

    @Test("a walk finds sections of all kinds and sizes", arguments: 1...3 as ClosedRange<UInt64>)
    func largeAndSmall(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var car = CARBuilder.mixed(seed: seed)
        for size in [1, 15_000, 16 << 10, 17_000, 200_000, 262_144, 300_000, 1_000_000] {
            car.blocks.append(.raw(generator.bytes(size)))
        }
        car.blocks += (0..<3).map { .identity([UInt8](repeating: $0, count: 400_000)) }
        car.blocks.shuffle(using: &generator)
        for version in [1, 2] as [UInt64] {
            let fixture = try Fixture(car.encoded(version: version))
            let content = try CARContent(walking: fixture.file)
            #expect(content.error == nil)
            let isSame = content.rows.map(\.offset) == car.sections.map(\.offset)
            #expect(isSame, "seed \(seed)")
        }
    }

    @Test("an empty payload after the header has nothing to walk over")
    func headerOnly() throws {
        let content = try CARContent(walking: Fixture(CARBuilder().bytes).file)
        #expect(content.rows == [])
        #expect(content.end == 18)
    }

    @Test("a file that is not there, a folder and an empty file do not open")
    func unopenable() throws {
        let folder = try TemporaryFolder()
        let missing = URL(filePath: folder.path(of: "missing.car"))
        #expect(throws: (any Error).self) { try CARFile(missing) }
        #expect(throws: (any Error).self) { try CARFile(folder.url) }
        let empty = URL(filePath: try folder.write([], to: "empty.car"))
        #expect(throws: CARError(.truncated, at: 0)) { try CARFile(empty) }
    }

    @Test("a sound CAR verifies, whoever helps", arguments: [0, 1, 2, 7])
    func sound(workers: Int) throws {
        for codec in [nil, CARIndex.sorted, CARIndex.multihashSorted] {
            for storesIdentity in [false, true] {
                let bytes = Self.mixed.encoded(
                    version: 2,
                    indexCodec: codec,
                    storesIdentity: storesIdentity
                )
                let found = try Fixture(bytes).file.verify(workers: workers)
                #expect(found.isSound)
                #expect(found.sections == UInt64(Self.mixed.blocks.count))
                // Four hash functions of the mixture are nobody's, and blocks of theirs may repeat.
                #expect(found.unverified >= 4)
            }
        }
    }

    @Test("every changed byte of data is noticed", arguments: [1, 4])
    func mismatches(workers: Int) throws {
        let car = CARBuilder.uniform(sections: 40, blockSize: 100_000, seed: 6)
        var bytes = car.bytes
        let changed = [3, 17, 18, 39]
        for number in changed.reversed() {
            bytes[Int(car.sections[number].end) - 1] ^= 1
        }
        let found = try Fixture(bytes).file.verify(workers: workers)
        #expect(found.mismatches == 4)
        #expect(found.firstMismatch?.offset == car.sections[3].offset)
        #expect(found.firstMismatch?.cid == car.blocks[3].cid)
        #expect(!found.isSound)
    }

    @Test("a byte that is not zero is found wherever it stands in the padding")
    func ignoredBytes() throws {
        let car = CARBuilder.uniform(sections: 2, blockSize: 100, seed: 7)
        let end = UInt64(car.bytes.count)
        for version in [1, 2] as [UInt64] {
            let bytes = car.encoded(version: version)
            let zeros = [UInt8](repeating: 0, count: 99)
            let padded = bytes + zeros
            for place in 1..<zeros.count {
                var changed = padded
                changed[bytes.count + place] = 0x80
                let found = try Fixture(changed).file.verify(workers: 1)
                #expect(found.isSound)
                // Of a CARv2 the payload ends before.
                let offset = end + UInt64(place)
                let ignored = IgnoredBytes(offset: offset, count: UInt64(zeros.count - place))
                #expect(found.ignoredBytes == (version == 1 ? ignored : nil), "\(place)")
            }
            #expect(try Fixture(padded).file.verify(workers: 1).ignoredBytes == nil)
        }
    }

    @Test("a CAR that is cut is verified up to the cut")
    func cut() throws {
        let car = CARBuilder.uniform(sections: 5, blockSize: 100, seed: 7)
        let found = try Fixture(Array(car.bytes.dropLast())).file.verify(workers: 2)
        #expect(found.sections == 4)
        #expect(found.malformation == CARError(.truncated, at: 0))
        #expect(found.malformation?.offset == car.sections[4].offset)
    }

    @Test(
        "a file that becomes shorter while it is verified is truncated, and the process lives",
        arguments: [(8, 100), (400, 300), (100, 40_000)],
        [1, 2] as [UInt64]
    )
    func shrinks(shape: (sections: Int, blockSize: Int), version: UInt64) throws {
        let car = CARBuilder.uniform(
            sections: shape.sections,
            blockSize: shape.blockSize,
            seed: 8
        )
        let codec = version == 2 ? CARIndex.multihashSorted : nil
        let fixture = try Fixture(car.encoded(version: version, indexCodec: codec))
        let path = FilePath(fixture.folder.path(of: "a.car"))
        let descriptor = try FileDescriptor.open(path, .readWrite)
        try descriptor.resize(to: 500)
        try descriptor.close()
        let found = fixture.file.verify(workers: 2)
        #expect(found.malformation == CARError(.truncated, at: 0))
        #expect(found.sections < UInt64(shape.sections))
        if version == 2 { #expect(found.indexFault != nil) }
    }

    // MARK: Embedded indexes

    /// Verifies a CARv2 whose index was made of `records` instead of its sections.
    static func indexFault(
        _ car: CARBuilder,
        _ records: [(block: Int, offset: UInt64)]
    ) throws -> CARError? {
        var builder = CARIndexBuilder(storesIdentity: true)
        for record in records {
            let cid = car.blocks[record.block].cid
            cid.withDigest {
                builder.append(hashCode: cid.hashCode, digest: $0, offset: record.offset)
            }
        }
        var bytes = car.encoded(version: 2)
        let indexOffset = UInt64(bytes.count)
        for index in 0..<8 {
            bytes[43 + index] = UInt8(truncatingIfNeeded: indexOffset >> UInt64(8 * index))
        }
        return try Fixture(bytes + builder.encoded()).file.verify(workers: 2).indexFault
    }

    static let three = CARBuilder.uniform(sections: 3, blockSize: 10, seed: 8)
    static let offsets = three.sections.map(\.offset)

    @Test("an index that agrees with the sections has no fault")
    func faultless() throws {
        let records = Self.offsets.enumerated().map { (block: $0, offset: $1) }
        #expect(try Self.indexFault(Self.three, records) == nil)
    }

    @Test("a section that the index lacks is a fault at the section")
    func missingRecord() throws {
        let records = [(block: 0, offset: Self.offsets[0]), (block: 2, offset: Self.offsets[2])]
        let fault = try Self.indexFault(Self.three, records)
        #expect(fault == CARError(.malformedIndex, at: 0))
        #expect(fault?.offset == Self.offsets[1])
    }

    @Test("another multihash for a section is a fault at the section")
    func wrongMultihash() throws {
        let records = [0, 2, 1].enumerated().map { (block: $1, offset: Self.offsets[$0]) }
        let fault = try Self.indexFault(Self.three, records)
        #expect(fault == CARError(.malformedIndex, at: 0))
        #expect(fault?.offset == Self.offsets[1])
    }

    // The largest offset stood for no section and for no fault, so that a record of it went unnoticed.
    @Test(
        "a record whose offset is no section's is a fault at the offset",
        arguments: [0, 1, 60, 1 << 40, UInt64.max - 1, .max] as [UInt64],
        [0, 3]
    )
    func strayRecord(offset: UInt64, sections: Int) throws {
        var car = Self.three
        let records = Self.offsets.prefix(sections).enumerated().map { (block: $0, offset: $1) }
        let stray = car.blocks[0]
        car.blocks.removeLast(3 - sections)
        var builder = CARIndexBuilder()
        for (block, offset) in records + [(block: 0, offset: offset)] {
            let cid = sections == 0 ? stray.cid : car.blocks[block].cid
            cid.withDigest { builder.append(hashCode: cid.hashCode, digest: $0, offset: offset) }
        }
        var bytes = car.encoded(version: 2)
        bytes[43] = UInt8(truncatingIfNeeded: bytes.count)
        bytes[44] = UInt8(truncatingIfNeeded: bytes.count >> 8)
        let found = try Fixture(bytes + builder.encoded()).file.verify(workers: 1)
        #expect(found.indexFault == CARError(.malformedIndex, at: 0))
        #expect(found.indexFault?.offset == offset)
    }

    @Test("an index that cannot be read is a fault, and the blocks are verified all the same")
    func unreadableIndex() throws {
        var bytes = Self.three.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        bytes.removeLast()
        let cut = try Fixture(bytes).file.verify(workers: 2)
        #expect(cut.sections == 3)
        #expect(cut.indexFault?.code == .truncated)
        bytes[44] = 0xff
        let outside = try Fixture(bytes).file.verify(workers: 2)
        #expect(outside.sections == 3)
        #expect(outside.indexFault?.code == .truncated)
    }
}
