import DAGCARFiles
import DAGStorage
import Synchronization

/// Collects progress from other threads.
final class Told: Sendable {
    private let state = Mutex<[IndexingProgress]>([])

    /// What was told so far.
    var all: [IndexingProgress] { state.withLock { $0 } }

    func append(_ progress: IndexingProgress) { state.withLock { $0.append(progress) } }
}

extension Told {
    /// Collects keys from other threads.
    final class Keys: Sendable {
        private let state = Mutex<[[String]]>([])

        /// What was told so far.
        var all: [[String]] { state.withLock { $0 } }

        func append(_ keys: [String]) { state.withLock { $0.append(keys) } }
    }
}
