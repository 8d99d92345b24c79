#if Node
    internal import SharedReads

    /// The address on which the gateway listens, for those that wait for it.
    final class ListeningPlace: Sendable {
        private struct State {
            var address: NodeAddress?
            var waiters: [UInt64: CheckedContinuation<NodeAddress, any Error>] = [:]
            var next: UInt64 = 0
            /// The waiters that were canceled before they began to wait.
            var canceled: Set<UInt64> = []
        }

        private let state = Lock(State())

        /// Sets the address, once.
        func set(_ address: NodeAddress) {
            let waiters = state.withLock { state in
                state.address = address
                defer { state.waiters = [:] }
                return state.waiters.values
            }
            for waiter in waiters { waiter.resume(returning: address) }
        }

        /// The address; the caller waits for it.
        ///
        /// Throws `CancellationError` if the task is canceled: a gateway that cannot listen never has an address.
        var address: NodeAddress {
            get async throws {
                let number = state.withLock { state in
                    state.next += 1
                    return state.next
                }
                return try await withTaskCancellationHandler {
                    try await withCheckedThrowingContinuation { wait(for: number, $0) }
                } onCancel: {
                    let waiter = state.withLock { state in
                        let waiter = state.waiters.removeValue(forKey: number)
                        if waiter == nil { state.canceled.insert(number) }
                        return waiter
                    }
                    waiter?.resume(throwing: CancellationError())
                }
            }
        }

        private func wait(
            for number: UInt64,
            _ continuation: CheckedContinuation<NodeAddress, any Error>
        ) {
            let answer: Result<NodeAddress, any Error>? = state.withLock { state in
                if let address = state.address { return .success(address) }
                if state.canceled.remove(number) != nil { return .failure(CancellationError()) }
                state.waiters[number] = continuation
                return nil
            }
            if let answer { continuation.resume(with: answer) }
        }
    }
#endif
