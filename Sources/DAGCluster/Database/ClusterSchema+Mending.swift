#if Cluster
    /// The tables of damage that mends itself, and of shards that get another mount.
    extension ClusterSchema {
        /// The statements of the step.
        static let mending = [
            // The number of the publication that has all entries of the shard; 0 if several have them, or if an older
            // program wrote it.
            "ALTER TABLE dagstore_shards ADD COLUMN published bigint NOT NULL DEFAULT 0",
            // 1 if bytes of the run are damaged: merges leave it out, and it goes when its entries are rebuilt.
            "ALTER TABLE dagstore_runs ADD COLUMN damaged bigint NOT NULL DEFAULT 0",
            // A row is a shard whose entries a damaged run has; `part` and `number` are those of the run.
            """
            CREATE TABLE dagstore_rebuilds (
                part bigint NOT NULL,
                number bigint NOT NULL,
                shard bigint NOT NULL,
                PRIMARY KEY (part, number, shard))
            """,
            "CREATE INDEX dagstore_rebuilds_shard ON dagstore_rebuilds (shard)",
            // A row is a mount that a shard shall get. `state` is 0 before the comparison, 1 while nodes follow, and 2
            // after a refusal.
            """
            CREATE TABLE dagstore_moves (
                shard bigint PRIMARY KEY,
                mount text NOT NULL,
                reach bytea,
                state bigint NOT NULL,
                request bytea NOT NULL,
                error_code bigint NOT NULL,
                error text NOT NULL,
                made_at timestamptz NOT NULL)
            """,
        ]
    }
#endif
