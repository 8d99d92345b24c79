internal import DAGBytes
internal import DAGIPLD
internal import DAGMounts
internal import DAGMultiformats
internal import SystemPackage

/// Writes the bytes of a file that a DAG describes.
///
/// Each block must have as many bytes as the block above claims, so a file is never longer than its first block says.
///
/// *Memory*: the blocks on the way down.
struct FileCopy {
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
        _ = try top.contentSize
        var levels = [try enter(top, progress)]
        while let last = levels.indices.last {
            let block = levels[last].block
            let index = levels[last].next
            guard index < block.linkCount, let node = block.node, let unixFS = block.unixFS else {
                levels.removeLast()
                continue
            }
            levels[last].next += 1
            let part = try part(block.cid(of: node.links[index]), size: unixFS.blockSizes[index])
            guard part.linkCount > 0 else {
                _ = try enter(part, progress)
                continue
            }
            guard levels.count < Self.depthMax else {
                throw UnixFSFilesError(
                    .limitExceeded,
                    "the file \(top.cid.briefText) is deeper than \(Self.depthMax) blocks"
                )
            }
            levels.append(try enter(part, progress))
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

    /// Writes the bytes of a block itself.
    private func enter(_ block: UnixFSBlock, _ progress: (Int) throws -> Void) throws -> Level {
        let content = block.content
        try progress(content.count)
        do {
            try file.writeAll(content)
        } catch {
            throw UnixFSFilesError(.outputFailed, "\(path()): \(error)")
        }
        return Level(block: block)
    }
}
