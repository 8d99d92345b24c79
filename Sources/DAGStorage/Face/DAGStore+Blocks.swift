internal import DAGBytes
internal import DAGCatalog
public import DAGMultiformats

/// A shard that has a block, and where.
public struct FoundBlock: Equatable, Sendable {
    /// The shard.
    public let key: ShardKey
    /// Where the block lies in it.
    public let location: BlockLocation

    /// A block at a place in a shard.
    public init(key: ShardKey, location: BlockLocation) {
        self.key = key
        self.location = location
    }
}

/// Blocks of all shards together.
extension DAGStore {
    // MARK: Questions

    /// The shards that have a block with a multihash, in order of registration.
    ///
    /// Every shard is asked by its own index, so that the answer is exact. No byte of a shard is touched.
    ///
    /// *Cost*: a search in the inverse index, and one in the index of each shard.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func shards(containing multihash: Multihash) throws -> [ShardKey] {
        let cid = CID(codec: Codec.raw, multihash: multihash)
        return try translating { try lookup.holders(of: cid) }
    }

    /// Where the block with the multihash of `cid` lies in every shard that has it, in order of registration.
    ///
    /// A shard that was brought over with its index, and whose CAR was never read, is left out: the index does
    /// not say how large a block is.
    ///
    /// *Cost*: as `shards(containing:)`.
    ///
    /// - Throws: `catalogCorrupt`, `closed`; `mountUnreachable` if only such shards have it.
    public func places(of cid: CID) throws -> [FoundBlock] {
        try translating { try lookup.places(of: cid) }
    }

    /// Whether any shard has the block with the multihash of `cid`.
    ///
    /// The block of an identity CID is in the CID. No byte of a shard is touched.
    ///
    /// - Throws: `catalogCorrupt` if one candidate's index is unreadable and no other shard has the block; `closed`.
    public func contains(_ cid: CID) throws -> Bool {
        if cid.isIdentity { return true }
        return try access.reading { try translating { try lookup.isAnywhere(cid) } }
    }

    /// The size of the block with the multihash of `cid`, in bytes; nil if no shard has it.
    ///
    /// - Throws: As `contains`; `mountUnreachable` if only shards have it whose CAR was not read yet.
    public func size(of cid: CID) throws -> UInt64? {
        if cid.isIdentity { return UInt64(cid.withDigest { $0.count }) }
        return try access.reading {
            try translating { try lookup.firstPlace(of: cid) }
        }?
        .location.size
    }

    /// The sizes of many blocks, in order; nil for those that no shard has.
    ///
    /// - Throws: As `contains`.
    public func sizes(of cids: [CID]) throws -> [UInt64?] { try cids.map { try size(of: $0) } }

    // MARK: Blocks

    /// The block with the multihash of `cid`, from any shard that has it; nil if none has.
    ///
    /// Shards that are open are asked first, then those that have to be opened or fetched, last those that
    /// have failed; `Configuration.selectShards` may choose otherwise. If one fails, the next is asked. The
    /// bytes are not hashed: see `Block.verified()`.
    ///
    /// *Cost*: in a shard that is open, a search in the inverse index and one in the shard, no hop.
    ///
    /// *Concurrency*: a cancelled caller gets `CancellationError`, and what it waited for goes on.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - deadline: When to stop waiting for shards to be opened or fetched, and for bytes from afar.
    /// - Returns: The block.
    /// - Throws: The first error of a shard, if no other has the block; `deadlineExceeded`, `closed`.
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

    /// A part of the block with the multihash of `cid`, from any shard that has it; nil if none has.
    ///
    /// *Cost*: as `block(for:deadline:)`, of which only the bytes of the part are read.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - range: The part, in bytes from the block's start; what lies beyond its end is cut off.
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

    /// Asks the system to read blocks ahead that lie in open, mapped shards, and returns at once.
    ///
    /// Blocks of other shards are left out: nothing is opened or fetched.
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

    /// The block with the multihash of `cid`, if this takes no waiting for a mount; nil if no shard has it.
    ///
    /// *Cost*: as `block(for:)`; opening a local file blocks the thread.
    ///
    /// - Throws: As `block(for:)`; `mountUnreachable` if only a shard that is not on this machine has it.
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
    /// - Throws: The first error, if none has it.
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

    /// Many blocks, in the order of their CIDs; nil for those that no shard has.
    ///
    /// Every shard is asked once for all its blocks, in the order in which they lie there.
    ///
    /// - Throws: As `block(for:)`, for the first block that cannot be had.
    public func blocks(for cids: [CID]) async throws -> [Block?] {
        var blocks = [Block?](repeating: nil, count: cids.count)
        var wanted: [UInt32: [Int]] = [:]
        var others: [Int] = []
        for (index, cid) in cids.enumerated() {
            switch try lookup.answer(for: cid) {
            case .found(let block): blocks[index] = block
            case .nowhere: break
            case .candidates(let candidates):
                let numbers = candidates.numbers
                // Any of them; one that has been chosen before, if there is one.
                let number =
                    numbers.first { wanted[$0] != nil } ?? numbers.first {
                        !engine.away.contains($0)
                    }
                    ?? numbers[0]
                wanted[number, default: []].append(index)
            }
        }
        for (number, indices) in wanted.sorted(by: { $0.key < $1.key }) {
            guard let shard = try? await lease(number) else {
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
            await read(here, of: cids, from: shard) { index, block in
                if let block { blocks[index] = block } else { others.append(index) }
            }
            try Task.checkCancellation()
        }
        // Not where they were looked for first: one by one, which also says why.
        for index in others { blocks[index] = try await block(for: cids[index]) }
        return blocks
    }

    /// How many blocks of a shard that is not local are read at once.
    private static let remoteReadsMax = 16

    /// Reads blocks of a shard in the order of `indices`; those that are not local several at once.
    private func read(
        _ indices: [Int],
        of cids: [CID],
        from shard: Shard,
        _ body: (Int, Block?) -> Void
    ) async {
        let width = shard.reader.isRemote ? Self.remoteReadsMax : 1
        guard width > 1 else {
            for index in indices { body(index, try? await shard.block(for: cids[index])) }
            return
        }
        await withTaskGroup(of: (Int, Block?).self) { group in
            var waiting = indices[...]
            for index in waiting.prefix(width) {
                group.addTask { (index, try? await shard.block(for: cids[index])) }
            }
            waiting = waiting.dropFirst(width)
            for await (index, block) in group {
                body(index, block)
                guard let next = waiting.popFirst() else { continue }
                group.addTask { (next, try? await shard.block(for: cids[next])) }
            }
        }
    }

    private func lease(_ number: UInt32) async throws -> Shard? {
        let record = try access.using {
            try translating { try engine.catalog.record(number) }
        }
        guard let record, engine.configuration.selectShards == nil else { return nil }
        return try await acquire(ShardKey(stored: record.key))
    }
}
