internal import DAGIPLD

/// Cuts the files of a walk into chunks, and puts these into batches.
struct ChunkPlanner {
    /// A file of several chunks.
    private struct Open {
        let name: [UInt8]
        let file: SourceFile
        let size: UInt64
        var offset: UInt64 = 0
    }

    /// A file of one chunk that had no room in the last batch.
    private struct Whole {
        let entry: SourceEntry
        let identity: SourceIdentity
    }

    private var walk: SourceWalk
    private let profile: UnixFSProfile
    private var open: Open?
    private var whole: Whole?

    init(_ walk: SourceWalk, _ profile: UnixFSProfile) {
        self.walk = walk
        self.profile = profile
    }

    /// Fills an empty batch.
    ///
    /// - Returns: Whether there was anything left to do.
    /// - Throws: The errors of the walk.
    mutating func fill(_ batch: ChunkBatch) throws -> Bool {
        while batch.takesSteps {
            if let file = open {
                guard append(file, to: batch) else { break }
            } else if let file = whole {
                guard append(file, to: batch) else { break }
            } else {
                guard let step = try walk.next() else { break }
                try take(step, batch)
            }
        }
        return !batch.steps.isEmpty
    }

    private mutating func take(_ step: SourceWalk.Step, _ batch: ChunkBatch) throws {
        switch step {
        case .folder: batch.append(.folder, keepsOpen: true)
        case .folderEnd(let name): batch.append(.folderEnd(name: name))
        case .link(let entry, let target):
            batch.append(.link(name: entry.name, target: target))
        case .file(let entry, let identity) where identity.size <= UInt64(profile.chunkSize):
            whole = Whole(entry: entry, identity: identity)
        case .file(let entry, let identity):
            let file = try entry.openFile(identity)
            open = Open(name: entry.name, file: file, size: identity.size)
        }
    }

    private mutating func append(_ file: Whole, to batch: ChunkBatch) -> Bool {
        guard
            batch.append(
                .whole(file.entry, file.identity),
                at: 0,
                size: Int(file.identity.size),
                isRaw: profile.hasRawLeaves
            )
        else { return false }
        batch.append(.fileEnd(name: file.entry.name, nil))
        whole = nil
        return true
    }

    private mutating func append(_ file: Open, to batch: ChunkBatch) -> Bool {
        let size = Int(min(UInt64(profile.chunkSize), file.size - file.offset))
        guard
            batch.append(
                .file(file.file),
                at: file.offset,
                size: size,
                isRaw: profile.hasRawLeaves
            )
        else { return false }
        let next = file.offset + UInt64(size)
        open?.offset = next
        guard next == file.size else { return true }
        batch.append(.fileEnd(name: file.name, file.file), keepsOpen: true)
        open = nil
        return true
    }
}
