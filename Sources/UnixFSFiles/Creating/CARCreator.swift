package import DAGIPLD
internal import DAGMounts
package import DAGMultiformats
internal import DAGSystem
package import SystemPackage

/// How a CAR is made of files and folders.
package struct CARCreation: Sendable {
    /// The form of the blocks; its ranges hold.
    package var profile = UnixFSProfile()
    /// The version of the CAR: 1, or 2 for one with an index.
    package var version: UInt64 = 1
    /// Whether to make a directory around a single path; there is always one around several.
    package var wraps = false
    /// Whether to leave out entries whose names start with a dot; the caller's paths are never left out.
    package var skipsHidden = false
    /// The threads that read and hash.
    package var workers = JobPool.processorCount

    /// Creates the usual choices.
    package init() {}
}

/// A CAR that was made.
package struct CreatedCAR: Sendable {
    /// The root.
    package let root: CID
    /// The sections.
    package let blocks: UInt64
    /// The size of the payload in bytes.
    package let bytes: UInt64
    /// The files.
    package let files: UInt64
}

/// Makes CARs of files and folders.
///
/// One thread walks the sources and writes the CAR; others read and hash the chunks. The blocks stand in the order of
/// a walk with children before parents, so the same sources give the same bytes.
///
/// *Memory*: two buffers a thread and two more, each of a chunk or 1 MiB; the entries of the directories on the way
/// down; the digests that `SeenBlocks` remembers; for a CARv2 about 100 bytes a section.
package enum CARCreator {
    /// Writes a CAR of `paths`, and blocks the calling thread.
    ///
    /// - Parameters:
    ///   - paths: Files, folders and links; at least one. No link is followed, except above the last name of a path.
    ///   - file: An empty file, open for writing at any offset.
    ///   - folder: The folder of the output, which no path may contain.
    ///   - creation: The choices.
    ///   - progress: Receives the bytes of files done, now and then.
    /// - Returns: The root and the counts.
    /// - Throws: `MountError` if a file cannot be read, or changes while it is read; `UnixFSFilesError`; `IPLDError`
    ///   if the names in a directory have the same hash.
    package static func create(
        of paths: [FilePath],
        to file: FileDescriptor,
        in folder: FilePath,
        _ creation: CARCreation = CARCreation(),
        progress: (UInt64) -> Void = { _ in }
    ) throws -> CreatedCAR {
        precondition(creation.profile.isValid && creation.workers > 0)
        let wraps = creation.wraps || paths.count > 1
        let roots = try sortedRoots(paths, wraps: wraps)
        try checkOutput(folder, roots)
        let walk = SourceWalk(
            roots,
            skipsHidden: creation.skipsHidden,
            output: (try? Stat(file)).map { SourceIdentity($0) }
        )
        let output = try SectionOutput(to: file, version: creation.version)
        defer { output.stop() }
        var assembly = DAGAssembly(output, creation.profile, hasFolder: wraps)
        var queue = BatchQueue(ChunkPlanner(walk, creation.profile), creation)
        defer { queue.stop() }
        while let batch = try queue.next() {
            try assembly.append(batch)
            queue.returnBatch(batch)
            progress(assembly.contentSize)
        }
        let root = try assembly.finish().cid
        let size = try output.finish(root: root)
        return CreatedCAR(
            root: root,
            blocks: output.blocks,
            bytes: size,
            files: assembly.files
        )
    }

    /// Returns the bytes of all files below `paths`, for the progress of `create`.
    ///
    /// *Cost*: a walk, without reading files.
    ///
    /// - Throws: The errors of the walk in `create`.
    package static func contentSize(of paths: [FilePath], skipsHidden: Bool) throws -> UInt64 {
        let roots = try paths.map { try SourceRoot($0, needsName: false) }
        var walk = SourceWalk(roots, skipsHidden: skipsHidden)
        var total: UInt64 = 0
        while let step = try walk.next() {
            if case .file(_, let identity) = step { total += identity.size }
        }
        return total
    }

    private static func sortedRoots(_ paths: [FilePath], wraps: Bool) throws -> [SourceRoot] {
        precondition(!paths.isEmpty)
        let roots = try paths.map { try SourceRoot($0, needsName: wraps) }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
        for (one, other) in zip(roots, roots.dropFirst()) where one.name == other.name {
            throw UnixFSFilesError(
                .invalidPaths,
                "\(one.path), \(other.path): have the same name in the directory around them"
            )
        }
        return roots
    }

    /// Checks that no path contains the output, whose bytes would become a part of it.
    private static func checkOutput(_ folder: FilePath, _ roots: [SourceRoot]) throws {
        guard var above = FileSystem.resolved(folder.isEmpty ? "." : folder) else { return }
        let identities = roots.map {
            (try? SourceEntry.root($0).status()).map { SourceIdentity($0) }
        }
        while true {
            if let status = try? Stat(above) {
                let identity = SourceIdentity(status)
                for (root, other) in zip(roots, identities)
                where other?.isSameFile(as: identity) == true {
                    throw UnixFSFilesError(
                        .invalidPaths,
                        "\(root.path): the output is inside the folder that it is made of"
                    )
                }
            }
            guard above.removeLastComponent() else { return }
        }
    }
}
