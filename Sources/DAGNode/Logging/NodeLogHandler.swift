#if Node
    #if canImport(FoundationEssentials)
        internal import FoundationEssentials
    #else
        internal import Foundation
    #endif
    package import Logging

    /// Writes log lines for people, or as JSON for programs.
    ///
    /// *Shape*: `2026-11-27T16:30:00.123Z info gateway: message key=value`, or one JSON object a line with `time`,
    /// `level`, `logger`, `message` and the metadata. A key of the metadata that has one of these names gets `_`
    /// before it. Nested metadata becomes text in JSON too, so that a depth has no effect.
    package struct NodeLogHandler: LogHandler {
        /// The formats.
        package enum Format: Sendable { case text, json }

        private let label: String
        private let format: Format
        private let writer: LogWriter
        private let nodeLevel: LogLevel
        /// The level of this logger alone, if it has one.
        private var ownLevel: Logger.Level?
        /// The least important level to write.
        package var logLevel: Logger.Level {
            get { ownLevel ?? nodeLevel.value }
            set { ownLevel = newValue }
        }
        /// Metadata of every line.
        package var metadata: Logger.Metadata = [:]
        /// Makes metadata for a line.
        package var metadataProvider: Logger.MetadataProvider?

        /// Makes a handler.
        package init(label: String, level: LogLevel, format: Format, writer: LogWriter) {
            self.label = label
            self.format = format
            self.writer = writer
            nodeLevel = level
        }

        /// A value of the metadata of every line.
        package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        /// Writes a line.
        package func log(event: LogEvent) {
            var all = metadata
            if let more = metadataProvider?.get() { all.merge(more) { $1 } }
            if let more = event.metadata { all.merge(more) { $1 } }
            if let error = event.error { all["error"] = "\(error)" }
            writer.write(
                Self.line(
                    format,
                    Date.now,
                    event.level,
                    label,
                    event.message.description,
                    all.map { ($0.key, $0.value.description) }.sorted { $0.0 < $1.0 }
                )
            )
        }

        /// Makes a line with its newline.
        static func line(
            _ format: Format,
            _ time: Date,
            _ level: Logger.Level,
            _ label: String,
            _ message: String,
            _ metadata: [(String, String)]
        ) -> [UInt8] {
            let time = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            var text = LogText()
            switch format {
            case .text:
                text.addPlain(time)
                text.add(" ")
                text.addPlain(level.rawValue)
                text.add(" ")
                text.addPlain(label)
                text.add(": ")
                text.addPlain(message)
                for (key, value) in metadata {
                    text.add(" ")
                    text.addPlain(key)
                    text.add("=")
                    text.addValue(value)
                }
            case .json:
                let own = [
                    ("time", time), ("level", level.rawValue), ("logger", label),
                    ("message", message),
                ]
                text.add("{")
                for (index, (key, value)) in own.enumerated() {
                    if index > 0 { text.add(",") }
                    text.addJSON(key)
                    text.add(":")
                    text.addJSON(value)
                }
                for (key, value) in metadata {
                    text.add(",")
                    text.addJSON(own.contains { $0.0 == key } ? "_\(key)" : key)
                    text.add(":")
                    text.addJSON(value)
                }
                text.add("}")
            }
            text.add("\n")
            return text.bytes
        }

        /// Makes the writer of a format, which standard error gets.
        package static func makeWriter(_ format: Format) -> LogWriter {
            LogWriter { count in
                line(format, .now, .warning, "log", "dropped \(count) log lines", [])
            }
        }
    }
#endif
