import DAGCAR
import DAGCARFiles
import DAGIPLD
import DAGMultiformats
import Foundation
import SystemPackage
import TestSupport
import Testing
import UnixFSFiles

@Suite("Extracting CARs")
struct ExtractionTests {
    private let folder: TemporaryFolder
    private let leaf = CARBuilder.Block.raw([1, 2, 3])

    init() throws { folder = try TemporaryFolder() }

    private func link(to target: String) -> CARBuilder.Block {
        DAGBlocks.dagPB([], data: DAGBlocks.unixFS(4, data: Array(target.utf8)))
    }

    @Test("a part of a DAG is extracted by its path, and a file takes the name of its last segment")
    func paths() throws {
        let tree: Tree = ["a/b/c": .file([1]), "a/d": .file([2, 3])]
        let created = try folder.create([folder.make(tree)])
        _ = try folder.extract("out.car", "a/b", to: "folder")
        #expect(try folder.tree("folder") == ["c": .file([1])])
        _ = try folder.extract("out.car", root: created.root, "/a//d/", to: "file")
        #expect(try folder.tree("file") == ["d": .file([2, 3])])
        let cid = CARBuilder.Block.raw([2, 3]).cid
        _ = try folder.extract("out.car", root: cid, to: "cid")
        #expect(try folder.tree("cid") == [cid.description: .file([2, 3])])
        for path in ["none", "a/none", "a/d/e"] {
            #expect(throws: UnixFSFilesError(.pathNotFound)) {
                try folder.extract("out.car", path, to: "none")
            }
        }
        #expect(throws: CocoaError.self) { try folder.tree("none") }
    }

    @Test("a path leads through a HAMT")
    func hamtPath() throws {
        let tree = Dictionary(
            uniqueKeysWithValues: (0..<600).map { ("\($0)/x", TreeItem.file([1])) }
        )
        _ = try folder.create([folder.make(tree)]) { $0.profile.hamtThreshold = 0 }
        let extracted = try folder.extract("out.car", "599")
        #expect(try folder.tree("extracted") == ["x": .file([1])])
        #expect(extracted.blocks < 10)
        #expect(throws: UnixFSFilesError(.pathNotFound)) {
            try folder.extract("out.car", "600", to: "none")
        }
    }

    @Test(
        "a name that leads out of the folder, or is none, is refused",
        arguments: ["..", ".", "", "/etc/passwd", "../x", "a/b", "a\0b", "/"]
    )
    func names(name: String) throws {
        let good = ("good", leaf.cid)
        let root = DAGBlocks.directory([good, (name, leaf.cid)])
        #expect(throws: UnixFSFilesError(.malformedBlock)) { try folder.extract([root, leaf]) }
        #expect(try folder.tree("extracted") == ["good": .file([1, 2, 3])])
        #expect(try folder.names() == ["extracted", "out.car"])
    }

    @Test("a folder whose name leads out is refused, and so is such a name in a HAMT")
    func folderNames() throws {
        let below = DAGBlocks.directory([("x", leaf.cid)])
        let root = DAGBlocks.directory([("..", below.cid)])
        #expect(throws: UnixFSFilesError(.malformedBlock)) {
            try folder.extract([root, below, leaf])
        }
        let bits: [UInt8] = [1]
        let data = DAGBlocks.unixFS(5, data: bits, hashType: 0x22, fanout: 256)
        let hamt = DAGBlocks.dagPB([.init(leaf.cid, name: "00../x")], data: data)
        #expect(throws: UnixFSFilesError(.malformedBlock)) { try folder.extract([hamt, leaf]) }
        #expect(try folder.names() == ["extracted", "out.car"])
    }

    // An archive that has a link and then a file with the link's name wrote outside in many programs.
    @Test("nothing is written through a link, whether the CAR made it or it was there")
    func throughLinks() throws {
        let outside = try folder.make(["kept": .file([9])], in: "outside")
        let below = DAGBlocks.directory([("x", leaf.cid)])
        let link = link(to: outside.string)
        let root = DAGBlocks.directory([("a", link.cid), ("a", below.cid)])
        #expect(throws: UnixFSFilesError(.exists)) {
            try folder.extract([root, link, below, leaf])
        }
        #expect(try folder.tree("outside") == ["kept": .file([9])])
        #expect(try folder.tree("extracted") == ["a": .link(outside.string)])
        let file = DAGBlocks.directory([("a", leaf.cid)])
        #expect(throws: UnixFSFilesError(.exists)) { try folder.extract([file, leaf]) }
        #expect(try folder.tree("outside") == ["kept": .file([9])])
    }

    // A disk that ignores case takes "A" and "a" for one name: both meet the second as one that is taken.
    @Test("a name that is taken ends the extraction, and what is there stays")
    func taken() throws {
        let below = DAGBlocks.directory([("x", leaf.cid)])
        let link = link(to: "x")
        for block in [leaf, below, link] {
            let folder = try TemporaryFolder()
            let old: Tree = ["a/kept": .file([9])]
            _ = try folder.make(old, in: "extracted")
            let root = DAGBlocks.directory([("a", block.cid)])
            #expect(throws: UnixFSFilesError(.exists)) {
                try folder.extract([root, below, link, leaf])
            }
            #expect(try folder.tree("extracted") == ["a": .folder, "a/kept": .file([9])])
        }
        let twice = DAGBlocks.directory([("a", leaf.cid), ("a", leaf.cid)])
        #expect(throws: UnixFSFilesError(.exists)) { try folder.extract([twice, leaf]) }
    }

    @Test("links that lead out are made, and not followed; an empty target is refused")
    func links() throws {
        let link = link(to: "/etc/passwd")
        let root = DAGBlocks.directory([("out", link.cid)])
        #expect(try folder.extract([root, link]).links == 1)
        #expect(try folder.tree("extracted") == ["out": .link("/etc/passwd")])
        for target in ["", "a\0b"] {
            let wrong = self.link(to: target)
            let root = DAGBlocks.directory([("b", wrong.cid)])
            #expect(throws: UnixFSFilesError(.malformedBlock)) {
                try folder.extract([root, wrong])
            }
        }
    }

    @Test("a missing block names its CID; complete files stay, and the half of one does not")
    func missingBlock() throws {
        let parts = DAGBlocks.balancedFile(leaves: [[1], [2], [3]], width: 2)
        let root = DAGBlocks.directory([("a", leaf.cid), ("b", parts[0].cid)])
        let blocks = [root, leaf] + parts.dropLast()
        let missing = try #require(parts.last)
        do {
            _ = try folder.extract(blocks)
            Issue.record("the block is not there")
        } catch let error as UnixFSFilesError {
            #expect(error == UnixFSFilesError(.blockNotFound, ""))
            #expect(error.cid == missing.cid)
            #expect(error.message.contains(missing.cid.description))
            #expect(error.message.contains("extracted/b"))
        }
        #expect(try folder.tree("extracted") == ["a": .file([1, 2, 3])])
    }

    @Test("a block with other bytes is never written")
    func hashMismatch() throws {
        let root = DAGBlocks.directory([("a", leaf.cid)])
        let wrong = CARBuilder.Block(cid: leaf.cid, data: [1, 2, 4])
        #expect(throws: UnixFSFilesError(.hashMismatch)) { try folder.extract([root, wrong]) }
        #expect(try folder.tree("extracted") == [:])
        // A sound copy elsewhere in the CAR counts.
        #expect(try folder.extract([root, wrong, leaf]).files == 1)
    }

    @Test("a block that cannot be verified is never written")
    func unsupportedHash() throws {
        let multihash = Multihash(code: 0xb401, digest: [UInt8](repeating: 7, count: 32))
        let block = CARBuilder.Block(cid: CID(codec: Codec.raw, multihash: multihash), data: [1])
        let root = DAGBlocks.directory([("a", block.cid)])
        #expect(throws: UnixFSFilesError(.unsupportedHash)) { try folder.extract([root, block]) }
    }

    @Test("identity CIDs are content, and need no section")
    func identity() throws {
        let inline = CARBuilder.Block.identity([7, 8])
        let root = DAGBlocks.directory([("a", inline.cid)])
        _ = try folder.extract([root])
        #expect(try folder.tree("extracted") == ["a": .file([7, 8])])
    }

    @Test("a file whose blocks lie about their sizes is refused and removed")
    func lies() throws {
        let leaves = [CARBuilder.Block.raw([1]), .raw([2, 3])]
        let honest = DAGBlocks.file([(leaves[0].cid, 1), (leaves[1].cid, 2)])
        #expect(try folder.extract([honest] + leaves).bytes == 3)
        let links = leaves.map { DAGBlocks.Link($0.cid) }
        let wrongSizes: [(UInt64?, [UInt64])] = [
            (3, [1, 1]), (4, [1, 2]), (3, [1]), (3, [2, 1]),
        ]
        for (size, sizes) in wrongSizes {
            let data = DAGBlocks.unixFS(2, fileSize: size, blockSizes: sizes)
            let file = DAGBlocks.dagPB(links, data: data)
            let root = DAGBlocks.directory([("a", file.cid)])
            let folder = try TemporaryFolder()
            #expect(throws: IPLDError(.malformedBlock)) {
                try folder.extract([root, file] + leaves)
            }
            #expect(try folder.tree("extracted") == [:])
        }
    }

    // From 64 MiB on, other threads write the file.
    @Test("a large file comes out whole, and a large one with a missing block not at all")
    func largeFile() throws {
        let size = UInt64(1 << 20)
        let leaves = (0..<3).map { CARBuilder.Block.raw([UInt8](repeating: $0, count: 1 << 20)) }
        let parts = (0..<70).map { (cid: leaves[$0 % 3].cid, size: size) }
        let tail = CARBuilder.Block.raw([1, 2, 3])
        let file = DAGBlocks.file(parts + [(tail.cid, 3)])
        let root = DAGBlocks.directory([("a", file.cid)])
        let extracted = try folder.extract([root, file, tail] + leaves)
        #expect(extracted.bytes == 70 * size + 3)
        let found = try Data(contentsOf: URL(filePath: folder.path(of: "extracted/a")))
        #expect(UInt64(found.count) == 70 * size + 3)
        let samples = (0..<70).map { found[$0 << 20 + 12_345] }
        #expect(samples == (0..<70).map { UInt8($0 % 3) })
        #expect(found.suffix(3) == Data([1, 2, 3]))
        let other = try TemporaryFolder()
        #expect(throws: UnixFSFilesError(.blockNotFound)) {
            try other.extract([root, file] + leaves)
        }
        #expect(try other.tree("extracted") == [:])
    }

    @Test("a part of a file that is a directory is refused")
    func wrongPart() throws {
        let part = DAGBlocks.directory([])
        let file = DAGBlocks.file([(part.cid, 0)])
        #expect(throws: IPLDError(.malformedBlock)) { try folder.extract([file, part]) }
    }

    @Test("other codecs, metadata and bytes that are no UnixFS are refused")
    func notUnixFS() throws {
        let metadata = DAGBlocks.dagPB([], data: DAGBlocks.unixFS(3))
        let cbor = CARBuilder.Block.hashed([0xa0], codec: 0x71, hashCode: HashCode.sha2_256)
        for block in [metadata, cbor] {
            #expect(throws: UnixFSFilesError(.notUnixFS)) { try folder.extract([block]) }
        }
        for data in [nil, [0xff]] as [[UInt8]?] {
            let block = DAGBlocks.dagPB([], data: data)
            #expect(throws: IPLDError(.malformedBlock)) { try folder.extract([block]) }
        }
    }

    // A signal removed another file, whose name has U+FFFD where this one has a byte that is no UTF-8.
    @Test("the file that is being written has the bytes of its name")
    func incompleteName() throws {
        let named = DAGBlocks.directory([("aX", leaf.cid)])
        var data = named.data
        let place = try #require(data.indices.first { data[$0...].starts(with: [0x61, 0x58]) })
        data[place + 1] = 0xff
        let root = CARBuilder.Block.hashed(data, codec: 0x70, hashCode: HashCode.sha2_256)
        let car = CARBuilder(roots: [root.cid], blocks: [root, leaf])
        _ = try folder.write(car.bytes, to: "out.car")
        var found: [Bool] = []
        let extractor = CARExtractor(
            try CARFile(opening: FilePath(folder.path(of: "out.car"))),
            setIncomplete: { path in
                guard let path else { return }
                found.append((try? FileDescriptor.open(path, .readOnly).close()) != nil)
            }
        )
        try extractor.extract(nil, .empty, to: FilePath(folder.path(of: "extracted")))
        #expect(found == [true])
    }

    @Test("a CAR without a root, or with two, needs a CID")
    func roots() throws {
        for roots in [[], [leaf.cid, leaf.cid]] {
            _ = try folder.write(CARBuilder(roots: roots, blocks: [leaf]).bytes, to: "out.car")
            #expect(throws: UnixFSFilesError(.noRoot)) { try folder.extract() }
        }
        #expect(try folder.extract(root: leaf.cid).files == 1)
    }
}

@Suite("Hostile DAGs")
struct HostileDAGTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var tight: ExtractionLimits {
        var limits = ExtractionLimits()
        limits.expansionMax = 1
        limits.freeReads = 100
        limits.freeBytes = 100
        return limits
    }

    /// A block, and `count` blocks above it, each made of the one below; the top one first.
    private func tower(
        _ count: Int,
        over base: CARBuilder.Block,
        _ make: (CID) -> CARBuilder.Block
    ) -> [CARBuilder.Block] {
        var blocks = [base]
        for _ in 0..<count { blocks.append(make(blocks[blocks.count - 1].cid)) }
        return blocks.reversed()
    }

    @Test("folders that double at each level end at the limit")
    func folders() throws {
        let blocks = tower(60, over: .raw([1])) { below in
            DAGBlocks.directory([("a", below), ("b", below)])
        }
        #expect(throws: UnixFSFilesError(.limitExceeded)) {
            try folder.extract(blocks, limits: tight)
        }
    }

    @Test("a file without bytes that doubles at each level ends at the limit")
    func emptyParts() throws {
        let blocks = tower(60, over: .raw([])) { DAGBlocks.file([($0, 0), ($0, 0)]) }
        #expect(throws: UnixFSFilesError(.limitExceeded)) {
            try folder.extract(blocks, limits: tight)
        }
        #expect(try folder.tree("extracted") == [:])
    }

    @Test("a file far larger than the CAR ends at the limit")
    func bytes() throws {
        var size: UInt64 = 64
        let blocks = tower(5, over: .raw([UInt8](repeating: 1, count: 64))) { below in
            defer { size *= 8 }
            return DAGBlocks.file(Array(repeating: (below, size), count: 8))
        }
        var limits = tight
        limits.freeReads = 1 << 20
        #expect(throws: UnixFSFilesError(.limitExceeded)) {
            try folder.extract(blocks, limits: limits)
        }
        #expect(try folder.tree("extracted") == [:])
    }

    @Test("folders and files deeper than the limit end there")
    func depth() throws {
        let folders = tower(800, over: .raw([1])) { DAGBlocks.directory([("d", $0)]) }
        #expect(throws: UnixFSFilesError(.limitExceeded)) { try folder.extract(folders) }
        let other = try TemporaryFolder()
        let file = tower(1100, over: .raw([1])) { DAGBlocks.file([($0, 1)]) }
        #expect(throws: UnixFSFilesError(.limitExceeded)) { try other.extract(file) }
        #expect(try other.tree("extracted") == [:])
    }

    @Test("a HAMT deeper than its hashes, or with another fanout below, is refused")
    func hamt() throws {
        func shard(_ below: CID, fanout: UInt64) -> CARBuilder.Block {
            let data = DAGBlocks.unixFS(5, data: [1], hashType: 0x22, fanout: fanout)
            let name = fanout == 256 ? "00" : "0"
            return DAGBlocks.dagPB([.init(below, name: name)], data: data)
        }
        let empty = DAGBlocks.unixFS(5, hashType: 0x22, fanout: 256)
        let base = DAGBlocks.dagPB([], data: empty)
        let legal = tower(7, over: base) { shard($0, fanout: 256) }
        #expect(try folder.extract(legal).files == 0)
        let deep = tower(8, over: base) { shard($0, fanout: 256) }
        #expect(throws: IPLDError(.malformedBlock)) { try folder.extract(deep) }
        let mixed = tower(1, over: base) { shard($0, fanout: 16) }
        #expect(throws: IPLDError(.malformedBlock)) { try folder.extract(mixed) }
        let leaf = CARBuilder.Block.raw([1])
        #expect(throws: IPLDError(.malformedBlock)) {
            try folder.extract([shard(leaf.cid, fanout: 256), leaf])
        }
    }
}
