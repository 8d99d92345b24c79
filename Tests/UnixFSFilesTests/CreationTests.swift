import DAGCAR
import DAGCARFiles
import DAGIPLD
import DAGMounts
import DAGMultiformats
import DAGSystem
import Foundation
import SystemPackage
import TestSupport
import Testing
import UnixFSFiles

@testable import struct UnixFSFiles.SeenBlocks

/// Roots that kubo gives the same files in the profile unixfs-v1-2025.
///
/// Source: kubo, `test/cli/cid_profiles_test.go`; the content is made of the seed that each test there names.
@Suite("Roots of kubo")
struct KuboRootTests {
    @Test(
        "small files and an empty folder",
        arguments: [
            ("hello world", true, "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
            ("hello world", false, "bafybeihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa"),
            ("", true, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
            (nil, true, "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"),
        ] as [(String?, Bool, String)]
    )
    func small(text: String?, isRaw: Bool, root: String) throws {
        let folder = try TemporaryFolder()
        let item = text.map { TreeItem.file(Array($0.utf8)) } ?? .folder
        let path = try folder.make(["item": item]).appending("item")
        let created = try folder.create([path]) { $0.profile.hasRawLeaves = isRaw }
        #expect(created.root.description == root)
    }

    @Test(
        "a file of one chunk, and one of a byte more",
        arguments: [
            (1_048_576, "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta"),
            (1_048_577, "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64"),
        ]
    )
    func chunks(size: Int, root: String) throws {
        let folder = try TemporaryFolder()
        var stream = ChaCha20(seed: "chunk-v1-seed")
        let path = try folder.make(["file": .file(stream.next(size))]).appending("file")
        #expect(try folder.create([path]).root.description == root)
    }

    @Test(
        "a directory at the threshold, and one that is a byte larger",
        arguments: [
            (21, "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4"),
            (22, "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu"),
        ]
    )
    func threshold(lastSize: Int, root: String) throws {
        let folder = try TemporaryFolder()
        var stream = ChaCha20(seed: "hamt-unixfs-v1-2025")
        let letters = Array("abcdefghijklmnopqrstuvwxyz01234567890-_".utf8)
        let text = stream.next(4765 * 11 + lastSize).map { letters[Int($0) % letters.count] }
        var tree: Tree = [:]
        for start in stride(from: 0, to: 4765 * 11, by: 11) {
            tree[String(decoding: text[start..<start + 11], as: UTF8.self)] = .file([0x78])
        }
        tree[String(decoding: text[(4765 * 11)...], as: UTF8.self)] = .file([0x78])
        let created = try folder.create([folder.make(tree)])
        #expect(created.root.description == root)
        #expect(created.files == 4766)
        #expect(try folder.extract().files == 4766)
        #expect(try folder.tree("extracted") == tree)
    }
}

@Suite("Making CARs of files")
struct CreationTests {
    private static let tree: Tree = [
        "a/1.txt": .file(Array("one".utf8)), "a/empty": .file([]), "b": .folder,
        "big": .file((0..<5000).map { UInt8(truncatingIfNeeded: $0 / 7) }),
        "link": .link("a/1.txt"), "out": .link("../../elsewhere"), "ä ö\n": .file([0]),
        ".hidden/x": .file([1]),
    ]

    @Test("a folder comes back as it was", arguments: [1, 2] as [UInt64], [1, 100, 4096])
    func roundTrip(version: UInt64, chunk: Int) throws {
        for isRaw in [true, false] {
            let folder = try TemporaryFolder()
            let created = try folder.create([folder.make(Self.tree)]) { creation in
                creation.version = version
                creation.profile.chunkSize = chunk
                creation.profile.width = 7
                creation.profile.hamtThreshold = chunk
                creation.profile.hasRawLeaves = isRaw
            }
            let file = try CARFile(opening: FilePath(folder.path(of: "out.car")))
            #expect(file.layout.version == version)
            #expect(file.layout.roots == [created.root])
            #expect(file.layout.dataSize == created.bytes)
            let found = file.verify(workers: 1)
            #expect(found.isSound && found.missingRoots.isEmpty)
            #expect(found.sections == created.blocks)
            #expect((file.layout.indexOffset == nil) == (version == 1))
            let extracted = try folder.extract()
            #expect(extracted.files == created.files)
            #expect(extracted.root == created.root)
            let expected = Self.tree.merging(["a": .folder, ".hidden": .folder]) { one, _ in one }
            #expect(try folder.tree("extracted") == expected)
        }
    }

    @Test("the same folder gives the same bytes, however many threads hash")
    func deterministic() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make(Self.tree)
        for (number, workers) in [1, 2, 7].enumerated() {
            _ = try folder.create([tree], to: "\(number).car") { creation in
                creation.workers = workers
                creation.version = 2
                creation.profile.chunkSize = 64
            }
        }
        let cars = try (0..<3).map {
            try Data(contentsOf: URL(filePath: folder.path(of: "\($0).car")))
        }
        #expect(cars[0] == cars[1])
        #expect(cars[0] == cars[2])
    }

    @Test("a file of one chunk is the raw block of its bytes")
    func rawLeaf() throws {
        let folder = try TemporaryFolder()
        let path = try folder.make(["file": .file([1, 2, 3])]).appending("file")
        let block = CARBuilder.Block.raw([1, 2, 3])
        #expect(try folder.create([path]).root == block.cid)
        let expected = CARBuilder(roots: [block.cid], blocks: [block]).bytes
        #expect(
            try [UInt8](Data(contentsOf: URL(filePath: folder.path(of: "out.car")))) == expected
        )
    }

    @Test("equal chunks are written once")
    func duplicates() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make([
            "a": .file([UInt8](repeating: 7, count: 1000)),
            "b": .file([UInt8](repeating: 7, count: 100)),
        ])
        let created = try folder.create([tree]) { $0.profile.chunkSize = 100 }
        // One leaf, the file above ten of it, and the folder.
        #expect(created.blocks == 3)
        _ = try folder.extract()
        #expect(try folder.tree("extracted")["a"] == .file([UInt8](repeating: 7, count: 1000)))
    }

    @Test("the set of written blocks remembers the last ones, and forgets those long before")
    func seenBlocks() {
        func key(_ number: UInt8) -> SeenBlocks.Key {
            SeenBlocks.Key([UInt8](repeating: number, count: 32)[...])
        }
        var seen = SeenBlocks(half: 2)
        let first = (0..<5).map { seen.insert(key($0)) }
        #expect(first == [true, true, true, true, true])
        let again = (2..<5).map { seen.insert(key($0)) }
        #expect(again == [false, false, false])
        let forgotten = seen.insert(key(0))
        #expect(forgotten)
    }

    @Test("several paths become the entries of one directory, in the order of their names")
    func severalPaths() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make(["b/x": .file([1]), "a": .file([2]), "c": .link("b")])
        let names = ["c", "b", "a"].map { tree.appending($0) }
        let several = try folder.create(names).root
        #expect(try folder.create([tree]).root == several)
        let one = try folder.create([tree.appending("a")]) { $0.wraps = true }
        _ = try folder.extract(to: "wrapped")
        #expect(one.blocks == 2)
        #expect(try folder.tree("wrapped") == ["a": .file([2])])
        #expect(throws: UnixFSFilesError(.invalidPaths)) {
            try folder.create([tree.appending("a"), tree.appending("b/../a")])
        }
        #expect(throws: UnixFSFilesError(.invalidPaths)) {
            try folder.create([tree.appending("a"), tree.appending("..")])
        }
    }

    @Test("hidden files can be left out, but not those that the caller names")
    func hidden() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make([".a": .file([1]), "b": .file([2]), "c/.d/e": .file([3])])
        let created = try folder.create([tree]) { $0.skipsHidden = true }
        #expect(created.files == 1)
        let named = try folder.create([tree.appending(".a")]) { $0.skipsHidden = true }
        #expect(named.files == 1)
    }

    @Test("a link is never followed, not even one that the caller names")
    func links() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make(["real/secret": .file([1]), "in/link": .link("../real")])
        let created = try folder.create([tree.appending("in")])
        #expect(created.files == 0)
        _ = try folder.create([tree.appending("in/link")])
        _ = try folder.extract("out.car", to: "link")
        #expect(Array(try folder.tree("link").values) == [.link("../real")])
    }

    @Test("a pipe, a missing file and a name that is not UTF-8 are refused")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make(["a": .file([1])])
        #expect(throws: MountError(.gone, "")) { try folder.create([tree.appending("none")]) }
        // SAFETY: the string lives through the call.
        #expect(unsafe mkfifo(tree.appending("pipe").string, 0o600) == 0)
        #expect(throws: UnixFSFilesError(.unsupportedFile)) { try folder.create([tree]) }
        let open = try FileDescriptor.opening(tree)
        defer { try? open.close() }
        try open.removeEntry(Array("pipe".utf8))
        // Some systems refuse such a name themselves.
        guard let file = try? open.createFile([0xff]) else { return }
        try file.close()
        #expect(throws: UnixFSFilesError(.unsupportedFile)) { try folder.create([tree]) }
    }

    @Test("a file without permission is an error", .enabled(if: geteuid() != 0))
    func permission() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make(["a": .file([1])])
        // SAFETY: the string lives through the call.
        #expect(unsafe chmod(tree.appending("a").string, 0) == 0)
        #expect(throws: MountError(.unreachable, "")) { try folder.create([tree]) }
    }

    // A log that is written to while it is read would give a CAR of no state that it ever had.
    @Test("a file that changes while it is read is an error")
    func change() throws {
        let folder = try TemporaryFolder()
        let path = FilePath(folder.path(of: "log"))
        try Data(count: 12 << 20).write(to: URL(filePath: path.string))
        let file = try FileDescriptor.open(path, .writeOnly, options: .append)
        defer { try? file.close() }
        let output = try FileDescriptor.open(
            FilePath(folder.path(of: "out.car")),
            .writeOnly,
            options: .create,
            permissions: .ownerReadWrite
        )
        defer { try? output.close() }
        var creation = CARCreation()
        creation.workers = 1
        #expect(throws: MountError(.changed, "")) {
            try CARCreator.create(of: [path], to: output, in: "/", creation) { _ in
                _ = try? file.writeAll([1])
            }
        }
    }

    #if os(Linux)
        // Files of the kernel claim no size, and would become empty ones.
        @Test("a file with more bytes than its size is an error")
        func sizeless() throws {
            let folder = try TemporaryFolder()
            #expect(throws: MountError(.changed, "")) { try folder.create(["/proc/version"]) }
        }
    #endif

    @Test("an output inside the folder is refused before anything is read")
    func outputInside() throws {
        let folder = try TemporaryFolder()
        _ = try folder.make(["a": .file([1])])
        #expect(throws: UnixFSFilesError(.invalidPaths)) {
            try folder.create([FilePath(folder.url.path)])
        }
    }

    @Test("folders deeper than the limit are refused")
    func depth() throws {
        let folder = try TemporaryFolder()
        let top = try folder.make(["a": .folder])
        // A path of all names would be too long for the system.
        var open = try FileDescriptor.opening(top)
        for _ in 0..<800 {
            try open.createFolder([0x64])
            let next = try open.openEntry([0x64], isFolder: true)
            try open.close()
            open = next
        }
        try open.close()
        #expect(throws: UnixFSFilesError(.limitExceeded)) { try folder.create([top]) }
    }

    @Test("the progress ends with all bytes, which the walk without reading finds too")
    func progress() throws {
        let folder = try TemporaryFolder()
        let tree = try folder.make(Self.tree)
        let total = try CARCreator.contentSize(of: [tree], skipsHidden: false)
        #expect(total == 5005)
        let output = try FileDescriptor.open(
            FilePath(folder.path(of: "out.car")),
            .writeOnly,
            options: .create,
            permissions: .ownerReadWrite
        )
        defer { try? output.close() }
        var last: UInt64 = 0
        _ = try CARCreator.create(of: [tree], to: output, in: "/") { last = $0 }
        #expect(last == total)
    }
}
