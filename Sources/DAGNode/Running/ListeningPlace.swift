#if Node
    internal import SharedReads

    /// The address on which the gateway listens, for those that wait for it.
    final class ListeningPlace: Sendable {
        private struct State {
            var address: NodeAddress?
            var waiters: [CheckedContinuation<NodeAddress, Never>] = []
        }

        private let state = Lock(State())

        /// Sets the address, once.
        func set(_ address: NodeAddress) {
            let waiters = state.withLock { state in
                state.address = address
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(returning: address) }
        }

        /// The address; the caller waits for it.
        var address: NodeAddress {
            get async {
                await withCheckedContinuation { continuation in
                    let known = state.withLock { state in
                        if state.address == nil { state.waiters.append(continuation) }
                        return state.address
                    }
                    if let known { continuation.resume(returning: known) }
                }
            }
        }
    }
#endif
