#if Cluster
    internal import DAGStorage

    /// Asks nodes whether they serve what they hold by the database, a few at once.
    struct NodeAsker {
        private let nodes: [[UInt8]: ClusterNode]
        private let ask: ClusterChecker.Ask
        /// The requests that a node left without an answer.
        private var silences: [[UInt8]: Int] = [:]
        /// The number of answers.
        private(set) var answerCount = 0

        /// The requests at once.
        private static let width = 8
        /// The requests without an answer after which a node is asked no more.
        private static let silencesMax = 3

        init(_ nodes: [ClusterNode], _ ask: @escaping ClusterChecker.Ask) {
            // A node without a URL cannot be reached.
            self.nodes = Dictionary(
                nodes.filter { !$0.url.isEmpty }.map { ($0.id, $0) },
                uniquingKeysWith: { one, _ in one }
            )
            self.ask = ask
        }

        /// Asks about some copies.
        mutating func ask(_ placements: [Placement]) async -> [ClusterFinding] {
            var findings: [ClusterFinding] = []
            var rest = placements[...]
            while !rest.isEmpty {
                let some = rest.prefix(Self.width).filter {
                    (silences[$0.node] ?? 0) < Self.silencesMax
                }
                rest = rest.dropFirst(Self.width)
                let answers = await answers(to: some)
                for (placement, node, answer) in answers {
                    if let finding = finding(placement, node, answer) { findings.append(finding) }
                }
            }
            return findings
        }

        private func answers(
            to placements: [Placement]
        ) async -> [(Placement, ClusterNode, NodeAnswer)] {
            await withTaskGroup(of: (Placement, ClusterNode, NodeAnswer).self) { [ask] group in
                for placement in placements {
                    guard let node = nodes[placement.node] else { continue }
                    group.addTask { (placement, node, await ask(node.url, placement.key)) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }

        private mutating func finding(
            _ placement: Placement,
            _ node: ClusterNode,
            _ answer: NodeAnswer
        ) -> ClusterFinding? {
            if case .silent = answer {} else { answerCount += 1 }
            switch answer {
            case .holds: return nil
            case .lacks:
                return ClusterFinding(
                    .nodeLacks,
                    "node \(node.name) holds the shard by the database, and does not serve it; its "
                        + "next comparison makes the copy again",
                    key: placement.key,
                    node: node.id
                )
            case .fails(let reason):
                return ClusterFinding(
                    .nodeFails,
                    "node \(node.name) cannot serve the shard: \(reason); see whether its CAR is there",
                    key: placement.key,
                    node: node.id
                )
            case .silent(let reason):
                silences[node.id, default: 0] += 1
                guard silences[node.id] == Self.silencesMax else { return nil }
                return ClusterFinding(
                    .nodeUnreachable,
                    "node \(node.name) does not answer at \(node.url): \(reason); see its process and "
                        + "--cluster-url",
                    node: node.id
                )
            }
        }
    }
#endif
