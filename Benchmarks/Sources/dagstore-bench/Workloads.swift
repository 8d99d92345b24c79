import DAGBytes
import DAGHashing
import DAGMeasurement
import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import Peers
import SystemPackage

/// The folders and options of a workload.
struct Bench {
    let folder: FilePath
    let runs: Int
    var isQuick = false

    func values(_ runs: Int? = nil, _ body: () throws -> Double) rethrows -> [Double] {
        try (0..<(runs ?? self.runs)).map { _ in try body() }
    }

    /// A folder for one store, empty.
    func emptyStore(_ name: String) throws -> FilePath {
        let path = folder.appending("store-\(name)")
        remove(path)
        return path
    }

    func remove(_ path: FilePath) {
        for name in ["catalog/data.mdb", "catalog/lock.mdb", "LOCK"] {
            unlink(path.appending(name).string)
        }
        for name in ["catalog", "tmp", "transients"] { rmdir(path.appending(name).string) }
        rmdir(path.string)
    }
}

/// The results of a workload.
struct WorkloadResult {
    var figures: [Figure] = []
    /// The work that was skipped: the system, nil for all, and the reason.
    var skipped: [(system: String?, reason: String)] = []
}

struct Workload {
    /// The runs that include a workload.
    enum Kind {
        /// Always.
        case plain
        /// With everything, or when it is named: it takes minutes.
        case long
        /// The same, because others are measured too.
        case peers
    }

    let name: String
    let about: String
    let kind: Kind
    let run: @Sendable (Bench) async throws -> WorkloadResult

    /// A workload that measures all that it is to measure.
    init(
        name: String,
        about: String,
        kind: Kind = .plain,
        run: @escaping @Sendable (Bench) async throws -> [Figure]
    ) {
        self.init(name, about: about, kind: kind) { WorkloadResult(figures: try await run($0)) }
    }

    /// A workload that may have to leave something out.
    init(
        _ name: String,
        about: String,
        kind: Kind = .plain,
        result: @escaping @Sendable (Bench) async throws -> WorkloadResult
    ) {
        self.name = name
        self.about = about
        self.kind = kind
        run = result
    }

    static let all: [Workload] = [
        line, build, register, index, lookup, gets, pagePath, acquire, verify, vectors, memory,
        commandLine, lazy, eager, opening, beside, inverse, inverseSmall, inverseLarge, anyBlock,
        foreign, threads, gateway, admin, cluster, clusterLarge, remote, cold, flat, first, guarded,
        migrate, entryCurves,
        shardCurves,
        peers,
        oneByOne,
    ]

    /// Work that measures the machine and not the store; the targets are scaled by it.
    static let line = Workload(
        name: "line",
        about: "what the machine does: SHA-256 of 256 KiB and 1 KiB, an LMDB get among 1 M"
    ) {
        bench in
        var random = SplitMix64(seed: 9)
        var figures: [Figure] = []
        for size in [262_144, 1024] {
            var block: [UInt8] = []
            for _ in 0..<size / 8 { block.append(littleEndian: random.next()) }
            let rounds = (256 << 20) / size
            let values = bench.values {
                let start = now()
                for _ in 0..<rounds {
                    consume(
                        block.withView { BlockHash.check(code: 0x12, digest: $0[0..<32], data: $0) }
                    )
                }
                return Double(rounds * size) / Double(now() - start)
            }
            figures.append(Figure(name: "line.sha256.\(size)", unit: "GB/s", values: values))
        }
        figures.append(
            Figure(name: "line.lmdb.get", unit: "ns", values: try lmdbGets(bench))
        )
        return figures
    }

    /// Random gets of rows of 36 and 12 bytes among a million, in LMDB with its defaults.
    private static func lmdbGets(_ bench: Bench) throws -> [Double] {
        let folder = bench.folder.appending("line-lmdb").string
        system("rm -rf \(folder)")
        defer { system("rm -rf \(folder)") }
        var random = SplitMix64(seed: 10)
        let entries = (0..<1_000_000).map { number in
            PeerEntry(
                digest: (random.next(), random.next(), random.next(), random.next()),
                offset: UInt64(number),
                size: 1
            )
        }
        let database = try LMDBPeer(at: folder)
        try entries.withUnsafeBufferPointer { try database.ingest(shard: 1, $0) }
        let digests = (0..<500_000).map { _ in
            entries[Int(random.next() % UInt64(entries.count))].digest
        }
        let values = try bench.values {
            let start = now()
            for var digest in digests { consume(try database.offset(of: &digest, in: 1)) }
            return Double(now() - start) / Double(digests.count)
        }
        try database.close()
        return values
    }

    static let build = Workload(name: "build", about: "TARGETS 1: build an index, not stored") {
        bench in
        var figures: [Figure] = []
        for set in [Dataset.n1m, .n100k, .n16k] {
            let path = try set.file(in: bench.folder)
            let values = try bench.values {
                let start = now()
                let built = try Measurement.buildIndex(of: path)
                guard built.sections == UInt64(set.blocks) else {
                    throw BenchmarkError("sections are missing")
                }
                return Double(now() - start) / 1e9
            }
            figures.append(Figure(name: "build.\(set.name)", unit: "s", values: values))
        }
        return figures
    }

    static let register = Workload(
        name: "register",
        about: "TARGETS 2 to 4: register until available, durable"
    ) { bench in
        var figures: [Figure] = []
        for set in [Dataset.n1m, .n100k, .n16k] {
            let path = try set.file(in: bench.folder)
            var values: [Double] = []
            for _ in 0..<bench.runs {
                let place = try bench.emptyStore("register")
                let store = try DAGStore.open(at: place)
                let start = now()
                try await store.register(ShardKey(set.name), from: FileMount(path))
                values.append(Double(now() - start) / 1e9)
                await store.close()
                bench.remove(place)
            }
            figures.append(Figure(name: "register.\(set.name)", unit: "s", values: values))
        }
        return figures
    }

    /// A store with one data set, opened.
    static func store(
        _ bench: Bench,
        _ set: Dataset,
        _ configure: (inout Configuration) -> Void = { _ in }
    ) async throws -> DAGStore {
        var configuration = Configuration()
        configure(&configuration)
        let store = try DAGStore.open(
            at: try bench.emptyStore(set.name),
            configuration: configuration
        )
        try await store.register(
            ShardKey(set.name),
            from: FileMount(try set.file(in: bench.folder))
        )
        return store
    }

    static let index = Workload(name: "index", about: "TARGETS 9: index size by policy") { bench in
        var figures: [Figure] = []
        for policy in Configuration.PagePolicy.allCases {
            let store = try await store(bench, .n1m) { $0.pagePolicy = policy }
            let entries = Double(Dataset.n1m.blocks)
            let statistics = try store.statistics()
            let shard = try await store.acquire(ShardKey("n1m"))
            let locator = Double(Measurement.locatorSize(of: shard))
            let name = "index.\(policy.rawValue)"
            figures += [
                Figure(
                    name: "\(name).total",
                    unit: "B/entry",
                    values: [Double(statistics.indexBytes) / entries]
                ),
                Figure(name: "\(name).locator", unit: "B/entry", values: [locator / entries]),
                Figure(
                    name: "\(name).catalogue",
                    unit: "B/entry",
                    values: [Double(statistics.catalogUsedBytes) / entries]
                ),
            ]
            shard.release()
            await store.close()
        }
        return figures
    }

    /// CIDs of a shard, spread over it at random.
    static func randomCIDs(_ shard: Shard, count: Int) throws -> [CID] {
        let all = try Measurement.cids(of: shard)
        var random = SplitMix64(seed: 77)
        // Fresh copies: a caller has its CIDs at hand, not scattered over memory.
        return try (0..<count).map { _ in
            try CID(bytes: all[Int(random.next() % UInt64(all.count))].bytes.map { $0 })
        }
    }

    static func absentCIDs(count: Int) -> [CID] {
        var random = SplitMix64(seed: 78)
        return (0..<count).map { _ in
            var digest: [UInt8] = []
            for _ in 0..<4 { digest.append(littleEndian: random.next()) }
            return CID(codec: Codec.raw, multihash: Multihash(code: 0x12, digest: digest))
        }
    }

    static let lookup = Workload(
        name: "lookup",
        about:
            "TARGETS 7 and 8: random hits and misses before and with the confirming read; CAR order"
    ) { bench in
        let store = try await store(bench, .n1m)
        let shard = try await store.acquire(ShardKey("n1m"))
        let count = 1_000_000
        let heap = try heapOfLookups(shard)
        let hits = try randomCIDs(shard, count: count)
        let misses = absentCIDs(count: count)
        let ordered = try Measurement.cids(of: shard)
        func time(_ cids: [CID], expect: Int, _ find: (CID) throws -> Bool) throws -> [Double] {
            try bench.values {
                var found = 0
                let start = now()
                for cid in cids where try find(cid) { found += 1 }
                let elapsed = Double(now() - start)
                guard found == expect else { throw BenchmarkError("\(found) of \(expect) found") }
                return elapsed / Double(cids.count)
            }
        }
        return [
            Figure(
                name: "lookup.hit.unconfirmed",
                unit: "ns",
                values: try time(hits, expect: count) {
                    Measurement.firstCandidate(in: shard, of: $0) != nil
                }
            ),
            Figure(
                name: "lookup.miss.unconfirmed",
                unit: "ns",
                values: bench.values {
                    let start = now()
                    var found = 0
                    for cid in misses where Measurement.firstCandidate(in: shard, of: cid) != nil {
                        found += 1
                    }
                    consume(found)
                    return Double(now() - start) / Double(count)
                }
            ),
            Figure(
                name: "lookup.hit.confirmed",
                unit: "ns",
                values: try time(hits, expect: count) { try shard.contains($0) }
            ),
            Figure(
                name: "lookup.miss.confirmed",
                unit: "ns",
                values: try time(misses, expect: 0) { try shard.contains($0) }
            ),
            Figure(
                name: "lookup.ordered.confirmed",
                unit: "ns",
                values: try time(ordered, expect: count) { try shard.contains($0) }
            ),
            Figure(name: "lookup.heap", unit: "MB", values: [heap]),
        ]
    }

    /// The heap that an index takes after a search of all its entries, in megabytes.
    private static func heapOfLookups(_ shard: Shard) throws -> Double {
        let absent = absentCIDs(count: 10_000)
        let before = dagstore_bench.memory("RssAnon")
        for cid in absent { consume(try shard.contains(cid)) }
        for cid in absent { consume(try shard.contains(cid)) }
        return max(0, dagstore_bench.memory("RssAnon") - before) / 1e6
    }

    static let gets = Workload(
        name: "gets",
        about: "TARGETS 6: random get of a block, 1 and 2 threads"
    ) {
        bench in
        let store = try await store(bench, .n1m)
        let shard = try await store.acquire(ShardKey("n1m"))
        let cids = try randomCIDs(shard, count: 1_000_000)
        var figures: [Figure] = []
        for threads in [1, 2] {
            let values = bench.values {
                let start = now()
                onThreads(threads) { thread in
                    var total = 0
                    for index in stride(from: thread, to: cids.count, by: threads) {
                        if let block = try? shard.blockIfLocal(for: cids[index]) {
                            total &+= block.size
                        }
                    }
                    consume(total)
                }
                return Double(cids.count) / Double(now() - start) * 1e3
            }
            figures.append(Figure(name: "gets.views.\(threads)", unit: "M/s", values: values))
        }
        let batches = stride(from: 0, to: cids.count, by: 8).map { Array(cids[$0..<$0 + 8]) }
        let batched = try bench.values {
            var total = 0
            let start = now()
            for batch in batches {
                for block in try shard.blocksIfLocal(for: batch) { total &+= block?.size ?? 0 }
            }
            guard total == cids.count * Dataset.n1m.blockSize else {
                throw BenchmarkError("blocks are missing")
            }
            return Double(cids.count) / Double(now() - start) * 1e3
        }
        figures.append(Figure(name: "gets.batch8", unit: "M/s", values: batched))
        let values = try bench.values {
            let start = now()
            for cid in cids { consume(try shard.blockIfLocal(for: cid).map { try $0.copiedBytes }) }
            return Double(cids.count) / Double(now() - start) * 1e3
        }
        figures.append(Figure(name: "gets.copied.unguarded", unit: "M/s", values: values))
        return figures
    }

    static let guarded = Workload(
        name: "guarded",
        about:
            "TARGETS 6, views and copies under the mapping guard, which stays for the rest of the run"
    ) { bench in
        guard MappingGuard.install() else {
            throw BenchmarkError("the mapping guard cannot be installed")
        }
        let store = try await store(bench, .n1m)
        let shard = try await store.acquire(ShardKey("n1m"))
        let cids = try randomCIDs(shard, count: 1_000_000)
        let views = try bench.values {
            let start = now()
            for cid in cids { consume(try shard.blockIfLocal(for: cid)?.size) }
            return Double(cids.count) / Double(now() - start) * 1e3
        }
        let copies = try bench.values {
            let start = now()
            for cid in cids { consume(try shard.blockIfLocal(for: cid).map { try $0.copiedBytes }) }
            return Double(cids.count) / Double(now() - start) * 1e3
        }
        return [
            Figure(name: "guarded.views.1", unit: "M/s", values: views),
            // Under the guard, as in our own programs; without it a copy takes a system call.
            Figure(name: "gets.copied.1", unit: "M/s", values: copies),
        ]
    }

    static let pagePath = Workload(
        name: "pages",
        about: "STORAGE 2: answers through decoded pages, by policy; walks, random, cold"
    ) { bench in
        var figures: [Figure] = []
        for policy in Configuration.PagePolicy.allCases {
            let store = try await store(bench, .n1m) {
                $0.pagePolicy = policy
                $0.mapping = .never
            }
            let shard = try await store.acquire(ShardKey("n1m"))
            let cids = try randomCIDs(shard, count: 100_000)
            let walk = try bench.values {
                let start = now()
                consume(try Measurement.walkPages(of: shard))
                return Double(now() - start) / Double(Dataset.n1m.blocks)
            }
            let random = try bench.values {
                let start = now()
                for cid in cids { consume(try shard.location(of: cid)) }
                return Double(now() - start) / Double(cids.count)
            }
            figures += [
                Figure(name: "pages.\(policy.rawValue).walk", unit: "ns", values: walk),
                Figure(name: "pages.\(policy.rawValue).random", unit: "ns", values: random),
            ]
            shard.release()
            await store.close()
        }
        return figures
    }

    static let verify = Workload(name: "verify", about: "TARGETS 17: hash every block, two threads")
    {
        bench in
        var figures: [Figure] = []
        for set in [Dataset.n100k, .n16k] {
            let path = try set.file(in: bench.folder)
            let values = try bench.values {
                let start = now()
                let outcome = try Measurement.verify(path, workers: 2)
                guard outcome.isSound else { throw BenchmarkError("the CAR is not sound") }
                return Double(outcome.bytes) / Double(now() - start)
            }
            figures.append(Figure(name: "verify.\(set.name)", unit: "GB/s", values: values))
        }
        return figures
    }

    static let vectors = Workload(
        "vectors",
        about: "pages of real CARs that choose zstd; DAGSTORE_VECTORS names the folder"
    ) { _ in
        guard let folder = getenv("DAGSTORE_VECTORS").map({ String(cString: $0) }) else {
            return WorkloadResult(
                skipped: [(nil, "DAGSTORE_VECTORS does not name a folder of CARs")]
            )
        }
        var pages = 0
        var zstdPages = 0
        var saved = 0
        var bytes: UInt64 = 0
        var sections: UInt64 = 0
        for path in carFiles(below: folder) {
            // Broken ones are among them on purpose.
            guard let built = try? Measurement.buildIndex(of: FilePath(path)) else { continue }
            pages += built.pages
            zstdPages += built.zstdPages
            saved += built.bytesSaved
            bytes += built.bytes
            sections += built.sections
        }
        return WorkloadResult(figures: [
            Figure(name: "vectors.sections", unit: "sections", values: [Double(sections)]),
            Figure(name: "vectors.pages", unit: "pages", values: [Double(pages)]),
            Figure(name: "vectors.zstd", unit: "pages", values: [Double(zstdPages)]),
            Figure(name: "vectors.saved", unit: "B", values: [Double(saved)]),
            Figure(name: "vectors.index", unit: "B", values: [Double(bytes)]),
        ])
    }

    static func carFiles(below folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let path = "\(folder)/\(name)"
            if entry.pointee.d_type == UInt8(DT_DIR) {
                found += carFiles(below: path)
            } else if name.hasSuffix(".car") {
                found.append(path)
            }
        }
        return found.sorted()
    }

    /// Set in a process that measures its own memory.
    private static let childVariable = "DAGSTORE_BENCH_CHILD"

    static let memory = Workload(
        name: "memory",
        about:
            "TARGETS 18: resident memory while registering and serving n1m, in a process of its own"
    ) { bench in
        if getenv(childVariable) != nil { return try await ownMemory(bench) }
        // In this process the memory of earlier workloads would count.
        _ = try Dataset.n1m.file(in: bench.folder)
        let program = try FilePath(String(cString: unwrapped(realpath("/proc/self/exe", nil))))
        let lines = Machine.output(
            "\(childVariable)=1 '\(program)' run memory --runs 1 --data '\(bench.folder)' 2>/dev/null"
        )
        let figures = lines.split(separator: "\n").compactMap { line -> Figure? in
            guard let figure = MeasuredFigure(line: line) else { return nil }
            return Figure(name: figure.name, unit: figure.unit, values: [figure.median])
        }
        guard !figures.isEmpty else {
            throw BenchmarkError("the process that measures memory failed")
        }
        return figures
    }

    private static func unwrapped(_ path: UnsafeMutablePointer<CChar>?) throws -> UnsafePointer<
        CChar
    > {
        guard let path else { throw BenchmarkError("this program has no path") }
        return UnsafePointer(path)
    }

    private static func ownMemory(_ bench: Bench) async throws -> [Figure] {
        let before = dagstore_bench.memory("VmHWM")
        let store = try await store(bench, .n1m)
        let peak = dagstore_bench.memory("VmHWM")
        let key = try ShardKey("n1m")
        let anonymous = dagstore_bench.memory("RssAnon")
        let shard = try await store.acquire(key)
        let cids = absentCIDs(count: 1000)
        for cid in cids { consume(try shard.contains(cid)) }
        return [
            Figure(name: "memory.register.peak", unit: "MB", values: [peak / 1e6]),
            Figure(name: "memory.before", unit: "MB", values: [before / 1e6]),
            Figure(
                name: "memory.serve.heap",
                unit: "MB",
                values: [max(0, dagstore_bench.memory("RssAnon") - anonymous) / 1e6]
            ),
            Figure(
                name: "memory.serve.anonymous",
                unit: "MB",
                values: [dagstore_bench.memory("RssAnon") / 1e6]
            ),
        ]
    }

    static let commandLine = Workload(
        "cli",
        about:
            "process time of `dagstore get` of the last block of n16k; DAGSTORE names the program"
    ) { bench in
        guard let program = getenv("DAGSTORE").map({ String(cString: $0) }) else {
            return WorkloadResult(skipped: [(nil, "DAGSTORE does not name the program")])
        }
        let store = try await store(bench, .n16k)
        let shard = try await store.acquire(ShardKey("n16k"))
        let last = try Measurement.cids(of: shard, from: UInt64(Dataset.n16k.blocks - 1)).last
        shard.release()
        await store.close()
        guard let last else { throw BenchmarkError("the shard has no last block") }
        let place = bench.folder.appending("store-n16k").string
        let values = try bench.values {
            let start = now()
            let code = system("\(program) get \(last) --store \(place) > /dev/null")
            guard code == 0 else { throw BenchmarkError("get ended with \(code)") }
            return Double(now() - start) / 1e6
        }
        return WorkloadResult(
            figures: [Figure(name: "cli.get.n16k", unit: "ms", values: values)]
        )
    }
}
