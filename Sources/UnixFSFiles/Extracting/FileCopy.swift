internal import DAGBytes
internal import DAGIPLD
internal import DAGMounts
internal import DAGMultiformats
internal import SystemPackage

/// Writes the bytes of a file that a DAG describes.
///
/// Each block must have as many bytes as the block above claims, so a file is never longer than its first block says.
///
/// *Memory*: the blocks on the way down; of a large file also that of `AppendedFile`.
struct FileCopy {
    /// The size from which on other threads write, past the system's cache.
    private static let largeSizeMin: UInt64 = 64 << 20
    /// The largest number of blocks on the way down.
    private static let depthMax = 1024

    private struct Level {
        let block: UnixFSBlock
        var next = 0
    }

    private let blocks: CARBlocks
    private let file: FileDescriptor
    private let path: () -> String

    /// Creates a copy.
    ///
    /// - Parameters:
    ///   - blocks: The blocks.
    ///   - file: An empty file, open for writing.
    ///   - path: The path for errors.
    init(_ blocks: CARBlocks, to file: FileDescriptor, path: @escaping () -> String) {
        self.blocks = blocks
        self.file = file
        self.path = path
    }

    /// Writes all bytes below a block.
    ///
    /// - Parameters:
    ///   - top: The first block of the file.
    ///   - progress: Receives the size of each piece before it is written, and may throw.
    /// - Throws: `IPLDError`, `MountError`, `UnixFSFilesError`, and what `progress` throws.
    func write(_ top: UnixFSBlock, progress: (Int) throws -> Void) throws {
        guard try top.contentSize >= Self.largeSizeMin else {
            return try write(top) { content in
                try progress(content.count)
                try translating { () throws(Errno) in try file.writeAll(content) }
            }
        }
        let appended = AppendedFile(file)
        defer { appended.stop() }
        try write(top) { content in
            try progress(content.count)
            try translating { () throws(Errno) in try appended.append(content) }
        }
        try translating { () throws(Errno) in try appended.finish() }
    }

    /// Calls `body` with the content of each block below `top`, in the order of the file.
    private func write(_ top: UnixFSBlock, _ body: (ByteView) throws -> Void) throws {
        var levels = [Level(block: top)]
        try body(top.content)
        while let last = levels.indices.last {
            let block = levels[last].block
            let index = levels[last].next
            guard index < block.linkCount, let node = block.node, let unixFS = block.unixFS else {
                levels.removeLast()
                continue
            }
            levels[last].next += 1
            let part = try part(block.cid(of: node.links[index]), size: unixFS.blockSizes[index])
            try body(part.content)
            guard part.linkCount > 0 else { continue }
            guard levels.count < Self.depthMax else {
                throw UnixFSFilesError(
                    .limitExceeded,
                    "the file \(top.cid.briefText) is deeper than \(Self.depthMax) blocks"
                )
            }
            levels.append(Level(block: part))
        }
    }

    /// Reads a part of the file, and checks its claims.
    private func part(_ cid: CID, size: UInt64) throws -> UnixFSBlock {
        let part = try blocks.block(cid)
        guard part.unixFS?.isFile ?? true else {
            throw part.malformed("a part of a file is a directory or a symlink")
        }
        let found = try part.contentSize
        guard found == size else {
            throw part.malformed(
                "a part of a file has \(found) bytes where the file claims \(size)"
            )
        }
        return part
    }

    private func translating(_ body: () throws(Errno) -> Void) throws {
        do {
            try body()
        } catch {
            throw UnixFSFilesError(.outputFailed, "\(path()): \(error)")
        }
    }
}
