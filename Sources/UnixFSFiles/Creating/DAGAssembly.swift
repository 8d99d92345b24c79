internal import DAGIPLD

/// Makes the blocks above the leaves, and writes all blocks, in the order of the walk.
///
/// *Concurrency*: one thread.
struct DAGAssembly {
    /// Where the blocks go.
    let output: SectionOutput
    private let profile: UnixFSProfile
    private var folders: [DirectoryBuilder] = []
    private var file: FileBuilder?
    private var top: UnixFSPart?
    private(set) var files: UInt64 = 0
    /// The bytes of files so far.
    private(set) var contentSize: UInt64 = 0

    /// Creates an assembly without blocks; `hasFolder` asks for a directory around all that comes.
    init(_ output: SectionOutput, _ profile: UnixFSProfile, hasFolder: Bool) {
        self.output = output
        self.profile = profile
        if hasFolder { folders = [DirectoryBuilder(hamtThreshold: profile.hamtThreshold)] }
    }

    /// Takes the steps of a batch whose chunks have been processed.
    mutating func append(_ batch: ChunkBatch) throws {
        for step in batch.steps {
            switch step {
            case .folder:
                folders.append(DirectoryBuilder(hamtThreshold: profile.hamtThreshold))
            case .folderEnd(let name):
                append(try folders.removeLast().finish(output.append), name)
            case .link(let name, let target):
                append(try UnixFSEncoder.symlink(to: target, output.append), name)
            case .chunk(let index):
                try take(batch.chunks[index], batch)
            case .fileEnd(let name, let source):
                try source?.checkUnchanged()
                files += 1
                guard let part = try file.take()?.finish(output.append) else {
                    preconditionFailure("a file ends without a chunk")
                }
                append(part, name)
            }
        }
    }

    private mutating func take(_ chunk: ChunkBatch.Chunk, _ batch: ChunkBatch) throws {
        let leaf = try batch.leaf(of: chunk)
        try output.append(leaf.cid, dataSize: chunk.blockSize, batch.buffer, chunk.section)
        contentSize += leaf.contentSize
        var builder = file.take() ?? FileBuilder(width: profile.width)
        try builder.append(leaf, output.append)
        file = builder
    }

    private mutating func append(_ part: UnixFSPart, _ name: [UInt8]) {
        guard let last = folders.indices.last else {
            top = part
            return
        }
        folders[last].append(part, name: name)
    }

    /// Ends the directory around everything, if there is one.
    ///
    /// - Returns: The root.
    mutating func finish() throws -> UnixFSPart {
        if let folder = folders.popLast() { top = try folder.finish(output.append) }
        guard let top else { preconditionFailure("there is no source") }
        return top
    }
}
