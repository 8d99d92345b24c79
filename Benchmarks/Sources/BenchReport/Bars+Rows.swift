extension Bars {
    /// Rows 1 to 32, in order.
    public static let rows: [Row] = building + reading + index + store + gateway + threads + others

    private static let building: [Row] = [
        Row(1, "build", "build an index, n1m, from file, not stored")
            .atMost(0.12, "s", "build.n1m").peer("peers.scan.n1m"),
        Row(
            2,
            "register n1m",
            "register eagerly until available, n1m (scan, index, inverse index, fsync)"
        )
        .atMost(0.25, "s", "register.n1m").peer("peers.ingest.n1m"),
        Row(3, "register n100k", "register eagerly until available, n100k")
            .atMost(0.06, "s", "register.n100k").peer("peers.ingest.n100k"),
        Row(4, "register n16k", "register eagerly until available, n16k")
            .atMost(0.05, "s", "register.n16k").peer("peers.ingest.n16k"),
    ]

    private static let reading: [Row] = [
        Row(5, "acquire", "acquire a warm available shard and release it, the same at every size")
            .atMost(2_000, "ns", "acquire.n1m.p50", "n1m, p50")
            .atMost(20_000, "ns", "acquire.n1m.p99", "n1m, p99")
            .atMost(2_000, "ns", "acquire.n100k.p50", "n100k, p50")
            .atMost(20_000, "ns", "acquire.n100k.p99", "n100k, p99"),
        Row(6, "get", "get a block at random, n1m")
            .atLeast(2.5, "M/s", "gets.views.1", "views, 1 thread")
            .atLeast(5, "M/s", "gets.views.2", "views, 2 threads")
            .atLeast(8, "M/s", "gets.batch8", "batches of 8")
            .atLeast(1.5, "M/s", "gets.copied.1", "copied, 1 thread"),
        Row(7, "lookup", "look an entry of the index up at random, n1m")
            .atMost(100, "ns", "lookup.hit.unconfirmed", "hit, unconfirmed")
            .atMost(80, "ns", "lookup.miss.unconfirmed", "miss, unconfirmed")
            .atMost(350, "ns", "lookup.hit.confirmed", "hit, confirmed")
            .atMost(1, "MB", "lookup.heap", "heap")
            .peer("peers.lookup.hit", "hit").peer("peers.lookup.miss", "miss"),
        Row(8, "lookup in CAR order", "look entries up in CAR order (a DAG walk), confirmed")
            .atMost(60, "ns", "lookup.ordered.confirmed"),
    ]

    private static let index: [Row] = [
        Row(9, "index", "index size, an entry of n1m, lengths and codecs included")
            .atMost(38.2, "B/entry", "index.smallest.total", "in all")
            .atMost(5.6, "B/entry", "index.smallest.locator", "hot part")
            .atMost(44, "B/entry", "index.smallest.catalogue", "whole store")
            .peer("peers.size"),
        Row(
            10,
            "inverse add",
            "add 1 M multihashes to the inverse index, and the same as the tenth shard"
        )
        .atMost(0.1, "s", "inverse.add.first", "first")
        .atMost(1.25, "x", "inverse.add.tenth-to-first", "tenth to first"),
        Row(11, "inverse size", "inverse index size, an entry, at 10 M")
            .atMost(6.6, "B/entry", "inverse.size"),
        Row(12, "inverse find", "look multihashes up in the inverse index, random hits, 1 thread")
            .atLeast(2, "M/s", "inverse.find.1m", "1 M")
            .atLeast(1, "M/s", "inverse.find.10m", "10 M"),
    ]

    private static let store: [Row] = [
        Row(13, "register lazily", "register lazily, 10 k shards, 128 in flight, durable")
            .atLeast(60_000, "1/s", "lazy.10k"),
        Row(14, "register small", "register eagerly, 10 k small shards of 5 blocks, 128 in flight")
            .atLeast(20_000, "1/s", "eager.small"),
        Row(15, "register the same", "register one content of 5 blocks under 10,000 keys")
            .atLeast(20_000, "1/s", "eager.same"),
        Row(16, "open", "open a store of 100 k and of 1 M shards, available")
            .atMost(10, "ms", "open.100000", "100 k")
            .atMost(20, "MB", "open.100000.heap", "100 k, heap")
            .atMost(10, "ms", "open.1000000", "1 M")
            .atMost(20, "MB", "open.1000000.heap", "1 M, heap")
            .peer("peers.restart"),
        Row(17, "verify", "verify every block, 2 cores")
            .atLeast(2.4, "GB/s", "verify.n100k", "n100k")
            .atLeast(3.4, "GB/s", "verify.n16k", "n16k")
            .peer("peers.verify.n100k"),
        Row(18, "memory", "memory while registering n1m, and while serving it")
            .atMost(150, "MB", "memory.register.peak", "registering, peak")
            .atMost(10, "MB", "memory.serve.heap", "serving, heap"),
    ]

    private static let gateway: [Row] = [
        Row(
            19,
            "blocks over HTTP",
            "raw blocks of 1 KiB at random over HTTP, kept-alive connections"
        )
        .atLeast(20_000, "1/s", "http.raw.1", "1 connection")
        .atLeast(40_000, "1/s", "http.raw.32", "32 connections")
        .atLeast(0.8, "x", "http.raw.32.to-library", "32, to the HTTP library alone"),
        Row(20, "CAR over HTTP", "CAR of a DAG of 320 MiB over loopback")
            .atLeast(1.5, "GB/s", "http.car.1", "1 connection")
            .atLeast(2, "GB/s", "http.car.32", "32 connections")
            .atLeast(0.8, "x", "http.car.32.to-library", "32, to a buffer of the HTTP library")
            .atMost(200, "MB", "http.car.memory", "memory"),
        Row(21, "first byte over HTTP", "time to the first byte of that CAR, idle, p50")
            .atMost(0.3, "ms", "http.first-byte.p50"),
        Row(
            22,
            "start of a node",
            "from process start to the first block served, registered before"
        )
        .atMost(50, "ms", "http.start.n1m", "n1m")
        .atMost(40, "MB", "http.start.n1m.memory", "n1m, memory")
        .atMost(50, "ms", "http.start.n100k", "n100k")
        .atMost(40, "MB", "http.start.n100k.memory", "n100k, memory"),
    ]
}
