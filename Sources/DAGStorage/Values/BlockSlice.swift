internal import DAGBytes
internal import DAGCAR
public import DAGMultiformats

/// A part of a block.
///
/// The bytes are a view of the mapped CAR where the CAR is mapped; see `Block`. Only a whole block can be compared
/// with its CID.
public struct BlockSlice: Sendable {
    /// The CID of the request.
    public let cid: CID
    /// The range of the bytes in the block: the requested range, cut at the block's end.
    public let range: Range<UInt64>
    /// The size of the whole block in bytes.
    public let blockSize: UInt64
    package let content: BlockBytes

    init(cid: CID, range: Range<UInt64>, blockSize: UInt64, _ content: BlockBytes) {
        self.cid = cid
        self.range = range
        self.blockSize = blockSize
        self.content = content
    }

    /// Creates a part of a block.
    init(_ block: Block, _ range: Range<UInt64>) {
        let size = UInt64(block.size)
        let range = range.clamped(to: 0..<size)
        let view = block.view[Int(range.lowerBound)..<Int(range.upperBound)]
        let content = BlockBytes(view: view, ownerOfBlock: block.content.owner)
        self.init(cid: block.cid, range: range, blockSize: size, content)
    }

    /// Reads the part of a section's block, without waiting for a mount.
    ///
    /// - Throws: As `ShardReader.bytes(of:)`.
    init(cid: CID, in range: Range<UInt64>, of section: Section, from reader: ShardReader) throws {
        let part = range.clamped(to: 0..<section.dataSize)
        let start = section.dataOffset + part.lowerBound
        let content = try reader.bytes(at: start, size: UInt64(part.count))
        self.init(cid: cid, range: part, blockSize: section.dataSize, content)
    }

    /// The bytes, for as long as the slice is borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { content.view.span }
    }

    /// A copy of the bytes.
    ///
    /// - Throws: `sourceChanged` if another process made the mapped file shorter.
    public var copiedBytes: [UInt8] {
        get throws { try content.copied }
    }
}
