package import DAGBytes
internal import DAGCatalog
public import DAGMultiformats
package import ShardIndex
internal import SharedReads
internal import Synchronization

/// A lease on a shard: while it lasts, its blocks can be read and it cannot be destroyed.
///
/// It ends with `release()`, or when the last reference to the object goes.
///
/// *Concurrency*: any thread, at once. `release()` is the exception: no other call on this object may be
/// under way then or follow, which a program that only lets its references go cannot get wrong.
public final class Shard: Sendable {
    // The lease keeps all three alive: counting references to them would have all leases write to the same memory.
    private let leasedCore: Borrowed<ShardCore>
    private let entry: Borrowed<ShardEntry>
    private let engine: Borrowed<StoreEngine>
    private let mark: ReadMark
    private let isReleased = Atomic<Bool>(false)

    /// Takes over a lease that was counted already.
    init(_ entry: ShardEntry, of engine: StoreEngine) {
        leasedCore = Borrowed(entry.core)
        self.entry = Borrowed(entry)
        self.engine = Borrowed(engine)
        mark = engine.mark
    }

    /// What the lease reads through, counted.
    package var core: ShardCore {
        checkHeld()
        return leasedCore.object
    }

    deinit { release() }

    /// Ends the lease; does nothing the second time.
    ///
    /// Blocks that were read stay valid. No other call on this object may be under way.
    public func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // When the lease has ended, nothing but the reading keeps the store and the entry alive.
        Reading.begin(mark)
        engine.with { engine in entry.with { engine.endLease($0) } }
        Reading.end()
    }

    /// Notes that the file was found to be what was indexed.
    func noteCheck() {
        entry.with { $0.noteCheck() }
    }

    fileprivate func checkHeld() {
        precondition(!isReleased.load(ordering: .relaxed), "a shard is used after its release")
    }

    /// The shard's key.
    public var key: ShardKey { withCore { $0.key } }

    /// The roots that the CAR's header names, in its order.
    public var roots: [CID] { withCore { $0.root.roots } }

    /// The number of sections, repeated ones included.
    public var blockCount: UInt64 { withCore { $0.root.sectionCount } }

    /// Calls `body` with what the lease reads through.
    @inline(__always)
    private func withCore<R>(_ body: (ShardCore) throws -> R) rethrows -> R {
        checkHeld()
        return try leasedCore.with(body)
    }

    /// Whether the shard has a block with the multihash of `cid`.
    ///
    /// An identity CID is everywhere: its block is in the CID.
    ///
    /// - Throws: `catalogCorrupt`, `mountUnreachable`.
    public func contains(_ cid: CID) throws -> Bool {
        if cid.isIdentity {
            checkHeld()
            return true
        }
        return try looking { try $0.section(of: cid) != nil }
    }

    /// Where the block with the multihash of `cid` lies; nil if it is not here.
    ///
    /// Of equal multihashes the first section answers. The section of an identity CID is looked for like
    /// any other.
    ///
    /// - Throws: `catalogCorrupt`, `mountUnreachable`.
    public func location(of cid: CID) throws -> BlockLocation? {
        try looking { core in try core.section(of: cid).map { core.location($0) } }
    }

    /// The block with the multihash of `cid`; nil if it is not here.
    ///
    /// The bytes are not hashed: see `Block.verified()`. A shard whose bytes are read from afar waits for
    /// them; any other answers at once.
    ///
    /// - Throws: `catalogCorrupt`, `mountUnreachable`, `sourceChanged`, and what the mount throws.
    public func block(for cid: CID) async throws -> Block? {
        guard withCore({ $0.isRemote }), !cid.isIdentity else {
            return try blockIfLocal(for: cid)
        }
        guard let section = try looking({ try $0.section(of: cid) }) else { return nil }
        do {
            return Block(cid: cid, try await core.bytesFromAnywhere(of: section))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw DAGStoreError(any: error).about(key)
        }
    }

    /// The block with the multihash of `cid`, if this takes no waiting; nil if it is not here.
    ///
    /// *Cost*: one search and one header; no copy where the shard is mapped.
    ///
    /// - Throws: `catalogCorrupt`, `sourceChanged`; `mountUnreachable`, also if the shard's bytes are not
    ///   on this machine.
    public func blockIfLocal(for cid: CID) throws -> Block? {
        checkHeld()
        if cid.isIdentity {
            return Block(cid: cid, cid.withDigest { BlockBytes(copying: $0) })
        }
        return try looking { core in
            guard let section = try core.section(of: cid) else { return nil }
            return Block(cid: cid, try core.bytes(of: section))
        }
    }

    /// The block with the multihash of `cid`, if this takes no waiting and one of its sections here has bytes with that
    /// hash; nil if it is not here.
    ///
    /// *Cost*: as `blockIfLocal(for:)`, and the hash. If the first section has other bytes, and the CAR has multihashes more
    /// than once, all index pages are looked through for further ones.
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

    /// The block of a section behind the first one with the multihash, whose bytes have the hash.
    private func laterBlock(for cid: CID) throws -> Block? {
        let core = core
        guard !core.root.isFreeOfDuplicates, let first = try location(of: cid)?.offset else {
            return nil
        }
        let hashCode = cid.multihash.code
        for number in core.root.pages.indices {
            let page = try translating { try core.index.page(number) }
            for slot in 0..<page.count where page.offset(of: slot) > first {
                guard cid.withDigest({ page.matches(slot, hashCode: hashCode, digest: $0) }) else {
                    continue
                }
                let found = try? looking { core in
                    let section = try core.index.section(page, slot, hashCode: hashCode)
                    return try Block(cid: cid, core.bytes(of: section)).verified()
                }
                if let found { return found }
            }
        }
        return nil
    }

    /// The blocks with the multihashes of some CIDs, in their order, if this takes no waiting; nil for those that are
    /// not here.
    ///
    /// *Cost*: at random in a large mapped shard a third of `blockIfLocal(for:)` each, because eight at a time wait for
    /// memory together; the array, and nothing else, is allocated.
    ///
    /// - Throws: As `blockIfLocal(for:)`, for the first that cannot be had.
    public func blocksIfLocal(for cids: [CID]) throws -> [Block?] {
        try looking { core in
            var blocks: [Block?] = []
            blocks.reserveCapacity(cids.count)
            var start = 0
            while start < cids.count {
                let end = min(cids.count, start + ShardCore.batchSize)
                let batch = cids[start..<end]
                start = end
                guard !batch.contains(where: \.isIdentity) else {
                    for cid in batch { blocks.append(try blockIfLocal(for: cid)) }
                    continue
                }
                try core.sections(of: batch) { index, section in
                    let bytes = try section.map { try core.bytes(of: $0) }
                    blocks.append(bytes.map { Block(cid: cids[index], $0) })
                }
            }
            return blocks
        }
    }

    // MARK: Binary CIDs

    /// The bytes with the multihash of a binary CID, from wherever they are; nil if they are not here.
    ///
    /// *Cost*: as `blockIfLocal(for:)`, without an allocation where the shard is mapped. Bytes that are
    /// elsewhere block the thread.
    ///
    /// - Throws: As `block(for:)`.
    package func bytes(of cid: ByteView, _ layout: CIDLayout) throws(DAGStoreError) -> BlockBytes? {
        checkHeld()
        if layout.isIdentity {
            return BlockBytes(copying: cid[layout.digestOffset..<layout.size])
        }
        return try looking { core in
            guard let section = try core.section(of: cid, layout: layout) else { return nil }
            return try core.bytesBlocking(of: section)
        }
    }

    /// Where the block with the multihash of a binary CID lies; nil if it is not here.
    ///
    /// - Throws: As `location(of:)`.
    package func location(
        of cid: ByteView,
        _ layout: CIDLayout
    ) throws(DAGStoreError) -> BlockLocation? {
        try looking { core in
            try core.section(of: cid, layout: layout).map { core.location($0) }
        }
    }

    /// Runs `body`, and fails the shard if its bytes are not what was indexed.
    @inline(__always)
    private func looking<R>(_ body: (ShardCore) throws -> R) throws(DAGStoreError) -> R {
        do {
            return try withCore(body)
        } catch {
            throw noting(error)
        }
    }

    /// The error as callers see it; the loop hears of a source that changed.
    private func noting(_ error: any Error) -> DAGStoreError {
        let error = DAGStoreError(any: error).about(key)
        if error.code == .sourceChanged {
            let generation = core.record.generation
            engine.with { _ = $0.loop.post(.lost(key, generation: generation, error)) }
        }
        return error
    }

    /// The CIDs of all sections in CAR order, repeated ones included.
    public var cids: ShardCIDs { ShardCIDs(shard: self) }

    /// What is wrong with the shard's index, looked at from all sides; empty if nothing is.
    ///
    /// *Cost*: decodes every page; blocks the calling thread.
    package func checkIndex() -> [String] {
        let core = core
        var check = IndexCheck(
            root: core.root,
            segments: core.segments,
            hash: core.index.hash
        )
        check.run { try core.index.page($0) }
        return check.problems
    }

    /// What the index knows, section by section, from number `ordinal` on.
    ///
    /// - Parameters:
    ///   - ordinal: The number of the first section to hand over, in CAR order.
    ///   - body: Receives an entry and says whether to go on.
    /// - Throws: `catalogCorrupt`, and what `body` throws.
    package func forEachEntry(
        from ordinal: UInt64 = 0,
        _ body: (IndexEntry) throws -> Bool
    ) throws {
        let core = core
        guard let first = core.root.page(ofOrdinal: ordinal) else { return }
        for number in first..<core.root.pages.count {
            let page = try translating { try core.index.page(number) }
            for slot in 0..<page.count where page.firstOrdinal + UInt64(slot) >= ordinal {
                guard try body(page.entry(slot)) else { return }
            }
        }
    }
}

/// The CIDs of a shard in CAR order.
///
/// Iterating reads index pages, not the CAR; it holds the lease.
public struct ShardCIDs: AsyncSequence, Sendable {
    /// What iterating gives.
    public typealias Element = CID

    let shard: Shard

    /// Begins at the first section.
    public func makeAsyncIterator() -> Iterator { Iterator(shard: shard) }

    /// Walks the pages.
    public struct Iterator: AsyncIteratorProtocol {
        private let shard: Shard
        private var number = 0
        private var slot = 0
        private var page: DecodedPage?

        init(shard: Shard) { self.shard = shard }

        /// The next CID, or nil at the end.
        ///
        /// - Throws: `catalogCorrupt`.
        public mutating func next() async throws -> CID? {
            shard.checkHeld()
            while true {
                if let page, slot < page.count {
                    defer { slot += 1 }
                    guard let cid = page.entry(slot).cid else {
                        throw DAGStoreError(.catalogCorrupt, "a CID is unknown", shard: shard.key)
                    }
                    return cid
                }
                guard number < shard.core.root.pages.count else { return nil }
                page = try translating { try shard.core.index.page(number) }
                number += 1
                slot = 0
            }
        }
    }
}
