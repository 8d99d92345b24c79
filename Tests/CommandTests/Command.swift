import Foundation
import TestSupport

/// The outcome of a run of the program.
struct Outcome: Sendable {
    /// The exit status; of a process that a signal killed, 128 and the signal's number.
    let status: Int32
    /// Standard output.
    let out: [UInt8]
    /// Standard error.
    let errors: [UInt8]

    /// Standard output as text.
    var text: String { String(decoding: out, as: UTF8.self) }
    /// Standard error as text.
    var errorText: String { String(decoding: errors, as: UTF8.self) }
    /// The lines of standard output.
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    /// The objects on standard output, one a line.
    var objects: [JSON] { Self.objects(text) }
    /// The object of the one error line; null if there is not exactly one.
    var error: JSON {
        let errors = Self.objects(errorText)
        guard errors.count == 1, let error = errors[0]["error"] else { return .null }
        return error
    }

    private static func objects(_ text: String) -> [JSON] {
        text.split(separator: "\n").map { JSON(reading: String($0)) }
    }
}

/// Runs the program that was built with the tests.
enum Command {
    /// The program, or nil if it was not built.
    private static let url: URL? = {
        var folders = [Bundle.main.bundleURL]
        folders += [Bundle.main.executableURL].compactMap { $0?.deletingLastPathComponent() }
        folders += Bundle.allBundles.map(\.bundleURL)
        for var folder in folders {
            for _ in 0..<4 {
                let candidate = folder.appending(path: "dagstore", directoryHint: .notDirectory)
                let values = try? candidate.resourceValues(forKeys: [.isRegularFileKey])
                if values?.isRegularFile == true { return candidate }
                folder.deleteLastPathComponent()
            }
        }
        return nil
    }()

    /// The program's path.
    static var path: String {
        guard let url else { preconditionFailure("the program is not beside the tests") }
        return url.path
    }

    private static let slots = Slots(count: 4)

    /// Runs the program and waits for its end.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        in folder: String? = nil
    ) async throws -> Outcome {
        try await start(path, arguments, environment: environment, in: folder) { _, _ in }
    }

    /// Runs a line of shell; `$DAGSTORE` is the program.
    static func shell(_ line: String, in folder: String? = nil) async throws -> Outcome {
        try await start("/bin/sh", ["-c", line], environment: [:], in: folder) { _, _ in }
    }

    /// Runs the program, and sends it a signal as soon as it has begun to show progress.
    static func interrupt(_ signal: Int32, _ arguments: [String]) async throws -> Outcome {
        let arguments = arguments + ["--progress", "always"]
        return try await start(path, arguments, environment: [:], in: nil) { process, errors in
            // The bar is drawn at once: this ends with the first output, or with the process.
            let number = process.processIdentifier
            await eventuallyOnThread {
                kill(number, 0) != 0 || (try? !errors.bytes().isEmpty) ?? false
            } then: {
                kill(number, signal)
            }
        }
    }

    private static func start(
        _ program: String,
        _ arguments: [String],
        environment: [String: String],
        in folder: String?,
        meanwhile body: (Process, URL) async -> Void
    ) async throws -> Outcome {
        await slots.take()
        do {
            let outcome = try await run(program, arguments, environment, folder, body)
            await slots.give()
            return outcome
        } catch {
            await slots.give()
            throw error
        }
    }

    private static func run(
        _ program: String,
        _ arguments: [String],
        _ environment: [String: String],
        _ folder: String?,
        _ body: (Process, URL) async -> Void
    ) async throws -> Outcome {
        let files = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "DAGSTORE": path]
            .merging(environment) { $1 }
        process.currentDirectoryURL = folder.map { URL(filePath: $0) } ?? files.url
        process.standardInput = FileHandle.nullDevice
        let out = try files.url(for: "out")
        let errors = try files.url(for: "errors")
        let outHandle = try FileHandle(forWritingTo: out)
        let errorHandle = try FileHandle(forWritingTo: errors)
        process.standardOutput = outHandle
        process.standardError = errorHandle
        let (ends, end) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        try outHandle.close()
        try errorHandle.close()
        await body(process, errors)
        for await _ in ends {}
        // The test's time is over.
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            throw CancellationError()
        }
        let signalled = process.terminationReason == .uncaughtSignal
        return Outcome(
            status: process.terminationStatus + (signalled ? 128 : 0),
            out: try out.bytes(),
            errors: try errors.bytes()
        )
    }
}

extension TemporaryFolder {
    /// An empty file.
    fileprivate func url(for name: String) throws -> URL { URL(filePath: try write([], to: name)) }
}

/// A few processes at once, so that a small machine does not choke on hundreds.
private actor Slots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    func take() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        free += 1
    }
}
