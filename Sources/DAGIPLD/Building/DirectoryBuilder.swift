internal import DAGBytes
public import DAGMultiformats

/// Builds a directory: one block, or a HAMT where that block would be too large.
///
/// *Memory*: 24 bytes an entry, its CID and its name; as much again for a HAMT.
public struct DirectoryBuilder: Sendable {
    private let threshold: Int
    private var entries = DirectoryEntries()
    /// The size of the directory as one block, in bytes.
    public private(set) var blockSize = 2 + UnixFSEncoder.directory.count

    /// Creates a builder without entries.
    ///
    /// - Parameter hamtThreshold: The block size above which the directory becomes a HAMT, in bytes.
    public init(hamtThreshold: Int) {
        threshold = hamtThreshold
    }

    /// The number of entries.
    public var count: Int { entries.count }

    /// Appends an entry.
    ///
    /// - Parameters:
    ///   - part: What the entry leads to; the sink has its blocks already.
    ///   - name: The bytes of the entry's name: at least one, and no other entry's.
    public mutating func append(_ part: UnixFSPart, name: [UInt8]) {
        precondition(!name.isEmpty, "an entry has a name")
        entries.append(part, name: name)
        blockSize += entries.linkSize(entries.count - 1)
    }

    /// Ends the directory.
    ///
    /// *Cost*: O(n log n).
    ///
    /// - Parameter sink: Takes the blocks.
    /// - Returns: The directory, for the one above.
    /// - Throws: `.limitExceeded` of `IPLDError` if so many names have one hash that no HAMT holds them; the error
    ///   of `sink`.
    public consuming func finish(_ sink: BlockSink) throws -> UnixFSPart {
        if blockSize > threshold, entries.count > 0 {
            return try HAMTBuilder(entries).finish(sink)
        }
        var block: [UInt8] = []
        block.reserveCapacity(blockSize)
        var totalSize = UInt64(blockSize)
        for index in entries.sortedByName {
            entries.appendLink(index, to: &block)
            totalSize += entries.totalSize(index)
        }
        DagPBEncoder.append(data: UnixFSEncoder.directory, to: &block)
        assert(block.count == blockSize)
        let cid = try sink(Codec.dagPB, block)
        return UnixFSPart(cid: cid, contentSize: 0, totalSize: totalSize)
    }
}
