#if Cluster && Node
    /// Decides whether some order of the operations on a key explains what the clients heard.
    ///
    /// Each operation takes effect at one moment between its call and its answer; one without an answer takes effect
    /// at any later moment, or never. The checker goes through calls and answers in their order. It keeps every
    /// possible truth: the state of the key, and the open operations that have taken effect. An answer that no
    /// possible truth explains is a violation.
    ///
    /// Source: Gavin Lowe, "Testing for linearizability", the just-in-time algorithm.
    struct HistoryChecker {
        /// An answer that no order explains.
        struct Violation: Sendable, CustomStringConvertible {
            /// The operation.
            let operation: HistoryOperation
            /// The states that were possible before the answer.
            let possible: Set<KeyState>
            /// All operations on the key, in the order of their calls.
            let history: [HistoryOperation]

            var description: String {
                let states = possible.map { $0.car ?? "none" }.sorted().joined(separator: ", ")
                let lines = history.map { "    \($0)" }.joined(separator: "\n")
                return "no order explains \(operation); possible: \(states)\n\(lines)"
            }
        }

        /// A possible truth.
        private struct Truth: Hashable {
            var state: KeyState
            /// The open operations that have taken effect, by index.
            var effective: Set<Int>
        }

        private let operations: [HistoryOperation]
        private var truths: Set<Truth> = [Truth(state: KeyState(car: nil), effective: [])]
        private var open: [Int] = []

        /// Returns the first violation of each key.
        static func violations(in history: [HistoryOperation]) -> [Violation] {
            let byKey = Dictionary(grouping: history) { $0.key }
            return byKey.keys.sorted().compactMap { key in
                var checker = HistoryChecker(byKey[key] ?? [])
                return checker.violation()
            }
        }

        private init(_ operations: [HistoryOperation]) {
            self.operations = operations.sorted { $0.invoked < $1.invoked }
        }

        private mutating func violation() -> Violation? {
            for event in events {
                guard event.isAnswer else {
                    open.append(event.index)
                    continue
                }
                let before = truths
                answer(event.index)
                guard truths.isEmpty else { continue }
                return Violation(
                    operation: operations[event.index],
                    possible: Set(before.map(\.state)),
                    history: operations
                )
            }
            return nil
        }

        /// The calls and answers, in order.
        private var events: [(moment: Int, index: Int, isAnswer: Bool)] {
            var events: [(moment: Int, index: Int, isAnswer: Bool)] = []
            for (index, operation) in operations.enumerated() {
                events.append((operation.invoked, index, false))
                guard operation.outcome != .unknown else { continue }
                events.append((operation.returned, index, true))
            }
            return events.sorted { $0.moment < $1.moment }
        }

        /// Keeps the truths in which an operation has taken effect, whatever took effect before it.
        private mutating func answer(_ index: Int) {
            var all = truths
            var fresh = ArraySlice(truths)
            while let truth = fresh.popFirst() {
                // Whatever follows its effect also may follow its answer.
                guard !truth.effective.contains(index) else { continue }
                for next in successors(of: truth) where !all.contains(where: { covers($0, next) }) {
                    all.insert(next)
                    fresh.append(next)
                }
            }
            open.removeAll { $0 == index }
            truths = []
            for var truth in all where truth.effective.remove(index) != nil { truths.insert(truth) }
        }

        /// Whether everything that may follow the second truth may follow the first one.
        ///
        /// An operation without an answer need not take effect, so a truth without it has all the choices.
        private func covers(_ first: Truth, _ second: Truth) -> Bool {
            first.state == second.state && first.effective.isSubset(of: second.effective)
                && second.effective.subtracting(first.effective)
                    .allSatisfy { operations[$0].outcome == .unknown }
        }

        private func successors(of truth: Truth) -> [Truth] {
            var unanswered: Set<HistoryOperation.Action> = []
            return open.compactMap { index in
                let operation = operations[index]
                guard !truth.effective.contains(index), let state = operation.next(truth.state)
                else { return nil }
                // Of equal operations without an answer, the first one stands for all.
                if operation.outcome == .unknown {
                    guard unanswered.insert(operation.action).inserted, state != truth.state
                    else { return nil }
                }
                var next = truth
                next.state = state
                next.effective.insert(index)
                return next
            }
        }
    }
#endif
