internal import DAGBytes
public import DAGIPLD
package import DAGMultiformats

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
        DAGWalk(store: self, request: request, isVerifying ? .all : .none)
    }

    /// Walks a DAG over all shards, and over blocks that are elsewhere.
    ///
    /// - Parameters:
    ///   - request: The root, the path from there, and what is wanted at its end.
    ///   - isVerifying: Whether each block of a shard is hashed before anything follows from it.
    ///   - patience: How long one lookup may wait for fetches and remote sources; then `deadlineExceeded` ends the
    ///     walk.
    ///   - elsewhere: Returns the blocks that no shard has; nil if there are none.
    /// - Returns: The blocks, depth first.
    package func walk(
        _ request: DAGRequest,
        verifying isVerifying: Bool,
        patience: Duration? = nil,
        elsewhere: BlocksElsewhere?
    ) -> DAGWalk {
        var walk = walk(request, verifying: isVerifying)
        walk.patience = patience
        walk.elsewhere = elsewhere
        return walk
    }
}

/// Returns blocks that a store lacks, in the order of their CIDs; nil for each that cannot be had.
///
/// The blocks have the hashes of their CIDs. An error ends the walk that asked.
package typealias BlocksElsewhere = @Sendable ([CID]) async throws -> [Block?]

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

    let store: DAGStore
    /// The request.
    public let request: DAGRequest
    private let verification: BlockFinder.Verification
    fileprivate var elsewhere: BlocksElsewhere?
    fileprivate var patience: Duration?
    /// Whether each block is hashed.
    public var isVerifying: Bool { verification == .all }

    init(store: DAGStore, request: DAGRequest, _ verification: BlockFinder.Verification) {
        self.store = store
        self.request = request
        self.verification = verification
    }

    /// Begins the walk.
    public func makeAsyncIterator() -> Iterator {
        Iterator(store, request, verification, elsewhere, patience)
    }

    /// The place of one walk in its DAG.
    ///
    /// Copies share the place. Only one call at a time may be under way; a second one traps.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private let state: WalkState

        init(
            _ store: DAGStore,
            _ request: DAGRequest,
            _ verification: BlockFinder.Verification,
            _ elsewhere: BlocksElsewhere?,
            _ patience: Duration?
        ) {
            state = WalkState(store, request, verification, elsewhere, patience: patience)
        }

        /// Returns the next block; nil at the end.
        ///
        /// - Throws: As the walk.
        public mutating func next() async throws -> Block? {
            try await next(isolation: nil)
        }

        /// Returns the next block; nil at the end.
        ///
        /// - Parameter actor: The actor of the caller, which the call does not leave where nothing is waited for.
        /// - Returns: The block.
        /// - Throws: As the walk.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Block? {
            state.begin()
            defer { state.end() }
            if state.needsBlocks { try await state.refill(isolation: actor) }
            return state.popBlock()
        }

        /// Returns the next blocks.
        ///
        /// *Cost*: less than `next()` for each, where blocks are small.
        ///
        /// - Parameters:
        ///   - limit: How many blocks at most; there may be fewer before the end.
        ///   - actor: The actor of the caller.
        /// - Returns: The blocks in order; empty at the end.
        /// - Throws: As the walk.
        public mutating func nextBatch(
            limit: Int,
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws -> [Block] {
            precondition(limit > 0, "a batch of \(limit)")
            state.begin()
            defer { state.end() }
            if state.needsBlocks { try await state.refill(isolation: actor) }
            return state.popBlocks(limit)
        }
    }
}
