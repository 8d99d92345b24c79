extension Bars {
    /// The reads that many threads must do as fast as many processes, and their names in the report.
    private static let reads = [
        ("get", "get"),
        ("read.guarded", "get copied"),
        ("get.any", "get any"),
        ("acquire", "acquire"),
        ("acquire.any", "acquire any"),
        ("contains.any", "contains"),
        ("contains.closed.10000", "contains, closed"),
    ]

    /// The rows about reads on many threads.
    static let threads: [Row] = [
        reads.reduce(
            Row(
                23,
                "threads",
                "read on many threads of one store, against as many processes with a store each"
            )
        ) { row, read in
            [(2, 0.95), (16, 0.9)].reduce(row) { row, pair in
                let name = ThreadFigure(read.0, pair.0, .ratio).name
                return row.atLeast(pair.1, "x", name, "\(read.1), \(pair.0)")
            }
        },
        Row(24, "get on threads", "get from one shard of 1 M blocks, 16 threads against 2")
            .scaling("get", "views").scaling("read.guarded", "copied"),
        Row(25, "get any", "get from any of 1,000 shards, and 16 threads against 2")
            .atLeast(0.8, "M/s", "threads.get.any.1", "1 thread").scaling("get.any", "16 to 2"),
        Row(26, "acquire on threads", "acquire and release one shard, and 16 threads against 2")
            .atLeast(3, "M/s", "threads.acquire.1", "1 thread").scaling("acquire", "16 to 2"),
        Row(
            27,
            "acquire any",
            "acquire and release any of 1,000 shards, and 16 threads against 2"
        )
        .atLeast(1, "M/s", "threads.acquire.any.1", "1 thread").scaling("acquire.any", "16 to 2"),
        Row(
            28,
            "contains",
            "contains over 1,000 and 10,000 shards, 1 thread, and 16 threads against 2"
        )
        .atLeast(0.667, "M/s", "threads.contains.any.1", "1 k, open")
        .atLeast(0.667, "M/s", "threads.contains.closed.1000.1", "1 k, closed")
        .atLeast(0.4, "M/s", "threads.contains.closed.10000.1", "10 k, closed")
        .scaling("contains.any", "open, 16 to 2")
        .scaling("contains.closed.10000", "closed, 16 to 2"),
        Row(
            29,
            "popular block",
            "contains and get of a block that 65,536 shards hold, against one that one shard holds"
        )
        .atMost(1.5, "x", "popular.contains.many-to-one", "contains")
        .atMost(1.5, "x", "popular.get.many-to-one", "get"),
    ]

    /// The rows about cold disks and about peers in the same run.
    static let others: [Row] = [
        Row(30, "cold block", "read a cold block of 1 MiB, mapped, against pread")
            .atMost(1.2, "x", "cold.mapped.to-pread"),
        Row(31, "against a flat file", "register, against go-car's flat layout, in turn")
            .atMost(0.8, "x", "flat.ingest.n1m.ratio", "n1m").peer("flat.ingest.n1m", "n1m")
            .atMost(1, "x", "flat.ingest.1k.ratio", "1 k").peer("flat.ingest.1k", "1 k")
            .atMost(1, "x", "flat.ingest.10k.ratio", "10 k").peer("flat.ingest.10k", "10 k")
            .atMost(1, "x", "flat.ingest.100k.ratio", "100 k").peer("flat.ingest.100k", "100 k"),
        Row(32, "first answer", "open until the first answer, against LMDB, in turn")
            .atMost(2, "x", "first.1.ratio", "1 shard").peer("first.1", "1 shard")
            .atMost(2, "x", "first.1000.ratio", "1 k shards").peer("first.1000", "1 k")
            .atMost(2, "x", "first.100000.ratio", "100 k shards").peer("first.100000", "100 k"),
    ]
}

extension Bars.Row {
    /// On two cores 16 threads can do as much as 2; on more cores they can do more.
    fileprivate func scaling(_ read: String, _ label: String) -> Self {
        atLeast(0.9, "x", ThreadFigure(read, 16, .toTwo).name, label)
    }
}
