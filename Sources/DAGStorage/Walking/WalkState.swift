internal import DAGBytes
internal import DAGIPLD
internal import DAGMultiformats
internal import Synchronization

/// What an iterator of a walk has: the traversal, and the blocks that were looked up.
///
/// An object, because a copy of the traversal would copy all that it remembers.
final class WalkState: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: each call of the iterator begins with `begin`, which traps while another is under
    // way, so one call at a time uses the object.
    private let isInUse = Atomic<Bool>(false)
    private let store: DAGStore
    private var finder: BlockFinder
    private let elsewhere: BlocksElsewhere?
    private var traversal: DAGTraversal
    /// Blocks to hand over, the next one last.
    private var ready: [Block] = []
    /// Blocks after these, in order.
    private var upcoming: [Block] = []
    /// What comes after all of them.
    private var failure: (any Error)?
    private var isAtEnd = false
    private var visits: [DAGTraversal.Visit] = []
    private var found: [Block] = []

    /// How many blocks are asked for elsewhere at once; a walk holds them until the caller has them.
    private static let elsewhereMax = 4

    init(
        _ store: DAGStore,
        _ request: DAGRequest,
        _ verification: BlockFinder.Verification,
        _ elsewhere: BlocksElsewhere?,
        patience: Duration?
    ) {
        self.store = store
        self.elsewhere = elsewhere
        finder = BlockFinder(store, verification, patience: patience)
        traversal = DAGTraversal(request)
    }

    /// Begins a call of the iterator.
    func begin() {
        let isTaken = isInUse.exchange(true, ordering: .acquiring)
        precondition(!isTaken, "an iterator of a walk is used by two tasks at once")
    }

    /// Ends a call of the iterator.
    func end() { isInUse.store(false, ordering: .releasing) }

    /// Returns the next block, if there is one.
    func popBlock() -> Block? {
        moveUpcoming()
        return ready.popLast()
    }

    private func moveUpcoming() {
        guard ready.isEmpty else { return }
        swap(&ready, &upcoming)
        ready.reverse()
    }

    /// Returns up to `limit` blocks.
    func popBlocks(_ limit: Int) -> [Block] {
        if ready.isEmpty, upcoming.count <= limit {
            var blocks: [Block] = []
            swap(&blocks, &upcoming)
            return blocks
        }
        moveUpcoming()
        let count = min(limit, ready.count)
        let blocks = Array(ready.suffix(count).reversed())
        ready.removeLast(count)
        return blocks
    }

    /// Whether `refill` is due before the next block is handed over.
    ///
    /// Also if some blocks are left, where looking them up waits for nothing: so the system reads the next ones while
    /// the caller works.
    var needsBlocks: Bool {
        guard upcoming.isEmpty else { return false }
        return ready.isEmpty
            || ready.count <= finder.batchSize / 2 && finder.isInMemory
                && failure == nil && !isAtEnd
    }

    /// Looks up blocks.
    ///
    /// - Throws: As the walk.
    func refill(isolation actor: isolated (any Actor)?) async throws {
        while upcoming.isEmpty, failure == nil, !isAtEnd {
            try Task.checkCancellation()
            do {
                try await lookUp(isolation: actor)
            } catch {
                failure = error is CancellationError ? error : DAGStoreError(any: error)
            }
        }
        if ready.isEmpty, upcoming.isEmpty, let error = failure {
            failure = nil
            isAtEnd = true
            throw error
        }
    }

    /// Looks up the next blocks, and follows the links of the last one.
    private func lookUp(isolation actor: isolated (any Actor)?) async throws {
        guard traversal.isPathResolved else { return try await beginWalk(isolation: actor) }
        try traversal.appendVisits(to: &visits, limit: finder.batchSize)
        guard !visits.isEmpty else {
            isAtEnd = true
            return
        }
        try await visitAll(isolation: actor)
    }

    /// Follows the path, and looks up the block at its end: only then are the blocks of the path handed over.
    private func beginWalk(isolation actor: isolated (any Actor)?) async throws {
        var path: [CID] = []
        while true {
            try traversal.appendVisits(to: &visits, limit: 1)
            guard !traversal.isPathResolved, let visit = visits.first else { break }
            try await visitAll(isolation: actor)
            upcoming = []
            if let failure { throw failure }
            if visit.isEmitted { path.append(visit.cid) }
        }
        if visits.isEmpty { isAtEnd = true } else { try await visitAll(isolation: actor) }
        // Without the block at the path's end there is no answer.
        if upcoming.isEmpty, let failure { throw failure }
        guard !path.isEmpty else { return }
        let last = upcoming
        upcoming = []
        for cid in path {
            visits = [DAGTraversal.Visit(cid)]
            found.removeAll(keepingCapacity: true)
            if let failure = await findAll(isolation: actor) { throw failure }
            upcoming += found
        }
        upcoming += last
    }

    /// Looks up the blocks of `visits` that are not in `found` yet.
    ///
    /// - Returns: Why the first block after those of `found` cannot be had; nil if all are there.
    private func findAll(isolation actor: isolated (any Actor)?) async -> (any Error)? {
        while true {
            do {
                try await finder.find(visits, &found, isolation: actor)
                return nil
            } catch let error as DAGStoreError where error.code == .blockNotFound {
                do {
                    guard try await appendElsewhere() else { return error }
                } catch {
                    return error is CancellationError ? error : DAGStoreError(any: error)
                }
            } catch {
                return error is CancellationError ? error : DAGStoreError(any: error)
            }
        }
    }

    /// Appends the next blocks of `visits` that the store lacks, as far as they can be had elsewhere.
    ///
    /// - Returns: Whether there is at least one.
    private func appendElsewhere() async throws -> Bool {
        guard let elsewhere else { return false }
        let next = visits[found.count...].prefix(Self.elsewhereMax).map(\.cid)
        let missing = [next[0]] + next.dropFirst().prefix { (try? store.contains($0)) == false }
        let blocks = try await elsewhere(missing)
        let present = blocks.prefix { $0 != nil }.compactMap { $0 }
        found += present
        return !present.isEmpty
    }

    /// Looks up the blocks of `visits`; after the first that fails, `failure` is set.
    private func visitAll(isolation actor: isolated (any Actor)?) async throws {
        found.removeAll(keepingCapacity: true)
        finder.readLastShard(visits, &found)
        if found.count < visits.count || finder.verification != .none {
            failure = await findAll(isolation: actor)
        }
        checkSizes()
        let isLastDecoded = found.count == visits.count && visits[visits.count - 1].isDecoded
        let last = isLastDecoded ? found.removeLast() : nil
        // As a whole, which counts no references.
        if upcoming.isEmpty { swap(&upcoming, &found) } else { upcoming += found }
        guard let last else { return }
        let block = Block(cid: last.cid, try last.content.settled)
        try traversal.receive(block.view)
        if visits[visits.count - 1].isEmitted { upcoming.append(block) }
    }

    /// Compares the sizes of parts of files with what the blocks above tell.
    private func checkSizes() {
        for (index, visit) in visits.prefix(found.count).enumerated() {
            let size = found[index].size
            guard let expected = visit.expectedSize, expected != UInt64(size) else { continue }
            found.removeSubrange(index...)
            failure = DAGStoreError(
                IPLDError(
                    .malformedBlock,
                    "a part of a file has \(size) bytes, and the block above tells \(expected)",
                    cid: visit.cid
                )
            )
            return
        }
    }
}
