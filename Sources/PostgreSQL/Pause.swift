#if Cluster
    internal import DAGSystem

    /// Waits on this thread.
    enum Pause {
        /// Blocks the thread for a while.
        static func wait(_ time: Duration) {
            let end = ContinuousClock.now + time
            while true {
                let left = end - .now
                guard left > .zero else { return }
                // No descriptors: only the time ends the call.
                _ = poll(nil, 0, milliseconds(left))
            }
        }

        /// Converts a time for `poll`, rounded up, so that a wait does not end early.
        static func milliseconds(_ time: Duration) -> CInt {
            let parts = time.components
            let rounded = parts.attoseconds / 1_000_000_000_000_000 + 1
            let seconds = min(parts.seconds, 1_000_000)
            return CInt(clamping: max(seconds * 1000 + rounded, 0))
        }
    }
#endif
