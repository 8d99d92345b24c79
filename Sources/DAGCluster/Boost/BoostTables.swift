#if Cluster
    internal import DAGMultiformats
    package import DAGStorage
    internal import PostgreSQL

    /// A piece that Boost's tables name: a CAR that a storage provider keeps.
    package struct BoostPiece: Sendable, Equatable {
        /// Where a piece stands in the order of the tables.
        package struct Place: Sendable, Equatable {
            let miner: String
            let piece: String
        }

        /// The address of the provider, such as `f01234`; empty in tables from before July 2023.
        package let miner: String
        /// The CID of the piece, as the table has it.
        package let piece: String
        /// Whether Boost's piece doctor found no unsealed copy, so that no server has the bytes.
        package let isSealedOnly: Bool

        /// The place of the piece.
        package var place: Place { Place(miner: miner, piece: piece) }

        /// Returns the key of the piece's shard: the CID, as the DAG stores in Go have it.
        ///
        /// - Throws: `malformedCID`, `invalidKey`.
        package func key() throws -> ShardKey {
            _ = try CID(piece)
            return try ShardKey(piece)
        }
    }

    /// The tables in SQL that Boost keeps on YugabyteDB or PostgreSQL: the pieces of a provider, and the faulty ones.
    ///
    /// Boost's indexes and deals lie in CQL tables of the same engine, which need another protocol. So a piece comes
    /// without its index, and a node reads the CAR.
    ///
    /// *Source*: filecoin-project/boost, `extern/boostd-data/yugabyte`: `create.sql` with its migrations to 2023-08.
    ///
    /// *Concurrency*: any thread or task.
    package struct BoostTables: Sendable {
        /// The pieces of one statement.
        private static let pageSize: Int64 = 1000

        private let database: ClusterDatabase
        /// Whether the tables tell providers apart.
        private let hasMiners: Bool

        /// Looks for the tables.
        ///
        /// - Parameter database: Boost's database; nothing in it changes.
        /// - Throws: `invalidArgument` if it lacks the tables; `catalogUnreachable`.
        package init(in database: ClusterDatabase) async throws {
            self.database = database
            let counts = try await database.run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT count(*),
                        CAST(sum(CASE WHEN column_name = 'mineraddr' THEN 1 ELSE 0 END) AS bigint)
                    FROM information_schema.columns
                    WHERE table_name IN ('piecetracker', 'pieceflagged')
                        AND column_name IN ('mineraddr', 'piececid', 'hasunsealedcopy')
                    """
                )
                return (try rows.integer(0, 0), try rows.optionalInteger(0, 1) ?? 0)
            }
            guard (3...).contains(counts.0 - counts.1), counts.1 != 1 else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the database lacks Boost's tables PieceTracker and PieceFlagged",
                    advice:
                        "give the address of the database that boostd-data has in --connect-string"
                )
            }
            hasMiners = counts.1 > 0
        }

        /// Returns the pieces after a place, at most 1,000.
        ///
        /// - Parameters:
        ///   - place: The place of the last piece; nil for the beginning.
        ///   - miner: The provider whose pieces count; nil for all.
        /// - Returns: The pieces in the order of provider and CID; none at the end.
        /// - Throws: `invalidArgument` if the tables tell no providers apart; `catalogUnreachable`, `catalogCorrupt`.
        package func pieces(
            after place: BoostPiece.Place?,
            of miner: String?
        ) async throws -> [BoostPiece] {
            let miners = hasMiners
            guard miners || miner == nil else {
                throw DAGStoreError(.invalidArgument, "these tables tell no providers apart")
            }
            return try await database.run(.repeatableRead) { transaction in
                let rows =
                    miners
                    ? try transaction.run(
                        """
                        SELECT t.mineraddr, t.piececid, coalesce(f.hasunsealedcopy, TRUE)
                        FROM piecetracker t LEFT JOIN pieceflagged f
                            ON f.mineraddr = t.mineraddr AND f.piececid = t.piececid
                        WHERE (t.mineraddr > $1 OR (t.mineraddr = $1 AND t.piececid > $2))
                            AND ($3 = '' OR t.mineraddr = $3)
                        ORDER BY t.mineraddr, t.piececid LIMIT $4
                        """,
                        .text(place?.miner ?? ""),
                        .text(place?.piece ?? ""),
                        .text(miner ?? ""),
                        .integer(Self.pageSize)
                    )
                    : try transaction.run(
                        """
                        SELECT '', t.piececid, coalesce(f.hasunsealedcopy, TRUE)
                        FROM piecetracker t LEFT JOIN pieceflagged f ON f.piececid = t.piececid
                        WHERE t.piececid > $1 ORDER BY t.piececid LIMIT $2
                        """,
                        .text(place?.piece ?? ""),
                        .integer(Self.pageSize)
                    )
                return try (0..<rows.count).map { row in
                    BoostPiece(
                        miner: try rows.text(row, 0),
                        piece: try rows.text(row, 1),
                        isSealedOnly: try !rows.truth(row, 2)
                    )
                }
            }
        }
    }
#endif
