import DAGBytes
import DAGCAR
import DAGCARFiles
import DAGHashing
import DAGMounts
import DAGMultiformats
import DAGStorage
import DAGZstd
import Foundation
import TestSupport
import Testing

/// CARs, indexes and blocks of public projects, and what other readers found in them.
@Suite("Public vectors", .enabled(if: Vectors.areHere, "there are no vectors here"))
struct PublicVectorTests {
    /// How a CAR fails that is not to be read.
    enum Failure: Sendable {
        /// When it is opened.
        case open(CARError.Code)
        /// After some sections.
        case section(CARError.Code)
    }

    /// The CARs that cannot be read; each comes from the `expect` of the manifest.
    static let failures: [String: Failure] = [
        "go-car/v2/testdata/sample-v1-tailing-corrupt-section.car": .section(.truncated),
        "go-car/v2/testdata/sample-v2-corrupt-data-and-index.car": .open(.malformedHeader),
        "go-car/v2/testdata/sample-rootless-v42.car": .open(.unsupportedVersion),
        "go-car/v2/testdata/sample-corrupt-pragma.car": .open(.truncated),
        "go-car/cmd/car/testdata/inputs/badheaderlength.car": .open(.limitExceeded),
        "go-car/cmd/car/testdata/inputs/badsectionlength.car": .section(.limitExceeded),
        "go-car/v2/fuzz/FuzzBlockReader/"
            + "c3c7eedeb4968a5b3131371ba9f5138a38c882a7fa06456595998e740a9f5a14.car":
            .open(.limitExceeded),
        "go-car/v2/fuzz/FuzzReader/"
            + "e1d7f87ee37f48386642fa9ac8fb6717ecba6e7e591a1ab111514f30e4b3594e.car":
            .open(.malformedHeader),
        "go-car-hex/hex-v1-trailing-bad-varint.car": .section(.truncated),
        "go-car-hex/hdr-version2.car": .open(.truncated),
        "go-car-hex/hdr-no-version.car": .open(.unsupportedVersion),
        "go-car-hex/hdr-version-string.car": .open(.malformedHeader),
        "go-car-hex/hdr-extra-field.car": .open(.malformedHeader),
        "go-car-hex/hdr-array.car": .open(.malformedHeader),
        "go-car-hex/inspect-BadSectionLength2.car": .section(.malformedSection),
    ]

    /// The CARs whose index cannot be read; their blocks can.
    static let indexFailures: [String: CARError.Code] = [
        "go-car-hex/v2idx-BadIndexCountOverflow.car": .malformedIndex,
        "go-car-hex/v2idx-BadIndexMultiWidthTooMany.car": .truncated,
    ]

    static func vectors(_ kind: String) -> [PublicVector] {
        Vectors.publicVectors.filter { $0.kind == kind }
    }

    static var readable: [PublicVector] {
        vectors("car").filter { vector in
            if case .open = failures[vector.file] { false } else { true }
        }
    }

    @Test("every CAR that the manifest calls invalid is known to fail here")
    func failuresAreComplete() {
        let files = Set(Self.vectors("car").map(\.file))
        #expect(Set(Self.failures.keys).subtracting(files) == [])
        #expect(Set(Self.indexFailures.keys).subtracting(files) == [])
        for vector in Self.vectors("car") where vector.expect.hasPrefix("invalid") {
            #expect(Self.failures[vector.file] != nil, "\(vector): \(vector.expect)")
        }
        for vector in Self.vectors("car") where vector.findings?.indexError != nil {
            #expect(Self.indexFailures[vector.file] != nil, "\(vector): \(vector.expect)")
        }
    }

    @Test("a CAR opens, or fails as it should", arguments: vectors("car"))
    func opening(vector: PublicVector) throws {
        let url = Vectors.url(vector.path)
        let bytes = try url.bytes()
        #expect(bytes.count == vector.size)
        guard case .open(let code) = Self.failures[vector.file] else {
            let layout = try bytes.withView { view throws(CARError) in try CARLayout(reading: view)
            }
            #expect(try CARFile(url).layout == layout)
            return
        }
        #expect(throws: CARError(code, at: 0)) {
            try bytes.withView { view throws(CARError) in _ = try CARLayout(reading: view) }
        }
        #expect(throws: CARError(code, at: 0)) { try CARFile(url) }
    }

    @Test("a file that is no CAR does not open")
    func junk() throws {
        let url = Vectors.url("public-repos/dagstore/testdata/files/junk.dat")
        #expect(throws: CARError.self) { try CARFile(url) }
    }

    @Test("a CAR holds what other readers find in it", arguments: readable)
    func content(vector: PublicVector) throws {
        let url = Vectors.url(vector.path)
        let bytes = try url.bytes()
        let findings = try #require(vector.findings)
        try bytes.withView { (view: ByteView) throws in
            let layout = try CARLayout(reading: view)
            let content = try CARContent(of: view, layout)
            for windowSize in [1, 100, 4096] {
                let isSame = try CARContent(of: view, layout, windowSize: windowSize) == content
                #expect(isSame, "windows of \(windowSize) bytes")
            }
            let walked = try CARContent(walking: CARFile(url)) == content
            #expect(walked, "from disk")
            var expected: CARError.Code?
            if case .section(let code) = Self.failures[vector.file] { expected = code }
            #expect(content.error?.code == expected)
            Self.compare(content, layout, with: findings)
        }
    }

    private static func compare(
        _ content: CARContent,
        _ layout: CARLayout,
        with findings: PublicVector.Findings
    ) {
        let cids = content.rows.map(\.cid)
        let headerSize = layout.version == 1 ? layout.headerSize : UInt64(CARLayout.pragma.count)
        #expect(headerSize == findings.headerSize)
        #expect(layout.roots.map(\.description) == findings.roots)
        #expect(content.rows.count == findings.blocks)
        #expect(cids.count { $0.version == 0 } == findings.versionZeroBlocks)
        #expect(cids.count { $0.isIdentity } == findings.identityBlocks)
        #expect(cids.count - Set(cids).count == findings.duplicates)
        #expect(content.rows.reduce(0) { $0 + $1.dataSize } == findings.blockBytes)
        #expect(content.rows.map(\.dataSize).max() ?? 0 == findings.largestBlock)
        #expect(counted(cids.map { Codec.name(of: $0.codec) }) == findings.codecs)
        #expect(counted(cids.map { HashCode.name(of: $0.hashCode) }) == findings.multihashes)
        #expect(Set(layout.roots).isSubset(of: cids) == findings.areRootsPresent)
        #expect((layout.version == 2) == (findings.versionTwo != nil))
        guard let two = findings.versionTwo else { return }
        #expect(layout.dataOffset == two.dataOffset)
        #expect(layout.dataSize == two.dataSize)
        #expect(layout.indexOffset ?? 0 == two.indexOffset)
        #expect(layout.isFullyIndexed == two.isFullyIndexed)
    }

    private static func counted(_ names: [String]) -> [String: Int] {
        names.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    @Test("every section is where another reader found it", arguments: Vectors.publicSections)
    func sections(expected: PublicSections) throws {
        let file = try CARFile(Vectors.url(expected.path))
        #expect(file.layout.dataOffset == expected.dataOffset)
        for content in [
            try CARContent(of: file.mapped.bytes, file.layout), try CARContent(walking: file),
        ] {
            let rows = content.rows.map { row in
                PublicSections.Row(
                    offset: row.offset,
                    headSize: row.dataOffset - row.offset,
                    dataSize: row.dataSize,
                    cid: row.cid.description
                )
            }
            let difference = zip(rows, expected.sections).first { $0 != $1 }
            #expect(difference == nil)
            #expect(rows.count == expected.sections.count)
        }
    }

    @Test("null padding ends this CAR, or is an error, as the reader likes")
    func nullPadding() throws {
        let url = Vectors.url("public-repos/go-car/v2/testdata/sample-v1-with-zero-len-section.car")
        let padded = try CARContent(walking: CARFile(url))
        #expect(padded.rows.count == 1049)
        #expect(padded.error == nil)
        let strict = try CARContent(
            walking: CARFile(url, limits: CARLimits(nullPadding: .refused))
        )
        #expect(strict.rows == padded.rows)
        #expect(strict.error == CARError(.nullPadding, at: 0))
        #expect(strict.error?.offset == padded.end)
    }

    @Test("blocks hash to their CIDs but for those that are known", arguments: readable, [1, 3])
    func verification(vector: PublicVector, workers: Int) throws {
        let found = try CARFile(Vectors.url(vector.path)).verify(workers: workers)
        let findings = try #require(vector.findings)
        #expect(found.sections == UInt64(findings.blocks ?? 0))
        #expect(found.mismatches == UInt64(findings.hashMismatches ?? 0))
        #expect(found.unverified == 0)
        #expect(found.indexFault?.code == Self.indexFailures[vector.file])
        var expected: CARError.Code?
        if case .section(let code) = Self.failures[vector.file] { expected = code }
        #expect(found.malformation?.code == expected)
    }

    // MARK: Indexes

    @Test("an index file has the buckets that another reader found", arguments: vectors("carindex"))
    func indexFiles(vector: PublicVector) throws {
        let bytes = try Vectors.url(vector.path).bytes()
        let findings = try #require(vector.indexFindings)
        try bytes.withView { (view: ByteView) throws in
            let index = try CARIndex(reading: view)
            #expect(index.bytes.count == bytes.count)
            Self.compare(index, with: findings)
            let offsets = index.buckets.flatMap { bucket in
                (0..<bucket.count).map { index.entry($0, of: bucket).offset }
            }
            #expect(offsets.min() == findings.offsetMin)
            #expect(offsets.max() == findings.offsetMax)
        }
    }

    private static func compare(_ index: CARIndex, with findings: PublicVector.IndexFindings) {
        #expect("0x" + String(index.codec, radix: 16) == findings.codec)
        #expect(index.count == findings.recordCount)
        var expected: [[String]] = []
        for bucket in findings.buckets ?? [] {
            expected.append(["", "\(bucket.width)", "\(bucket.records)"])
        }
        for code in findings.codes ?? [] {
            for bucket in code.buckets {
                expected.append([code.hashCode, "\(bucket.width)", "\(bucket.records)"])
            }
        }
        let found = index.buckets.map { bucket in
            let code = bucket.hashCode.map { "0x" + String($0, radix: 16) } ?? ""
            return [code, "\(bucket.width)", "\(bucket.count)"]
        }
        #expect(found == expected)
    }

    @Test(
        "an index file is what this package writes for the same CAR",
        arguments: [
            ("sample-index.carindex", CARIndex.sorted, true),
            ("sample-multihash-index-sorted.carindex", CARIndex.multihashSorted, false),
        ]
    )
    func indexFilesAgain(name: String, codec: UInt64, storesIdentity: Bool) throws {
        let folder = "public-repos/go-car/v2/testdata/"
        let content = try CARContent(walking: CARFile(Vectors.url(folder + "sample-v1.car")))
        let written = carIndex(of: content, codec: codec, storesIdentity: storesIdentity)
        let isSame = try Vectors.url(folder + name).bytes() == written
        #expect(isSame)
    }

    @Test(
        "an index inside a CAR is what this package writes for it",
        arguments: readable.filter { $0.findings?.index != nil }
    )
    func embeddedIndexes(vector: PublicVector) throws {
        let file = try CARFile(Vectors.url(vector.path))
        let index = try #require(try file.embeddedIndex())
        let findings = try #require(vector.findings?.index)
        Self.compare(index, with: findings)
        let content = try CARContent(walking: file)
        // Nothing in the file says whether identity CIDs were meant to be listed.
        let storesIdentity = index.buckets.contains { $0.hashCode == HashCode.identity }
        let written = carIndex(of: content, codec: index.codec, storesIdentity: storesIdentity)
        let isSame = index.bytes.copied == written
        #expect(isSame)
    }

    @Test("a CARv2 without an index is the CARv1 that it wraps")
    func wrapping() throws {
        let folder = "public-repos/go-car/v2/testdata/"
        let plain = try Vectors.url(folder + "sample-v1.car").bytes()
        for name in ["sample-wrapped-v2.car", "sample-v2-indexless.car"] {
            let file = try CARFile(Vectors.url(folder + name))
            let start = Int(file.layout.dataOffset)
            let payload = file.mapped.bytes[start..<start + Int(file.layout.dataSize)]
            let isSame = payload.copied == plain
            #expect(isSame, "\(name)")
        }
    }

    // MARK: Other files

    @Test("a compressed CAR holds what it should", arguments: vectors("zstd"))
    func compressed(vector: PublicVector) throws {
        let frame = try Vectors.url(vector.path).bytes()
        let findings = try #require(vector.decompressed)
        // The manifest says the size in words only.
        let size = 1_101_066
        let bytes = try frame.withView { view throws(ZstdError) in
            try Zstd.decompress(view, size: size)
        }
        let folder = try TemporaryFolder()
        let file = try CARFile(URL(filePath: try folder.write(bytes, to: "a.car")))
        let content = try CARContent(walking: file)
        #expect(content.error == nil)
        Self.compare(content, file.layout, with: findings)
        #expect(file.verify(workers: 2).isSound)
    }

    @Test("a block has the CID that its file is named by", arguments: vectors("codec"))
    func codecFixtures(vector: PublicVector) throws {
        try Self.checkBlock(Vectors.url(vector.path))
    }

    @Test("a block that was taken out of a CAR has the CID that its file is named by")
    func blockFile() throws {
        let name = "bafy2bzacebohz654namrgmwjjx4qmtwgxixsd7pn4tlanyrc3g3hwj75hlxrw.block"
        try Self.checkBlock(Vectors.url("public-repos/go-car/cmd/car/testdata/inputs/" + name))
    }

    private static func checkBlock(_ url: URL) throws {
        let cid = try CID(url.deletingPathExtension().lastPathComponent)
        let outcome = try url.bytes().withView { data in
            cid.withDigest { BlockHash.check(code: cid.hashCode, digest: $0, data: data) }
        }
        #expect(outcome == .matches)
    }
}
