internal import DAGBytes
internal import DAGHashing
internal import DAGIPLD
internal import DAGMultiformats
internal import Dispatch

/// A part of the walk over the sources, whose chunks one thread reads and hashes.
///
/// The buffer has the sections of its chunks one after another, as they stand in the CAR:
///
/// ```
/// section length  CID  head of the leaf  chunk  tail of the leaf
/// ```
///
/// *Concurrency*: the thread that plans has the batch until it submits `process`, and again after `wait`.
final class ChunkBatch: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: one thread at a time has the batch, as above.

    /// The sections that a batch has at least room for, in bytes.
    private static let bufferSizeMin = 1 << 20
    private static let stepsMax = 512
    /// Files and folders that a batch may keep open.
    private static let handlesMax = 24
    /// The size of each CID.
    static let cidSize = 36

    /// The step of the walk, for the thread that writes.
    enum Step {
        case folder
        case folderEnd(name: [UInt8])
        case link(name: [UInt8], target: [UInt8])
        case chunk(Int)
        /// The file that the chunks before it are of; nil if `process` has checked it.
        case fileEnd(name: [UInt8], SourceFile?)
    }

    /// Where a chunk is read from.
    enum Source {
        /// A file of several chunks.
        case file(SourceFile)
        /// A file of one chunk, which is opened, read and closed at once.
        case whole(SourceEntry, SourceIdentity)
    }

    /// A chunk of a file.
    struct Chunk {
        let source: Source
        /// Where it starts in the file.
        let offset: UInt64
        /// Its size.
        let size: Int
        /// The form of its leaf.
        let frame: UnixFSEncoder.LeafFrame
        /// Where its section is in the buffer.
        let section: Range<Int>

        /// The size of its block.
        var blockSize: Int { frame.head.count + size + frame.tail.count }
        /// Where its block is in the buffer.
        var block: Range<Int> { section.upperBound - blockSize..<section.upperBound }
    }

    private(set) var steps: [Step] = []
    private(set) var chunks: [Chunk] = []
    private(set) var buffer: [UInt8]
    private var used = 0
    private var handles = 0
    private var failure: (any Error)?
    private let isDone = DispatchSemaphore(value: 0)

    /// Creates an empty batch.
    ///
    /// - Parameter chunkSize: The largest chunk.
    init(chunkSize: Int) {
        let largest = Self.sectionSize(
            UnixFSEncoder.LeafFrame(size: chunkSize, isRaw: false),
            chunkSize
        )
        buffer = [UInt8](repeating: 0, count: max(Self.bufferSizeMin, largest))
    }

    private static func sectionSize(_ frame: UnixFSEncoder.LeafFrame, _ size: Int) -> Int {
        let length = cidSize + frame.head.count + size + frame.tail.count
        return Varint.size(of: UInt64(length)) + length
    }

    // MARK: Planning

    /// Whether the batch takes another step, apart from the room for a chunk.
    var takesSteps: Bool { steps.count < Self.stepsMax && handles < Self.handlesMax }

    /// Empties the batch.
    func removeAll() {
        steps.removeAll(keepingCapacity: true)
        chunks.removeAll(keepingCapacity: true)
        used = 0
        handles = 0
        failure = nil
    }

    /// Adds a step; `keepsOpen` says whether a file or folder stays open for it.
    func append(_ step: Step, keepsOpen: Bool = false) {
        steps.append(step)
        if keepsOpen { handles += 1 }
    }

    /// Adds a chunk, if there is room for it.
    func append(_ source: Source, at offset: UInt64, size: Int, isRaw: Bool) -> Bool {
        let frame = UnixFSEncoder.LeafFrame(size: size, isRaw: isRaw)
        let section = Self.sectionSize(frame, size)
        guard buffer.count - used >= section else { return false }
        steps.append(.chunk(chunks.count))
        chunks.append(
            Chunk(
                source: source,
                offset: offset,
                size: size,
                frame: frame,
                section: used..<used + section
            )
        )
        used += section
        return true
    }

    // MARK: Processing

    /// Reads and hashes the chunks, and lays out their sections.
    func process() {
        defer { isDone.signal() }
        do {
            for chunk in chunks { try process(chunk) }
        } catch {
            failure = error
        }
    }

    /// Waits for the end of `process`.
    ///
    /// - Throws: `MountError` if a file could not be read, or has changed.
    func wait() throws {
        isDone.wait()
        if let failure { throw failure }
    }

    private func process(_ chunk: Chunk) throws {
        let data = chunk.block.lowerBound + chunk.frame.head.count
        let range = data..<data + chunk.size
        switch chunk.source {
        case .file(let file):
            try file.read(at: chunk.offset, into: &buffer, range)
        case .whole(let entry, let identity):
            let file = try entry.openFile(identity)
            try file.read(at: chunk.offset, into: &buffer, range)
            try file.checkUnchanged()
        }
        write(chunk.frame.head, at: chunk.block.lowerBound)
        write(chunk.frame.tail, at: range.upperBound)
        let digest = buffer.withView {
            BlockHash.digest(HashCode.sha2_256, of: $0[chunk.block]) ?? []
        }
        var head: [UInt8] = []
        Varint.append(UInt64(Self.cidSize + chunk.blockSize), to: &head)
        head += [1, UInt8(chunk.frame.codec), UInt8(HashCode.sha2_256), 32]
        head += digest
        write(head, at: chunk.section.lowerBound)
    }

    private func write(_ bytes: [UInt8], at place: Int) {
        for (index, byte) in bytes.enumerated() { buffer[place + index] = byte }
    }

    /// The leaf of a chunk, after `process`.
    func leaf(of chunk: Chunk) throws -> UnixFSPart {
        let start = chunk.block.lowerBound - Self.cidSize
        return UnixFSPart(
            cid: try CID(bytes: Array(buffer[start..<chunk.block.lowerBound])),
            contentSize: UInt64(chunk.size),
            totalSize: UInt64(chunk.blockSize)
        )
    }
}
