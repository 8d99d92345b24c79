internal import DAGBytes
internal import DAGCatalog
internal import DAGIPLD
internal import DAGMultiformats
internal import ShardIndex
internal import SharedReads

/// Looks up the blocks of a walk: in the shard that the last one came from, then in the store.
struct BlockFinder: Sendable {
    private let store: DAGStore
    private let isVerifying: Bool
    /// The shard that the last block came from; nil if it was not in memory.
    private var shard: UInt32?

    init(_ store: DAGStore, isVerifying: Bool) {
        self.store = store
        self.isVerifying = isVerifying
    }

    /// Whether blocks come from memory, without waiting.
    var isInMemory: Bool { shard != nil }

    /// How many blocks to look up at once: views cost nothing, copies are held until the caller has them.
    var batchSize: Int { isInMemory && !isVerifying ? 16 : 4 }

    /// Looks up the block of a CID.
    ///
    /// - Throws: `blockNotFound`, and what reading throws.
    mutating func block(for cid: CID) async throws -> Block {
        var blocks: [Block] = []
        try await find([cid], &blocks)
        return blocks[0]
    }

    /// Appends the blocks of visits, in order, up to the first that cannot be had.
    ///
    /// - Throws: `blockNotFound` with that block's CID; `hashMismatch`, `unsupportedHash` if blocks are verified; what
    ///   reading throws.
    mutating func find(
        _ visits: [DAGTraversal.Visit],
        _ blocks: inout [Block]
    ) async throws {
        try await find(visits.map(\.cid), &blocks)
    }

    private mutating func find(_ cids: [CID], _ blocks: inout [Block]) async throws {
        blocks.reserveCapacity(cids.count)
        while blocks.count < cids.count {
            let start = blocks.count
            readLastShard(cids, &blocks)
            if blocks.count < cids.count { try await readStore(cids, &blocks) }
            guard isVerifying else { continue }
            for index in start..<blocks.count {
                do {
                    blocks[index] = try await verified(blocks[index])
                } catch {
                    blocks.removeSubrange(index...)
                    throw error
                }
            }
        }
    }

    /// Reads blocks from the shard of the last one, until one is not there.
    ///
    /// An error of that shard comes again where the store asks it, and is reported there.
    private func readLastShard(_ cids: [CID], _ blocks: inout [Block]) {
        guard let shard, store.engine.configuration.selectShards == nil else { return }
        _ = store.openShards.withLease(on: shard) { reader -> Void? in
            // In CAR order each section stands where the one before ended, which costs less than a search.
            let start = blocks.count
            while blocks.count < cids.count, blocks.count < start + 2 || reader.isInCAROrder {
                let cid = cids[blocks.count]
                guard let section = try? reader.section(of: cid),
                    let bytes = try? reader.bytes(of: section)
                else { return nil }
                blocks.append(Block(cid: cid, bytes))
            }
            while blocks.count < cids.count {
                let first = blocks.count
                let batch = cids[first..<min(cids.count, first + ShardReader.batchSize)]
                try? reader.sections(of: batch) { index, section in
                    // Blocks after one that is missing are looked up again.
                    guard let section, blocks.count == index else { return }
                    blocks.append(Block(cid: cids[index], try reader.bytes(of: section)))
                }
                guard blocks.count == first + batch.count else { return nil }
            }
            return nil
        }
    }

    /// Reads the next block from wherever it is, and others with it if none of them is in memory.
    private mutating func readStore(_ cids: [CID], _ blocks: inout [Block]) async throws {
        let cid = cids[blocks.count]
        let answer = try store.lookup.answer(for: cid) { reader, section in
            (Block(cid: cid, try reader.bytes(of: section)), reader.record.number)
        }
        switch answer {
        case .found((let block, let number)):
            blocks.append(block)
            shard = number
        case .nowhere: throw Self.notFound(cid)
        case .candidates:
            shard = nil
            let rest = Array(cids[blocks.count...])
            if rest.count > 1, let found = try? await store.blocks(for: rest) {
                guard found[0] != nil else { throw Self.notFound(cid) }
                for case let block? in found.prefix(while: { $0 != nil }) { blocks.append(block) }
                return
            }
            guard let block = try await store.block(for: cid) else { throw Self.notFound(cid) }
            blocks.append(block)
        }
    }

    private static func notFound(_ cid: CID) -> DAGStoreError {
        DAGStoreError(.blockNotFound, "no shard has the block \(cid.briefText)")
    }

    /// Returns the block with its bytes hashed, from another shard if the first one's are wrong.
    private func verified(_ block: Block) async throws -> Block {
        do {
            return try block.verified()
        } catch let error as DAGStoreError where error.code == .hashMismatch {
            for key in try store.shards(containing: block.cid.multihash) {
                guard let shard = try? await store.acquire(key) else { continue }
                defer { shard.release() }
                let other = try? await shard.block(for: block.cid)?.verified()
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
