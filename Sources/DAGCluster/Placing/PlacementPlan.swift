#if Cluster
    /// The changes after which the right nodes hold a shard.
    ///
    /// A copy goes only when enough of the wanted nodes hold theirs, so a move never lessens the number of copies.
    struct PlacementPlan: Sendable, Equatable {
        /// The nodes that shall import the shard.
        var adding: [[UInt8]] = []
        /// The nodes that shall destroy their copies.
        var dropping: [[UInt8]] = []

        /// Plans the next changes for a shard.
        ///
        /// - Parameters:
        ///   - wanted: The nodes that should hold the shard, all alive.
        ///   - copies: The number of copies that the shard should have.
        ///   - present: The placements by node.
        ///   - alive: The nodes that serve, draining ones included.
        init(
            wanted: [[UInt8]],
            copies: Int,
            present: [[UInt8]: Placement.State],
            alive: Set<[UInt8]>
        ) {
            adding = wanted.filter { node in
                switch present[node] {
                case nil, .dropped, .indexing: true
                case .wanted, .held: false
                }
            }
            let held = wanted.filter { present[$0] == .held }.count
            // With fewer nodes than copies, each copy stays: the others may come back.
            let isComplete = held >= copies
            dropping = present.filter { !wanted.contains($0.key) && $0.value != .dropped }
                .filter { node, state in
                    // A copy that was never made has no readers. A dead node that comes back serves its copies until
                    // the others hold theirs.
                    isComplete || (state != .held && alive.contains(node))
                }
                .map(\.key)
                .sorted { $0.lexicographicallyPrecedes($1) }
        }
    }
#endif
