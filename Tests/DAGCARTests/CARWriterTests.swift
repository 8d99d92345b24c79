import DAGBytes
import DAGCAR
import DAGMultiformats
import FuzzChecks
import TestSupport
import Testing

@Suite("CAR writer")
struct CARWriterTests {
    /// The options of an index: its codec, and whether it has identity CIDs.
    struct Variant: CustomTestStringConvertible, Sendable {
        var codec: UInt64?
        var storesIdentity = false

        var testDescription: String {
            codec.map { "0x0\(String($0, radix: 16))" + (storesIdentity ? " with identities" : "") }
                ?? "no index"
        }

        static let all = [
            Variant(codec: nil), Variant(codec: CARIndex.sorted),
            Variant(codec: CARIndex.sorted, storesIdentity: true),
            Variant(codec: CARIndex.multihashSorted),
            Variant(codec: CARIndex.multihashSorted, storesIdentity: true),
        ]
    }

    @Test("a CARv1 is its header and its sections")
    func bytesOfVersionOne() throws {
        let block = CARBuilder.Block.identity([0xaa, 0xbb])
        let bytes = CARBuilder(roots: [block.cid], blocks: [block, block]).bytes
        let section: [UInt8] = [8, 1, 0x55, 0, 2, 0xaa, 0xbb, 0xaa, 0xbb]
        #expect(bytes == CARHeader.encoded(roots: [block.cid]) + section + section)
    }

    @Test("a CARv1 ends without more")
    func endOfVersionOne() {
        let ending = CARWriter(roots: []).finish()
        #expect(ending.trailer == [])
        #expect(ending.header == [])
    }

    @Test("the payload's size grows with each write")
    func payloadSize() {
        let car = CARBuilder.mixed(seed: 2)
        var writer = CARWriter(version: 2, roots: car.roots)
        #expect(writer.start().count == 51 + Int(writer.payloadSize))
        for (block, section) in zip(car.blocks, car.sections) {
            #expect(writer.payloadSize == section.offset)
            let prefix = writer.prefix(for: block.cid, dataSize: block.data.count)
            #expect(prefix.count == section.prefixSize + block.cid.bytes.count)
            #expect(writer.payloadSize == section.end)
        }
    }

    @Test("a CARv2 is read as it was written", arguments: Variant.all, 1...2 as ClosedRange<UInt64>)
    func versionTwo(variant: Variant, seed: UInt64) throws {
        let car = CARBuilder.mixed(seed: seed)
        let payload = car.bytes
        let bytes = car.encoded(
            version: 2,
            indexCodec: variant.codec,
            storesIdentity: variant.storesIdentity
        )
        let layout = try CARLayout(bytes: bytes)
        #expect(layout.version == 2)
        #expect(layout.roots == car.roots)
        #expect(layout.dataOffset == 51)
        #expect(layout.dataSize == UInt64(payload.count))
        #expect(layout.isFullyIndexed == variant.storesIdentity)
        #expect(Array(bytes[51..<51 + payload.count]) == payload)
        #expect(try SectionScannerTests.scan(bytes).sections == car.sections)
        guard let codec = variant.codec else {
            #expect(layout.indexOffset == nil)
            #expect(bytes.count == 51 + payload.count)
            return
        }
        #expect(layout.indexOffset == 51 + layout.dataSize)
        try bytes.withView { view in
            let index = try CARIndex(reading: try #require(layout.index(in: view)))
            #expect(index.codec == codec)
            #expect(index.bytes.count == view.count - 51 - payload.count)
            let listed = car.sections.filter { variant.storesIdentity || !$0.cid.isIdentity }
            #expect(index.count == listed.count)
            for (block, section) in zip(car.blocks, car.sections) {
                let found = block.cid.withDigest {
                    index.offsets(of: $0, hashCode: block.cid.hashCode)
                }
                #expect(found.contains(section.offset) == listed.contains(section))
            }
        }
    }

    @Test("a CARv2 without blocks has an empty index")
    func emptyVersionTwo() throws {
        let bytes = CARBuilder().encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        #expect(Array(bytes[69...]) == [0x81, 0x08, 0, 0, 0, 0])
        #expect(try SectionScannerTests.scan(bytes).sections == [])
    }

    @Test("a CARv2 that was never finished is refused")
    func unfinished() {
        let car = CARBuilder.uniform(sections: 2, blockSize: 100, seed: 3)
        var writer = CARWriter(version: 2, roots: car.roots)
        var bytes = writer.start()
        expectError(.malformedHeader, at: 27) { _ = try CARLayout(bytes: bytes) }
        for block in car.blocks {
            bytes += writer.prefix(for: block.cid, dataSize: block.data.count) + block.data
            expectError(.malformedHeader, at: 27) { _ = try CARLayout(bytes: bytes) }
        }
    }

    @Test("an index in a CARv1 and another version are the caller's bugs")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            _ = CARWriter(version: 1, roots: [], indexCodec: CARIndex.sorted)
        }
        await #expect(processExitsWith: .failure) { _ = CARWriter(version: 3, roots: []) }
    }
}
