#if Node
    import Logging
    import SharedReads

    /// Keeps the lines of a log.
    final class LogCollector: Sendable {
        struct Line: Sendable {
            var level: Logger.Level
            var message: String
            var metadata: [String: String]
        }

        private let kept = Lock<[Line]>([])

        /// The lines so far.
        var lines: [Line] { kept.withLock { $0 } }

        /// The lines with a message.
        func lines(_ message: String) -> [Line] { lines.filter { $0.message == message } }

        var handler: any LogHandler { Handler(collector: self) }

        private struct Handler: LogHandler {
            let collector: LogCollector
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.debug

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                let all = metadata.merging(event.metadata ?? [:]) { $1 }
                let line = Line(
                    level: event.level,
                    message: "\(event.message)",
                    metadata: all.mapValues { "\($0)" }
                )
                collector.kept.withLock { $0.append(line) }
            }
        }
    }
#endif
