internal import DAGBytes
public import DAGIPLD
internal import DAGMultiformats

extension DAGStore {
    /// Walks a DAG over all shards.
    ///
    /// ```swift
    /// for try await block in store.walk(DAGRequest(root: cid)) { … }
    /// ```
    ///
    /// - Parameters:
    ///   - request: The root, the path from there, and what is wanted at its end.
    ///   - isVerifying: Whether each block is hashed before anything follows from it.
    /// - Returns: The blocks, depth first.
    public func walk(_ request: DAGRequest, verifying isVerifying: Bool = false) -> DAGWalk {
        DAGWalk(store: self, request: request, isVerifying: isVerifying)
    }
}

/// The blocks of a part of a DAG: those of the path, then depth first those that the scope asks for.
///
/// A block is a view of its mapped CAR, or a copy where the CAR is not mapped. The walk looks up some blocks ahead, and
/// lets go of each when it hands it over. It holds no lease while the caller works, so a shard can be destroyed
/// meanwhile: its next block is then looked for elsewhere.
///
/// Blocks with links are copied before they are read, and handed over as that copy. Identity CIDs have no blocks here.
///
/// *Errors*, all of them `DAGStoreError` or `CancellationError`: `blockNotFound` with the CID in its message; before
/// the first block also `pathNotFound`, `pathNotALink`. `malformedBlock`, `unsupportedCodec`, `limitExceeded` where the
/// DAG is none that can be walked; `hashMismatch` and `unsupportedHash` if the walk verifies; and what reading throws.
/// The path and the block at its end are there before the first block is handed over. Blocks before the place of an
/// error come before it.
///
/// *Cost*: in CAR order, one look at a section's header a block; else a search in the shard that the last block came
/// from, eight at once; the inverse index only where that shard does not have the block.
///
/// *Concurrency*: a walk is a value and any task may begin it; each iterator has one owner.
public struct DAGWalk: AsyncSequence, Sendable {
    /// A block of the DAG.
    public typealias Element = Block

    private let store: DAGStore
    /// The request.
    public let request: DAGRequest
    /// Whether each block is hashed.
    public let isVerifying: Bool

    init(store: DAGStore, request: DAGRequest, isVerifying: Bool) {
        self.store = store
        self.request = request
        self.isVerifying = isVerifying
    }

    /// Begins the walk.
    public func makeAsyncIterator() -> Iterator {
        Iterator(store, request, isVerifying: isVerifying)
    }

    /// The state of one walk.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private var finder: BlockFinder
        private var traversal: DAGTraversal
        /// Blocks to hand over, the next one last.
        private var ready: [Block] = []
        /// Blocks after these, in order.
        private var upcoming: [Block] = []
        /// What comes after all of them.
        private var failure: (any Error)?
        private var isAtEnd = false
        private var visits: [DAGTraversal.Visit] = []

        init(_ store: DAGStore, _ request: DAGRequest, isVerifying: Bool) {
            finder = BlockFinder(store, isVerifying: isVerifying)
            traversal = DAGTraversal(request)
        }

        /// Returns the next block; nil at the end.
        ///
        /// - Throws: As the walk.
        public mutating func next() async throws -> Block? {
            if ready.isEmpty || wantsMore { try await refill() }
            return ready.popLast()
        }

        /// Returns the next blocks.
        ///
        /// *Cost*: less than `next()` for each, where blocks are small.
        ///
        /// - Parameter limit: How many blocks at most; there may be fewer before the end.
        /// - Returns: The blocks in order; empty at the end.
        /// - Throws: As the walk.
        public mutating func nextBatch(limit: Int) async throws -> [Block] {
            precondition(limit > 0, "a batch of \(limit)")
            if ready.isEmpty || wantsMore { try await refill() }
            let count = Swift.min(limit, ready.count)
            let batch = Array(ready.suffix(count).reversed())
            ready.removeLast(count)
            return batch
        }

        /// Whether blocks are looked up although there are some: so that the system reads them while the caller works.
        private var wantsMore: Bool {
            upcoming.isEmpty && ready.count <= finder.batchSize / 2 && finder.isInMemory
                && failure == nil && !isAtEnd
        }

        private mutating func refill() async throws {
            while upcoming.isEmpty, failure == nil, !isAtEnd {
                try Task.checkCancellation()
                do {
                    try await lookUp()
                } catch {
                    failure = error is CancellationError ? error : DAGStoreError(any: error)
                }
            }
            guard ready.isEmpty else { return }
            swap(&ready, &upcoming)
            ready.reverse()
            if ready.isEmpty, let error = failure {
                failure = nil
                isAtEnd = true
                throw error
            }
        }

        /// Looks up the next blocks, and follows the links of the last one.
        private mutating func lookUp() async throws {
            guard traversal.isPathResolved else { return try await beginWalk() }
            try traversal.appendVisits(to: &visits, limit: finder.batchSize)
            guard !visits.isEmpty else {
                isAtEnd = true
                return
            }
            try await take(visits)
        }

        /// Follows the path, and looks up the block at its end: only then are the blocks of the path handed over.
        private mutating func beginWalk() async throws {
            var path: [CID] = []
            while true {
                try traversal.appendVisits(to: &visits, limit: 1)
                guard !traversal.isPathResolved, let visit = visits.first else { break }
                try await take(visits)
                upcoming = []
                if let failure { throw failure }
                if visit.isEmitted { path.append(visit.cid) }
            }
            if !visits.isEmpty { try await take(visits) } else { isAtEnd = true }
            // Without the block at the path's end there is no answer.
            if upcoming.isEmpty, let failure { throw failure }
            guard !path.isEmpty else { return }
            let found = upcoming
            upcoming = []
            for cid in path { upcoming.append(try await finder.block(for: cid)) }
            upcoming += found
        }

        /// Looks up the blocks of visits; after the first that fails, `failure` is set.
        private mutating func take(_ visits: [DAGTraversal.Visit]) async throws {
            var blocks: [Block] = []
            do {
                try await finder.find(visits, &blocks)
            } catch {
                failure = error
            }
            for (visit, block) in zip(visits, blocks) {
                if let size = visit.expectedSize, size != UInt64(block.size) {
                    failure = IPLDError(
                        .malformedBlock,
                        "a part of a file has \(block.size) bytes, and the block above tells \(size)",
                        cid: visit.cid
                    )
                    break
                }
                guard visit.isDecoded else {
                    upcoming.append(block)
                    continue
                }
                let block = Block(cid: block.cid, try block.content.settled)
                try traversal.receive(block.view)
                if visit.isEmitted { upcoming.append(block) }
            }
            if let error = failure, !(error is CancellationError) {
                failure = DAGStoreError(any: error)
            }
        }
    }
}
