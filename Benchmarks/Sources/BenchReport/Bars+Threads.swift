extension Bars {
    /// The reads that many threads must do as fast as many processes, and how the report calls them.
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
        Row(
            23,
            "read on many threads of one store, against as many processes with a store each",
            topic: "threads",
            reads.flatMap { row, label -> [Bar] in
                [(2, 0.95), (16, 0.9)].map { count, target in
                    let name = ThreadFigure(row, count, .ratio).name
                    return .atLeast(target, "x", name, "\(label), \(count)")
                }
            }
        ),
        Row(
            24,
            "get from one shard of 1 M blocks, 16 threads against 2",
            topic: "get on threads",
            [scaling("get", "views"), scaling("read.guarded", "copied")]
        ),
        Row(
            25,
            "get from any of 1,000 shards, and 16 threads against 2",
            topic: "get any",
            [.atLeast(0.8, "M/s", "threads.get.any.1", "1 thread"), scaling("get.any", "16 to 2")]
        ),
        Row(
            26,
            "acquire and release one shard, and 16 threads against 2",
            topic: "acquire on threads",
            [.atLeast(3, "M/s", "threads.acquire.1", "1 thread"), scaling("acquire", "16 to 2")]
        ),
        Row(
            27,
            "acquire and release any of 1,000 shards, and 16 threads against 2",
            topic: "acquire any",
            [
                .atLeast(1, "M/s", "threads.acquire.any.1", "1 thread"),
                scaling("acquire.any", "16 to 2"),
            ]
        ),
        Row(
            28,
            "contains over 1,000 and 10,000 shards, 1 thread, and 16 threads against 2",
            topic: "contains",
            [
                .atLeast(0.667, "M/s", "threads.contains.any.1", "1 k, open"),
                .atLeast(0.667, "M/s", "threads.contains.closed.1000.1", "1 k, closed"),
                .atLeast(0.4, "M/s", "threads.contains.closed.10000.1", "10 k, closed"),
                scaling("contains.any", "open, 16 to 2"),
                scaling("contains.closed.10000", "closed, 16 to 2"),
            ]
        ),
        Row(
            29,
            "contains and get of a block that 65,536 shards hold, against one that one shard holds",
            topic: "popular block",
            [
                .atMost(1.5, "x", "popular.contains.many-to-one", "contains"),
                .atMost(1.5, "x", "popular.get.many-to-one", "get"),
            ]
        ),
    ]

    /// On two cores 16 threads can do as much as 2; on more cores they can do more.
    private static func scaling(_ row: String, _ label: String) -> Bar {
        .atLeast(0.9, "x", ThreadFigure(row, 16, .toTwo).name, label)
    }

    /// The rows about cold disks and about peers in the same run.
    static let others: [Row] = [
        Row(
            30,
            "read a cold block of 1 MiB, mapped, against pread",
            topic: "cold block",
            [.atMost(1.2, "x", "cold.mapped.to-pread")]
        ),
        Row(
            31,
            "register, against go-car's flat layout, in turn",
            topic: "against a flat file",
            [
                .atMost(0.8, "x", "flat.ingest.n1m.ratio", "n1m"),
                .atMost(1, "x", "flat.ingest.1k.ratio", "1 k"),
                .atMost(1, "x", "flat.ingest.10k.ratio", "10 k"),
                .atMost(1, "x", "flat.ingest.100k.ratio", "100 k"),
            ],
            peers: [
                Peer(figure: "flat.ingest.n1m", label: "n1m"),
                Peer(figure: "flat.ingest.1k", label: "1 k"),
                Peer(figure: "flat.ingest.10k", label: "10 k"),
                Peer(figure: "flat.ingest.100k", label: "100 k"),
            ]
        ),
        Row(
            32,
            "open until the first answer, against LMDB, in turn",
            topic: "first answer",
            [
                .atMost(2, "x", "first.1.ratio", "1 shard"),
                .atMost(2, "x", "first.1000.ratio", "1 k shards"),
                .atMost(2, "x", "first.100000.ratio", "100 k shards"),
            ],
            peers: [
                Peer(figure: "first.1", label: "1 shard"),
                Peer(figure: "first.1000", label: "1 k"),
                Peer(figure: "first.100000", label: "100 k"),
            ]
        ),
    ]
}
