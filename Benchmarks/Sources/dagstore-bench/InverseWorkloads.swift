import DAGHashing
import DAGMeasurement
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import Synchronization
import SystemPackage

/// Set once, by another task.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Workloads of the inverse index: rows 10 to 12, and blocks over many shards.
extension Workload {
    /// Multihashes of a shard; shard j has four draws of splitmix64(1000 + j) for each.
    private static let shardSize = 1_000_000

    /// The digest with a number in a shard, without drawing those before it.
    private static func digest(_ number: Int, of shard: Int) -> Measurement.Digest {
        let step: UInt64 = 0x9e37_79b9_7f4a_7c15
        let seed = UInt64(1000 + shard) &+ UInt64(number) &* 4 &* step
        var random = SplitMix64(seed: seed)
        return (random.next(), random.next(), random.next(), random.next())
    }

    private static func add(_ shard: Int, to store: DAGStore, size: Int = shardSize) throws {
        try Measurement.addShard(
            ShardKey("shard-\(shard)"),
            to: store,
            digests: size
        ) { digest($0, of: shard) }
    }

    static let inverse = Workload(
        name: "inverse",
        about: "TARGETS 10 to 12: ten shards of 1 M multihashes, added and searched"
    ) { bench in
        var first: [Double] = []
        var tenth: [Double] = []
        var figures: [Figure] = []
        for round in 1...bench.runs {
            let place = try bench.emptyStore("inverse")
            let store = try DAGStore.open(at: place)
            for shard in 0..<10 {
                let start = now()
                try add(shard, to: store)
                let seconds = Double(now() - start) / 1e9
                if shard == 0 { first.append(seconds) }
                if shard == 9 { tenth.append(seconds) }
                guard round == bench.runs, shard == 0 else { continue }
                figures += try lookups("inverse.1m", bench, store, shards: 1)
            }
            try await Measurement.waitForMerges(in: store)
            if round == bench.runs {
                figures += try lookups("inverse.10m", bench, store, shards: 10)
                figures += try shape("inverse.10m", store)
            }
            await store.close()
            bench.remove(place)
        }
        let ratios = zip(first, tenth).map { $1 / $0 }
        figures.append(Figure(name: "inverse.add.first", unit: "s", values: first))
        figures.append(Figure(name: "inverse.add.tenth", unit: "s", values: tenth))
        figures.append(Figure(name: "inverse.add.tenth-to-first", unit: "x", values: ratios))
        // Under the names of the targets.
        for (name, target) in [
            ("inverse.1m.hit", "inverse.find.1m"), ("inverse.10m.hit", "inverse.find.10m"),
            ("inverse.10m.size", "inverse.size"),
        ] {
            guard let figure = figures.first(where: { $0.name == name }) else { continue }
            let unit = target == "inverse.size" ? "B/entry" : figure.unit
            figures.append(Figure(name: target, unit: unit, values: figure.values))
        }
        return figures
    }

    static let inverseSmall = Workload(
        name: "inverse-small",
        about: "TARGETS 11 for many shards: 10,000 shards of 1,000 multihashes"
    ) { bench in
        let place = try bench.emptyStore("inverse-small")
        var configuration = Configuration()
        configuration.durability = .relaxed
        let store = try DAGStore.open(at: place, configuration: configuration)
        let start = now()
        for shard in 0..<10_000 { try add(shard, to: store, size: 1000) }
        let rate = 10 / (Double(now() - start) / 1e9)
        try await Measurement.waitForMerges(in: store)
        var figures = [Figure(name: "inverse-small.add", unit: "M/s", values: [rate])]
        figures += try lookups("inverse-small", bench, store, shards: 10_000, size: 1000)
        figures += try shape("inverse-small", store)
        await store.close()
        bench.remove(place)
        return figures
    }

    static let inverseLarge = Workload(
        name: "inverse-100m",
        about: "a hundred shards of 1 M multihashes: rate by tens, size, searches, memory",
        kind: .long
    ) { bench in
        let place = try bench.emptyStore("inverse-100m")
        let store = try DAGStore.open(at: place)
        var figures: [Figure] = []
        var heap = 0.0
        for ten in 0..<10 {
            let start = now()
            for shard in ten * 10..<ten * 10 + 10 {
                try add(shard, to: store)
                heap = max(heap, dagstore_bench.memory("RssAnon") / 1e6)
            }
            let rate = 10 / (Double(now() - start) / 1e9)
            let name = "inverse-100m.add.\(ten * 10)m"
            figures.append(Figure(name: name, unit: "M/s", values: [rate]))
        }
        // Small answers while everything is merged.
        let isSettled = Flag()
        let start = now()
        let small = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Measurement.waitForMerges(in: store)
                isSettled.set()
            }
            var times: [Double] = []
            while !isSettled.isSet {
                let start = now()
                try await store.register(
                    ShardKey("small-\(times.count)"),
                    from: FileMount("/nowhere.car"),
                    indexing: .onFirstUse
                )
                times.append(Double(now() - start) / 1e6)
                heap = max(heap, dagstore_bench.memory("RssAnon") / 1e6)
            }
            try await group.waitForAll()
            return times.sorted()
        }
        let settled = Double(now() - start) / 1e9
        figures.append(Figure(name: "inverse-100m.settle", unit: "s", values: [settled]))
        if let longest = small.last {
            let p99 = small[small.count * 99 / 100]
            figures.append(Figure(name: "inverse-100m.beside.p99", unit: "ms", values: [p99]))
            figures.append(Figure(name: "inverse-100m.beside.max", unit: "ms", values: [longest]))
        }
        figures.append(Figure(name: "inverse-100m.heap.peak", unit: "MB", values: [heap]))
        figures += try lookups("inverse-100m", bench, store, shards: 100)
        figures += try shape("inverse-100m", store)
        await store.close()
        bench.remove(place)
        return figures
    }

    private static func lookups(
        _ name: String,
        _ bench: Bench,
        _ store: DAGStore,
        shards: Int,
        size: Int = shardSize
    ) throws -> [Figure] {
        var random = SplitMix64(seed: 5)
        let hits = (0..<500_000).map { _ in
            digest(Int(random.next() % UInt64(size)), of: Int(random.next() % UInt64(shards)))
        }
        let misses = (0..<500_000).map { digest($0, of: 1 << 30) }
        return try [("hit", hits), ("miss", misses)].map { kind, digests in
            let values = try bench.values {
                let start = now()
                var found = 0
                for digest in digests {
                    found += try Measurement.candidateCount(of: digest, in: store) > 0 ? 1 : 0
                }
                guard kind == "miss" || found == digests.count else {
                    throw BenchmarkError("\(digests.count - found) were not found")
                }
                return Double(digests.count) / Double(now() - start) * 1e3
            }
            return Figure(name: "\(name).\(kind)", unit: "M/s", values: values)
        }
    }

    private static func shape(_ name: String, _ store: DAGStore) throws -> [Figure] {
        let statistics = try store.statistics()
        let inverse = statistics.inverse
        let bytes = Double(inverse.bytes) / Double(inverse.entries)
        let stored = Double(statistics.catalogUsedBytes) / Double(inverse.entries)
        return [
            Figure(name: name + ".size", unit: "B", values: [bytes]),
            Figure(name: name + ".stored", unit: "B", values: [stored]),
            Figure(name: name + ".runs", unit: "", values: [Double(inverse.runs.count)]),
            Figure(name: name + ".written", unit: "times", values: [inverse.writeAmplification]),
            Figure(
                name: name + ".peak",
                unit: "MB",
                values: [dagstore_bench.memory("VmHWM") / 1e6]
            ),
            Figure(
                name: name + ".anonymous",
                unit: "MB",
                values: [dagstore_bench.memory("RssAnon") / 1e6]
            ),
        ]
    }

    static let anyBlock = Workload(
        name: "anyblock",
        about: "a block from any of 1,000 shards of 1,000 blocks, random, warm, one thread"
    ) { bench in
        let folder = bench.folder.appending("thousand-shards")
        let cids = try Dataset.writeShards(1000, blocks: 1000, in: folder)
        let place = try bench.emptyStore("anyblock")
        var configuration = Configuration()
        configuration.idleShardsMax = 2000
        let store = try DAGStore.open(at: place, configuration: configuration)
        for number in 0..<1000 {
            let mount = FileMount(folder.appending("\(number).car"))
            try await store.register(ShardKey("shard-\(number)"), from: mount)
        }
        try await Measurement.waitForMerges(in: store)
        for number in 0..<1000 { try await store.acquire(ShardKey("shard-\(number)")).release() }
        var random = SplitMix64(seed: 6)
        let asked = (0..<500_000).map { _ in cids[Int(random.next() % UInt64(cids.count))] }
        for cid in asked { consume(try await store.block(for: cid)?.size) }
        var rates: [Double] = []
        var sync: [Double] = []
        var latencies = Latencies()
        for _ in 0..<bench.runs {
            var start = now()
            for cid in asked {
                guard try await store.block(for: cid) != nil else {
                    throw BenchmarkError("a block was not found")
                }
            }
            rates.append(Double(asked.count) / Double(now() - start) * 1e6)
            start = now()
            for cid in asked {
                guard try store.blockIfLocal(for: cid) != nil else {
                    throw BenchmarkError("a block was not found")
                }
            }
            sync.append(Double(asked.count) / Double(now() - start) * 1e6)
            for cid in asked.prefix(100_000) {
                let start = now()
                consume(try await store.block(for: cid)?.size)
                latencies.record(now() - start)
            }
            latencies.endRun()
        }
        await store.close()
        bench.remove(place)
        return [
            Figure(name: "anyblock.async", unit: "k/s", values: rates),
            Figure(name: "anyblock.local", unit: "k/s", values: sync),
        ] + latencies.figures("anyblock")
    }
}
