import Glibc
import Synchronization

/// A program that serves HTTP and prints a line with its address.
final class ServedProgram: Sendable {
    let host = "127.0.0.1"
    let port: UInt16
    let process: pid_t

    /// Starts a program and waits for its address.
    ///
    /// - Parameters:
    ///   - program: The path of the program.
    ///   - arguments: Its arguments.
    /// - Throws: `BenchmarkError` if the program does not start or prints no address.
    init(_ program: String, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw BenchmarkError("no pipe: errno \(errno)") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let failure = posix_spawn(&process, program, &actions, nil, &words, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard failure == 0 else { throw BenchmarkError("\(program): errno \(failure)") }
        guard let port = Self.port(in: Self.line(of: ends[0])) else {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            throw BenchmarkError("\(program) \(arguments) printed no address")
        }
        self.process = process
        self.port = port
    }

    /// Ends the program and waits for its end.
    deinit {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }

    /// Runs `body`, and looks at a field of the program's status every 5 ms meanwhile.
    ///
    /// - Returns: The result of `body`, and the largest value.
    /// - Throws: The error of `body`.
    func watchingMemory<R: Sendable>(
        _ field: String,
        _ body: @escaping @Sendable () throws -> R
    ) throws -> (R, Double) {
        let outcome = Mutex<Result<R, any Error>?>(nil)
        let peak = Mutex(memory(field))
        onThreads(2) { [self] index in
            if index == 0 {
                let result = Result { try body() }
                outcome.withLock { $0 = result }
                return
            }
            while outcome.withLock({ $0 }) == nil {
                let value = memory(field)
                peak.withLock { $0 = max($0, value) }
                usleep(5000)
            }
        }
        guard let result = outcome.withLock({ $0 }) else { throw BenchmarkError("no outcome") }
        return (try result.get(), peak.withLock { $0 })
    }

    /// A field of the program's status in bytes, such as `VmRSS`.
    func memory(_ field: String) -> Double { Machine.memory(field, of: process) }

    /// Reads to the end of a line or of the output.
    private static func line(of file: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < 4096, read(file, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        return bytes
    }

    /// The number after the last colon that digits follow.
    private static func port(in line: [UInt8]) -> UInt16? {
        let text = String(decoding: line, as: UTF8.self)
        let parts = text.split(separator: ":")
        guard let host = parts.firstIndex(where: { $0.hasSuffix("127.0.0.1") }),
            host + 1 < parts.count
        else { return nil }
        return UInt16(parts[host + 1].prefix { $0.isNumber })
    }
}

/// A port on which nobody listens.
func freePort() throws -> UInt16 {
    let number = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(number, $0, size) == 0 && getsockname(number, $0, &size) == 0
        }
    }
    guard isBound else { throw BenchmarkError("no free port: errno \(errno)") }
    return UInt16(bigEndian: address.sin_port)
}
