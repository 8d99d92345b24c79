import Glibc
import Synchronization
import SystemPackage

/// CARs behind a web server on the same cores.
///
/// The server's own log has the bytes and the requests, so nothing that is measured counts itself.
extension Workload {
    static let remote = Workload(
        "remote",
        about:
            "remote CARs: indexing and a walk; DAGSTORE names the program, DAGSTORE_NGINX the server"
    ) { bench in
        guard let program = getenv("DAGSTORE").map({ String(cString: $0) }) else {
            return WorkloadResult(skipped: [(nil, "DAGSTORE does not name the program")])
        }
        let variable = getenv("DAGSTORE_NGINX").map { String(cString: $0) }
        let nginx = variable ?? Machine.output("command -v nginx").trimmed
        guard !nginx.isEmpty else {
            return WorkloadResult(skipped: [(nil, "nginx is not installed; set DAGSTORE_NGINX")])
        }
        let server = try FileServer(nginx, in: bench.folder)
        let remote = RemoteBench(bench: bench, program: program, server: server)
        return WorkloadResult(
            figures: try remote.indexing() + remote.walk()
        )
    }
}

/// The parts of the workload.
private struct RemoteBench {
    private static let mebibytes = 1024

    let bench: Bench
    let program: String
    let server: FileServer

    /// Registers a remote CAR in a new store; returns the seconds.
    private func register(_ file: FilePath, _ store: FilePath) throws -> (
        seconds: Double, memory: Double
    ) {
        system("rm -rf \(store)")
        let start = now()
        let memory = try peakMemory(of: [
            program, "register", server.url(of: file), "--key", "a", "--allow-private", "--store",
            store.string, "--format", "json",
        ])
        return (Double(now() - start) / 1e9, memory)
    }

    /// Large blocks by ranges or as a stream, whichever the program chooses, and small blocks.
    func indexing() throws -> [Figure] {
        var figures: [Figure] = []
        for set in [Dataset.n16k, .n1m] {
            let file = try set.file(in: bench.folder)
            let size = try server.size(of: file)
            var rates: [Double] = []
            var others: [Double] = []
            var shares: [Double] = []
            var requests: [Double] = []
            var peaks: [Double] = []
            for _ in 0..<bench.runs {
                others.append(try server.streamRate(file, size))
                let before = try server.traffic()
                let run = try register(file, bench.folder.appending("store-remote-index"))
                let after = try server.traffic()
                rates.append(size / run.seconds / 1e9)
                shares.append((after.bytes - before.bytes) / size)
                requests.append(after.requests - before.requests)
                peaks.append(run.memory / 1e6)
            }
            let name = "remote.index.\(set.name)"
            figures += [
                Figure(name: name, unit: "GB/s", values: rates),
                Figure(name: "\(name).get", unit: "GB/s", values: others),
                Figure(name: "\(name).share", unit: "x", values: shares),
                Figure(name: "\(name).requests", unit: "", values: requests),
                Figure(name: "\(name).memory", unit: "MB", values: peaks),
            ]
        }
        return figures
    }

    /// The CAR of a DAG out of a remote shard, against one request for the same bytes.
    func walk() throws -> [Figure] {
        let content = bench.folder.appending("remote.bin")
        let file = bench.folder.appending("remote.car")
        let count = bench.isQuick ? 64 : Self.mebibytes
        system("head -c \(count << 20) /dev/urandom > \(content)")
        let created = Machine.output(
            "\(program) car create \(content) -o \(file) --chunk 262144 --format json"
        )
        guard let name = created.split(separator: "\"").first(where: { $0.hasPrefix("baf") }) else {
            throw BenchmarkError("car create printed \(created)")
        }
        let root = String(name)
        let place = bench.folder.appending("store-remote-walk")
        _ = try register(file, place)
        let size = try server.size(of: file)
        var rates: [Double] = []
        var others: [Double] = []
        var peaks: [Double] = []
        for _ in 0..<bench.runs {
            others.append(try server.streamRate(file, size))
            let start = now()
            let memory = try peakMemory(of: [
                program, "export", root, "--output", "-", "--allow-private", "--store",
                place.string,
            ])
            rates.append(size / Double(now() - start))
            peaks.append(memory / 1e6)
        }
        return [
            Figure(name: "remote.walk", unit: "GB/s", values: rates),
            Figure(name: "remote.walk.get", unit: "GB/s", values: others),
            Figure(
                name: "remote.walk.to-get",
                unit: "x",
                values: zip(rates, others).map { $0 / $1 }
            ),
            Figure(name: "remote.walk.memory", unit: "MB", values: peaks),
        ]
    }

    /// Runs a program to its end; returns the most memory that it had, in bytes.
    private func peakMemory(of words: [String]) throws -> Double {
        var arguments = words.map { strdup($0) } + [nil]
        defer { for word in arguments { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        var process = pid_t()
        guard posix_spawn(&process, words[0], &actions, nil, &arguments, environ) == 0 else {
            throw BenchmarkError("\(words[0]) does not start")
        }
        // The system counts this process's memory as the child's, from before it ran the program.
        let isOver = Mutex(false)
        let peak = Mutex(0.0)
        let state = Mutex<Int32>(0)
        onThreads(2) { [process] index in
            if index == 0 {
                var status: Int32 = 0
                waitpid(process, &status, 0)
                state.withLock { $0 = status }
                isOver.withLock { $0 = true }
                return
            }
            while !isOver.withLock({ $0 }) {
                let memory = Machine.memory("VmHWM", of: process)
                peak.withLock { $0 = max($0, memory) }
                usleep(5000)
            }
        }
        let status = state.withLock { $0 }
        guard status == 0 else { throw BenchmarkError("\(words) ended with \(status)") }
        return peak.withLock { $0 }
    }
}

/// nginx over a folder, with a log of its answers.
private final class FileServer {
    private let folder: FilePath
    private let port: UInt16 = 28_650
    private let process: pid_t

    /// Starts the server.
    ///
    /// - Throws: `BenchmarkError` if it does not answer.
    init(_ program: String, in folder: FilePath) throws {
        self.folder = folder
        let work = folder.appending("nginx")
        system("rm -rf \(work) && mkdir -p \(work)")
        let text = """
            daemon off; master_process off; pid nginx.pid; error_log error.log;
            events {}
            http {
                log_format traffic '$bytes_sent';
                access_log access.log traffic;
                keepalive_requests 1000000; sendfile on; tcp_nodelay on;
                client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
                uwsgi_temp_path t4; scgi_temp_path t5;
                server { listen 127.0.0.1:\(port); root \(folder); }
            }
            """
        let settings = work.appending("nginx.conf")
        let file = try FileDescriptor.open(
            settings,
            .writeOnly,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        _ = try file.closeAfter { try file.writeAll(Array(text.utf8)) }
        let arguments = [program, "-p", work.string, "-c", settings.string, "-e", "error.log"]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // Swift's threads block signals, and a program that inherits that cannot be ended.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var process = pid_t()
        guard posix_spawn(&process, program, nil, &attributes, &words, environ) == 0 else {
            throw BenchmarkError("\(program) does not start")
        }
        self.process = process
        for _ in 0..<100 {
            if (try? HTTPClient(port: port)) != nil { return }
            usleep(50_000)
        }
        throw BenchmarkError("nginx does not answer")
    }

    deinit {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }

    func url(of file: FilePath) -> String {
        "http://127.0.0.1:\(port)/\(file.lastComponent?.string ?? "")"
    }

    func size(of file: FilePath) throws -> Double {
        var state = stat()
        guard stat(file.string, &state) == 0 else { throw BenchmarkError("\(file) is missing") }
        return Double(state.st_size)
    }

    /// Reads a file in one request; returns the gigabytes a second.
    func streamRate(_ file: FilePath, _ size: Double) throws -> Double {
        let start = now()
        let answer = try HTTPClient(port: port).get("/\(file.lastComponent?.string ?? "")")
        guard Double(answer.bodySize) == size else { throw BenchmarkError("a cut answer") }
        return size / Double(now() - start)
    }

    /// The bytes and requests of all answers so far.
    func traffic() throws -> (bytes: Double, requests: Double) {
        let lines = Machine.text(of: folder.appending("nginx/access.log").string)
            .split(separator: "\n").compactMap { Double($0) }
        return (lines.reduce(0, +), Double(lines.count))
    }
}

extension String {
    fileprivate var trimmed: String { String(split(whereSeparator: \.isWhitespace).first ?? "") }
}
