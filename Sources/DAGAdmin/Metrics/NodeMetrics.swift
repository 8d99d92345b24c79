#if Node
    internal import CoreMetrics
    package import DAGGateway
    package import DAGStorage

    /// The metrics of a node that are recorded as things happen.
    ///
    /// Their names are a promise.
    ///
    /// | name | what |
    /// |---|---|
    /// | `dagstore_http_requests_total{kind,status}` | answers of the gateway |
    /// | `dagstore_http_request_seconds{kind}` | times from a request to the end of its answer |
    /// | `dagstore_http_sent_bytes_total` | bytes of content |
    /// | `dagstore_http_requests_active` | requests whose answers go on |
    /// | `dagstore_lookup_seconds{kind}` | times to find a block: in an open shard, or in any |
    /// | `dagstore_commit_seconds` | write transactions of the catalog, with their wait for the disk |
    /// | `dagstore_job_seconds{kind}` | jobs that index or open a shard |
    /// | `dagstore_merge_seconds` | merges of the inverse index |
    /// | `dagstore_step_failures_total{kind}` | the same steps where they failed |
    /// | `dagstore_shard_events_total{operation}` | events of shards, without leases |
    /// | `dagstore_faults_total{code}` | shards that failed, by the error's code |
    ///
    /// *Concurrency*: any thread.
    package final class NodeMetrics: Sendable, GatewayObserver {
        /// Where the metrics are.
        package let registry = MetricRegistry()
        // By the places of kinds and lookups among all cases: a request looks nothing up.
        private let times: [HistogramSeries]
        /// By kind and class of status.
        private let answers: [[CounterSeries]]
        private let bytes: CounterSeries
        private let active: LevelSeries
        private let lookups: [HistogramSeries]
        private let steps: [StoreMeasurement.Kind: HistogramSeries]

        private static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"]

        /// Makes the metrics.
        package init() {
            let registry = registry
            times = GatewayReport.Kind.allCases.map { kind in
                registry.histogram("dagstore_http_request_seconds", [("kind", kind.rawValue)])
            }
            answers = GatewayReport.Kind.allCases.map { kind in
                Self.classes.map { status in
                    registry.counter(
                        "dagstore_http_requests_total",
                        [("kind", kind.rawValue), ("status", status)]
                    )
                }
            }
            bytes = registry.counter("dagstore_http_sent_bytes_total")
            active = registry.level("dagstore_http_requests_active")
            lookups = GatewayReport.Lookup.allCases.map {
                registry.histogram("dagstore_lookup_seconds", [("kind", $0.rawValue)])
            }
            let jobs = "dagstore_job_seconds"
            steps = [
                .commit: registry.histogram("dagstore_commit_seconds"),
                .indexing: registry.histogram(jobs, [("kind", "indexing")]),
                .opening: registry.histogram(jobs, [("kind", "opening")]),
                .merge: registry.histogram("dagstore_merge_seconds"),
            ]
            for (name, help) in Self.texts { registry.describe(name, help) }
        }

        private static let texts = [
            ("dagstore_http_requests_total", "Answers of the gateway."),
            ("dagstore_http_request_seconds", "Times from a request to the end of its answer."),
            ("dagstore_http_sent_bytes_total", "Bytes of content that the gateway has sent."),
            ("dagstore_http_requests_active", "Requests whose answers go on."),
            ("dagstore_lookup_seconds", "Times to find a block for the gateway."),
            ("dagstore_commit_seconds", "Write transactions with their wait for the disk."),
            ("dagstore_job_seconds", "Jobs that index or open a shard."),
            ("dagstore_merge_seconds", "Merges of the inverse index."),
            ("dagstore_step_failures_total", "Steps of the store that failed."),
            ("dagstore_shard_events_total", "Events of shards, without leases."),
            ("dagstore_faults_total", "Shards that failed, by the code of the error."),
        ]

        // MARK: The gateway

        /// Records an answer.
        package func receive(_ report: GatewayReport) {
            let place = report.kind.place
            answers[place][max(1, min(report.status / 100, 5)) - 1].increment(by: 1)
            times[place].recordNanoseconds(Int64(clamping: report.nanoseconds))
        }

        /// Records a lookup.
        package func receive(_ lookup: GatewayReport.Lookup, nanoseconds: UInt64) {
            lookups[lookup == .open ? 0 : 1].recordNanoseconds(Int64(clamping: nanoseconds))
        }

        /// Records bytes of content.
        package func countSent(_ bytes: Int) { self.bytes.increment(by: Int64(bytes)) }

        /// Records that a request has begun, or that its answer has ended.
        package func countActive(_ change: Int) { active.add(change) }

        /// The counts of all answers' times by buckets, for the page.
        var answerTimes: [UInt64] {
            let all = times.map(\.counts)
            return (0...HistogramSeries.bounds.count).map { bucket in
                all.reduce(0) { $0 + $1[bucket] }
            }
        }

        /// The counts of all answers since the start.
        var totals: (requests: UInt64, failed: UInt64, bytes: UInt64, active: Int) {
            func sum(_ counters: [CounterSeries]) -> UInt64 {
                counters.reduce(0) { $0 + UInt64(max(0, $1.count)) }
            }
            return (
                sum(answers.flatMap(\.self)), sum(answers.compactMap(\.last)), sum([bytes]),
                active.count
            )
        }

        // MARK: The store

        /// Records a step of the store.
        package func receive(_ measurement: StoreMeasurement) {
            steps[measurement.kind]?.recordNanoseconds(measurement.duration.wholeNanoseconds)
            guard !measurement.isSuccess else { return }
            Counter(
                label: "dagstore_step_failures_total",
                dimensions: [("kind", measurement.kind.rawValue)],
                factory: registry
            ).increment()
        }

        /// Records an event of a shard.
        func receive(_ event: ShardEvent) {
            Counter(
                label: "dagstore_shard_events_total",
                dimensions: [("operation", event.operation.rawValue)],
                factory: registry
            ).increment()
            guard event.operation == .fail, let error = event.error else { return }
            Counter(
                label: "dagstore_faults_total",
                dimensions: [("code", error.code.name)],
                factory: registry
            ).increment()
        }
    }

    extension GatewayReport.Kind {
        /// The place among all cases.
        fileprivate var place: Int {
            switch self {
            case .block: 0
            case .car: 1
            case .piece: 2
            case .other: 3
            }
        }
    }

    extension Duration {
        /// The duration in nanoseconds, at most 292 years.
        var wholeNanoseconds: Int64 {
            let (seconds, attoseconds) = components
            guard seconds < 1 << 33 else { return .max }
            return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        }

        /// The duration in seconds.
        var inSeconds: Double {
            let (seconds, attoseconds) = components
            return Double(seconds) + Double(attoseconds) / 1e18
        }
    }
#endif
