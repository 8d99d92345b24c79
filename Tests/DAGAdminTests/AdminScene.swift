#if Node
    @testable import DAGAdmin
    import DAGStorage
    import Logging
    import SharedReads

    /// Parts of an admin interface for tests.
    enum AdminScene {
        static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

        /// Makes the state of an interface over a store.
        static func admin(
            _ store: DAGStore,
            _ metrics: NodeMetrics = NodeMetrics(),
            limit: Duration = .seconds(600)
        ) -> Admin {
            Admin(
                store,
                Admin.Facts(
                    version: "1",
                    directory: "/",
                    gateway: { nil },
                    isReady: { true },
                    logLevel: { .info },
                    setLogLevel: { _ in }
                ),
                metrics,
                Watchdog(store, limit: limit, logger: silent),
                runVerb: { _, _ in 0 }
            )
        }
    }

    /// A log that keeps its lines.
    final class KeptLog: Sendable {
        private let kept = Lock<[String]>([])

        /// The lines: the message and the sorted metadata.
        var lines: [String] { kept.withLock { $0 } }

        /// Makes a logger that writes here.
        var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

        private struct Handler: LogHandler {
            let log: KeptLog
            var logLevel = Logger.Level.trace
            var metadata: Logger.Metadata = [:]

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                let pairs = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
                let line = ([event.message.description] + pairs).joined(separator: " ")
                log.kept.withLock { $0.append(line) }
            }
        }
    }
#endif
