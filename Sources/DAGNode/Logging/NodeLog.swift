#if Node
    #if canImport(FoundationEssentials)
        internal import FoundationEssentials
    #else
        internal import Foundation
    #endif
    package import Logging

    /// The log of a node.
    package struct NodeLog: Sendable {
        private let writer: LogWriter
        private let level: Logger.Level
        private let format: NodeLogHandler.Format

        /// Makes the log of the settings, on standard error.
        package init(_ settings: NodeSettings) {
            level = Logger.Level(rawValue: settings.logLevel) ?? .info
            format = settings.logsJSON ? .json : .text
            writer = NodeLogHandler.makeWriter(format)
        }

        /// Returns a logger for a part of the node.
        package func logger(_ part: String) -> Logger {
            Logger(label: part) { label in
                NodeLogHandler(label: label, level: level, format: format, writer: writer)
            }
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
