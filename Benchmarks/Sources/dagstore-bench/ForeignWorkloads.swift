import DAGMounts
import DAGMultiformats
import DAGStorage
import Glibc
import SystemPackage

/// The same reads from Swift, from C and from Go, in the same run.
extension Workload {
    private static let acquisitions = 200_000

    static let foreign = Workload(
        "foreign",
        about:
            "get and acquire from C and Go beside Swift; DAGSTORE_PREFIX is where libdagstore is installed"
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
        var c: [[Double]] = []
        var go: [[Double]] = []
        // In turn, so that a disturbance meets all.
        for _ in 0..<bench.runs {
            swift.append(try await measure(bench, cids))
            c.append(try programs.run(programs.c, arguments))
            if let program = programs.go { go.append(try programs.run(program, arguments)) }
        }
        func figure(_ what: String, _ unit: String, _ values: [Double]) -> Figure {
            Figure(name: "foreign.\(name).\(what)", unit: unit, values: values)
        }
        let get = zip(swift, c).map { $1[0] / $0[0] }
        let acquire = zip(swift, c).map { $1[1] / $0[1] }
        return [
            figure("get.swift", "ns", swift.map { $0[0] }), figure("get.c", "ns", c.map { $0[0] }),
            figure("get.c/swift", "x", get), figure("acquire.swift", "ns", swift.map { $0[1] }),
            figure("acquire.c", "ns", c.map { $0[1] }), figure("acquire.c/swift", "x", acquire),
            figure("get.go.views", "M/s", go.map { 1e3 / $0[0] }),
            figure("get.go.copies", "M/s", go.map { 1e3 / $0[1] }),
        ]
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
    let c: ForeignProgram
    /// Nil if there is no Go.
    let go: ForeignProgram?

    init(prefix: String, folder: FilePath) throws {
        c = try ForeignProgram(compiling: "get", prefix: prefix, into: folder)
        go = ForeignProgram(buildingGoInto: folder, prefix: prefix)
        if go == nil { note("foreign: Go is skipped, there is no toolchain") }
    }

    /// The two numbers that a program prints.
    func run(_ program: ForeignProgram, _ arguments: String) throws -> [Double] {
        let text = try program.output(arguments)
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard numbers.count == 2 else {
            throw BenchmarkError("\(program.path) printed \(text)")
        }
        return numbers
    }
}
