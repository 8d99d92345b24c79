#if Node
    #if canImport(FoundationEssentials)
        internal import FoundationEssentials
    #else
        internal import Foundation
    #endif
    package import Logging
    internal import Synchronization

    /// The least important level to write, which all loggers of a node share.
    ///
    /// *Concurrency*: any thread.
    package final class LogLevel: Sendable {
        private let number: Atomic<Int>

        package init(_ level: Logger.Level) { number = Atomic(Self.number(level)) }

        private static func number(_ level: Logger.Level) -> Int {
            Logger.Level.allCases.firstIndex(of: level) ?? 0
        }

        /// The level.
        package var value: Logger.Level {
            get { Logger.Level.allCases[number.load(ordering: .relaxed)] }
            set { number.store(Self.number(newValue), ordering: .relaxed) }
        }
    }

    /// The log of a node.
    package struct NodeLog: Sendable {
        private let writer: LogWriter
        private let level: LogLevel
        private let format: NodeLogHandler.Format

        /// Makes the log of the settings, on standard error.
        package init(_ settings: NodeSettings) {
            level = LogLevel(Logger.Level(rawValue: settings.logLevel) ?? .info)
            format = settings.logsJSON ? .json : .text
            writer = NodeLogHandler.makeWriter(format)
        }

        /// Returns a logger for a part of the node.
        package func logger(_ part: String) -> Logger {
            Logger(label: part) { label in
                NodeLogHandler(label: label, level: level, format: format, writer: writer)
            }
        }

        /// The least important level to write; a change has an effect on all loggers at once.
        package var leastLevel: Logger.Level {
            get { level.value }
            nonmutating set { level.value = newValue }
        }

        /// Writes a line whatever the level is.
        package func announce(_ message: String, _ metadata: [String: String]) {
            writer.write(
                NodeLogHandler.line(
                    format,
                    .now,
                    .notice,
                    "node",
                    message,
                    metadata.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
                )
            )
        }

        /// Writes the lines that wait, and ends.
        package func close() { writer.close() }
    }
#endif
