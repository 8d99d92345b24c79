#if Node
    internal import SharedReads

    /// Whether all folders had their first scan.
    final class Readiness: Sendable {
        private let waiting: Lock<Int>

        init(waitingFor count: Int) { waiting = Lock(count) }

        var isReady: Bool { waiting.withLock { $0 == 0 } }

        /// Counts a folder that is ready now.
        func addOne() { waiting.withLock { $0 -= 1 } }
    }
#endif
