import DAGMeasurement
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import Peers
import SystemPackage

/// Workloads whose costs are measured at growing numbers of entries and shards.
extension Workload {
    private static let searches = 100_000

    static let entryCurves = Workload(
        "curve-entries",
        about: "cost curves over the entries of a shard: lookup, acquire, ingest, open, size"
    ) { bench in
        var result = WorkloadResult()
        // With repeats where they cost little; a hundred million entries take a minute each time.
        let counts = bench.isQuick ? 3...6 : 3...8
        for exponent in counts {
            let count = power(10, exponent)
            let runs = exponent > 6 ? 1 : bench.runs
            result.figures += try await entryPoint(bench, count, runs)
        }
        if bench.isQuick { result.skipped.append((nil, "over 10^6 entries: a quick run")) }
        return result
    }

    private static func power(_ base: Int, _ exponent: Int) -> Int {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    private static func entryPoint(
        _ bench: Bench,
        _ count: Int,
        _ runs: Int
    ) async throws -> [Figure] {
        let set = Dataset.curve(count)
        let path = try set.file(in: bench.folder)
        let key = try ShardKey(set.name)
        let place = try bench.emptyStore("curve")
        var ingest: [Double] = []
        for _ in 0..<runs {
            bench.remove(place)
            let store = try DAGStore.open(at: place)
            let start = now()
            try await store.register(key, from: FileMount(path))
            ingest.append(Double(now() - start) / 1e9)
            await store.close()
        }
        var open: [Double] = []
        for _ in 0..<bench.runs {
            let start = now()
            let store = try DAGStore.open(at: place)
            open.append(Double(now() - start) / 1e6)
            await store.close()
        }
        let store = try DAGStore.open(at: place)
        let shard = try await store.acquire(key)
        let cids = try sampledCIDs(shard, count: searches)
        for cid in cids { consume(try shard.contains(cid)) }
        let lookup = try bench.values {
            let start = now()
            var found = 0
            for cid in cids where try shard.contains(cid) { found += 1 }
            guard found == cids.count else { throw BenchmarkError("a lookup found no entry") }
            return Double(now() - start) / Double(cids.count)
        }
        let size = Double(try store.statistics().catalogUsedBytes)
        shard.release()
        var acquire: [Double] = []
        for _ in 0..<bench.runs {
            let start = now()
            for _ in 0..<10_000 { try store.acquireIfAvailable(key)?.release() }
            acquire.append(Double(now() - start) / 10_000)
        }
        await store.close()
        bench.remove(place)
        // The data sets of the longest curves take gigabytes.
        if count > 10_000_000 { unlink(path.string) }
        return [
            ("curve.lookup", "ns", lookup), ("curve.acquire", "ns", acquire),
            ("curve.ingest", "s", ingest), ("curve.open", "ms", open), ("curve.size", "B", [size]),
        ].map { name, unit, values in
            Figure(
                name: name,
                unit: unit,
                values: values,
                point: Figure.Point(count: count, axis: "entries")
            )
        }
    }

    /// CIDs of a shard at random, without having all of them in memory.
    private static func sampledCIDs(_ shard: Shard, count: Int) throws -> [CID] {
        let total = shard.blockCount
        var random = SplitMix64(seed: 79)
        var places = Set<UInt64>()
        let wanted = min(UInt64(count), total)
        while UInt64(places.count) < wanted { places.insert(random.next() % total) }
        var cids: [CID] = []
        var ordered = places.sorted()[...]
        try Measurement.forEachCID(of: shard) { ordinal, cid in
            guard let next = ordered.first else { return false }
            if ordinal == next {
                // A copy of its own: a caller has its CIDs at hand.
                cids.append(try CID(bytes: cid().bytes.map { $0 }))
                ordered = ordered.dropFirst()
            }
            return true
        }
        cids.shuffle(using: &random)
        return (0..<count).map { cids[$0 % cids.count] }
    }

    static let shardCurves = Workload(
        "curve-shards",
        about: "cost curves over shards of 5 blocks: register, open, acquire, find, size"
    ) { bench in
        var result = WorkloadResult()
        let counts = bench.isQuick ? 0...4 : 0...6
        for exponent in counts {
            let count = power(10, exponent)
            result.figures += try await shardPoint(bench, count, exponent > 4 ? 1 : bench.runs)
        }
        if bench.isQuick { result.skipped.append((nil, "over 10^4 shards: a quick run")) }
        return result
    }

    private static func shardPoint(
        _ bench: Bench,
        _ count: Int,
        _ runs: Int
    ) async throws -> [Figure] {
        let mounts = try SmallShardMount.registry()
        let place = try bench.emptyStore("curve-shards")
        var register: [Double] = []
        for _ in 0..<runs {
            bench.remove(place)
            let store = try DAGStore.open(at: place, mounts: mounts)
            let start = now()
            try await inFlight(128, of: count) { number in
                try await store.register(
                    ShardKey("shard-\(number)"),
                    from: SmallShardMount(number: number)
                )
            }
            register.append(Double(now() - start) / 1e9)
            try await Measurement.waitForMerges(in: store)
            await store.close()
        }
        var open: [Double] = []
        for _ in 0..<bench.runs {
            let start = now()
            let store = try DAGStore.open(at: place, mounts: mounts)
            open.append(Double(now() - start) / 1e6)
            await store.close()
        }
        let store = try DAGStore.open(at: place, mounts: mounts)
        let size = Double(try store.statistics().catalogUsedBytes)
        let key = try ShardKey("shard-\(count / 2)")
        try await store.acquire(key).release()
        let acquire = try bench.values {
            let start = now()
            for _ in 0..<10_000 { try store.acquireIfAvailable(key)?.release() }
            return Double(now() - start) / 10_000
        }
        var random = SplitMix64(seed: 80)
        let wanted = (0..<10_000).map { _ in
            Dataset.smallShard(Int(random.next() % UInt64(count))).cids[Int(random.next() % 5)]
        }
        for cid in wanted { consume(try store.shards(containing: cid.multihash).count) }
        let find = try bench.values {
            let start = now()
            for cid in wanted {
                guard try !store.shards(containing: cid.multihash).isEmpty else {
                    throw BenchmarkError("a block was not found")
                }
            }
            return Double(now() - start) / Double(wanted.count)
        }
        await store.close()
        bench.remove(place)
        return [
            ("curve.shards.register", "s", register), ("curve.shards.open", "ms", open),
            ("curve.shards.acquire", "ns", acquire), ("curve.shards.find", "ns", find),
            ("curve.shards.size", "B", [size]),
        ].map { name, unit, values in
            Figure(
                name: name,
                unit: unit,
                values: values,
                point: Figure.Point(count: count, axis: "shards")
            )
        }
    }
}
