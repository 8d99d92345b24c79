internal import DAGBytes
internal import DAGCatalog
internal import DAGIPLD
internal import DAGMultiformats
internal import ShardIndex
internal import SharedReads

/// Looks up the blocks of a walk: in the shard that the last one came from, then in the store.
struct BlockFinder: Sendable {
    private let store: DAGStore
    /// Which blocks are hashed.
    let verification: Verification
    /// The shard that the last block came from; nil if it was not in memory.
    private var shard: UInt32?
    /// How long one lookup may wait for fetches and remote sources; nil for no limit.
    private let patience: Duration?
    private var deadline: ContinuousClock.Instant? { patience.map { .now + $0 } }

    /// The blocks that a walk hashes.
    enum Verification: Sendable {
        case none
        /// Those that are read for their links.
        case decoded
        case all
    }

    init(_ store: DAGStore, _ verification: Verification, patience: Duration?) {
        self.store = store
        self.patience = patience
        self.verification = verification
    }

    /// Whether blocks come from memory, without waiting.
    var isInMemory: Bool { shard != nil }

    /// How many blocks to look up at once: views cost nothing, copies are held until the caller has them.
    var batchSize: Int { isInMemory && verification != .all ? 32 : 4 }

    /// Appends the blocks of visits that are not there yet, in order, up to the first that cannot be had.
    ///
    /// - Parameters:
    ///   - visits: The visits.
    ///   - blocks: The blocks of the first of them, as `readLastShard` has left them.
    ///   - actor: The actor of the caller.
    /// - Throws: `blockNotFound` with that block's CID; `hashMismatch`, `unsupportedHash` if blocks are verified; what
    ///   reading throws.
    mutating func find(
        _ visits: [DAGTraversal.Visit],
        _ blocks: inout [Block],
        isolation actor: isolated (any Actor)?
    ) async throws {
        var verifiedCount = 0
        while true {
            while verification != .none, verifiedCount < blocks.count {
                do {
                    if verification == .all || visits[verifiedCount].isDecoded {
                        blocks[verifiedCount] = try await store.verified(
                            blocks[verifiedCount],
                            until: deadline
                        )
                    }
                } catch {
                    blocks.removeSubrange(verifiedCount...)
                    throw error
                }
                verifiedCount += 1
            }
            guard blocks.count < visits.count else { return }
            try await readStore(visits, &blocks)
            readLastShard(visits, &blocks)
        }
    }

    /// Reads blocks from the shard of the last one, until one is not there.
    ///
    /// An error of that shard comes again where the store asks it, and is reported there.
    func readLastShard(_ visits: [DAGTraversal.Visit], _ blocks: inout [Block]) {
        guard let shard, blocks.count < visits.count else { return }
        _ = store.openShards.withLease(on: shard) { reader -> Void? in
            // In CAR order each section stands where the one before ended, which costs less than a search.
            let start = blocks.count
            while blocks.count < visits.count, blocks.count < start + 2 || reader.isInCAROrder {
                let cid = visits[blocks.count].cid
                guard let section = try? reader.section(of: cid),
                    let bytes = try? reader.bytes(of: section)
                else { return nil }
                blocks.append(Block(cid: cid, bytes))
            }
            guard blocks.count < visits.count else { return nil }
            readBatches(reader, visits[blocks.count...].map(\.cid), &blocks)
            return nil
        }
    }

    /// Reads blocks that lie in no order, until one is not there.
    private func readBatches(_ reader: ShardReader, _ cids: [CID], _ blocks: inout [Block]) {
        let start = blocks.count
        while blocks.count - start < cids.count {
            let first = blocks.count - start
            let batch = cids[first..<min(cids.count, first + ShardReader.batchSize)]
            try? reader.sections(of: batch) { index, section in
                // Blocks after one that is missing are looked up again.
                guard let section, blocks.count - start == index else { return }
                blocks.append(Block(cid: cids[index], try reader.bytes(of: section)))
            }
            guard blocks.count - start == first + batch.count else { return }
        }
    }

    /// Reads the next block from wherever it is, and others with it if none of them is in memory.
    private mutating func readStore(
        _ visits: [DAGTraversal.Visit],
        _ blocks: inout [Block]
    ) async throws {
        let cid = visits[blocks.count].cid
        let answer = try store.lookup.answer(for: cid) { reader, section in
            (Block(cid: cid, try reader.bytes(of: section)), reader.record.number)
        }
        switch answer {
        case .found((let block, let number)):
            blocks.append(block)
            // A selector chooses for every block anew.
            shard = store.engine.configuration.selectShards == nil ? number : nil
        case .nowhere: throw Self.notFound(cid)
        case .candidates:
            shard = nil
            let rest = visits[blocks.count...].map(\.cid)
            let deadline = deadline
            if rest.count > 1, let found = try? await store.blocks(for: rest, until: deadline) {
                guard found[0] != nil else { throw Self.notFound(cid) }
                for case let block? in found.prefix(while: { $0 != nil }) { blocks.append(block) }
                return
            }
            let found = try await store.block(for: cid, deadline: deadline)
            guard let block = found else { throw Self.notFound(cid) }
            blocks.append(block)
        }
    }

    private static func notFound(_ cid: CID) -> DAGStoreError {
        DAGStoreError(.blockNotFound, "no shard has the block \(cid.briefText)")
    }
}

extension DAGStore {
    /// Returns a block with its bytes hashed, from another shard if these bytes are wrong.
    ///
    /// - Parameters:
    ///   - block: The block.
    ///   - deadline: The time when the call stops waiting for other shards; nil for no limit.
    /// - Returns: The block, or the same one of another shard.
    /// - Throws: `hashMismatch` if no shard has the right ones; `unsupportedHash`, `sourceChanged`.
    func verified(
        _ block: Block,
        until deadline: ContinuousClock.Instant?
    ) async throws -> Block {
        do {
            return try block.verified()
        } catch let error as DAGStoreError where error.code == .hashMismatch {
            for key in try shards(containing: block.cid.multihash) {
                guard let shard = try? await acquire(key, deadline: deadline) else { continue }
                defer { shard.release() }
                let found = try? await shard.block(for: block.cid, deadline: deadline)
                let other = try? found?.verified()
                if let other { return other }
            }
            throw error
        }
    }
}

extension ShardReader {
    /// Whether the last search of this thread found its section where the one before ended.
    var isInCAROrder: Bool { hint.value & Self.walking != 0 }
}
