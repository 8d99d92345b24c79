package import DAGBytes
public import DAGMultiformats
package import ShardIndex
internal import SharedReads
internal import Synchronization

/// A lease on a shard: while it lasts, callers can read the shard's blocks, and no caller can destroy the shard.
///
/// The lease ends with `release()`, or with the last reference to the object.
///
/// *Concurrency*: any thread, at once, except for `release()`: during that call, no other call on this object may
/// run. A program that only drops its references always meets this rule.
public final class Shard: Sendable {
    // The lease keeps all three alive. Counted references would make all leases write to the same memory.
    private let leasedReader: Borrowed<ShardReader>
    private let open: Borrowed<OpenShard>
    private let openShards: Borrowed<OpenShards>
    private let mark: ReadMark
    private let isReleased = Atomic<Bool>(false)

    /// Creates the object of a lease that the gate has counted.
    ///
    /// - Parameters:
    ///   - open: The shard.
    ///   - openShards: The table that ends the lease.
    ///   - key: The shard's key in the caller's memory; all leases would count references to the shard's own key.
    // Inlined, because a call would count references to the shard and to the table.
    @inline(__always)
    init(_ open: OpenShard, of openShards: OpenShards, key: ShardKey) {
        self.key = key
        leasedReader = Borrowed(open.reader)
        self.open = Borrowed(open)
        self.openShards = Borrowed(openShards)
        mark = openShards.mark
    }

    /// The reader that the lease holds, with its references counted.
    package var reader: ShardReader {
        precondition(!isReleased.load(ordering: .relaxed), "a shard is read after its release")
        return leasedReader.object
    }

    deinit { if !isReleased.load(ordering: .relaxed) { endLease() } }

    /// Ends the lease; does nothing the second time.
    ///
    /// Blocks from earlier reads stay valid. Later calls throw `closed`; `key` stays, `roots` is empty and
    /// `blockCount` is 0. No other call on this object may run meanwhile.
    public func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        endLease()
    }

    /// Returns the lease in a new object, and leaves none in this one.
    ///
    /// The caller then has the only reference, so its last reference ends the lease at once. A thread that passed
    /// this object on may keep it a moment longer.
    package func moved() -> Shard {
        let wasReleased = isReleased.exchange(true, ordering: .acquiringAndReleasing)
        precondition(!wasReleased, "a lease is moved after its release")
        return open.with { open in openShards.with { Shard(open, of: $0, key: key) } }
    }

    private func endLease() {
        // After the end of the lease, only the reading keeps the store and the opening alive.
        Reading.begin(mark)
        openShards.with { shards in open.with { shards.endLease(on: $0) } }
        Reading.end()
    }

    /// Records that the file has just been compared and is the indexed one.
    func recordCheck() {
        open.with { $0.recordCheck() }
    }

    /// Throws if the lease was released.
    ///
    /// - Throws: `closed`.
    @inline(__always)
    func checkHeld() throws(DAGStoreError) { guard isHeld else { throw Self.wasReleased } }

    private var isHeld: Bool { !isReleased.load(ordering: .relaxed) }

    private static var wasReleased: DAGStoreError {
        DAGStoreError(.closed, "the lease on the shard was released")
    }

    /// The shard's key.
    public let key: ShardKey

    /// The roots that the CAR's header names, in its order.
    public var roots: [CID] { isHeld ? leasedReader.with { $0.root.roots } : [] }

    /// The number of sections, repeated ones included.
    public var blockCount: UInt64 { isHeld ? leasedReader.with { $0.root.sectionCount } : 0 }

    /// Calls `body` with the reader.
    @inline(__always)
    private func withReader<R>(_ body: (ShardReader) throws -> R) throws -> R {
        try checkHeld()
        return try leasedReader.with(body)
    }

    /// Returns whether the shard has a block with the multihash of `cid`.
    ///
    /// Every shard has the block of an identity CID, which is in the CID.
    ///
    /// - Throws: `catalogCorrupt`, `mountUnreachable`.
    public func contains(_ cid: CID) throws -> Bool {
        if cid.isIdentity {
            try checkHeld()
            return true
        }
        return try reading { try $0.section(of: cid) != nil }
    }

    /// Returns the place of the block with the multihash of `cid`; nil if the shard lacks the block.
    ///
    /// If a multihash repeats, the call returns the first section. It also looks for the section of an identity CID.
    ///
    /// - Throws: `catalogCorrupt`, `mountUnreachable`.
    public func location(of cid: CID) throws -> BlockLocation? {
        try reading { reader in try reader.section(of: cid).map { reader.location($0) } }
    }

    /// Returns the block with the multihash of `cid`; nil if the shard lacks the block.
    ///
    /// The store does not hash the bytes: see `Block.verified()`. The call waits only for bytes of a remote source.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - deadline: The time when the call stops waiting for a remote source.
    /// - Returns: The block.
    /// - Throws: `catalogCorrupt`, `mountUnreachable`, `sourceChanged`, and the errors of the mount;
    ///   `deadlineExceeded`, `closed`; `CancellationError`.
    public func block(
        for cid: CID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Block? {
        guard try withReader({ $0.isRemote }), !cid.isIdentity else {
            return try blockIfLocal(for: cid)
        }
        guard let section = try reading({ try $0.section(of: cid) }) else { return nil }
        let content = try await remoteBytes(at: section.dataOffset, section.dataSize, deadline)
        return Block(cid: cid, content)
    }

    /// Returns a part of the block with the multihash of `cid`; nil if the shard lacks the block.
    ///
    /// *Cost*: reads only the bytes of the part.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - range: The part, in bytes from the block's start; the call cuts it at the block's end.
    ///   - deadline: The time when the call stops waiting for a remote source.
    /// - Returns: The part.
    /// - Throws: As `block(for:deadline:)`.
    public func slice(
        of cid: CID,
        in range: Range<UInt64>,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> BlockSlice? {
        guard try withReader({ $0.isRemote }), !cid.isIdentity else {
            return try sliceIfLocal(of: cid, in: range)
        }
        guard let section = try reading({ try $0.section(of: cid) }) else { return nil }
        let part = range.clamped(to: 0..<section.dataSize)
        let start = section.dataOffset + part.lowerBound
        let content = try await remoteBytes(at: start, UInt64(part.count), deadline)
        return BlockSlice(cid: cid, range: part, blockSize: section.dataSize, content)
    }

    /// Returns a part of the block with the multihash of `cid`, without waiting; nil if the shard lacks the block.
    ///
    /// *Cost*: as `blockIfLocal(for:)`, for the bytes of the part.
    ///
    /// - Throws: As `blockIfLocal(for:)`.
    public func sliceIfLocal(of cid: CID, in range: Range<UInt64>) throws -> BlockSlice? {
        try checkHeld()
        if cid.isIdentity { return BlockSlice(Block(identity: cid), range) }
        return try reading { reader in
            guard let section = try reader.section(of: cid) else { return nil }
            return try BlockSlice(cid: cid, in: range, of: section, from: reader)
        }
    }

    private func remoteBytes(
        at offset: UInt64,
        _ size: UInt64,
        _ deadline: ContinuousClock.Instant?
    ) async throws -> BlockBytes {
        let reader = reader
        do {
            return try await withDeadline(deadline) {
                try await reader.bytesFromAnywhere(at: offset, size: size)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw reporting(error)
        }
    }

    /// Asks the system to read blocks of a mapped shard ahead, and returns at once; other shards ignore it.
    ///
    /// *Cost*: a search for each block, as `location(of:)`, and a system call.
    ///
    /// - Throws: `catalogCorrupt`, `sourceChanged`, `closed`.
    public func prefetch(_ cids: [CID]) throws {
        try checkHeld()
        for cid in cids where !cid.isIdentity {
            try reading { reader in
                guard let section = try reader.section(of: cid) else { return }
                reader.prefetch(section)
            }
        }
    }

    /// Returns the block with the multihash of `cid`, without waiting; nil if the shard lacks the block.
    ///
    /// *Cost*: one search and one header; no copy if the shard is mapped.
    ///
    /// - Throws: `catalogCorrupt`, `sourceChanged`; `mountUnreachable`, also if the source is remote.
    public func blockIfLocal(for cid: CID) throws -> Block? {
        try checkHeld()
        if cid.isIdentity {
            return Block(identity: cid)
        }
        return try reading { reader in
            guard let section = try reader.section(of: cid) else { return nil }
            return Block(cid: cid, try reader.bytes(of: section))
        }
    }

    /// Returns the verified block with the multihash of `cid`, without waiting; nil if the shard lacks the block.
    ///
    /// If the bytes of the first section have another hash, the call tries the later sections with the multihash.
    ///
    /// *Cost*: as `blockIfLocal(for:)`, and the hash. The search for later sections decodes all index pages.
    ///
    /// - Throws: As `blockIfLocal(for:)`; `hashMismatch` if no section has the right bytes; `unsupportedHash`.
    public func verifiedBlockIfLocal(for cid: CID) throws -> Block? {
        guard let block = try blockIfLocal(for: cid) else { return nil }
        do {
            return try block.verified()
        } catch let error as DAGStoreError where error.code == .hashMismatch {
            guard !cid.isIdentity, let other = try laterBlock(for: cid) else {
                throw error.about(key)
            }
            return other
        }
    }

    /// Returns the verified block of a later section with the multihash; nil if there is none.
    private func laterBlock(for cid: CID) throws -> Block? {
        let reader = reader
        guard !reader.root.isFreeOfDuplicates, let first = try location(of: cid)?.offset else {
            return nil
        }
        let hashCode = cid.multihash.code
        for number in reader.root.pages.indices {
            let page = try translating { try reader.index.page(number) }
            for slot in 0..<page.count where page.offset(of: slot) > first {
                guard cid.withDigest({ page.matches(slot, hashCode: hashCode, digest: $0) }) else {
                    continue
                }
                let found = try? reading { reader in
                    let section = try reader.index.section(page, slot, hashCode: hashCode)
                    return try Block(cid: cid, reader.bytes(of: section)).verified()
                }
                if let found { return found }
            }
        }
        return nil
    }

    /// Returns the blocks with the multihashes of some CIDs, in their order, without waiting; nil for missing blocks.
    ///
    /// *Cost*: in random order, a third of `blockIfLocal(for:)` a block: the call overlaps eight memory reads. It
    /// allocates only the array.
    ///
    /// - Throws: As `blockIfLocal(for:)`, for the first block that fails.
    public func blocksIfLocal(for cids: [CID]) throws -> [Block?] {
        try reading { reader in
            var blocks: [Block?] = []
            blocks.reserveCapacity(cids.count)
            var start = 0
            while start < cids.count {
                let end = min(cids.count, start + ShardReader.batchSize)
                let batch = cids[start..<end]
                start = end
                guard !batch.contains(where: \.isIdentity) else {
                    for cid in batch { blocks.append(try blockIfLocal(for: cid)) }
                    continue
                }
                try reader.sections(of: batch) { index, section in
                    let bytes = try section.map { try reader.bytes(of: $0) }
                    blocks.append(bytes.map { Block(cid: cids[index], $0) })
                }
            }
            return blocks
        }
    }

    // MARK: Binary CIDs

    /// Returns the bytes with the multihash of a binary CID from any source; nil if the shard lacks the block.
    ///
    /// *Cost*: as `blockIfLocal(for:)`, without an allocation if the shard is mapped. The thread waits for a remote
    /// source.
    ///
    /// - Throws: As `block(for:)`.
    package func bytes(of cid: ByteView, _ layout: CIDLayout) throws(DAGStoreError) -> BlockBytes? {
        try checkHeld()
        if layout.isIdentity {
            return BlockBytes(copying: cid[layout.digestOffset..<layout.size])
        }
        return try reading { reader in
            guard let section = try reader.section(of: cid, layout: layout) else { return nil }
            return try reader.bytesBlocking(of: section)
        }
    }

    /// Returns the place of the block with the multihash of a binary CID; nil if the shard lacks the block.
    ///
    /// - Throws: As `location(of:)`.
    package func location(
        of cid: ByteView,
        _ layout: CIDLayout
    ) throws(DAGStoreError) -> BlockLocation? {
        try reading { reader in
            try reader.section(of: cid, layout: layout).map { reader.location($0) }
        }
    }

    /// Runs `body`, and fails the shard if its bytes differ from the indexed ones.
    @inline(__always)
    func reading<R>(_ body: (ShardReader) throws -> R) throws(DAGStoreError) -> R {
        do {
            return try withReader(body)
        } catch {
            throw reporting(error)
        }
    }

    /// Reports to the loop that bytes of an earlier read are gone, so that the shard fails.
    package func reportLoss() {
        guard isHeld else { return }
        _ = reporting(BlockBytes.areGone)
    }

    /// Returns the error for the caller, and reports a changed source to the loop.
    private func reporting(_ error: any Error) -> DAGStoreError {
        let error = DAGStoreError(any: error).about(key)
        if error.code == .sourceChanged {
            leasedReader.with { reader in openShards.with { $0.reportLoss(error, of: reader) } }
        }
        return error
    }

    /// The CIDs of all sections in CAR order, repeated ones included.
    public var cids: ShardCIDs { ShardCIDs(shard: self) }

    /// Calls `body` with the entry of each section, from number `ordinal` on.
    ///
    /// - Parameters:
    ///   - ordinal: The number of the first section, in CAR order.
    ///   - body: Receives an entry; returns whether to go on.
    /// - Throws: `catalogCorrupt`, and the errors of `body`.
    package func forEachEntry(
        from ordinal: UInt64 = 0,
        _ body: (IndexEntry) throws -> Bool
    ) throws {
        let reader = reader
        guard let first = reader.root.page(ofOrdinal: ordinal) else { return }
        for number in first..<reader.root.pages.count {
            let page = try translating { try reader.index.page(number) }
            for slot in 0..<page.count where page.firstOrdinal + UInt64(slot) >= ordinal {
                guard try body(page.entry(slot)) else { return }
            }
        }
    }
}
