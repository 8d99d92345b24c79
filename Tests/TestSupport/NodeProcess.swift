#if Node
    internal import Foundation

    /// A process of the program that was built with the tests.
    package final class NodeProcess: Sendable {
        private static let program = Bundle.main.bundleURL.appending(path: "dagstore")

        private let process = Process()
        private let files: TemporaryFolder
        private let out: URL
        private let errors: URL
        private let ends: AsyncStream<Void>

        /// Starts the program.
        package init(_ arguments: [String], environment: [String: String] = [:]) throws {
            files = try TemporaryFolder()
            out = URL(filePath: try files.write([], to: "out"))
            errors = URL(filePath: try files.write([], to: "errors"))
            process.executableURL = Self.program
            process.arguments = arguments
            process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
            process.currentDirectoryURL = files.url
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: out)
            process.standardError = try FileHandle(forWritingTo: errors)
            let (ends, end) = AsyncStream<Void>.makeStream()
            self.ends = ends
            process.terminationHandler = { _ in end.finish() }
            try process.run()
        }

        deinit {
            guard process.isRunning else { return }
            kill(process.processIdentifier, SIGKILL)
        }

        /// Its number.
        package var number: Int32 { process.processIdentifier }

        /// Standard output so far.
        package var text: String { Self.contents(of: out) }
        /// Standard error so far.
        package var errorText: String { Self.contents(of: errors) }

        private static func contents(of file: URL) -> String {
            (try? file.bytes()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }

        /// Waits for a line with `text` on standard error, or for the end.
        ///
        /// - Returns: Whether there is such a line.
        package func until(_ text: String) async -> Bool {
            await eventually {
                errorText.contains(text) || !process.isRunning || Task.isCancelled
            }
            return errorText.contains(text)
        }

        /// Waits until the node listens.
        ///
        /// - Returns: The URL; nil if the process ended.
        package func url() async -> String? {
            await eventually {
                text.hasSuffix("}\n") || !process.isRunning || Task.isCancelled
            }
            let line = try? JSONDecoder().decode(Listening.self, from: Data(text.utf8))
            return line?.url
        }

        private struct Listening: Decodable {
            var address: String
            var url: String
            var process: Int32
        }

        /// Sends a signal.
        package func send(_ signal: Int32) { kill(number, signal) }

        /// Waits for the end.
        ///
        /// - Returns: The exit status; of a process that a signal killed, 128 and the signal's number; -1 if the
        ///   test's time ended first.
        package func end() async -> Int32 {
            for await _ in ends {}
            // The test's time is over.
            guard !process.isRunning else {
                send(SIGKILL)
                return -1
            }
            let isKilled = process.terminationReason == .uncaughtSignal
            return process.terminationStatus + (isKilled ? 128 : 0)
        }

        /// Runs the program to its end.
        package static func run(
            _ arguments: [String],
            environment: [String: String] = [:]
        ) async throws -> (status: Int32, text: String, errors: String) {
            let process = try NodeProcess(arguments, environment: environment)
            let status = await process.end()
            return (status, process.text, process.errorText)
        }
    }
#endif
