import BenchReport
import DAGMultiformats
import DAGStorage
import Glibc
import SystemPackage

/// Reads on many threads of one store, beside as many processes with a store each.
extension Workload {
    private static let swiftAcquisitions = 200_000

    static let threads = Workload(
        "threads",
        about:
            "TARGETS 23 to 29: reads on 1 to 16 threads, and in as many processes; DAGSTORE_PREFIX is where libdagstore is installed"
    ) { bench in
        guard let prefix = ForeignProgram.prefix else {
            return WorkloadResult(skipped: [(nil, ForeignProgram.unavailability)])
        }
        let program = try ForeignProgram(
            compiling: "threads",
            prefix: prefix,
            into: bench.folder
        )
        let data = bench.folder.appending("threads")
        let counts = bench.isQuick ? [1, 2, 16] : [1, 2, 4, 8, 16]
        let size = bench.isQuick ? "--blocks 100000 --seconds 0.05" : "--seconds 0.2"
        let list = counts.map(String.init).joined(separator: ",")
        let text = try program.output("\(data) \(size) --runs \(bench.runs) --threads \(list)")
        guard let lines = ThreadLine.lines(of: text) else {
            throw BenchmarkError("threads printed \(text)")
        }
        var figures = ThreadFigure.values(of: lines).map(Figure.init)
        figures += try popular(program, data, bench)
        figures += try await swiftReads(counts, bench)
        return WorkloadResult(figures: figures)
    }

    /// Blocks that one shard holds, and blocks that very many hold, on one thread.
    private static func popular(
        _ program: ForeignProgram,
        _ data: FilePath,
        _ bench: Bench
    ) throws -> [Figure] {
        let counts = bench.isQuick ? [1, 100, 1000] : [1, 1000, 65_536]
        let reads = ["contains", "get"]
        let rows = reads.flatMap { read in counts.map { "popular.\(read).\($0)" } }
        let list = counts.map(String.init).joined(separator: ",")
        let text = try program.output(
            "\(data) --popular \(list) --rows \(rows.joined(separator: ",")) --modes threads "
                + "--threads 1 --runs \(bench.runs) --seconds \(bench.isQuick ? 0.05 : 0.3)"
        )
        guard let lines = ThreadLine.lines(of: text) else {
            throw BenchmarkError("threads printed \(text)")
        }
        func times(_ read: String, _ count: Int) -> [Double] {
            lines.filter { $0.row == "popular.\(read).\(count)" }
                .map { 1e9 / $0.operationsPerSecond }
        }
        return reads.flatMap { read -> [Figure] in
            let ratios = zip(times(read, counts[2]), times(read, 1)).map { $0 / $1 }
            return counts.map { count in
                Figure(name: "popular.\(read).\(count)", unit: "ns", values: times(read, count))
            } + [Figure(name: "popular.\(read).many-to-one", unit: "x", values: ratios)]
        }
    }

    /// Gets and acquisitions through the Swift interface.
    private static func swiftReads(_ counts: [Int], _ bench: Bench) async throws -> [Figure] {
        let store = try await store(bench, .n1m)
        let key = try ShardKey("n1m")
        let shard = try await store.acquire(key)
        let cids = try randomCIDs(shard, count: 1_000_000)
        var figures: [Figure] = []
        for count in counts {
            // Each thread has its own copy: a retain is a write that other threads would see.
            let parts = try (0..<count).map { thread in
                try stride(from: thread, to: cids.count, by: count).map { index in
                    try CID(bytes: cids[index].bytes.map { $0 })
                }
            }
            let gets = bench.values {
                let start = now()
                onThreads(count) { thread in
                    var total = 0
                    for cid in parts[thread] {
                        total &+= (try? shard.blockIfLocal(for: cid))?.size ?? 0
                    }
                    consume(total)
                }
                return Double(cids.count) / Double(now() - start) * 1e3
            }
            let acquisitions = bench.values {
                let start = now()
                onThreads(count) { _ in
                    for _ in 0..<swiftAcquisitions / count {
                        try? store.acquireIfAvailable(key)?.release()
                    }
                }
                return Double(swiftAcquisitions / count * count) / Double(now() - start) * 1e3
            }
            for (row, values) in [("swift.get", gets), ("swift.acquire", acquisitions)] {
                let name = ThreadFigure(row, count).name
                figures.append(Figure(name: name, unit: "M/s", values: values))
            }
        }
        shard.release()
        await store.close()
        return figures
    }
}

extension Figure {
    /// The rates of many threads, or ratios of rates; more is better.
    fileprivate init(_ values: ThreadFigure.Values) {
        let figure = values.figure
        self.init(name: figure.name, unit: figure.kind.unit, values: values.values)
        isRate = true
    }
}
