import DAGCAR
import DAGCARFiles
import DAGIPLD
import DAGMultiformats
import Foundation
import SystemPackage
import TestSupport
import UnixFSFiles

/// What is at a path below a folder.
enum TreeItem: Equatable, Sendable {
    case file([UInt8])
    case folder
    case link(String)
}

/// Files, folders and links by their paths; folders above them need no item of their own.
typealias Tree = [String: TreeItem]

extension TemporaryFolder {
    /// Makes the items of a tree in a new folder.
    ///
    /// - Returns: The path of the folder.
    func make(_ tree: Tree, in name: String = "tree") throws -> FilePath {
        let files = FileManager.default
        let top = url.appending(path: name)
        try files.createDirectory(at: top, withIntermediateDirectories: true)
        for (path, item) in tree.sorted(by: { $0.key < $1.key }) {
            let place = top.appending(path: path)
            try files.createDirectory(
                at: place.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            switch item {
            case .file(let bytes): try Data(bytes).write(to: place)
            case .folder: try files.createDirectory(at: place, withIntermediateDirectories: true)
            case .link(let target):
                try files.createSymbolicLink(atPath: place.path, withDestinationPath: target)
            }
        }
        return FilePath(top.path)
    }

    /// Returns what is in a folder, with an item for each folder.
    func tree(_ name: String) throws -> Tree {
        let top = path(of: name)
        var tree: Tree = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: top) {
            let place = "\(top)/\(path)"
            let attributes = try FileManager.default.attributesOfItem(atPath: place)
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory?: tree[path] = .folder
            case .typeSymbolicLink?:
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: place)
                tree[path] = .link(target)
            default: tree[path] = .file(try [UInt8](Data(contentsOf: URL(filePath: place))))
            }
        }
        return tree
    }

    /// The names in the folder itself.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }

    /// Makes a CAR of files and folders.
    func create(
        _ paths: [FilePath],
        to name: String = "out.car",
        _ change: (inout CARCreation) -> Void = { _ in }
    ) throws -> CreatedCAR {
        var creation = CARCreation()
        change(&creation)
        let file = try FileDescriptor.open(
            FilePath(path(of: name)),
            .readWrite,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        defer { try? file.close() }
        return try CARCreator.create(of: paths, to: file, in: FilePath(url.path), creation)
    }

    /// Extracts a CAR into a folder.
    func extract(
        _ car: String = "out.car",
        root: CID? = nil,
        _ path: String = "",
        to target: String = "extracted",
        limits: ExtractionLimits = ExtractionLimits()
    ) throws -> ExtractedFiles {
        let file = try CARFile(opening: FilePath(self.path(of: car)))
        let extractor = CARExtractor(file, limits: limits)
        try extractor.extract(
            root,
            IPLDPath(path) ?? .empty,
            to: FilePath(self.path(of: target))
        )
        return extractor.extracted
    }

    /// Writes a CAR of blocks, the first of which is the root, and extracts it.
    func extract(
        _ blocks: [CARBuilder.Block],
        limits: ExtractionLimits = ExtractionLimits()
    ) throws -> ExtractedFiles {
        _ = try write(CARBuilder(roots: [blocks[0].cid], blocks: blocks).bytes, to: "out.car")
        return try extract(limits: limits)
    }
}

/// The key stream of ChaCha20 with a nonce of zeros, of which others made their fixtures.
struct ChaCha20 {
    private let key: [UInt32]
    private var counter: UInt32 = 0

    /// A stream whose key is the sha2-256 digest of `seed`.
    init(seed: String) {
        let digest = CARBuilder.Block.raw(Array(seed.utf8)).cid.digest
        key = (0..<8).map { word in
            (0..<4).reduce(0) { $0 | UInt32(digest[word * 4 + $1]) << UInt32(8 * $1) }
        }
    }

    /// Returns the next `size` bytes, after which the stream goes on at a block of 64 bytes.
    mutating func next(_ size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 64)
        while bytes.count < size { append(to: &bytes) }
        return Array(bytes[..<size])
    }

    private mutating func append(to bytes: inout [UInt8]) {
        let start: [UInt32] =
            [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574] + key + [counter, 0, 0, 0]
        var state = start
        func quarter(_ a: Int, _ b: Int, _ c: Int, _ d: Int) {
            func add(_ one: Int, _ two: Int, _ three: Int, _ shift: UInt32) {
                state[one] = state[one] &+ state[two]
                let word = state[three] ^ state[one]
                state[three] = word << shift | word >> (32 - shift)
            }
            add(a, b, d, 16)
            add(c, d, b, 12)
            add(a, b, d, 8)
            add(c, d, b, 7)
        }
        for _ in 0..<10 {
            for column in 0..<4 { quarter(column, column + 4, column + 8, column + 12) }
            for column in 0..<4 {
                quarter(column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
            }
        }
        for (one, other) in zip(state, start) {
            let word = one &+ other
            for shift in [0, 8, 16, 24] as [UInt32] {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        counter += 1
    }
}
