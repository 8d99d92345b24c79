#if Cluster && Node
    import Synchronization

    /// The record of what clients asked for and heard, and of what must not happen.
    final class ClusterHistory: Sendable {
        private struct State {
            var clock = 0
            var operations: [HistoryOperation] = []
            var faults: [String] = []
            var counts: [String: Int] = [:]
        }

        private let state = Mutex(State())

        /// All operations so far.
        var operations: [HistoryOperation] { state.withLock { $0.operations } }
        /// What happened although it must not.
        var faults: [String] { state.withLock { $0.faults } }

        /// Returns the next moment.
        func now() -> Int {
            state.withLock {
                $0.clock += 1
                return $0.clock
            }
        }

        /// Records an operation that ends now.
        func record(
            _ client: String,
            _ key: String,
            _ action: HistoryOperation.Action,
            since invoked: Int,
            _ outcome: HistoryOperation.Outcome
        ) {
            state.withLock { state in
                state.clock += 1
                state.operations.append(
                    HistoryOperation(
                        client: client,
                        key: key,
                        action: action,
                        invoked: invoked,
                        returned: state.clock,
                        outcome: outcome
                    )
                )
            }
        }

        /// Records what must not happen.
        func fault(_ sentence: String) { state.withLock { $0.faults.append(sentence) } }

        /// Counts an event, for the report.
        func count(_ name: String, _ number: Int = 1) {
            state.withLock { $0.counts[name, default: 0] += number }
        }

        /// The number of an event.
        func number(of name: String) -> Int { state.withLock { $0.counts[name] ?? 0 } }

        /// The counts in words.
        var report: String {
            state.withLock { state in
                var counts = state.counts
                for operation in state.operations {
                    let verb: String
                    switch operation.action {
                    case .register: verb = "register"
                    case .destroy: verb = "destroy"
                    case .read: verb = "read"
                    }
                    let word: String
                    switch operation.outcome {
                    case .done, .found: word = "answered"
                    case .refused: word = "refused"
                    case .unknown: word = "without an answer"
                    }
                    counts["\(verb) \(word)", default: 0] += 1
                }
                return counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                    .joined(separator: ", ")
            }
        }
    }
#endif
