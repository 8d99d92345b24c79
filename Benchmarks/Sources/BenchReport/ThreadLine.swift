internal import Foundation

/// One line of the program that reads on many threads, `Foreign/threads.c`.
public struct ThreadLine: Hashable, Sendable, Decodable {
    /// The ways to measure a row.
    public enum Mode: String, Hashable, Sendable, Decodable {
        /// Many threads of one process, on one store.
        case threads
        /// Many processes of one thread, each with a store of its own.
        case processes
    }

    /// The read that was measured, such as `get.any`.
    public let row: String
    /// The way in which the row was measured.
    public let mode: Mode
    /// The number of threads, or of processes.
    public let count: Int
    /// The operations a second, summed over all threads or processes.
    public let operationsPerSecond: Double
    /// The processor time of all other processes and of the host meanwhile, in cores.
    public let others: Double

    private enum CodingKeys: String, CodingKey {
        case row, mode, others
        case count = "n"
        case operationsPerSecond = "ops_per_s"
    }

    /// Reads one line; returns `nil` if it is malformed.
    public init?(_ text: some StringProtocol) {
        guard let line = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)),
            !line.row.isEmpty, line.count > 0, line.operationsPerSecond > 0
        else { return nil }
        self = line
    }

    /// Reads all lines that the program printed.
    ///
    /// - Parameter text: The output, one line a measurement.
    /// - Returns: The lines in order; `nil` if a line is malformed.
    public static func lines(of text: String) -> [ThreadLine]? {
        var lines: [ThreadLine] = []
        for piece in text.split(separator: "\n") {
            guard let line = ThreadLine(piece) else { return nil }
            lines.append(line)
        }
        return lines
    }
}
