import DAGStorage
import Synchronization

/// Collects progress from other threads.
final class Told: Sendable {
    private let state = Mutex<[IndexingProgress]>([])

    /// What was told so far.
    var all: [IndexingProgress] { state.withLock { $0 } }

    func append(_ progress: IndexingProgress) { state.withLock { $0.append(progress) } }
}
