import Foundation

/// The machine of a run.
enum Machine {
    /// The facts that a reader needs to measure the same figures.
    static func run(isQuick: Bool, runs: Int) -> RunLine {
        RunLine(
            date: date,
            commit: output("git rev-parse HEAD"),
            isDirty: !output("git status --porcelain --untracked-files=no").isEmpty,
            machine: value(of: "model name", in: "/proc/cpuinfo") ?? "unknown",
            cores: ProcessInfo.processInfo.activeProcessorCount,
            memoryBytes: Int(ProcessInfo.processInfo.physicalMemory),
            os: (value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=") ?? "unknown")
                .trimmingCharacters(in: ["\""]),
            kernel: output("uname -sr"),
            toolchain: toolchain,
            isQuick: isQuick,
            runs: runs,
            command: command,
            load: Double(text(of: "/proc/loadavg").prefix { $0 != " " }) ?? 0
        )
    }

    /// The time in ISO 8601.
    static var date: String {
        Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
            .formatted(.iso8601)
    }

    /// The command line, with the program's name alone.
    private static var command: String {
        let arguments = CommandLine.arguments
        let name = arguments.first?.split(separator: "/").last.map(String.init) ?? ""
        return ([name] + arguments.dropFirst()).joined(separator: " ")
    }

    private static var toolchain: String {
        let words = output("swiftc --version 2>/dev/null").split(separator: " ")
        guard let place = words.firstIndex(of: "version"), place + 1 < words.count else {
            return "Swift"
        }
        return "Swift \(words[place + 1])"
    }

    /// Returns the output of a command; empty if it fails.
    static func output(_ command: String) -> String {
        guard let pipe = popen(command, "r") else { return "" }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        guard pclose(pipe) == 0 else { return "" }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
    }

    /// A field of a process's status in bytes, such as `VmRSS`; 0 if the process has ended.
    static func memory(_ field: String, of process: pid_t) -> Double {
        for line in text(of: "/proc/\(process)/status").split(separator: "\n")
        where line.hasPrefix(field + ":") {
            return (Double(line.filter(\.isNumber)) ?? 0) * 1024
        }
        return 0
    }

    /// The text of a file of the system's, which says that it has no bytes.
    static func text(of path: String) -> String {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else {
            return ""
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func value(
        of name: String,
        in path: String,
        separator: Character = ":"
    ) -> String? {
        for line in text(of: path).split(separator: "\n") where line.hasPrefix(name) {
            guard let place = line.firstIndex(of: separator) else { continue }
            return line[line.index(after: place)...].trimmingCharacters(in: .whitespaces)
        }
        return nil
    }
}

/// The use of the processors by other processes during a measurement.
struct Watch {
    private let start = Sample()

    /// The use in words; nil if it was negligible.
    var complaint: String? {
        let end = Sample()
        let time = end.time - start.time
        guard time > 0.2 else { return nil }
        let others = max(0, (end.busy - start.busy) - (end.own - start.own)) / time
        let stolen = (end.stolen - start.stolen) / time
        var parts: [String] = []
        if others > 0.25 { parts.append("others used \(Self.text(others)) cores") }
        if stolen > 0.05 { parts.append("the host took \(Self.text(stolen)) cores away") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func text(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }

    /// Seconds of processor time until some moment.
    private struct Sample {
        let time: Double
        var busy = 0.0
        var stolen = 0.0
        let own: Double

        init() {
            time = Double(now()) / 1e9
            // user nice system idle iowait irq softirq steal, in hundredths of a second.
            let fields = Machine.text(of: "/proc/stat").prefix { $0 != "\n" }
                .split(separator: " ").dropFirst().compactMap { Double($0) }
            if fields.count >= 8 {
                busy = (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / 100
                stolen = fields[7] / 100
            }
            own = [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, who in
                var usage = rusage()
                getrusage(who.rawValue, &usage)
                let parts = [usage.ru_utime, usage.ru_stime]
                return sum + parts.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
            }
        }
    }
}
