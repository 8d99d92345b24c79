import DAGMeasurement
import DAGMultiformats
import DAGStorage
import Glibc
import Synchronization
import SystemPackage

/// The gateway beside the HTTP library that it is built on, the client on the same cores.
extension Workload {
    private static let mebibytes = 320
    private static let connections = [1, 32]

    static let gateway = Workload(
        "gateway",
        about:
            "TARGETS 19 to 22: blocks and CARs over HTTP, and the start of a node; DAGSTORE names the program, wrk loads it"
    ) { bench in
        guard let program = getenv("DAGSTORE").map({ String(cString: $0) }) else {
            return WorkloadResult(skipped: [(nil, "DAGSTORE does not name the program")])
        }
        let folder = try await gatewayStore(bench, program)
        let server = try serve(program, folder.store)
        let baseline = try ServedProgram(baselinePath, [])
        var result = WorkloadResult()
        if Machine.output("command -v wrk").isEmpty {
            result.skipped.append((nil, "raw blocks over HTTP: wrk is not installed"))
        } else {
            result.figures += try blocks(bench, server, baseline, targets: folder.targets)
        }
        result.figures += try cars(bench, server, baseline, root: folder.root)
        result.figures += try await starts(bench, program)
        return result
    }

    private static var baselinePath: String {
        FilePath(CommandLine.arguments[0]).removingLastComponent().appending("http-baseline").string
    }

    private static func serve(_ program: String, _ store: FilePath) throws -> ServedProgram {
        try ServedProgram(
            program,
            ["serve", "--store", store.string, "--listen", "127.0.0.1:0", "--format", "json"]
        )
    }

    /// A store of `n100k` and of a file's DAG with leaves of 256 KiB.
    private static func gatewayStore(
        _ bench: Bench,
        _ program: String
    ) async throws -> (store: FilePath, root: String, targets: FilePath) {
        let file = bench.folder.appending("gateway.bin")
        let car = bench.folder.appending("gateway.car")
        try writeRandomFile(file, mebibytes: mebibytes)
        let created = Machine.output(
            "\(program) car create \(file) -o \(car) --chunk 262144 --format json"
        )
        guard let root = created.split(separator: "\"").first(where: { $0.hasPrefix("baf") }) else {
            throw BenchmarkError("car create printed \(created)")
        }
        let place = bench.folder.appending("store-gateway")
        system("rm -rf \(place)")
        let store = try DAGStore.open(at: place)
        try await store.register(ShardKey("gateway"), from: FileMount(car))
        let n100k = try Dataset.n100k.file(in: bench.folder)
        try await store.register(ShardKey("n100k"), from: FileMount(n100k))
        let shard = try await store.acquire(ShardKey("n100k"))
        let targets = bench.folder.appending("gateway.targets")
        let text = try Measurement.cids(of: shard, from: 0).map { "/ipfs/\($0)?format=raw\n" }
            .joined()
        try writeFile(Array(text.utf8), to: targets)
        shard.release()
        await store.close()
        return (place, String(root), targets)
    }

    /// Loads a server with wrk, which takes the requests from a file.
    ///
    /// - Parameters:
    ///   - count: The number of connections.
    ///   - port: The port of the server.
    ///   - targets: A file with the paths, one a line.
    ///   - seconds: The length of the load.
    /// - Returns: Requests a second.
    /// - Throws: `BenchmarkError` if a request fails.
    static func requestRate(
        _ count: Int,
        _ port: UInt16,
        _ targets: FilePath,
        seconds: Int
    ) throws -> Double {
        let script = ForeignProgram.sources.appending("gateway.lua")
        let text = Machine.output(
            "DAGSTORE_TARGETS=\(targets) wrk -t\(min(2, count)) -c\(count) -d\(seconds)s "
                + "-s \(script) http://127.0.0.1:\(port)"
        )
        let lines = text.split(separator: "\n")
        guard
            !lines.contains(where: { $0.contains("Non-2xx") || $0.contains("Socket errors") }),
            let line = lines.first(where: { $0.hasPrefix("Requests/sec:") }),
            let value = Double(line.dropFirst(13).drop { $0 == " " })
        else { throw BenchmarkError("wrk printed \(text)") }
        return value
    }

    /// Row 19: raw blocks of 1 KiB at random, and a fixed 1 KiB from the library alone.
    ///
    /// wrk takes the requests of both from a file with one script, so that the client costs the same.
    private static func blocks(
        _ bench: Bench,
        _ server: ServedProgram,
        _ baseline: ServedProgram,
        targets: FilePath
    ) throws -> [Figure] {
        let seconds = bench.isQuick ? 2 : 5
        let hellos = bench.folder.appending("gateway.hellos")
        try writeFile(Array("/hello\n".utf8), to: hellos)
        var figures: [Figure] = []
        for count in connections {
            var raw: [Double] = []
            var hello: [Double] = []
            for _ in 0..<bench.runs {
                raw.append(try requestRate(count, server.port, targets, seconds: seconds))
                hello.append(try requestRate(count, baseline.port, hellos, seconds: seconds))
            }
            figures += ratio("http.raw.\(count)", raw, "http.hello.\(count)", hello, unit: "1/s")
        }
        return figures
    }

    /// Rows 20 and 21: the CAR of a DAG, its first byte, and as many bytes from one buffer of the library.
    private static func cars(
        _ bench: Bench,
        _ server: ServedProgram,
        _ baseline: ServedProgram,
        root: String
    ) throws -> [Figure] {
        let car = "/ipfs/\(root)?format=car"
        let whole = try HTTPClient(port: server.port).get(car).bodySize
        guard whole > mebibytes << 20 else { throw BenchmarkError("the CAR has \(whole) bytes") }
        var figures: [Figure] = []
        var peak = 0.0
        for count in connections {
            var streamed: [Double] = []
            var fixed: [Double] = []
            for _ in 0..<bench.runs {
                let (rate, anonymous) = try server.watchingMemory("RssAnon") {
                    try gigabytes(count, server.port, car, least: whole)
                }
                streamed.append(rate)
                peak = max(peak, anonymous / 1e6)
                fixed.append(
                    try gigabytes(
                        count,
                        baseline.port,
                        "/static/\(mebibytes)",
                        least: mebibytes << 20
                    )
                )
            }
            figures += ratio(
                "http.car.\(count)",
                streamed,
                "http.static.\(count)",
                fixed,
                unit: "GB/s"
            )
        }
        // Without the pages of the mapped CAR, which the system takes back when it wants to.
        figures.append(Figure(name: "http.car.memory", unit: "MB", values: [peak]))
        var latencies = Latencies()
        let client = try HTTPClient(port: server.port)
        for _ in 0..<bench.runs {
            for _ in 0..<20 { latencies.record(try client.get(car).firstByte) }
            latencies.endRun()
        }
        return figures + latencies.figures("http.first-byte", unit: "ms", scale: 1e6)
    }

    /// Requests a body on many connections at once, two threads for all, and times it.
    private static func gigabytes(
        _ count: Int,
        _ port: UInt16,
        _ target: String,
        least: Int
    ) throws -> Double {
        let failure = Mutex<String?>(nil)
        let bytes = Mutex(0)
        let start = now()
        onThreads(count) { _ in
            do {
                let answer = try HTTPClient(port: port).get(target)
                guard answer.status == 200, answer.bodySize >= least else {
                    throw BenchmarkError("\(answer.status), \(answer.bodySize) bytes")
                }
                bytes.withLock { $0 += answer.bodySize }
            } catch { failure.withLock { $0 = "\(error)" } }
        }
        if let failure = failure.withLock({ $0 }) { throw BenchmarkError("\(target): \(failure)") }
        return Double(bytes.withLock { $0 }) / Double(now() - start)
    }

    /// Row 22: from the start of the process to the first block, and the memory then.
    private static func starts(_ bench: Bench, _ program: String) async throws -> [Figure] {
        var figures: [Figure] = []
        for set in [Dataset.n1m, .n100k] {
            let store = try await store(bench, set)
            let shard = try await store.acquire(ShardKey(set.name))
            let first = try Measurement.cids(of: shard, from: 0).first
            shard.release()
            await store.close()
            guard let first else { throw BenchmarkError("\(set.name) has no block") }
            var times: [Double] = []
            var memory: [Double] = []
            for _ in 0..<bench.runs {
                let start = now()
                let server = try serve(program, bench.folder.appending("store-\(set.name)"))
                let answer = try HTTPClient(port: server.port).get("/ipfs/\(first)?format=raw")
                times.append(Double(now() - start) / 1e6)
                memory.append(server.memory("VmRSS") / 1e6)
                guard answer.status == 200 else { throw BenchmarkError("status \(answer.status)") }
            }
            figures.append(Figure(name: "http.start.\(set.name)", unit: "ms", values: times))
            figures.append(
                Figure(name: "http.start.\(set.name).memory", unit: "MB", values: memory)
            )
        }
        return figures
    }

    /// Two rates and, run by run, the first divided by the second.
    private static func ratio(
        _ name: String,
        _ values: [Double],
        _ other: String,
        _ others: [Double],
        unit: String
    ) -> [Figure] {
        [
            Figure(name: name, unit: unit, values: values),
            Figure(name: other, unit: unit, values: others),
            Figure(
                name: "\(name).to-library",
                unit: "x",
                values: zip(values, others).map { $0 / $1 }
            ),
        ]
    }

    private static func writeRandomFile(_ path: FilePath, mebibytes: Int) throws {
        var random = SplitMix64(seed: 11)
        let file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .truncate],
            permissions: [.ownerReadWrite]
        )
        try file.closeAfter {
            for _ in 0..<mebibytes {
                var bytes: [UInt8] = []
                bytes.reserveCapacity(1 << 20)
                for _ in 0..<1 << 17 { bytes.append(littleEndian: random.next()) }
                _ = try file.writeAll(bytes)
            }
        }
    }
}
