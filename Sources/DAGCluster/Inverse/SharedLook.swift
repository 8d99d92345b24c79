#if Cluster
    internal import DAGMounts
    internal import SharedReads

    /// Does the same piece of work once for all callers that came before it began.
    ///
    /// So the work that a caller waits for begins after the call, and many callers cost little more than one.
    ///
    /// *Concurrency*: any task.
    final class SharedLook: Sendable {
        private struct State {
            var current: OwnedTask<Void>?
            /// The work that has not begun, which callers join.
            var next: OwnedTask<Void>?
        }

        private let state = Lock(State())
        private let work: @Sendable () async throws -> Void

        /// Creates an object that does no work yet.
        init(_ work: @escaping @Sendable () async throws -> Void) { self.work = work }

        /// Waits for work that begins after this call.
        ///
        /// A canceled caller waits too, because others may wait for the same work.
        ///
        /// - Throws: The error of the work.
        func run() async throws {
            let task = state.withLock { state -> OwnedTask<Void> in
                if let next = state.next { return next }
                let task = OwnedTask<Void> { [weak self, current = state.current, work] in
                    _ = try? await current?.value
                    self?.begin()
                    try await work()
                }
                state.next = task
                return task
            }
            try await task.value
        }

        private func begin() {
            state.withLock { state in
                state.current = state.next
                state.next = nil
            }
        }
    }
#endif
