import DAGCAR
import DAGCARFiles
import DAGIPLD
import DAGMultiformats
import Foundation
import SystemPackage
import TestSupport
import Testing
import UnixFSFiles

/// CARs of files that other programs made: what is in them, and whether the same files give the same root here.
@Suite("CARs of files by others", .enabled(if: Vectors.areHere))
struct FixtureTests {
    /// What an extraction must give.
    struct Fixture: Sendable, CustomTestStringConvertible {
        var file: String
        var files: UInt64
        var folders: UInt64 = 0
        var bytes: UInt64
        /// The choices under which the maker's root comes out again; nil if its blocks have another form.
        var profile: UnixFSProfile?
        var testDescription: String { file }
    }

    private static func profile(chunk: Int? = nil, threshold: Int? = nil) -> UnixFSProfile {
        var profile = UnixFSProfile()
        if let chunk { profile.chunkSize = chunk }
        if let threshold { profile.hamtThreshold = threshold }
        return profile
    }

    static let fixtures: [Fixture] = [
        Fixture(
            file: "ipfs-car/test/fixtures/comic.car",
            files: 2,
            bytes: 84_855,
            profile: profile()
        ),
        Fixture(
            file:
                "gateway-conformance/fixtures/trustless_gateway_car/"
                + "single-layer-hamt-with-multi-block-files.car",
            files: 1000,
            bytes: 1_026_000,
            profile: profile(chunk: 256, threshold: 1024)
        ),
        Fixture(
            file: "gateway-conformance/fixtures/path_gateway_unixfs/dir-with-files.car",
            files: 4,
            bytes: 1100,
            profile: profile(chunk: 256)
        ),
        Fixture(
            file:
                "gateway-conformance/fixtures/trustless_gateway_car/subdir-with-mixed-block-files.car",
            files: 3,
            folders: 1,
            bytes: 1069,
            profile: profile(chunk: 256)
        ),
        Fixture(
            file: "gateway-conformance/fixtures/dir_listing/fixtures.car",
            files: 4,
            folders: 5,
            bytes: 150,
            profile: profile()
        ),
        Fixture(
            file: "gateway-conformance/fixtures/gateway-cache/fixtures.car",
            files: 1,
            folders: 3,
            bytes: 6,
            profile: profile()
        ),
        Fixture(
            file: "gateway-conformance/tooling/car/_fixtures/dag.car",
            files: 3,
            folders: 1,
            bytes: 61_723,
            profile: profile()
        ),
        Fixture(
            file: "boxo/gateway/testdata/redirects-query-params.car",
            files: 2,
            bytes: 463,
            profile: profile()
        ),
        Fixture(
            file: "boxo/gateway/testdata/ipns-hostname-redirects.car",
            files: 2,
            folders: 1,
            bytes: 0,
            profile: profile()
        ),
        // Of version 0 or with other leaves.
        Fixture(file: "boxo/examples/gateway/car-file/test.car", files: 2, bytes: 271_346),
        Fixture(
            file: "kubo/test/sharness/t0114-gateway-subdomains/fixtures.car",
            files: 8,
            folders: 4,
            bytes: 80
        ),
        Fixture(
            file: "go-unixfsnode/file/fixtures/QmT8EC9sJq63SkDZ1mWLbWWyVV66PuqyHWpKkH4pcVyY4H.car",
            files: 1,
            bytes: 12
        ),
        Fixture(
            file: "rs-car/tests/custom_fixtures/config.toml.size-1.normal.car",
            files: 1,
            bytes: 400
        ),
    ]

    private func copy(_ file: String, to folder: TemporaryFolder) throws {
        let bytes = try [UInt8](Data(contentsOf: Vectors.url("public-repos/" + file)))
        _ = try folder.write(bytes, to: "out.car")
    }

    @Test("files and folders come out, and go back in under the same root", arguments: fixtures)
    func roundTrip(fixture: Fixture) throws {
        let folder = try TemporaryFolder()
        try copy(fixture.file, to: folder)
        let extracted = try folder.extract()
        #expect(extracted.files == fixture.files)
        #expect(extracted.folders == fixture.folders)
        #expect(extracted.bytes == fixture.bytes)
        guard let profile = fixture.profile else { return }
        let path = FilePath(folder.path(of: "extracted"))
        let created = try folder.create([path], to: "again.car") { $0.profile = profile }
        #expect(created.root == extracted.root)
        let blocks = Vectors.publicVectors.first { $0.file == fixture.file }?.findings?.blocks
        // The cache fixture has a root of another DAG beside the files.
        #expect(UInt64(blocks ?? 0) == created.blocks)
    }

    @Test("go-car's sample has the nine files that its makers describe")
    func simpleUnixFS() throws {
        let folder = try TemporaryFolder()
        try copy("go-car/cmd/car/testdata/inputs/simple-unixfs.car", to: folder)
        _ = try folder.extract()
        let tree = try folder.tree("extracted")
        let names = [
            "a/1/A", "a/2/B", "a/3/C", "b/5/D", "b/6/E", "b/7/F", "c/7/G", "c/8/H", "c/9/I",
        ]
        let files = tree.filter { $0.value != .folder }
        #expect(files.count == names.count)
        #expect(tree["a/1/A.txt"] == .file(Array("a1A\n".utf8)))
        #expect(tree["c/9/I.txt"] == .file(Array("c9I\n".utf8)))
    }

    @Test(
        "DAGs that are no files are refused",
        arguments: [
            "gateway-conformance/fixtures/path_gateway_dag/plain-json.car",
            "gateway-conformance/fixtures/path_gateway_dag/dag-cbor-traversal.car",
            "kubo/test/cli/fixtures/TestDagStat.car",
        ]
    )
    func otherDAGs(file: String) throws {
        let folder = try TemporaryFolder()
        try copy(file, to: folder)
        #expect(throws: UnixFSFilesError(.notUnixFS)) { try folder.extract() }
    }

    // Its maker made it to attack programs that write archives.
    @Test("gateway-conformance's entry with two dots is refused")
    func insideRoot() throws {
        let folder = try TemporaryFolder()
        try copy("gateway-conformance/fixtures/path_gateway_tar/inside-root.car", to: folder)
        #expect(throws: UnixFSFilesError(.malformedBlock)) { try folder.extract() }
        #expect(try folder.tree("extracted").values.allSatisfy { $0 == .folder })
    }
}
