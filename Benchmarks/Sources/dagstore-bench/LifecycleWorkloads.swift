import DAGHashing
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import SystemPackage

/// Workloads of the shard lifecycle: rows 5 and 13 to 16, and small answers beside large registrations.
extension Workload {
    /// Acquires timed one by one for the percentiles.
    private static let acquisitions = 100_000

    static let acquire = Workload(
        name: "acquire",
        about: "TARGETS 5: acquire and release, warm, from idle and beside another lease"
    ) { bench in
        var figures: [Figure] = []
        for set in [Dataset.n1m, .n100k] {
            let store = try await store(bench, set)
            let key = try ShardKey(set.name)
            try await store.acquire(key).release()
            figures += try percentiles("acquire.\(set.name)", bench, store, key)
            let kept = try await store.acquire(key)
            figures += try percentiles("acquire.\(set.name).shared", bench, store, key)
            kept.release()
            var asked: [Double] = []
            for _ in 0..<bench.runs {
                let start = now()
                for _ in 0..<acquisitions { try await store.acquire(key).release() }
                asked.append(Double(now() - start) / Double(acquisitions))
            }
            figures.append(Figure(name: "acquire.\(set.name).async", unit: "ns", values: asked))
            await store.close()
        }
        return figures
    }

    private static func percentiles(
        _ name: String,
        _ bench: Bench,
        _ store: DAGStore,
        _ key: ShardKey
    ) throws -> [Figure] {
        var latencies = Latencies()
        for _ in 0..<bench.runs {
            for _ in 0..<acquisitions {
                let start = now()
                try store.acquireIfAvailable(key)?.release()
                latencies.record(now() - start)
            }
            latencies.endRun()
        }
        return latencies.figures(name)
    }

    static let lazy = Workload(
        name: "lazy",
        about: "TARGETS 13: register 10,000 shards lazily, 128 in flight, durable"
    ) { bench in
        var values: [Double] = []
        for _ in 0..<bench.runs {
            let place = try bench.emptyStore("lazy")
            let store = try DAGStore.open(at: place)
            let start = now()
            try await inFlight(128, of: 10_000) { number in
                try await store.register(
                    ShardKey("shard-\(number)"),
                    from: FileMount(FilePath("/nowhere/\(number).car")),
                    indexing: .onFirstUse
                )
            }
            values.append(10_000 / (Double(now() - start) / 1e9))
            await store.close()
            bench.remove(place)
        }
        return [Figure(name: "lazy.10k", unit: "1/s", values: values)]
    }

    static let eager = Workload(
        name: "eager",
        about: "TARGETS 14 and 15: 10,000 shards, 128 in flight"
    ) { bench in
        var figures: [Figure] = []
        for isSame in [false, true] {
            let folder = bench.folder.appending(isSame ? "same-shards" : "small-shards")
            try Dataset.writeSmallShards(10_000, in: folder, isSame: isSame)
            var values: [Double] = []
            for _ in 0..<bench.runs {
                let place = try bench.emptyStore("eager")
                let store = try DAGStore.open(at: place)
                let start = now()
                try await inFlight(128, of: 10_000) { number in
                    try await store.register(
                        ShardKey("shard-\(number)"),
                        from: FileMount(folder.appending("\(isSame ? 0 : number).car"))
                    )
                }
                values.append(10_000 / (Double(now() - start) / 1e9))
                await store.close()
                bench.remove(place)
            }
            figures.append(
                Figure(name: isSame ? "eager.same" : "eager.small", unit: "1/s", values: values)
            )
        }
        return figures
    }

    static let opening = Workload(
        name: "open",
        about: "TARGETS 16: open a store of 1 k, 100 k and 1 M shards, and acquire in it"
    ) { bench in
        var figures: [Figure] = []
        for count in [1_000, 100_000, 1_000_000] {
            let place = try await filledStore(count, bench)
            var values: [Double] = []
            var heap: [Double] = []
            for _ in 0..<bench.runs {
                let before = dagstore_bench.memory("RssAnon")
                let start = now()
                let store = try DAGStore.open(at: place)
                values.append(Double(now() - start) / 1e6)
                heap.append(max(0, dagstore_bench.memory("RssAnon") - before) / 1e6)
                await store.close()
            }
            figures.append(Figure(name: "open.\(count)", unit: "ms", values: values))
            figures.append(Figure(name: "open.\(count).heap", unit: "MB", values: heap))
            let store = try DAGStore.open(at: place)
            let key = try ShardKey("shard-\(count / 2)")
            try await store.acquire(key).release()
            figures += try percentiles("open.\(count).acquire", bench, store, key)
            await store.close()
        }
        return figures
    }

    /// A store of shards that all have the same five blocks, made if it is missing.
    static func filledStore(_ count: Int, _ bench: Bench) async throws -> FilePath {
        let folder = bench.folder.appending("same-shards")
        try Dataset.writeSmallShards(1, in: folder, isSame: true)
        let place = bench.folder.appending("store-open-\(count)")
        guard !isThere(place.appending("whole")) else { return place }
        bench.remove(place)
        try await fill(place, count, from: folder.appending("0.car"))
        try touch(place.appending("whole"))
        return place
    }

    private static func fill(_ place: FilePath, _ count: Int, from car: FilePath) async throws {
        var configuration = Configuration()
        // Made once, and made again if the machine stops.
        configuration.durability = .relaxed
        let store = try DAGStore.open(at: place, configuration: configuration)
        try await inFlight(512, of: count) { number in
            try await store.register(ShardKey("shard-\(number)"), from: FileMount(car))
        }
        await store.close()
    }

    static let beside = Workload(
        name: "beside",
        about: "small answers beside a bulk load: lazy registrations while n1m is indexed"
    ) { bench in
        let set = Dataset.n1m
        let path = try set.file(in: bench.folder)
        var latencies = Latencies()
        for _ in 0..<bench.runs {
            let place = try bench.emptyStore("beside")
            let store = try DAGStore.open(at: place)
            var times = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<5 {
                        try await store.register(ShardKey("bulk-\(number)"), from: FileMount(path))
                    }
                }
                while try store.status(of: ShardKey("bulk-4"))?.state != .available {
                    let start = now()
                    try await store.register(
                        ShardKey("small-\(times)"),
                        from: FileMount("/nowhere.car"),
                        indexing: .onFirstUse
                    )
                    latencies.record(now() - start)
                    times += 1
                }
                try await group.waitForAll()
            }
            latencies.endRun()
            await store.close()
            bench.remove(place)
        }
        return latencies.figures("beside.lazy", unit: "ms", scale: 1e6)
    }

    /// Runs `body` for every number below `count`, `width` at a time.
    static func inFlight(
        _ width: Int,
        of count: Int,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= width { try await group.next() }
                group.addTask { try await body(number) }
            }
            try await group.waitForAll()
        }
    }

    static func isThere(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

    static func touch(_ path: FilePath) throws {
        let file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: .create,
            permissions: .ownerReadWrite
        )
        try file.close()
    }
}
