import DAGMeasurement
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import SystemPackage

/// A cluster beside a PostgreSQL server on the same disk.
extension Workload {
    private static let noServer = "PostgreSQL is not installed"

    static let cluster = Workload(
        "cluster",
        about:
            "a cluster: publish 1 M multihashes, look-ups, and a node's own reads; PostgreSQL on the same disk, "
            + "DAGSTORE names the program"
    ) { bench in
        guard let server = try PostgreSQLServer(bench) else {
            return WorkloadResult(skipped: [(nil, noServer)])
        }
        var result = WorkloadResult(figures: try await publications(bench, server))
        if let program = getenv("DAGSTORE").map({ String(cString: $0) }),
            !Machine.output("command -v wrk").isEmpty
        {
            result.figures += try await ownReads(bench, server, program)
        } else {
            result.skipped.append(
                (nil, "a node's own reads: wrk, or the program in DAGSTORE, is missing")
            )
        }
        return result
    }

    static let clusterLarge = Workload(
        "cluster-100m",
        about:
            "1,000 shards of 100,000 multihashes into a cluster: size in the database, runs, look-ups",
        kind: .long
    ) { bench in
        guard let server = try PostgreSQLServer(bench) else {
            return WorkloadResult(skipped: [(nil, noServer)])
        }
        return WorkloadResult(figures: try await manyShards(bench, server))
    }

    // MARK: One shard of a million

    private static func publications(
        _ bench: Bench,
        _ server: PostgreSQLServer
    ) async throws -> [Figure] {
        let mount = FileMount(try Dataset.n1m.file(in: bench.folder))
        let key = try ShardKey("n1m")
        var beyond: [Double] = []
        var wholes: [Double] = []
        var figures: [Figure] = []
        for run in 1...bench.runs {
            let alone = try bench.emptyStore("cluster-alone")
            let store = try DAGStore.open(at: alone)
            var start = now()
            try await store.register(key, from: mount)
            let local = Double(now() - start) / 1e9
            await store.close()
            bench.remove(alone)

            let place = bench.folder.appending("store-cluster")
            system("rm -rf \(place)")
            let cluster = try await ClusterMeasurement(
                at: try server.makeDatabase(),
                directory: place
            )
            start = now()
            try await cluster.publish(key, from: mount)
            let whole = Double(now() - start) / 1e9
            wholes.append(whole)
            beyond.append(whole - local)
            if run == bench.runs {
                figures += try await lookups("cluster", bench, cluster, [key])
            }
            await cluster.close()
            system("rm -rf \(place)")
        }
        let rows = try rowInserts(bench, server)
        figures += [
            Figure(name: "cluster.publish", unit: "s", values: beyond),
            Figure(name: "cluster.register-and-publish", unit: "s", values: wholes),
            Figure(name: "cluster.rows", unit: "k/s", values: rows),
            Figure(
                name: "cluster.rows-to-publish",
                unit: "x",
                values: zip(rows, beyond).map { 1000 / $0 / $1 }
            ),
        ]
        return figures
    }

    /// Inserts rows of multihash, shard, offset and size one by one, a thousand in each transaction, and returns
    /// thousands a second.
    private static func rowInserts(
        _ bench: Bench,
        _ server: PostgreSQLServer
    ) throws -> [Double] {
        let address = try server.makeDatabase()
        _ = try server.query(
            """
            CREATE TABLE entries (multihash bytea, shard integer, place bigint, size integer,
                PRIMARY KEY (multihash, shard))
            """,
            in: address
        )
        let count = 50_000
        var random = SplitMix64(seed: 11)
        return try bench.values {
            var sql = ""
            for number in 0..<count {
                if number % 1000 == 0 { sql += "BEGIN;\n" }
                var digits = ""
                for _ in 0..<4 {
                    let word = String(random.next(), radix: 16)
                    digits += String(repeating: "0", count: 16 - word.count) + word
                }
                sql += "INSERT INTO entries VALUES ('\\x1220\(digits)', 1, \(number * 300), 256);\n"
                if number % 1000 == 999 { sql += "COMMIT;\n" }
            }
            let start = now()
            _ = try server.query(sql, in: address)
            return Double(count) / (Double(now() - start) / 1e9) / 1e3
        }
    }

    /// Times look-ups of random multihashes: each chunk out of the database, and all of them out of the cache.
    private static func lookups(
        _ name: String,
        _ bench: Bench,
        _ cluster: ClusterMeasurement,
        _ keys: [ShardKey]
    ) async throws -> [Figure] {
        var multihashes: [Multihash] = []
        for key in keys {
            let shard = try await cluster.store.acquire(key)
            defer { shard.release() }
            multihashes += try randomCIDs(shard, count: 2000 / keys.count).map(\.multihash)
        }
        return try await times(name, bench, cluster, multihashes)
    }

    private static func times(
        _ name: String,
        _ bench: Bench,
        _ cluster: ClusterMeasurement,
        _ multihashes: [Multihash]
    ) async throws -> [Figure] {
        let folder = bench.folder.appending("cluster-cache")
        system("rm -rf \(folder) && mkdir -p \(folder)")
        defer { system("rm -rf \(folder)") }
        func measure(_ search: ClusterSearch, _ multihashes: some Sequence<Multihash>) async throws
            -> Latencies
        {
            var latencies = Latencies()
            for _ in 0..<bench.runs {
                for multihash in multihashes {
                    let start = now()
                    let count = try await search.count(of: multihash)
                    latencies.record(now() - start)
                    guard count > 0 else { throw BenchmarkError("a multihash is missing") }
                }
                latencies.endRun()
            }
            return latencies
        }
        let cold = try await measure(try await cluster.search(cache: nil), multihashes.prefix(500))
        let cached = try await cluster.search(cache: folder)
        for multihash in multihashes { _ = try await cached.count(of: multihash) }
        let warm = try await measure(cached, multihashes)
        return cold.figures("\(name).find.cold", unit: "ms", scale: 1e6)
            + warm.figures("\(name).find.cached", unit: "us", scale: 1e3)
    }

    // MARK: Many shards

    private static func manyShards(
        _ bench: Bench,
        _ server: PostgreSQLServer
    ) async throws -> [Figure] {
        let count = bench.isQuick ? 130 : 1000
        let blocks = 100_000
        let place = bench.folder.appending("store-cluster")
        system("rm -rf \(place)")
        let address = try server.makeDatabase()
        let cluster = try await ClusterMeasurement(at: address, directory: place)
        var publishing = 0.0
        var merging = 0.0
        var mostMerged = 0
        var mostWaiting = 0
        var samples: [Multihash] = []
        for number in 0..<count {
            let set = Dataset(
                name: "cluster-shard",
                blocks: blocks,
                blockSize: 32,
                seed: 0xc105_0000 + UInt64(number),
                sha256: nil
            )
            let file = bench.folder.appending("cluster-shard.car")
            try set.write(to: file)
            let key = try ShardKey("shard-\(number)")
            var start = now()
            try await cluster.publish(key, from: FileMount(file))
            publishing += Double(now() - start) / 1e9
            if number % max(1, count / 100) == 0 {
                let shard = try await cluster.store.acquire(key)
                samples += try randomCIDs(shard, count: 20).map(\.multihash)
                shard.release()
            }
            // The local store would have 4 GB.
            try await cluster.store.destroy(key)
            start = now()
            if number % 16 == 15 {
                for _ in 0..<16 { _ = try await cluster.merge() }
                let runs = try await cluster.amplification()
                mostMerged = max(mostMerged, runs.merged)
                mostWaiting = max(mostWaiting, runs.waiting)
            }
            merging += Double(now() - start) / 1e9
            if number % 50 == 49 { note("\(number + 1) of \(count) shards") }
        }
        let end = try await cluster.amplification()
        let entries = Double(count * blocks)
        var figures = [
            Figure(name: "cluster-100m.publish", unit: "M/s", values: [entries / publishing / 1e6]),
            Figure(name: "cluster-100m.merges", unit: "s", values: [merging]),
            Figure(name: "cluster-100m.runs.merged", unit: "runs", values: [Double(mostMerged)]),
            Figure(name: "cluster-100m.runs.waiting", unit: "runs", values: [Double(mostWaiting)]),
            Figure(
                name: "cluster-100m.runs.end",
                unit: "runs",
                values: [Double(end.merged + end.waiting)]
            ),
        ]
        figures += try sizes(server, address, entries: entries)
        figures += try await times("cluster-100m", bench, cluster, samples)
        await cluster.close()
        system("rm -rf \(place)")
        return figures
    }

    /// The bytes that the live runs and all bundles take, each alone in a table like the cluster's, indexes and TOAST
    /// included; and the whole database, before anything was swept.
    private static func sizes(
        _ server: PostgreSQLServer,
        _ address: String,
        entries: Double
    ) throws -> [Figure] {
        let values = try server.query(
            """
            CREATE TABLE run_parts (LIKE dagstore_blob_parts INCLUDING ALL);
            INSERT INTO run_parts SELECT p.* FROM dagstore_blob_parts p
                WHERE p.name IN (SELECT blob FROM dagstore_runs);
            CREATE TABLE bundle_parts (LIKE dagstore_blob_parts INCLUDING ALL);
            INSERT INTO bundle_parts SELECT p.* FROM dagstore_blob_parts p
                WHERE p.name IN (SELECT bundle FROM dagstore_shards);
            SELECT pg_total_relation_size('run_parts') + pg_total_relation_size('dagstore_runs'),
                pg_total_relation_size('bundle_parts'),
                pg_database_size(current_database()) - pg_total_relation_size('run_parts')
                    - pg_total_relation_size('bundle_parts'),
                (SELECT sum(size) FROM dagstore_runs);
            """,
            in: address
        ).compactMap { Double($0) }
        guard values.count == 4 else { throw BenchmarkError("the sizes are \(values)") }
        return zip(["inverse", "bundles", "database", "runs"], values).map { name, bytes in
            Figure(name: "cluster-100m.size.\(name)", unit: "B/entry", values: [bytes / entries])
        }
    }

    // MARK: A node's own reads

    /// Raw blocks of the same store over HTTP: from a node alone, and from one in a cluster, in turns.
    private static func ownReads(
        _ bench: Bench,
        _ server: PostgreSQLServer,
        _ program: String
    ) async throws -> [Figure] {
        let place = bench.folder.appending("store-cluster")
        system("rm -rf \(place)")
        let address = try server.makeDatabase()
        let file = try Dataset.n100k.file(in: bench.folder)
        let cluster = try await ClusterMeasurement(at: address, directory: place)
        try await cluster.publish(ShardKey("n100k"), from: FileMount(file))
        let shard = try await cluster.store.acquire(ShardKey("n100k"))
        let targets = bench.folder.appending("cluster.targets")
        let text = try Measurement.cids(of: shard, from: 0).map { "/ipfs/\($0)?format=raw\n" }
            .joined()
        try writeFile(Array(text.utf8), to: targets)
        shard.release()
        await cluster.close()
        var rates: [[Double]] = [[], []]
        let serve = [
            "serve", "--store", place.string, "--listen", "127.0.0.1:0", "--format", "json",
        ]
        for run in 0..<max(bench.runs, 5) {
            // Which one goes first changes, because the machine may slow down.
            for kind in run % 2 == 0 ? [0, 1] : [1, 0] {
                let node = try ServedProgram(
                    program,
                    serve + (kind == 0 ? [] : ["--cluster", address])
                )
                rates[kind].append(
                    try requestRate(2, node.port, targets, seconds: bench.isQuick ? 2 : 5)
                )
            }
        }
        system("rm -rf \(place)")
        return [
            Figure(name: "cluster.reads.alone", unit: "1/s", values: rates[0]),
            Figure(name: "cluster.reads.member", unit: "1/s", values: rates[1]),
            Figure(
                name: "cluster.reads.ratio",
                unit: "x",
                values: zip(rates[1], rates[0]).map { $0 / $1 }
            ),
        ]
    }
}
