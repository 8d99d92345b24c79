import DAGBytes
import DAGCAR
import DAGCARFiles
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import TestSupport
import Testing

/// CARs and indexes that the Go dagstore wrote, and what it found in them.
@Suite("Reference vectors", .enabled(if: Vectors.areHere, "there are no vectors here"))
struct ReferenceVectorTests {
    /// The CARs that do not open.
    static let unreadable: [String: CARError.Code] = [
        "cars/bad-empty-file.car": .truncated, "cars/bad-garbage.car": .malformedHeader,
    ]

    /// The CARs that end inside a section.
    static let truncated: Set = ["cars/bad-truncated.car", "cars/bad-truncated-in-cid.car"]

    static let readable = Vectors.reference.filter { unreadable[$0.file] == nil }

    /// One index file, and the CAR that it is of.
    struct IndexCase: CustomTestStringConvertible, Sendable {
        var car: ReferenceCAR
        var file: String
        var index: ReferenceCAR.Index
        var codec: UInt64
        var storesIdentity: Bool

        var testDescription: String { file }
    }

    /// The index files; the reference indexes a truncated CAR as if it were whole, and nobody should.
    static let indices: [IndexCase] = readable.flatMap { car in
        car.indices.sorted { $0.key < $1.key }.compactMap { name, generated in
            guard let file = generated.file, let index = generated.index else { return nil }
            guard !truncated.contains(car.file) else { return nil }
            return IndexCase(
                car: car,
                file: file,
                index: index,
                codec: name.hasPrefix("0400") ? CARIndex.sorted : CARIndex.multihashSorted,
                storesIdentity: !name.hasSuffix("noident")
            )
        }
    }

    @Test("a CAR opens as it does in Go, or not at all", arguments: Vectors.reference)
    func opening(car: ReferenceCAR) throws {
        let url = Vectors.url(car.path)
        let bytes = try url.bytes()
        #expect(bytes.count == car.size)
        #expect((car.openError == nil) == (Self.unreadable[car.file] == nil))
        if let code = Self.unreadable[car.file] {
            #expect(throws: CARError(code, at: 0)) { try CARFile(url) }
            return
        }
        let layout = try bytes.withView { view throws(CARError) in try CARLayout(reading: view) }
        #expect(try CARFile(url).layout == layout)
        #expect(layout.version == car.version)
        #expect(layout.roots.map(\.description) == car.roots ?? [])
        #expect((layout.version == 2) == (car.versionTwo != nil))
        guard let two = car.versionTwo else { return }
        #expect(layout.dataOffset == two.dataOffset)
        #expect(layout.dataSize == two.dataSize)
        #expect(layout.indexOffset ?? 0 == two.indexOffset)
        #expect(layout.isFullyIndexed == two.isFullyIndexed)
    }

    @Test("every section is where Go found it", arguments: readable)
    func sections(car: ReferenceCAR) throws {
        let file = try CARFile(Vectors.url(car.path))
        let view = file.mapped.bytes
        let content = try CARContent(of: view, file.layout)
        for windowSize in [1, 64, 1000] {
            let isSame = try CARContent(of: view, file.layout, windowSize: windowSize) == content
            #expect(isSame, "windows of \(windowSize) bytes")
        }
        let isWalkedSame = try CARContent(walking: file) == content
        #expect(isWalkedSame, "from disk")
        #expect((content.error != nil) == Self.truncated.contains(car.file))
        if let error = content.error { #expect(error.code == .truncated) }
        let blocks = car.blocks ?? []
        #expect(content.rows.count == blocks.count)
        for (row, block) in zip(content.rows, blocks) {
            #expect(row.cid.description == block.cid)
            #expect(row.cid.multihash.hexadecimal == block.multihash)
            #expect(row.offset == block.sectionOffset)
            #expect(row.dataOffset == block.dataOffset)
            #expect(row.dataOffset + file.layout.dataOffset == block.fileOffset)
            #expect(row.dataSize == block.dataSize)
            #expect(row.dataSize + UInt64(row.cid.bytes.count) == block.sectionSize)
        }
    }

    @Test("blocks hash to their CIDs where Go says so", arguments: readable, [1, 2, 5])
    func verification(car: ReferenceCAR, workers: Int) throws {
        let found = try CARFile(Vectors.url(car.path)).verify(workers: workers)
        let blocks = car.blocks ?? []
        let bad = blocks.filter { !$0.isSound }
        #expect(found.sections == UInt64(blocks.count))
        let unverified = try blocks.count {
            let cid = try CID($0.cid)
            return !cid.isIdentity && cid.digest.count < 20 && $0.isSound
        }
        #expect(found.unverified == UInt64(unverified))
        #expect(found.mismatches == UInt64(bad.count))
        #expect(found.firstMismatch?.offset == bad.first?.sectionOffset)
        #expect(found.firstMismatch?.cid.description == bad.first?.cid)
        #expect(found.malformation?.code == (Self.truncated.contains(car.file) ? .truncated : nil))
        #expect(found.indexFault == nil)
        #expect(found.isSound == (car.verifyError == nil))
    }

    @Test("an index is written as Go writes it, byte for byte", arguments: indices)
    func generatedIndexes(generated: IndexCase) throws {
        let file = try CARFile(Vectors.url(generated.car.path))
        let written = carIndex(
            of: try CARContent(walking: file),
            codec: generated.codec,
            storesIdentity: generated.storesIdentity
        )
        let expected = try Vectors.url("go-dagstore/" + generated.file).bytes()
        #expect(expected.count == generated.index.size)
        let difference = zip(written, expected).enumerated().first { $1.0 != $1.1 }?.offset
        #expect(written.count == expected.count)
        #expect(difference == nil)
    }

    @Test("there is an index file for every CAR that can be read")
    func indexesAreComplete() {
        #expect(Self.indices.count == (Self.readable.count - Self.truncated.count) * 4)
    }

    @Test("an index answers as Go's does", arguments: indices)
    func lookups(generated: IndexCase) throws {
        let bytes = try Vectors.url("go-dagstore/" + generated.file).bytes()
        try bytes.withView { (view: ByteView) throws in
            try Self.compare(try CARIndex(reading: view), with: generated.index)
        }
    }

    @Test(
        "the store of the reference keeps the index that is written here, or the one in the CAR",
        arguments: readable.filter { !truncated.contains($0.file) }
    )
    func storedIndexes(car: ReferenceCAR) throws {
        let file = try CARFile(Vectors.url(car.path))
        let stored = try #require(car.storedIndex)
        if let embedded = try file.embeddedIndex() {
            #expect(embedded.bytes.count == stored.size)
            return try Self.compare(embedded, with: stored)
        }
        let written = carIndex(
            of: try CARContent(walking: file),
            codec: CARIndex.multihashSorted,
            storesIdentity: true
        )
        #expect(written.count == stored.size)
        try written.withView { (view: ByteView) throws in
            try Self.compare(try CARIndex(reading: view), with: stored)
        }
    }

    private static func compare(_ index: CARIndex, with expected: ReferenceCAR.Index) throws {
        #expect("0x0" + String(index.codec, radix: 16) == expected.codec)
        #expect(index.bytes.count == expected.size)
        if let records = expected.records {
            let found = index.buckets.flatMap { bucket in
                (0..<bucket.count).map { record in
                    let entry = index.entry(record, of: bucket)
                    let multihash = Multihash(
                        code: entry.hashCode ?? 0,
                        digest: entry.digest.copied
                    )
                    return ReferenceCAR.Index.Record(
                        multihash: multihash.hexadecimal,
                        offset: entry.offset
                    )
                }
            }
            // Go leaves the order of equal digests open, and lists by multihash.
            #expect(Set(found) == Set(records))
            #expect(found.count == records.count)
        }
        for answer in expected.answers ?? [] {
            let cid = try CID(answer.cid)
            let offsets = cid.withDigest { index.offsets(of: $0, hashCode: cid.hashCode) }
            #expect(offsets.sorted() == (answer.offsets ?? []).sorted(), "\(answer.cid)")
        }
    }
}
