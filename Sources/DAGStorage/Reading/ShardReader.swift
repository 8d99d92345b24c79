internal import DAGBytes
internal import DAGCAR
internal import DAGCatalog
internal import DAGHashing
internal import DAGMounts
package import ShardIndex
internal import SharedReads
internal import SystemPackage

/// A reader of one open shard: its bytes, and its index through an `IndexReader`.
///
/// All leases of an opening share it. It holds the root page, pointers to the locator's segments, and the source.
///
/// *Concurrency*: any thread. Only `accepted` changes. A search writes only to memory of its own thread.
package final class ShardReader: Sendable {
    /// The place of the blocks.
    enum Payload: Sendable {
        /// A mapped file, or bytes that a mount has in memory.
        case memory(MemoryShares)
        /// A file that is read by system calls.
        case file(LocalFile)
        /// A remote source; the thread or task that needs bytes waits.
        case remote(RemoteBytes)
    }

    let key: ShardKey
    let record: ShardRecord
    /// Whether the shard reads a transient, which garbage collection may remove.
    let readsTransient: Bool
    package let root: IndexRoot
    /// The index, through its pages.
    package let index: IndexReader
    let payload: Payload
    /// The payload in memory; empty if the payload is elsewhere.
    let memory: ByteView
    /// The shares in the memory, one for each stripe; empty if the payload is elsewhere.
    private let shares: BorrowedRow<MemoryShare>
    /// Whether the payload is a mapped file.
    let isMapped: Bool
    /// Whether the locator leads into the payload in memory.
    let isDirect: Bool
    let isFreeOfDuplicates: Bool
    /// The source for readers of all its bytes, in order.
    enum Origin {
        case source(any ByteSource)
        /// A mapped file, closed after mapping so that the open shard needs no descriptor.
        case mapped(FilePath)

        /// The name in errors.
        var name: String {
            switch self {
            case .source(let source): source.name
            case .mapped(let path): path.string
            }
        }
    }

    let origin: Origin
    let watchedPath: FilePath?
    let sourceSize: UInt64
    /// The identity of the file at its opening, or at the last comparison that found the same bytes.
    let accepted: Lock<FileIdentity>
    let hash: KeyedHash
    let segments: [LocatorSegment]
    let segmentCount: UInt64
    /// The pin that keeps the transient alive.
    private let pin: TransientPin?
    /// The limits for reading the CAR.
    let limits: CARLimits
    /// Whether the mapping guard catches the loss of mapped bytes.
    let isGuarded: Bool
    /// The end of the last section found, where a walk in CAR order goes on; each thread has its own.
    ///
    /// Bit 63 is set if the last search found its section at the hint. Only then does the next search try the hint.
    let hint = ThreadPlace()
    static let walking: UInt64 = 1 << 63

    /// Opens the shard of `record` over its bytes.
    ///
    /// *Cost*: reads the root page, pins the locator's segments and maps the file; reads no block.
    ///
    /// - Throws: `mountUnreachable`; `sourceChanged` if the source is shorter than the indexed one;
    ///   `catalogCorrupt`.
    init(
        _ record: ShardRecord,
        source: ShardSource,
        catalog: Catalog,
        cache: PageCache,
        pin: GenerationPin?,
        configuration: Configuration,
        limits: CARLimits
    ) throws {
        key = ShardKey(stored: record.key)
        self.record = record
        readsTransient = source.pin != nil
        self.pin = source.pin
        index = try IndexReader(record, catalog: catalog, cache: cache, pin: pin)
        hash = index.hash
        root = index.root
        segments = index.segments
        segmentCount = UInt64(index.segments.count)
        isFreeOfDuplicates = index.root.isFreeOfDuplicates
        guard root.dataOffset + root.payloadSize <= source.facts.size else {
            throw DAGStoreError(
                .sourceChanged,
                "\(source.reader.name) is shorter than what was indexed"
            )
        }
        let payload = try Self.payload(source, root, configuration)
        self.payload = payload
        if case .memory(let shares) = payload, shares.isMapped, case .file(let file) = source.bytes
        {
            origin = .mapped(file.path)
        } else {
            origin = .source(source.reader)
        }
        watchedPath = source.watchedPath
        sourceSize = source.facts.size
        accepted = Lock(source.facts.file)
        if case .memory(let shares) = payload {
            isMapped = shares.isMapped
            memory = shares.payload
            self.shares = shares.row
            isDirect = !index.segments.isEmpty
        } else {
            isMapped = false
            memory = .empty
            shares = BorrowedRow([])
            isDirect = false
        }
        isGuarded = isMapped && GuardedCopy.isInstalled
        self.limits = limits
    }

    deinit { releaseTransient() }

    /// Lets the transient be removed; the reader has no leases any more.
    func releaseTransient() { pin?.release() }

    private static func payload(
        _ source: ShardSource,
        _ root: IndexRoot,
        _ configuration: Configuration
    ) throws -> Payload {
        let range = Int(root.dataOffset)..<Int(root.dataOffset + root.payloadSize)
        switch source.bytes {
        case .memory(let memory):
            return .memory(MemoryShares(memory, payload: memory.view[range], isMapped: false))
        case .remote(let remote): return .remote(remote)
        case .file(let file):
            // Some file systems cannot map files; then reads copy.
            guard configuration.mapping == .whenPossible,
                let mapped = try? MappedFile(file, access: .random)
            else { return .file(file) }
            return .memory(MemoryShares(mapped, payload: mapped.bytes[range], isMapped: true))
        }
    }

    /// Returns the place of a section's block.
    func location(_ section: Section) -> BlockLocation {
        BlockLocation(
            offset: section.offset,
            blockOffset: root.dataOffset + section.dataOffset,
            size: section.dataSize
        )
    }

    /// Whether reads of blocks need no system call.
    var isInMemory: Bool { shares.count > 0 }

    /// Whether the source is remote.
    var isRemote: Bool {
        if case .remote = payload { true } else { false }
    }

    /// Whether the shard keeps a descriptor open.
    var holdsDescriptor: Bool {
        guard case .file = payload else { return false }
        return true
    }

    /// Returns the source for a reader of all bytes; opens a mapped file again.
    ///
    /// - Throws: `sourceChanged`, `mountGone`, `mountUnreachable`, `outOfResources`.
    func openReader() throws -> any ByteSource {
        try checkSource()
        switch origin {
        case .source(let source): return source
        case .mapped(let path): return try LocalFile(opening: path)
        }
    }

    // MARK: Bytes

    /// The largest block whose pages are faulted in one by one, in bytes.
    private static let faultedSizeMax = 16 << 10

    /// Returns the block at `section`, unless the source is remote.
    ///
    /// - Throws: `mountUnreachable` if the source is remote; `sourceChanged`.
    func bytes(of section: Section) throws -> BlockBytes {
        try bytes(at: section.dataOffset, size: section.dataSize)
    }

    /// Returns bytes of the payload, unless the source is remote.
    ///
    /// - Parameters:
    ///   - offset: The offset of the bytes in the payload.
    ///   - size: The number of bytes, all within the payload.
    /// - Returns: The bytes.
    /// - Throws: As `bytes(of:)`.
    @inline(__always)
    func bytes(at offset: UInt64, size: UInt64) throws -> BlockBytes {
        guard shares.count == 0 else {
            // A block retains the share of its thread. A look at `payload` would retain the payload itself.
            let start = Int(offset)
            let view = memory[start..<start + Int(size)]
            // Each fault reads 4 KiB: a cold block of 1 MiB would wait 256 times.
            if isMapped, view.count > Self.faultedSizeMax { view.willNeed() }
            return BlockBytes(
                view: view,
                owner: shares[Stripe.own(of: shares.count)].object,
                isMapped: isMapped
            )
        }
        return try copiedBytes(at: offset, size: size)
    }

    private func copiedBytes(at offset: UInt64, size: UInt64) throws -> BlockBytes {
        switch payload {
        case .memory: preconditionFailure("memory without shares")
        case .file(let file):
            let bytes = try file.read(at: root.dataOffset + offset, size: Int(size))
            return BlockBytes(view: bytes.view, owner: bytes)
        case .remote(let remote):
            throw DAGStoreError(.mountUnreachable, "\(remote.name) is not local", shard: key)
        }
    }

    /// Returns the block at `section` from any source; blocks the thread.
    func bytesBlocking(of section: Section) throws -> BlockBytes {
        try bytesBlocking(at: section.dataOffset, size: section.dataSize)
    }

    /// Returns bytes of the payload from any source; blocks the thread.
    func bytesBlocking(at offset: UInt64, size: UInt64) throws -> BlockBytes {
        guard case .remote(let remote) = payload else { return try bytes(at: offset, size: size) }
        let bytes = try remote.readBlocking(at: root.dataOffset + offset, size: Int(size))
        return BlockBytes(view: bytes.view, owner: bytes)
    }

    /// Returns bytes of the payload from any source.
    func bytesFromAnywhere(at offset: UInt64, size: UInt64) async throws -> BlockBytes {
        guard case .remote(let remote) = payload else { return try bytes(at: offset, size: size) }
        let bytes = try await remote.read(at: root.dataOffset + offset, size: Int(size))
        return bytes.withView { BlockBytes(copying: $0) }
    }

    /// Asks the system to read a block of a mapped file ahead; returns at once.
    func prefetch(_ section: Section) {
        guard isMapped else { return }
        let start = Int(section.dataOffset)
        memory[start..<start + Int(section.dataSize)].willNeed()
    }
}
