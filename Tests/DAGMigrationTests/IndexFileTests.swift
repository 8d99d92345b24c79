import DAGBytes
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import DAGMigration

/// Index files that no correct program writes.
@Suite("Index files")
struct IndexFileTests {
    /// Returns an index of codec 0x0401 with one bucket, of sha2-256 with digests of four bytes.
    private func index(
        records: [[UInt8]],
        codec: [UInt8] = [0x81, 0x08],
        codes: Int32 = 1,
        width: UInt32 = 12,
        size: UInt64? = nil
    ) -> [UInt8] {
        var bytes = codec
        bytes.append(littleEndian: codes)
        bytes.append(littleEndian: UInt64(0x12))
        bytes.append(littleEndian: Int32(1))
        bytes.append(littleEndian: width)
        bytes.append(littleEndian: size ?? UInt64(records.reduce(0) { $0 + $1.count }))
        for record in records { bytes += record }
        return bytes
    }

    private func record(_ digest: UInt8, _ offset: UInt8) -> [UInt8] {
        [digest, 0, 0, 0, offset, 0, 0, 0, 0, 0, 0, 0]
    }

    private func read(_ bytes: [UInt8]) throws -> [UInt64] {
        let folder = try TemporaryFolder()
        let file = try IndexFile(at: FilePath(folder.write(bytes, to: "a.idx")))
        var offsets: [UInt64] = []
        try file.forEach { _, _, offset in offsets.append(offset) }
        return offsets
    }

    @Test("records come in file order")
    func reads() throws {
        #expect(try read(index(records: [record(1, 9), record(1, 7), record(2, 8)])) == [9, 7, 8])
        #expect(try read([0x81, 0x08, 0, 0, 0, 0]) == [])
    }

    @Test("every prefix is refused as truncated")
    func prefixes() throws {
        let bytes = index(records: [record(1, 9), record(2, 8)])
        for size in 0..<bytes.count {
            #expect(throws: MigrationError(.truncated, "", ""), "\(size)") {
                try read(Array(bytes[0..<size]))
            }
        }
    }

    @Test("records out of order are refused, also across two windows")
    func unsorted() throws {
        let error = MigrationError(.malformedIndex, "", "")
        #expect(throws: error) { try read(index(records: [record(2, 9), record(1, 8)])) }
        // 1 MiB holds 87,381 records of twelve bytes.
        let many = (0..<87_381).map { _ in record(2, 1) }
        #expect(throws: error) { try read(index(records: many + [record(1, 8)])) }
        #expect(try read(index(records: many + [record(2, 8)])).count == 87_382)
    }

    @Test("impossible structures are refused before anything is allocated")
    func shapes() throws {
        let error = MigrationError(.malformedIndex, "", "")
        #expect(throws: error) { try read(index(records: [], codec: [0x82, 0x08])) }
        #expect(throws: error) { try read(index(records: [], codes: -1)) }
        #expect(throws: error) { try read(index(records: [], width: 7)) }
        #expect(throws: error) { try read(index(records: [], width: 1 << 26)) }
        #expect(throws: error) { try read(index(records: [record(1, 1)], size: 13)) }
        let short = MigrationError(.truncated, "", "")
        #expect(throws: short) { try read(index(records: [record(1, 1)], size: 1 << 60 - 4)) }
        #expect(throws: short) { try read(index(records: [], codes: .max)) }
    }

    @Test("a file that becomes shorter is refused as changed")
    func shrinks() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(index(records: [record(1, 9), record(2, 8)]), to: "a.idx")
        let file = try IndexFile(at: FilePath(path))
        let writer = try FileHandle(forWritingTo: URL(filePath: path))
        try writer.truncate(atOffset: 30)
        try writer.close()
        #expect(throws: MigrationError(.sourceChanged, "", "")) { try file.forEach { _, _, _ in } }
    }
}
