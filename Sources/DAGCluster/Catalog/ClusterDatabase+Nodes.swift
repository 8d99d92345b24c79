#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    /// The description of a node that joins.
    package struct NodeProfile: Sendable, Equatable {
        /// The number: 16 random bytes, which its store keeps.
        package var id: [UInt8]
        /// The name for people.
        package var name: String
        /// Where clients reach the node; empty if clients cannot reach it.
        package var url: String
        /// The share of shards that it takes, relative to the others.
        package var capacity: Int
        /// The release of its program.
        package var release: String

        /// Creates a profile.
        package init(id: [UInt8], name: String, url: String, capacity: Int = 1, release: String) {
            self.id = id
            self.name = name
            self.url = url
            self.capacity = capacity
            self.release = release
        }
    }

    /// The nodes of a cluster.
    extension ClusterDatabase {
        /// Enters a node, or enters it again after an end; a node that an operator drains goes on draining.
        ///
        /// - Parameter profile: The node.
        /// - Returns: The incarnation of this process; a later process with the same number gets a higher one.
        /// - Throws: `catalogUnreachable`, `readOnly`.
        func join(_ profile: NodeProfile) async throws -> Int64 {
            // A process of a node that was forgotten must not have the number of a later one.
            let first = Int64.random(in: 1...1 << 40)
            return try await change("join") { transaction in
                let rows = try transaction.run(
                    """
                    INSERT INTO dagstore_nodes (id, incarnation, name, url, capacity, state, release,
                        joined_at, seen_at)
                    VALUES ($1, $6, $2, $3, $4, 0, $5, now(), now())
                    ON CONFLICT (id) DO UPDATE SET incarnation = dagstore_nodes.incarnation + 1,
                        name = excluded.name, url = excluded.url, capacity = excluded.capacity,
                        state = CASE WHEN dagstore_nodes.state = 1 THEN 1 ELSE 0 END,
                        release = excluded.release, seen_at = now()
                    RETURNING incarnation
                    """,
                    .bytes(profile.id),
                    .text(profile.name),
                    .text(profile.url),
                    .integer(Int64(profile.capacity)),
                    .text(profile.release),
                    .integer(first)
                )
                return try rows.integer(0, 0)
            }
        }

        /// Gives a sign of life.
        ///
        /// - Returns: Whether the process is still the node; false if a later process joined with its number.
        /// - Throws: `catalogUnreachable`.
        func beat(_ id: [UInt8], _ incarnation: Int64, within time: Duration) async throws -> Bool {
            try await run(.repeatableRead, within: time) { transaction in
                try transaction.run(
                    "UPDATE dagstore_nodes SET seen_at = now() WHERE id = $1 AND incarnation = $2",
                    .bytes(id),
                    .integer(incarnation)
                ).changeCount == 1
            }
        }

        /// Sets the state of a node.
        ///
        /// - Parameters:
        ///   - state: The state.
        ///   - id: The node.
        ///   - incarnation: The process that must still be the node; nil for any.
        /// - Returns: Whether the node exists.
        /// - Throws: `catalogUnreachable`, `readOnly`.
        @discardableResult
        package func setState(
            _ state: ClusterNode.State,
            of id: [UInt8],
            _ incarnation: Int64? = nil
        ) async throws -> Bool {
            try await run { transaction in
                try transaction.run(
                    """
                    UPDATE dagstore_nodes SET state = $2
                    WHERE id = $1 AND (CAST($3 AS bigint) = -1 OR incarnation = $3)
                    """,
                    .bytes(id),
                    .integer(state.rawValue),
                    .integer(incarnation ?? -1)
                ).changeCount == 1
            }
        }

        /// Returns all nodes, in the order of their names.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        package func nodes() async throws -> [ClusterNode] {
            try await run { transaction in try Self.nodes(transaction) }
        }

        static func nodes(_ transaction: borrowing Transaction) throws -> [ClusterNode] {
            let rows = try transaction.run(
                "SELECT \(ClusterNode.columns) FROM dagstore_nodes ORDER BY name, id"
            )
            return try (0..<rows.count).map { try ClusterNode(rows, $0) }
        }
    }
#endif
