#if Cluster
    internal import DAGStorage
    internal import SharedReads

    /// Refuses requests of clients for a while after the database did not answer one.
    ///
    /// Each request would wait for its own deadline otherwise, and clients pile up. One request at a time tries again.
    ///
    /// *Concurrency*: any thread.
    final class Refusal: Sendable {
        private struct State {
            /// The last failure; nil after a success.
            var failure: (error: DAGStoreError, at: ContinuousClock.Instant)?
            var isTrying = false
        }

        private let state = Lock(State())
        /// The time after a failure in which no request tries again.
        private let pause: Duration

        /// Creates an object that lets requests through.
        init(pause: Duration = .seconds(1)) { self.pause = pause }

        /// Lets a request through, or throws the error of the last one.
        ///
        /// The caller reports the outcome with `end`.
        ///
        /// - Throws: `catalogUnreachable`.
        func begin() throws(DAGStoreError) {
            try state.withLock { state throws(DAGStoreError) in
                guard let failure = state.failure else { return }
                guard !state.isTrying, .now - failure.at >= pause else { throw failure.error }
                state.isTrying = true
            }
        }

        /// Reports how a request that was let through has ended; nil for success.
        func end(_ error: DAGStoreError?) {
            state.withLock { state in
                state.isTrying = false
                state.failure =
                    error?.code == .catalogUnreachable ? error.map { ($0, .now) } : nil
            }
        }
    }
#endif
