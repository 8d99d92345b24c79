package import DAGBytes
package import DAGCatalog
internal import DAGMounts
package import Dispatch
internal import ShardIndex
internal import SharedReads
package import SystemPackage

/// Writes the pieces of one index to the catalog, in batches, while the indexing thread makes the next pieces.
///
/// A batch is one transaction. LMDB has one writer, so batches are small: the loop's commits wait for at most one of
/// them. At most one batch is being written while the next one fills.
///
/// *Concurrency*: one thread uses the writer; the store's writer queue writes the batches.
package final class GenerationWriter: IndexSink {
    /// The size of the first batch in bytes; the publishing transaction writes an index that fits.
    static let firstBatchSize = 8 << 20
    /// The size of later batches in bytes, and of all batches while the loop has messages.
    static let batchSize = 4 << 20

    private let catalog: Catalog
    private let queue: DispatchQueue
    private let directory: FilePath
    private let isLoopBusy: () -> Bool
    private var pieces: [IndexPiece] = []
    private var size = 0
    private let outcome = Outcome()
    private let room = DispatchSemaphore(value: 1)
    private var hasStarted = false
    private var spillFile: SpillFile?

    /// The outcome of the batches on the writer queue.
    private final class Outcome: Sendable {
        struct State {
            var generation: UInt64?
            var error: CatalogError?
            /// The arrays of written pieces, for reuse: new arrays would need new pages of memory.
            var buffers: [[UInt8]] = []
        }
        let state = Lock(State())
    }

    package init(
        catalog: Catalog,
        queue: DispatchQueue,
        temporaryDirectory: FilePath,
        isLoopBusy: @escaping () -> Bool
    ) {
        self.catalog = catalog
        self.queue = queue
        self.directory = temporaryDirectory
        self.isLoopBusy = isLoopBusy
    }

    package func writePages(_ number: Int, _ bytes: [UInt8]) throws {
        try add(.pages(number: UInt32(number), bytes: bytes))
    }

    package func writeSegment(_ number: Int, _ bytes: [UInt8]) throws {
        try add(.segment(number: UInt32(number), bytes: bytes))
    }

    package func writeInverse(_ number: Int, _ bytes: [UInt8]) throws {
        try add(.inverse(number: UInt32(number), bytes: bytes))
    }

    package func makeBuffer() -> [UInt8] {
        guard var buffer = outcome.state.withLock({ $0.buffers.popLast() }) else { return [] }
        buffer.removeAll(keepingCapacity: true)
        return buffer
    }

    private func add(_ piece: IndexPiece) throws {
        let limit = hasStarted || isLoopBusy() ? Self.batchSize : Self.firstBatchSize
        if size > 0, size + piece.size > limit { try flush() }
        pieces.append(piece)
        size += piece.size
    }

    private func flush() throws {
        let batch = pieces
        pieces = []
        size = 0
        room.wait()
        hasStarted = true
        if let error = outcome.state.withLock({ $0.error }) {
            room.signal()
            throw error
        }
        queue.async { [catalog, outcome, room] in
            defer { room.signal() }
            do throws(CatalogError) {
                if let generation = outcome.state.withLock({ $0.generation }) {
                    try catalog.append(batch, to: generation)
                } else {
                    let generation = try catalog.beginGeneration(batch)
                    outcome.state.withLock { $0.generation = generation }
                }
                let buffers = batch.map(\.bytes)
                outcome.state.withLock { $0.buffers += buffers }
            } catch {
                outcome.state.withLock { $0.error = error }
            }
        }
    }

    /// Waits for the running batches.
    ///
    /// - Returns: The generation of the batches, nil if there were none, and the pieces that are left.
    package func finish() throws -> (generation: UInt64?, pieces: [IndexPiece]) {
        waitForBatches()
        let (generation, error) = outcome.state.withLock { ($0.generation, $0.error) }
        if let error { throw error }
        return (generation, pieces)
    }

    /// Deletes the written batches.
    func abandon() {
        waitForBatches()
        guard let generation = outcome.state.withLock({ $0.generation }) else { return }
        // If this fails, the generation stays on `pending`, and the next open deletes it.
        try? catalog.deleteGeneration(generation, on: queue)
    }

    private func waitForBatches() {
        guard hasStarted else { return }
        room.wait()
        room.signal()
    }

    package func spill(_ bytes: ByteView) throws -> UInt64 {
        do {
            let file = try spillFile ?? SpillFile(in: directory)
            spillFile = file
            return try file.append(bytes)
        } catch let error as MountError {
            throw Self.ofTheStore(error)
        }
    }

    package func readSpill(at offset: UInt64, size: Int, _ body: (ByteView) -> Void) throws {
        guard let spillFile else { preconditionFailure("nothing was spilled") }
        do {
            try spillFile.read(at: offset, size: size, body)
        } catch {
            throw Self.ofTheStore(error)
        }
    }

    /// Converts an error of the store's own file, which says nothing about the shard's source.
    private static func ofTheStore(_ error: MountError) -> DAGStoreError {
        DAGStoreError(error.code == .full ? .catalogFull : .readOnly, error.detail)
    }
}

extension StoreEngine {
    /// Creates a writer for one index.
    func makeGenerationWriter() -> GenerationWriter {
        GenerationWriter(
            catalog: catalog,
            queue: writer,
            temporaryDirectory: directory.appending("tmp"),
            isLoopBusy: { [loop] in loop.isBusy }
        )
    }
}
