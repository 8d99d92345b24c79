internal import DAGBytes
internal import DAGCatalog
public import DAGMultiformats

/// A shard that has a block, and the place of the block.
public struct FoundBlock: Equatable, Sendable {
    /// The shard.
    public let key: ShardKey
    /// The place of the block in the shard.
    public let location: BlockLocation

    /// Creates a place of a block in a shard.
    public init(key: ShardKey, location: BlockLocation) {
        self.key = key
        self.location = location
    }
}

/// Blocks of all shards together.
extension DAGStore {
    // MARK: Questions

    /// Returns the shards that have a block with a multihash, in order of registration.
    ///
    /// The index of each shard confirms the answer, so the answer is exact. The call reads no bytes of a shard.
    ///
    /// *Cost*: a search in the inverse index, and one in the index of each shard.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func shards(containing multihash: Multihash) throws -> [ShardKey] {
        let cid = CID(codec: Codec.raw, multihash: multihash)
        return try translating { try lookup.holders(of: cid) }
    }

    /// Returns the places of the block with the multihash of `cid` in all shards, in order of registration.
    ///
    /// The result lacks migrated shards whose CAR is still unread, because their indexes lack the sizes of blocks.
    ///
    /// *Cost*: as `shards(containing:)`.
    ///
    /// - Throws: `catalogCorrupt`, `closed`; `mountUnreachable` if only such shards have the block.
    public func places(of cid: CID) throws -> [FoundBlock] {
        try translating { try lookup.places(of: cid) }
    }

    /// Returns whether any shard has the block with the multihash of `cid`.
    ///
    /// The block of an identity CID is in the CID. The call reads no bytes of a shard.
    ///
    /// - Throws: `catalogCorrupt` if one candidate's index is unreadable and no other shard has the block; `closed`.
    public func contains(_ cid: CID) throws -> Bool {
        if cid.isIdentity { return true }
        return try access.reading { try translating { try lookup.isAnywhere(cid) } }
    }

    /// Returns the size of the block with the multihash of `cid`, in bytes; nil if no shard has the block.
    ///
    /// - Throws: As `contains`; `mountUnreachable` if the CARs of all shards with the block are still unread.
    public func size(of cid: CID) throws -> UInt64? {
        if cid.isIdentity { return UInt64(cid.withDigest { $0.count }) }
        return try access.reading {
            try translating { try lookup.firstPlace(of: cid) }
        }?
        .location.size
    }

    /// Returns the sizes of many blocks, in order; nil for blocks that no shard has.
    ///
    /// - Throws: As `contains`.
    public func sizes(of cids: [CID]) throws -> [UInt64?] { try cids.map { try size(of: $0) } }

    // MARK: Blocks

    /// Returns the block with the multihash of `cid` from any shard; nil if no shard has the block.
    ///
    /// The store asks open shards first, then shards that must be opened or fetched, then failed ones, unless
    /// `Configuration.selectShards` chooses. If a shard fails, the store asks the next one. It does not hash the
    /// bytes: see `Block.verified()`.
    ///
    /// *Cost*: for an open shard, a search in the inverse index and one in the shard, without a change of threads.
    ///
    /// *Concurrency*: a cancelled caller gets `CancellationError`; the fetch or opening that it waited for goes on.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - deadline: The time when the call stops waiting for openings, fetches and remote sources.
    /// - Returns: The block.
    /// - Throws: The first error of a shard, if no other shard has the block; `deadlineExceeded`, `closed`.
    public func block(
        for cid: CID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Block? {
        var candidates: Candidates
        switch try lookup.answer(for: cid) {
        case .found(let block): return block
        case .nowhere: return nil
        case .candidates(let others): candidates = others
        }
        while let key = try candidates.next() {
            do {
                let shard = try await acquire(key, deadline: deadline)
                defer { shard.release() }
                let block = try await shard.block(for: cid, deadline: deadline)
                if let block { return block }
            } catch {
                try candidates.record(error, until: deadline)
            }
        }
        return nil
    }

    /// Returns a part of the block with the multihash of `cid` from any shard; nil if no shard has the block.
    ///
    /// *Cost*: as `block(for:deadline:)`, for the bytes of the part.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - range: The part, in bytes from the block's start; the call cuts it at the block's end.
    ///   - deadline: As for `block(for:deadline:)`.
    /// - Returns: The part.
    /// - Throws: As `block(for:deadline:)`.
    public func slice(
        of cid: CID,
        in range: Range<UInt64>,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> BlockSlice? {
        var candidates: Candidates
        if cid.isIdentity { return BlockSlice(Block(identity: cid), range) }
        let answer = try lookup.answer(for: cid) { reader, section in
            try BlockSlice(cid: cid, in: range, of: section, from: reader)
        }
        switch answer {
        case .found(let slice): return slice
        case .nowhere: return nil
        case .candidates(let others): candidates = others
        }
        while let key = try candidates.next() {
            do {
                let shard = try await acquire(key, deadline: deadline)
                defer { shard.release() }
                let slice = try await shard.slice(of: cid, in: range, deadline: deadline)
                if let slice { return slice }
            } catch {
                try candidates.record(error, until: deadline)
            }
        }
        return nil
    }

    /// Asks the system to read blocks of open, mapped shards ahead, and returns at once.
    ///
    /// The call ignores blocks of other shards.
    ///
    /// *Cost*: for each block a search in the inverse index and one in the shard, and a system call.
    ///
    /// - Returns: The number of blocks that were found.
    /// - Throws: `catalogCorrupt`, `closed`.
    @discardableResult
    public func prefetch(_ cids: [CID]) throws -> Int {
        try access.checkOpen()
        return try translating { try cids.count { try !$0.isIdentity && lookup.prefetch($0) } }
    }

    /// Returns the block with the multihash of `cid` from an open shard whose CAR is mapped or in memory; else nil.
    ///
    /// *Cost*: as `block(for:deadline:)` for an open shard. The call opens nothing and copies nothing; it reads the
    /// page of the section's header.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    package func blockIfOpen(for cid: CID) throws -> Block? {
        let answer = try lookup.answer(for: cid) { reader, section in
            reader.isInMemory ? Block(cid: cid, try reader.bytes(of: section)) : nil
        }
        guard case .found(let block) = answer else { return nil }
        return block
    }

    /// Returns the block with the multihash of `cid`, without waiting for a mount; nil if no shard has the block.
    ///
    /// *Cost*: as `block(for:)`; opening a local file blocks the thread.
    ///
    /// - Throws: As `block(for:)`; `mountUnreachable` if only shards with remote sources have the block.
    public func blockIfLocal(for cid: CID) throws -> Block? {
        let candidates: Candidates
        switch try lookup.answer(for: cid) {
        case .found(let block): return block
        case .nowhere: return nil
        case .candidates(let others): candidates = others
        }
        return try ask(candidates) { key in
            guard let shard = try acquireIfAvailable(key) else {
                throw DAGStoreError(
                    .mountUnreachable,
                    "the bytes of the shard are not on this machine",
                    shard: key
                )
            }
            defer { shard.release() }
            return try shard.blockIfLocal(for: cid)
        }
    }

    /// Asks one shard after the other, until one has the block.
    ///
    /// - Throws: The first error, if no shard has the block.
    func ask<Found>(
        _ candidates: Candidates,
        _ look: (ShardKey) throws -> Found?
    ) throws -> Found? {
        var candidates = candidates
        while let key = try candidates.next() {
            do {
                if let found = try look(key) { return found }
            } catch {
                try candidates.record(error)
            }
        }
        return nil
    }

    /// Returns many blocks, in the order of their CIDs; nil for blocks that no shard has.
    ///
    /// The call takes one lease on each shard, and reads its blocks in CAR order.
    ///
    /// - Throws: As `block(for:)`, for the first block that fails.
    public func blocks(for cids: [CID]) async throws -> [Block?] {
        try await blocks(for: cids, until: nil)
    }

    /// As `blocks(for:)`, until a deadline.
    ///
    /// - Throws: As `blocks(for:)`; `deadlineExceeded`.
    func blocks(
        for cids: [CID],
        until deadline: ContinuousClock.Instant?
    ) async throws -> [Block?] {
        var blocks = [Block?](repeating: nil, count: cids.count)
        var wanted: [UInt32: [Int]] = [:]
        var others: [Int] = []
        for (index, cid) in cids.enumerated() {
            switch try lookup.answer(for: cid) {
            case .found(let block): blocks[index] = block
            case .nowhere: break
            case .candidates(let candidates):
                let numbers = candidates.numbers
                // Any candidate, preferably one that an earlier block has chosen.
                let number =
                    numbers.first { wanted[$0] != nil } ?? numbers.first {
                        !engine.away.contains($0)
                    }
                    ?? numbers[0]
                wanted[number, default: []].append(index)
            }
        }
        for (number, indices) in wanted.sorted(by: { $0.key < $1.key }) {
            guard let shard = try? await lease(number, until: deadline) else {
                others += indices
                continue
            }
            defer { shard.release() }
            let located = indices.map { index in
                (index: index, offset: (try? shard.location(of: cids[index]))?.offset)
            }
            others += located.filter { $0.offset == nil }.map(\.index)
            let here = located.filter { $0.offset != nil }
                .sorted { $0.offset ?? .max < $1.offset ?? .max }.map(\.index)
            await read(here, of: cids, from: shard, until: deadline) { index, block in
                if let block { blocks[index] = block } else { others.append(index) }
            }
            try Task.checkCancellation()
        }
        // Blocks that the chosen shard lacks: one by one, which also gives their errors.
        for index in others {
            blocks[index] = try await block(for: cids[index], deadline: deadline)
        }
        return blocks
    }

    /// The number of blocks to read at once from a remote source.
    private static let remoteReadsMax = 16

    /// Reads blocks of a shard in the order of `indices`; several at once from a remote source.
    private func read(
        _ indices: [Int],
        of cids: [CID],
        from shard: Shard,
        until deadline: ContinuousClock.Instant?,
        _ body: (Int, Block?) -> Void
    ) async {
        @Sendable func read(_ index: Int) async -> Block? {
            try? await shard.block(for: cids[index], deadline: deadline)
        }
        let width = shard.reader.isRemote ? Self.remoteReadsMax : 1
        guard width > 1 else {
            for index in indices { body(index, await read(index)) }
            return
        }
        await withTaskGroup(of: (Int, Block?).self) { group in
            var waiting = indices[...]
            for index in waiting.prefix(width) {
                group.addTask { (index, await read(index)) }
            }
            waiting = waiting.dropFirst(width)
            for await (index, block) in group {
                body(index, block)
                guard let next = waiting.popFirst() else { continue }
                group.addTask { (next, await read(next)) }
            }
        }
    }

    private func lease(
        _ number: UInt32,
        until deadline: ContinuousClock.Instant?
    ) async throws -> Shard? {
        let record = try access.using {
            try translating { try engine.catalog.record(number) }
        }
        guard let record, engine.configuration.selectShards == nil else { return nil }
        return try await acquire(ShardKey(stored: record.key), deadline: deadline)
    }
}
