import DAGBytes
import DAGCAR
import FuzzChecks
import TestSupport
import Testing

@Suite("CAR layout")
struct CARLayoutTests {
    static let blocks = CARBuilder.uniform(sections: 3, blockSize: 10, seed: 1)

    /// A CARv2 around `payload`, with room before and after it.
    static func versionTwo(
        _ payload: [UInt8],
        before: Int = 0,
        after: Int = 0,
        index: [UInt8] = [],
        first: UInt8 = 0
    ) -> [UInt8] {
        var bytes = CARLayout.pragma + [UInt8](repeating: 0, count: 40 + before)
        bytes[11] = first
        bytes.set(UInt64(bytes.count), at: 27)
        bytes.set(UInt64(payload.count), at: 35)
        bytes += payload + [UInt8](repeating: 0xee, count: after)
        if !index.isEmpty { bytes.set(UInt64(bytes.count), at: 43) }
        return bytes + index
    }

    @Test("a CARv1 is all payload")
    func versionOne() throws {
        let bytes = Self.blocks.bytes
        let layout = try CARLayout(bytes: bytes)
        #expect(layout.version == 1)
        #expect(layout.roots == Self.blocks.roots)
        #expect(layout.dataOffset == 0)
        #expect(layout.dataSize == UInt64(bytes.count))
        #expect(layout.headerSize == 59)
        #expect(layout.indexOffset == nil)
        #expect(!layout.isFullyIndexed)
        #expect(bytes.withView { layout.index(in: $0)?.count } == nil)
    }

    // For a zstd file, the message was only "malformedHeader at byte 1: not a map".
    @Test(
        "files that users mistake for a CAR are named by their format",
        arguments: [
            ([], "the file is empty"),
            ([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58], "zstd-compressed"),
            ([0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "gzip-compressed"),
            (Array("BZh91AY&SY".utf8), "bzip2-compressed"),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4], "xz-compressed"),
            ([0x04, 0x22, 0x4d, 0x18, 0x64], "lz4-compressed"),
            (Array("PK\u{3}\u{4}".utf8), "zip archive"),
            (
                Array("a.car".utf8) + Array(repeating: 0, count: 252) + Array("ustar".utf8),
                "tar archive"
            ),
            ([0x81, 0x08, 0, 0, 0, 0], "index of a CAR"),
            (Array(repeating: 0, count: 100), "begins with zeros"),
            (Array("<!DOCTYPE html>\n<html>".utf8), "HTML page"),
            (Array("\n<HTML lang=en>".utf8), "HTML page"),
            (Array("<?xml version='1.0'?><Error/>".utf8), "XML"),
            (Array("{\"message\": \"not found\"}".utf8), "JSON"),
            (Array("[]\n".utf8), "JSON"),
            (
                Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".utf8),
                "git lfs pull"
            ),
        ] as [([UInt8], String)]
    )
    func foreignFormats(bytes: [UInt8], text: String) throws {
        let error = try #require(throws: CARError.self) { try CARLayout(bytes: bytes) }
        #expect(error.detail.contains(text), "\(error)")
    }

    @Test("a file of an unknown format keeps its error")
    func unknownFormat() throws {
        let error = try #require(throws: CARError.self) { try CARLayout(bytes: [3, 1, 2, 3]) }
        #expect(error.detail == "not a map")
        // A CAR cut in its header begins as a CAR does.
        let cut = Array(Self.blocks.bytes.prefix(20))
        #expect(throws: CARError(.truncated, at: 0)) { try CARLayout(bytes: cut) }
    }

    @Test("the payload and the index of a CARv2 stand where its header says", arguments: [0, 1413])
    func versionTwo(padding: Int) throws {
        let payload = Self.blocks.bytes
        let index: [UInt8] = [0x81, 0x08, 0, 0, 0, 0]
        let bytes = Self.versionTwo(payload, before: padding, after: 9, index: index)
        let layout = try CARLayout(bytes: bytes)
        #expect(layout.version == 2)
        #expect(layout.roots == Self.blocks.roots)
        #expect(layout.dataOffset == UInt64(51 + padding))
        #expect(layout.dataSize == UInt64(payload.count))
        #expect(layout.headerSize == 59)
        #expect(layout.indexOffset == UInt64(51 + padding + payload.count + 9))
        #expect(bytes.withView { layout.index(in: $0)?.copied } == index)
        let sections = bytes.withView { view in
            let start = Int(layout.dataOffset)
            let payload = view[start..<start + Int(layout.dataSize)]
            return SectionList(of: payload, from: layout.headerSize)
        }
        // The offsets count from the start of the CARv1, and bytes after the payload are ignored.
        #expect(sections.sections == Self.blocks.sections)
        #expect(sections.error == nil)
    }

    @Test("the header of a CARv2 starts at byte 11 however long the pragma says it is")
    func longPragma() throws {
        var bytes = Self.versionTwo(Self.blocks.bytes)
        bytes[0] = 40
        #expect(try CARLayout(bytes: bytes).dataOffset == 51)
    }

    @Test(
        "fully indexed is the highest bit of byte 11 and no other",
        arguments: [(0x00, false), (0x80, true), (0xff, true), (0x7f, false), (0x01, false)]
            as [(UInt8, Bool)]
    )
    func fullyIndexed(first: UInt8, isFullyIndexed: Bool) throws {
        var bytes = Self.versionTwo(Self.blocks.bytes, first: first)
        #expect(try CARLayout(bytes: bytes).isFullyIndexed == isFullyIndexed)
        for index in 12..<27 { bytes[index] = 0xff }
        #expect(try CARLayout(bytes: bytes).isFullyIndexed == isFullyIndexed)
    }

    @Test("an index that starts at the file's end or after it is not there")
    func indexOutside() throws {
        var bytes = Self.versionTwo(Self.blocks.bytes)
        for offset in [UInt64(bytes.count), UInt64(bytes.count) + 1, 1 << 62, (1 << 63) - 1]
            as [UInt64]
        {
            bytes.set(offset, at: 43)
            let layout = try CARLayout(bytes: bytes)
            #expect(layout.indexOffset == offset)
            #expect(bytes.withView { layout.index(in: $0)?.count } == nil)
        }
    }

    @Test("an index may start anywhere in the file; its content is checked later")
    func indexAnywhere() throws {
        var bytes = Self.versionTwo(Self.blocks.bytes)
        for offset in [1, 11, 51, 60, UInt64(bytes.count) - 1] as [UInt64] {
            bytes.set(offset, at: 43)
            let layout = try CARLayout(bytes: bytes)
            let size = bytes.withView { layout.index(in: $0)?.count }
            #expect(size == bytes.count - Int(offset))
        }
    }

    @Test("offsets and sizes that no file has are refused")
    func extremes() {
        let good = Self.versionTwo(Self.blocks.bytes)
        let cases: [(at: Int, value: UInt64, code: CARError.Code, offset: UInt64)] = [
            (27, 0, .malformedHeader, 27), (27, 50, .malformedHeader, 27),
            (27, 1 << 63, .malformedHeader, 27), (27, .max, .malformedHeader, 27),
            (27, (1 << 63) - 1, .truncated, 27), (27, UInt64(good.count) + 1, .truncated, 27),
            (27, 52, .truncated, 27),
            (35, 0, .malformedHeader, 35), (35, 1 << 63, .malformedHeader, 35),
            (35, (1 << 63) - 1, .truncated, 27), (35, UInt64(good.count) - 50, .truncated, 27),
            (43, 1 << 63, .malformedHeader, 43), (43, .max, .malformedHeader, 43),
        ]
        for (position, value, code, offset) in cases {
            var bytes = good
            bytes.set(value, at: position)
            expectError(code, at: offset) { _ = try CARLayout(bytes: bytes) }
        }
    }

    @Test("a payload that is a CARv2 itself, or no CAR, is refused")
    func innerVersions() {
        expectError(.unsupportedVersion, at: 51) {
            _ = try CARLayout(bytes: Self.versionTwo(Self.versionTwo(Self.blocks.bytes)))
        }
        expectError(.malformedHeader, at: 52) {
            _ = try CARLayout(bytes: Self.versionTwo([1, 1]))
        }
        expectError(.truncated, at: 51) { _ = try CARLayout(bytes: Self.versionTwo([5, 1])) }
    }

    @Test("the limit on headers holds for the inner one too")
    func limit() throws {
        let bytes = Self.versionTwo(Self.blocks.bytes)
        #expect(try CARLayout(bytes: bytes, limits: CARLimits(headerSizeMax: 58)).version == 2)
        expectError(.limitExceeded, at: 51) {
            _ = try CARLayout(bytes: bytes, limits: CARLimits(headerSizeMax: 57))
        }
    }

    @Test(
        "a CARv2 cut before its payload ends is truncated, and one cut after that is sound"
    )
    func truncation() throws {
        let payload = Self.blocks.bytes
        let bytes = Self.versionTwo(payload, after: 3, index: [0x81, 0x08, 0, 0, 0, 0])
        for size in bytes.indices {
            let cut = Array(bytes[..<size])
            switch size {
            case ..<11: expectError(.truncated, at: 0) { _ = try CARLayout(bytes: cut) }
            case ..<51: expectError(.truncated, at: 11) { _ = try CARLayout(bytes: cut) }
            case ..<(51 + payload.count):
                expectError(.truncated, at: 27) { _ = try CARLayout(bytes: cut) }
            default:
                let layout = try CARLayout(bytes: cut)
                let index = cut.withView { layout.index(in: $0)?.count }
                #expect(index == (size > 54 + payload.count ? size - 54 - payload.count : nil))
            }
        }
    }
}
