internal import DAGBytes
internal import DAGCAR
internal import DAGCatalog
internal import DAGHashing
internal import DAGMounts
package import ShardIndex
internal import SharedReads
internal import SystemPackage

/// An open shard, shared by its leases.
///
/// It holds the root page, pointers to the locator's segments, and the bytes within reach.
///
/// *Concurrency*: any thread. Only `accepted` ever changes. A search writes to memory of its own thread only.
package final class ShardReader: Sendable {
    /// The place that blocks are read from.
    enum Payload: Sendable {
        /// In memory: a mapped file, or bytes that a mount has there.
        case memory(MemoryShares)
        /// Read by system calls.
        case file(LocalFile)
        /// Read over the network, by the thread or task that waits.
        case remote(RemoteBytes)
    }

    let key: ShardKey
    let record: ShardRecord
    /// Whether the shard reads a copy of the store's own, which garbage collection may remove.
    let readsTransient: Bool
    package let root: IndexRoot
    /// The index, through its pages.
    package let index: IndexReader
    let payload: Payload
    /// The payload, if it is in memory; else empty.
    let memory: ByteView
    /// Shares in the same, one for each stripe of threads; none if it is not in memory.
    private let shares: BorrowedRow<MemoryShare>
    /// Whether the payload is a mapped file.
    let isMapped: Bool
    /// Whether the locator leads into the payload in memory.
    let isDirect: Bool
    let isFreeOfDuplicates: Bool
    /// The source for readers of all its bytes, in order.
    enum Origin {
        case source(any ByteSource)
        /// A file that is mapped and was closed, because each open shard would need a descriptor.
        case mapped(FilePath)

        /// The name that errors give it.
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
    /// The identity that the file had when it was opened, or when it was last found to have the same bytes.
    let accepted: Lock<FileIdentity>
    let hash: KeyedHash
    let segments: [LocatorSegment]
    let segmentCount: UInt64
    /// Keeps the copy from being deleted.
    private let pin: TransientPin?
    /// The limits for reading the CAR.
    let limits: CARLimits
    /// Whether the mapping guard catches the loss of mapped bytes.
    let isGuarded: Bool
    /// Where a walk in CAR order goes on: the end of the last section found.
    ///
    /// Each thread remembers its own. Bit 63 is set when the last search found what stood there, so that only
    /// walks pay for looking.
    let hint = ThreadPlace()
    static let walking: UInt64 = 1 << 63

    /// Opens the shard of `record` over its bytes.
    ///
    /// *Cost*: reads the root page, pins the locator's segments and maps the file; no block is touched.
    ///
    /// - Throws: `mountUnreachable`; `sourceChanged` if the source is shorter than what was indexed;
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

    deinit { pin?.release() }

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
            // Some file systems do not map; what is read then is copied.
            guard configuration.mapping == .whenPossible,
                let mapped = try? MappedFile(file, access: .random)
            else { return .file(file) }
            return .memory(MemoryShares(mapped, payload: mapped.bytes[range], isMapped: true))
        }
    }

    /// Where a section's block lies.
    func location(_ section: Section) -> BlockLocation {
        BlockLocation(
            offset: section.offset,
            blockOffset: root.dataOffset + section.dataOffset,
            size: section.dataSize
        )
    }

    /// Whether blocks are read without a system call.
    var isInMemory: Bool { shares.count > 0 }

    /// Whether the bytes are elsewhere.
    var isRemote: Bool {
        if case .remote = payload { true } else { false }
    }

    /// Whether it keeps a descriptor open.
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

    /// The largest block whose pages come one by one, when a thread touches them.
    private static let faultedSizeMax = 16 << 10

    /// Returns the block at `section`, if no network is needed for it.
    ///
    /// - Throws: `mountUnreachable` if its bytes are elsewhere; `sourceChanged`.
    func bytes(of section: Section) throws -> BlockBytes {
        try bytes(at: section.dataOffset, size: section.dataSize)
    }

    /// Returns bytes of the payload, if no network is needed for them.
    ///
    /// - Parameters:
    ///   - offset: Where they start in the payload.
    ///   - size: How many; they lie within the payload.
    /// - Returns: The bytes.
    /// - Throws: As `bytes(of:)`.
    @inline(__always)
    func bytes(at offset: UInt64, size: UInt64) throws -> BlockBytes {
        guard shares.count == 0 else {
            // A block counts the share of its thread. The payload itself is not looked at: that would count it.
            let start = Int(offset)
            let view = memory[start..<start + Int(size)]
            // Faults bring four kilobytes each: a cold block of 1 MiB would wait 256 times.
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

    /// Returns the block at `section`, wherever its bytes are; blocks the thread.
    func bytesBlocking(of section: Section) throws -> BlockBytes {
        guard case .remote(let remote) = payload else { return try bytes(of: section) }
        let bytes = try remote.readBlocking(
            at: root.dataOffset + section.dataOffset,
            size: Int(section.dataSize)
        )
        return BlockBytes(view: bytes.view, owner: bytes)
    }

    /// Returns bytes of the payload, wherever they are.
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
