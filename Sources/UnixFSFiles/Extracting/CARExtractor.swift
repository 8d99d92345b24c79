internal import DAGBytes
internal import DAGCAR
package import DAGCARFiles
package import DAGIPLD
package import DAGMultiformats
package import SystemPackage

/// What was extracted.
package struct ExtractedFiles: Sendable {
    /// The root of the DAG that was asked for; nil until it is known.
    package fileprivate(set) var root: CID?
    /// The blocks that were read, each as often as the DAG has it.
    package fileprivate(set) var blocks: UInt64 = 0
    /// The bytes of files that are complete.
    package fileprivate(set) var bytes: UInt64 = 0
    /// The files that are complete.
    package fileprivate(set) var files: UInt64 = 0
    /// The folders; a folder counts when it has been made.
    package fileprivate(set) var folders: UInt64 = 0
    /// The symbolic links.
    package fileprivate(set) var links: UInt64 = 0
}

/// Bounds for what a CAR may become, because a CAR of few bytes can describe more files than any disk holds.
package struct ExtractionLimits: Sendable {
    /// How often a block of the CAR may be read, on average, and how many times larger than the payload the files may
    /// be.
    package var expansionMax: UInt64 = 100
    /// The blocks that may be read beyond that.
    package var freeReads: UInt64 = 1 << 20
    /// The bytes that files may have beyond that.
    package var freeBytes: UInt64 = 1 << 30

    /// Creates the usual bounds.
    package init() {}
}

/// Extracts the files of a CAR into a folder.
///
/// Each block is verified before any of its bytes are written. No name leads out of the folder, and no entry that is
/// there is replaced; see `TargetFolder`. The memory is that of `CARBlocks` and a descriptor for each folder on the way
/// down. At an error the entry that is not complete is removed, and all before it stay.
///
/// *Concurrency*: one thread.
package final class CARExtractor {
    /// The deepest folder.
    ///
    /// Each level takes a descriptor, of which processes often have 1,024.
    package static let depthMax = 768
    private struct Level {
        let folder: TargetFolder
        var listing: DirectoryListing
    }

    private let file: CARFile
    private let limits: ExtractionLimits
    private let bytesMax: UInt64
    private let progress: (UInt64) -> Void
    private let setIncomplete: (FilePath?) -> Void
    private var bytesWritten: UInt64 = 0
    /// What is there so far, also after an error.
    package private(set) var extracted = ExtractedFiles()

    /// Creates an extractor.
    ///
    /// - Parameters:
    ///   - file: The CAR.
    ///   - limits: The bounds.
    ///   - progress: Receives the bytes written, now and then.
    ///   - setIncomplete: Receives the path of the file that is being written, and nil when it is complete.
    package init(
        _ file: CARFile,
        limits: ExtractionLimits = ExtractionLimits(),
        progress: @escaping (UInt64) -> Void = { _ in },
        setIncomplete: @escaping (FilePath?) -> Void = { _ in }
    ) {
        self.file = file
        self.limits = limits
        self.progress = progress
        self.setIncomplete = setIncomplete
        bytesMax = file.layout.dataSize.multipliedSaturating(by: limits.expansionMax)
            .addingSaturating(limits.freeBytes)
    }

    /// Extracts a file or folder, and blocks the calling thread.
    ///
    /// The entries of a folder go into `target`. A file or a link becomes an entry of it, named for the last segment of
    /// the path, or else for the CID.
    ///
    /// - Parameters:
    ///   - root: The root; nil for the one that the header names.
    ///   - path: The path below the root; links on it are not followed.
    ///   - target: The folder; it is made if it is missing and its folder is there.
    /// - Throws: `UnixFSFilesError`, `IPLDError`, `CARError`, `MountError`.
    package func extract(_ root: CID?, _ path: IPLDPath, to target: FilePath) throws {
        let root = try root ?? onlyRoot()
        let blocks = try CARBlocks(file, limits)
        defer { extracted.blocks = blocks.reads }
        let top = try resolve(root, path, blocks)
        extracted.root = top.cid
        let name = path.segments.last.map { Array($0.utf8) } ?? Array(top.cid.description.utf8)
        let isDirectory = try top.kind == .directory
        let folder = try TargetFolder(target)
        guard isDirectory else { return try extractLeaf(top, name, in: folder, blocks) }
        var levels = [Level(folder: folder, listing: DirectoryListing(top, blocks))]
        while let last = levels.indices.last {
            guard let entry = try levels[last].listing.next() else {
                levels.removeLast()
                continue
            }
            let folder = levels[last].folder
            let block = try block(entry, in: folder, blocks)
            guard try block.kind == .directory else {
                try extractLeaf(block, entry.name, in: folder, blocks)
                continue
            }
            guard levels.count < Self.depthMax else {
                throw UnixFSFilesError(
                    .limitExceeded,
                    "\(folder.path(of: entry.name)): is deeper than \(Self.depthMax) folders"
                )
            }
            let below = try TargetFolder(entry.name, in: folder)
            extracted.folders += 1
            levels.append(Level(folder: below, listing: DirectoryListing(block, blocks)))
        }
    }

    private func onlyRoot() throws -> CID {
        let roots = file.layout.roots
        guard roots.count == 1 else {
            let list = roots.prefix(3).map(\.description).joined(separator: ", ")
            throw UnixFSFilesError(
                .noRoot,
                roots.isEmpty
                    ? "the CAR names no root"
                    : "the CAR names \(roots.count) roots: \(list)"
                        + (roots.count > 3 ? " and more" : "")
            )
        }
        return roots[0]
    }

    private func resolve(
        _ root: CID,
        _ path: IPLDPath,
        _ blocks: CARBlocks
    ) throws -> UnixFSBlock {
        var block = try blocks.block(root)
        for (index, segment) in path.segments.enumerated() {
            guard try block.kind == .directory,
                let next = try DirectoryListing.find(segment, in: block, blocks)
            else {
                let found = IPLDPath(Array(path.segments[...index]))
                throw UnixFSFilesError(.pathNotFound, "\(root)/\(found): the DAG has no such path")
            }
            block = try blocks.block(next)
        }
        return block
    }

    /// Reads the first block of an entry; an error has the path of the entry.
    private func block(
        _ entry: DirectoryListing.Entry,
        in folder: TargetFolder,
        _ blocks: CARBlocks
    ) throws -> UnixFSBlock {
        do {
            return try blocks.block(entry.cid)
        } catch var error as UnixFSFilesError {
            error.message = "\(folder.path(of: entry.name)): \(error.message)"
            throw error
        }
    }

    /// Makes a file or a link.
    private func extractLeaf(
        _ block: UnixFSBlock,
        _ name: [UInt8],
        in folder: TargetFolder,
        _ blocks: CARBlocks
    ) throws {
        guard try block.kind == .file else {
            try folder.makeLink(name, to: block.content.copied)
            extracted.links += 1
            return
        }
        let target = try folder.makeFile(name)
        let path = folder.path(of: name)
        setIncomplete(folder.place(of: name))
        defer { setIncomplete(nil) }
        let before = bytesWritten
        do {
            defer { try? target.close() }
            try FileCopy(blocks, to: target, path: { path }).write(block) { size in
                bytesWritten += UInt64(size)
                guard bytesWritten <= bytesMax else {
                    throw UnixFSFilesError(
                        .limitExceeded,
                        "\(path): the files have more than \(bytesMax) bytes, far more than the CAR"
                    )
                }
                progress(bytesWritten)
            }
        } catch {
            folder.removeFile(name)
            guard var error = error as? UnixFSFilesError, !error.message.hasPrefix(path) else {
                throw error
            }
            error.message = "\(path): \(error.message)"
            throw error
        }
        extracted.files += 1
        extracted.bytes += bytesWritten - before
    }
}
