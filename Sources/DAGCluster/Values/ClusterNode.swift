#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// A node of a cluster, as the database knows it.
    package struct ClusterNode: Sendable, Equatable {
        /// The states of a node.
        package enum State: Int64, Sendable, CaseIterable {
            /// It serves and takes placements.
            case active = 0
            /// It serves, and its placements move to others.
            case draining = 1
            /// It has ended in order; its placements are others'.
            case left = 2
            /// It ends: as `draining`, until its next start.
            case leaving = 3

            /// The word for people and JSON.
            package var name: String { String(describing: self) }
        }

        /// The number of the node: 16 random bytes, which its store keeps.
        package let id: [UInt8]
        /// The number of times that a process joined with this number.
        package let incarnation: Int64
        /// The name for people; by default the host's.
        package let name: String
        /// Where clients reach the node; empty if clients cannot reach it.
        package let url: String
        /// The share of shards that it takes, relative to the others.
        package let capacity: Int
        /// The state.
        package let state: State
        /// The release of its program.
        package let release: String
        /// The time since its last sign of life, by the server's clock.
        package let silence: Duration

        static let columns = """
            id, incarnation, name, url, capacity, state, release,
            CAST(extract(epoch FROM now() - seen_at) * 1000 AS bigint)
            """

        /// Reads the columns of `ClusterNode.columns`.
        ///
        /// - Throws: `catalogCorrupt` if a value is impossible.
        init(_ rows: Rows, _ row: Int) throws {
            id = try rows.bytes(row, 0)
            incarnation = try rows.integer(row, 1)
            name = try rows.text(row, 2)
            url = try rows.text(row, 3)
            capacity = try rows.count(row, 4, 1...Self.capacityMax)
            guard let state = State(rawValue: try rows.integer(row, 5)) else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "the database has an impossible state of a node"
                )
            }
            self.state = state
            release = try rows.text(row, 6)
            // The clocks of several servers may differ.
            silence = .milliseconds(max(0, try rows.integer(row, 7)))
        }

        /// Creates a node, for tests of rules.
        init(id: [UInt8], capacity: Int = 1, state: State = .active, silence: Duration = .zero) {
            self.id = id
            incarnation = 1
            name = ""
            url = ""
            self.capacity = capacity
            self.state = state
            release = ""
            self.silence = silence
        }

        /// The largest capacity.
        package static let capacityMax = 1_000_000

        /// Whether it gave no sign of life for too long.
        package func isDead(after limit: Duration) -> Bool { state == .left || silence > limit }

        /// The words that `condition` may have.
        package static let conditions = ["active", "draining", "leaving", "dead", "left"]

        /// The word for the state; `dead` after a long silence.
        package var condition: String {
            state != .left && isDead(after: ClusterTimes.ofProcess.deadAfter) ? "dead" : state.name
        }
    }

    extension [ClusterNode] {
        /// Returns the name of a node, or its number if the name is unknown.
        package func name(of id: [UInt8]) -> String {
            first { $0.id == id }.map { $0.name.isEmpty ? $0.id.hexadecimal : $0.name }
                ?? id.hexadecimal
        }
    }
#endif
