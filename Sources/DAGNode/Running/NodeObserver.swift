#if Node
    package import DAGAdmin
    package import DAGStorage
    internal import Logging

    /// Passes what a store does to the node's metrics and log.
    package struct NodeObserver: StoreObserver {
        private let metrics: NodeMetrics
        private let logger: Logger

        init(_ metrics: NodeMetrics, _ logger: Logger) {
            self.metrics = metrics
            self.logger = logger
        }

        /// Passes a measurement on.
        package func receive(_ measurement: StoreMeasurement) { metrics.receive(measurement) }

        /// Passes a line on.
        package func receive(_ line: StoreLogLine) {
            let level: Logger.Level =
                switch line.level {
                case .info: .info
                case .warning: .warning
                case .error: .error
                }
            var metadata: Logger.Metadata = [:]
            if let key = line.key { metadata["key"] = "\(key.text)" }
            for detail in line.details { metadata[detail.name] = "\(detail.value)" }
            logger.log(level: level, "\(line.message)", metadata: metadata)
        }
    }

    /// What a node records from the opening of its store on.
    package struct NodeTelemetry: Sendable {
        /// The metrics.
        package let metrics = NodeMetrics()
        /// What the store's configuration gets.
        package let observer: NodeObserver

        /// Makes metrics without values.
        package init(_ log: NodeLog) {
            observer = NodeObserver(metrics, log.logger("store"))
        }
    }
#endif
