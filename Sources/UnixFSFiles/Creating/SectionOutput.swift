internal import DAGBytes
internal import DAGCAR
internal import DAGHashing
internal import DAGMounts
internal import DAGMultiformats
internal import DAGSystem
internal import SystemPackage

/// Writes the sections of a CAR to a file, each block once, and its header at the end.
///
/// The header has room for one CID of 36 bytes. Until `finish` it names a block that does not exist.
///
/// *Memory*: that of `AppendedFile`; of CARv2 also 100 bytes a section, for the index. *Concurrency*: one thread.
final class SectionOutput {
    /// Has the place of the root in the header, until the root is known.
    private static let placeholder = CID(
        codec: Codec.raw,
        multihash: Multihash(code: HashCode.sha2_256, digest: [UInt8](repeating: 0, count: 32))
    )

    private let file: FileDescriptor
    /// Nil after the end.
    private var writer: CARWriter?
    private let appended: AppendedFile
    private var seen = SeenBlocks()
    /// The sections that were written.
    private(set) var blocks: UInt64 = 0

    /// Begins a CAR.
    ///
    /// - Parameters:
    ///   - file: An empty file, open for writing at any offset.
    ///   - version: 1, or 2 for a CAR with an index.
    /// - Throws: `.outputFailed`.
    init(to file: FileDescriptor, version: UInt64) throws(UnixFSFilesError) {
        self.file = file
        appended = AppendedFile(file)
        let writer = CARWriter(
            version: version,
            roots: [Self.placeholder],
            indexCodec: version == 2 ? CARIndex.multihashSorted : nil
        )
        self.writer = writer
        try write(writer.start())
    }

    /// Writes a section that is laid out in memory, unless its block was written before.
    ///
    /// - Parameters:
    ///   - cid: The CID of sha2-256.
    ///   - dataSize: The size of the block.
    ///   - bytes: The memory with the section.
    ///   - range: Where the section is: length, CID and block.
    /// - Throws: `.outputFailed`.
    func append(
        _ cid: CID,
        dataSize: Int,
        _ bytes: [UInt8],
        _ range: Range<Int>
    ) throws(UnixFSFilesError) {
        guard seen.insert(SeenBlocks.Key(cid.bytes.suffix(32))) else { return }
        let prefix = prefix(of: cid, dataSize: dataSize)
        assert(bytes[range].starts(with: prefix) && range.count == prefix.count + dataSize)
        blocks += 1
        try translating { () throws(Errno) in
            try bytes.withView { view throws(Errno) in try appended.append(view[range]) }
        }
    }

    /// Hashes a block and writes its section, unless it was written before.
    ///
    /// - Returns: Its CID.
    /// - Throws: `.outputFailed`.
    func append(_ codec: UInt64, _ block: [UInt8]) throws(UnixFSFilesError) -> CID {
        let digest = block.withView { BlockHash.digest(HashCode.sha2_256, of: $0) } ?? []
        let cid = CID(codec: codec, multihash: Multihash(code: HashCode.sha2_256, digest: digest))
        guard seen.insert(SeenBlocks.Key(digest[...])) else { return cid }
        let prefix = prefix(of: cid, dataSize: block.count)
        blocks += 1
        try write(prefix)
        try write(block)
        return cid
    }

    private func prefix(of cid: CID, dataSize: Int) -> [UInt8] {
        guard let prefix = writer?.prefix(for: cid, dataSize: dataSize) else {
            preconditionFailure("the CAR has ended")
        }
        return prefix
    }

    /// Ends the CAR: writes the index of a CARv2, and the headers.
    ///
    /// - Returns: The size of the payload.
    /// - Throws: `.outputFailed`.
    func finish(root: CID) throws(UnixFSFilesError) -> UInt64 {
        precondition(root.bytes.count == Self.placeholder.bytes.count)
        guard let writer = writer.take() else { preconditionFailure("the CAR has ended") }
        let size = writer.payloadSize
        let version = writer.version
        let ending = writer.finish()
        try write(ending.trailer)
        try translating { () throws(Errno) in try appended.finish() }
        let start = version == 1 ? 0 : Int64(CARLayout.dataOffsetMin)
        try write(CARHeader.encoded(roots: [root]), at: start)
        guard version == 2 else { return size }
        try write(ending.header, at: Int64(CARWriter.Ending.headerOffset))
        return size
    }

    /// Waits until no thread writes to the file.
    func stop() { appended.stop() }

    private func write(_ bytes: [UInt8]) throws(UnixFSFilesError) {
        try translating { () throws(Errno) in try bytes.withView(appended.append) }
    }

    private func write(_ bytes: [UInt8], at offset: Int64) throws(UnixFSFilesError) {
        do {
            _ = try file.writeAll(toAbsoluteOffset: offset, bytes)
        } catch {
            throw UnixFSFilesError(.outputFailed, "\(error)")
        }
    }

    private func translating(_ body: () throws(Errno) -> Void) throws(UnixFSFilesError) {
        do {
            try body()
        } catch {
            throw UnixFSFilesError(.outputFailed, "\(error)")
        }
    }
}
