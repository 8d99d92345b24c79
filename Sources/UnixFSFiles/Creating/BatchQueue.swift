internal import DAGIPLD
internal import DAGMounts

/// Has some batches read and hashed ahead of the thread that writes, and returns them in order.
///
/// *Concurrency*: one thread uses the queue; the threads of its pool have the batches on their way.
struct BatchQueue {
    private var planner: ChunkPlanner
    private let pool: JobPool
    private let chunkSize: Int
    private let countMax: Int
    private var running: [ChunkBatch] = []
    private var free: [ChunkBatch] = []
    private var isAtEnd = false

    init(_ planner: ChunkPlanner, _ creation: CARCreation) {
        self.planner = planner
        pool = JobPool(label: "dagstore.hash", width: creation.workers)
        chunkSize = creation.profile.chunkSize
        countMax = creation.workers * 2 + 2
    }

    /// Waits for the next batch.
    ///
    /// - Returns: The batch, processed; nil at the end.
    /// - Throws: The errors of the walk, and those of reading a file.
    mutating func next() throws -> ChunkBatch? {
        while running.count < countMax, !isAtEnd {
            let batch = free.popLast() ?? ChunkBatch(chunkSize: chunkSize)
            guard try planner.fill(batch) else {
                isAtEnd = true
                break
            }
            running.append(batch)
            pool.submit { batch.process() }
        }
        guard !running.isEmpty else { return nil }
        let batch = running.removeFirst()
        try batch.wait()
        return batch
    }

    /// Takes back a batch that was written.
    mutating func returnBatch(_ batch: ChunkBatch) {
        batch.removeAll()
        free.append(batch)
    }

    /// Waits until no thread has a batch.
    mutating func stop() {
        for batch in running { try? batch.wait() }
        running = []
    }
}
