internal import Foundation

/// A server program that a test starts on loopback and kills at its end.
package final class RealServer: Sendable {
    /// The folder with its files.
    package let folder: TemporaryFolder
    private let process: Process

    /// Finds a program by a variable, or else in the usual folders; nil if it cannot be had.
    package static func path(of name: String, variable: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let folders = (environment["PATH"] ?? "").split(separator: ":").map { String($0) }
        let candidates =
            [environment[variable]].compactMap { $0 }
            + (folders + ["/usr/sbin", "/usr/local/bin"]).map { "\($0)/\(name)" }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Starts a program in a folder of its own.
    package init(_ program: String, _ arguments: [String], in folder: TemporaryFolder) throws {
        self.folder = folder
        process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Whether the program still runs.
    package var isRunning: Bool { process.isRunning }
}
