import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import SystemPackage

/// The same reads from Swift, C, Go, Rust and Python, in the same run.
extension Workload {
    private static let acquisitions = 200_000

    static let foreign = Workload(
        "foreign",
        about:
            "get, batches and acquire from C, Go, Rust and Python beside Swift; DAGSTORE_PREFIX is "
            + "where libdagstore is installed"
    ) { bench in
        guard let prefix = ForeignProgram.prefix else {
            return WorkloadResult(skipped: [(nil, ForeignProgram.unavailability)])
        }
        let programs = try Programs(prefix: prefix, folder: bench.folder)
        var figures = [try size(of: prefix)]
        let store = try await store(bench, .n1m)
        let shard = try await store.acquire(ShardKey("n1m"))
        let random = try randomCIDs(shard, count: 1_000_000)
        let few = (0..<1_000_000).map { random[$0 % 1000] }
        shard.release()
        await store.close()
        for (name, cids) in [("random", random), ("warm", few)] {
            figures += try await compare(name, cids, programs, bench)
        }
        return WorkloadResult(figures: figures)
    }

    private static func size(of prefix: String) throws -> Figure {
        var status = stat()
        guard stat(prefix + "/lib/libdagstore.so", &status) == 0 else {
            throw BenchmarkError("there is no libdagstore.so in \(prefix)/lib")
        }
        return Figure(name: "foreign.library", unit: "MB", values: [Double(status.st_size) / 1e6])
    }

    private static func compare(
        _ name: String,
        _ cids: [CID],
        _ programs: Programs,
        _ bench: Bench
    ) async throws -> [Figure] {
        let list = bench.folder.appending("cids-\(name)")
        let file = try FileDescriptor.open(
            list,
            .writeOnly,
            options: [.create, .truncate],
            permissions: [.ownerReadWrite]
        )
        try file.writeAll(cids.flatMap(\.bytes))
        try file.close()
        let arguments = "\(bench.folder)/store-n1m n1m \(list) \(cids[0].bytes.count)"
        var swift: [[Double]] = []
        var others: [String: [[String: Double]]] = [:]
        // In turn, so that a disturbance meets all.
        for _ in 0..<bench.runs {
            swift.append(try await measure(bench, cids))
            for (language, program) in programs.all {
                let threads = language == "python" ? "" : " \(manyThreads)"
                others[language, default: []].append(
                    try programs.run(program, arguments + threads)
                )
            }
        }
        func figure(_ what: String, _ unit: String, _ values: [Double]) -> Figure {
            Figure(name: "foreign.\(name).\(what)", unit: unit, values: values)
        }
        let c = others["c"] ?? []
        func times(_ what: String) -> [Double] { c.compactMap { $0[what] } }
        let get = zip(swift, times("view")).map { $1 / $0[0] }
        let acquire = zip(swift, times("acquire")).map { $1 / $0[1] }
        var figures = [
            figure("get.swift", "ns", swift.map { $0[0] }), figure("get.c", "ns", times("view")),
            figure("get.c/swift", "x", get), figure("acquire.swift", "ns", swift.map { $0[1] }),
            figure("acquire.c", "ns", times("acquire")), figure("acquire.c/swift", "x", acquire),
        ]
        for (language, _) in programs.all {
            let runs = others[language] ?? []
            for what in Set(runs.flatMap(\.keys)).sorted() {
                let values = runs.compactMap { $0[what] }
                figures.append(figure("\(language).\(what)", "ns", values))
                guard language != "c" else { continue }
                // The rate beside that of the same C call.
                let shares = zip(c, runs).compactMap { c, run in
                    c[Self.callInC(what)].flatMap { time in run[what].map { time / $0 } }
                }
                if !shares.isEmpty { figures.append(figure("\(language)/c.\(what)", "x", shares)) }
            }
        }
        return figures
    }

    /// The threads of the runs with many.
    private static let manyThreads = 16

    /// The name of the C call that a measurement of another language is compared with.
    private static func callInC(_ what: String) -> String {
        let threads = what.hasSuffix(".\(manyThreads)") ? ".\(manyThreads)" : ""
        let call = threads.isEmpty ? what : String(what.dropLast(threads.count))
        let same =
            switch call {
            case "copy.own": "copy"
            case "view.call": "view"
            case "batch", "blocks", "unpacked": "batch.view"
            case "batch.own": "batch.copy"
            default: call
            }
        return same + threads
    }

    /// Nanoseconds of a get and of an acquire with its release, in this process.
    private static func measure(_ bench: Bench, _ cids: [CID]) async throws -> [Double] {
        let store = try DAGStore.open(at: bench.folder.appending("store-n1m"))
        let key = try ShardKey("n1m")
        let shard = try await store.acquire(key)
        func pass() throws -> Int {
            var total = 0
            for cid in cids { total += try shard.blockIfLocal(for: cid)?.size ?? 0 }
            return total
        }
        let warm = try pass()
        var start = now()
        guard try pass() == warm else { throw BenchmarkError("the pass gave another result") }
        let get = Double(now() - start) / Double(cids.count)
        shard.release()
        start = now()
        for _ in 0..<acquisitions { try store.acquireIfAvailable(key)?.release() }
        let acquire = Double(now() - start) / Double(acquisitions)
        await store.close()
        return [get, acquire]
    }
}

/// The programs of other languages, compiled against an installed library.
private struct Programs {
    /// The programs by language, C first.
    private(set) var all: [(String, ForeignProgram)]

    init(prefix: String, folder: FilePath) throws {
        all = [("c", try ForeignProgram(compiling: "get", prefix: prefix, into: folder))]
        add("go", ForeignProgram(buildingGoInto: folder, prefix: prefix))
        add("rust", ForeignProgram(buildingRustInto: folder, prefix: prefix))
        add("python", ForeignProgram(pythonWith: prefix))
    }

    private mutating func add(_ language: String, _ program: ForeignProgram?) {
        guard let program else { return note("foreign: \(language) is skipped, no toolchain") }
        all.append((language, program))
    }

    /// The lines that a program prints: nanoseconds by name.
    func run(_ program: ForeignProgram, _ arguments: String) throws -> [String: Double] {
        let text = try program.output(arguments)
        var times: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let time = Double(words[1]) else {
                throw BenchmarkError("\(program.path) printed \(text)")
            }
            times[String(words[0])] = time
        }
        return times
    }
}
