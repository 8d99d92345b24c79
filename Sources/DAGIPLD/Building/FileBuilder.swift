internal import DAGBytes
public import DAGMultiformats

/// Builds the blocks above the leaves of a file: a balanced tree, with all leaves at one depth.
///
/// The owner appends the leaves in file order. A level that is full becomes a block of the level above as soon as
/// more leaves come, so a file of one leaf is that leaf.
///
/// *Memory*: at most `width` links a level, and one level for each power of `width` leaves.
///
/// Source: boxo, `ipld/unixfs/importer/balanced`; IPIP-499, "balanced".
public struct FileBuilder: Sendable {
    private let width: Int
    private var levels: [[UnixFSPart]] = [[]]

    /// Creates a builder for one file.
    ///
    /// - Parameter width: The largest number of links in a block; at least 2.
    public init(width: Int) {
        precondition(width >= 2)
        self.width = width
    }

    /// Appends the next leaf.
    ///
    /// - Parameters:
    ///   - leaf: The leaf; the sink has its block already.
    ///   - sink: Takes the blocks that are full.
    /// - Throws: The error of `sink`.
    public mutating func append(_ leaf: UnixFSPart, _ sink: BlockSink) throws {
        try append(leaf, to: 0, sink)
    }

    private mutating func append(
        _ part: UnixFSPart,
        to bottom: Int,
        _ sink: BlockSink
    ) throws {
        var next = part
        var level = bottom
        while levels[level].count == width {
            let full = try Self.block(over: levels[level], sink)
            levels[level].removeAll(keepingCapacity: true)
            levels[level].append(next)
            next = full
            level += 1
            if level == levels.count { levels.append([]) }
        }
        levels[level].append(next)
    }

    /// Ends the file, which has at least one leaf.
    ///
    /// - Parameter sink: Takes the rest of the blocks.
    /// - Returns: The file, for the directory above.
    /// - Throws: The error of `sink`.
    public consuming func finish(_ sink: BlockSink) throws -> UnixFSPart {
        precondition(!levels[0].isEmpty, "a file has a leaf")
        var level = 0
        while level < levels.count - 1 || levels[level].count > 1 {
            let part = try Self.block(over: levels[level], sink)
            level += 1
            if level == levels.count { levels.append([]) }
            try append(part, to: level, sink)
        }
        return levels[level][0]
    }

    /// Makes a block with links to `parts`.
    private static func block(over parts: [UnixFSPart], _ sink: BlockSink) throws -> UnixFSPart {
        var block: [UInt8] = []
        block.reserveCapacity(parts.count * 64)
        var contentSize: UInt64 = 0
        var totalSize: UInt64 = 0
        for part in parts {
            contentSize += part.contentSize
            totalSize += part.totalSize
            part.cid.bytes.withView { cid in
                DagPBEncoder.append(
                    cid: cid,
                    name: .empty,
                    totalSize: part.totalSize,
                    to: &block
                )
            }
        }
        DagPBEncoder.append(data: UnixFSEncoder.file(parts.lazy.map(\.contentSize)), to: &block)
        let cid = try sink(Codec.dagPB, block)
        return UnixFSPart(
            cid: cid,
            contentSize: contentSize,
            totalSize: totalSize + UInt64(block.count)
        )
    }
}
