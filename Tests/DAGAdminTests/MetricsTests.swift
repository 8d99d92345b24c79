#if Node
    import CoreMetrics
    @testable import DAGAdmin
    @testable import DAGGateway
    import DAGStorage
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @Suite("Metrics", .timeLimit(.minutes(2)))
    struct MetricsTests {
        private static func lines(_ registry: MetricRegistry) -> [String] {
            String(decoding: registry.text(), as: UTF8.self).split(separator: "\n").map(String.init)
        }

        @Test("swift-metrics' counters, timers and gauges become samples")
        func factory() {
            let registry = MetricRegistry()
            registry.describe("a_total", "How many\n\\ of them")
            Counter(label: "a_total", dimensions: [("k", "v\"\n\\")], factory: registry)
                .increment(by: 3)
            // The same name and dimensions are the same metric.
            Counter(label: "a_total", dimensions: [("k", "v\"\n\\")], factory: registry).increment()
            let timer = CoreMetrics.Timer(label: "t_seconds", factory: registry)
            timer.recordNanoseconds(30_000)
            timer.recordNanoseconds(120_000_000_000)
            let meter = Meter(label: "m", factory: registry)
            meter.set(2.5)
            meter.decrement(by: 1)
            let lines = Self.lines(registry)
            #expect(lines.contains("# HELP a_total How many\\n\\\\ of them"))
            #expect(lines.contains("# TYPE a_total counter"))
            #expect(lines.contains("a_total{k=\"v\\\"\\n\\\\\"} 4"))
            #expect(lines.contains("m 1.5"))
            #expect(lines.contains("t_seconds_bucket{le=\"2.5e-05\"} 0"))
            #expect(lines.contains("t_seconds_bucket{le=\"5e-05\"} 1"))
            #expect(lines.contains("t_seconds_bucket{le=\"60.0\"} 1"))
            #expect(lines.contains("t_seconds_bucket{le=\"+Inf\"} 2"))
            #expect(lines.contains("t_seconds_count 2"))
            #expect(lines.contains("t_seconds_sum 120.00003"))
        }

        @Test("records of many threads are all counted")
        func threads() async {
            let registry = MetricRegistry()
            await withTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<1000 {
                            registry.counter("c").increment(by: 1)
                            registry.histogram("h").recordNanoseconds(1000)
                            registry.gauge("g").increment(by: 1)
                        }
                    }
                }
            }
            let lines = Self.lines(registry)
            #expect(lines.contains("c 8000"))
            #expect(lines.contains("h_count 8000"))
            #expect(lines.contains("g 8000"))
        }

        @Test("quantiles lie in the bucket of their value")
        func quantiles() throws {
            let series = HistogramSeries([])
            #expect(Latency.quantile(0.5, series.counts) == nil)
            for _ in 0..<99 { series.recordNanoseconds(700_000) }
            series.recordNanoseconds(3_000_000_000)
            let median = try #require(Latency.quantile(0.5, series.counts))
            #expect(median > 0.0005 && median <= 0.001)
            let last = try #require(Latency.quantile(1, series.counts))
            #expect(last > 2.5 && last <= 5)
            series.recordNanoseconds(.max)
            #expect(Latency.quantile(1, series.counts) == 60)
        }

        /// Every name is a promise to dashboards and alerts: names may be added, not changed.
        private static let promised = [
            "dagstore_blocks", "dagstore_catalog_file_bytes", "dagstore_catalog_map_bytes",
            "dagstore_catalog_used_bytes", "dagstore_commit_seconds",
            "dagstore_events_dropped_total",
            "dagstore_faults_total", "dagstore_http_request_seconds",
            "dagstore_http_requests_active", "dagstore_http_requests_total",
            "dagstore_http_sent_bytes_total", "dagstore_index_bytes", "dagstore_inverse_bytes",
            "dagstore_inverse_entries", "dagstore_inverse_read_amplification",
            "dagstore_inverse_runs", "dagstore_inverse_write_amplification",
            "dagstore_job_seconds", "dagstore_leases", "dagstore_lookup_seconds",
            "dagstore_loop_waiting_messages", "dagstore_merge_seconds", "dagstore_open_shards",
            "dagstore_page_cache_bytes", "dagstore_page_cache_hits_total",
            "dagstore_page_cache_misses_total", "dagstore_payload_bytes",
            "dagstore_shard_events_total", "dagstore_shards", "dagstore_step_failures_total",
            "dagstore_stuck_shards", "dagstore_transient_bytes", "dagstore_transients",
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
            "process_max_fds",
        ]

        @Test("a store at work has all metrics that are promised, and promtool accepts the text")
        func promise() async throws {
            let folder = try TemporaryFolder()
            let metrics = NodeMetrics()
            var configuration = Configuration()
            configuration.observer = MetricsOnly(metrics: metrics)
            let store = try DAGStore.open(
                at: FilePath(folder.path(of: "store")),
                configuration: configuration
            )
            let admin = AdminScene.admin(store, metrics)
            let following = Task { await admin.followEvents() }
            let car = CARBuilder.uniform(sections: 5, blockSize: 100, seed: 1)
            let path = try folder.write(car.bytes, to: "a.car")
            try await store.register(ShardKey("a"), from: FileMount(FilePath(path)))
            // A file that is no CAR fails its shard.
            let junk = try folder.write([1, 2, 3], to: "b.car")
            await #expect(throws: DAGStoreError.self) {
                try await store.register(ShardKey("b"), from: FileMount(FilePath(junk)))
            }
            for status in [200, 404, 500] {
                metrics.receive(
                    GatewayReport(kind: .block, status: status, nanoseconds: 1_000_000)
                )
            }
            metrics.receive(.open, nanoseconds: 1000)
            metrics.countSent(77)
            metrics.countActive(1)
            await eventually {
                Self.lines(metrics.registry).contains("dagstore_faults_total{code=\"truncated\"} 1")
                    || Self.lines(metrics.registry).contains {
                        $0.hasPrefix("dagstore_faults_total{")
                    }
            }
            let text = metrics.registry.text()
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            let names = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
            #expect(Set(names).count == names.count, "a metric stands twice")
            let missing = Set(Self.promised).subtracting(names.map(String.init))
            #expect(missing.isEmpty)
            #expect(lines.contains("dagstore_shards{state=\"available\"} 1"))
            #expect(lines.contains("dagstore_shards{state=\"failed\"} 1"))
            #expect(lines.contains("dagstore_http_requests_total{kind=\"block\",status=\"4xx\"} 1"))
            #expect(lines.contains("dagstore_http_sent_bytes_total 77"))
            #expect(lines.contains("dagstore_blocks 5"))
            // Labels name no shard and no block.
            #expect(!lines.contains { $0.contains("key=") || $0.contains("cid=") })
            await store.close()
            await following.value
            try Self.checkWithPromtool(text)
        }

        /// Lets Prometheus's own tool read the text, where it is installed.
        private static func checkWithPromtool(_ text: [UInt8]) throws {
            let tool = "/usr/bin/promtool"
            guard FileManager.default.isExecutableFile(atPath: tool) else {
                print("skipped: promtool is not installed (Debian's package prometheus)")
                return
            }
            let process = Process()
            process.executableURL = URL(filePath: tool)
            process.arguments = ["check", "metrics"]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(text))
            try input.fileHandleForWriting.close()
            let said = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
        }
    }

    /// An observer that keeps measurements, and drops lines.
    struct MetricsOnly: StoreObserver {
        let metrics: NodeMetrics

        func receive(_ measurement: StoreMeasurement) { metrics.receive(measurement) }

        func receive(_ line: StoreLogLine) {}
    }
#endif
