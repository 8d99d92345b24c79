#if Node
    package import CoreMetrics
    internal import SharedReads

    /// The metrics of a process: a backend of swift-metrics whose state is Prometheus text.
    ///
    /// The same label and dimensions always give the same metric. Timers are histograms in seconds.
    ///
    /// *Concurrency*: any thread. *Cost* of a record: an addition or two; no lock.
    package final class MetricRegistry: MetricsFactory, Sendable {
        /// The values of one name.
        private struct Family {
            var help = ""
            var series: [String: any MetricSeries] = [:]
        }

        private struct State {
            var families: [String: Family] = [:]
            var collectors: [@Sendable (inout PrometheusText) -> Void] = []
        }

        private let state = Lock(State())

        /// Makes a registry without metrics.
        package init() {}

        /// Sets the text that explains a metric.
        package func describe(_ name: String, _ help: String) {
            state.withLock { $0.families[name, default: Family()].help = help }
        }

        /// Adds a function that writes metrics whose values are read when they are asked for.
        package func collect(_ body: @escaping @Sendable (inout PrometheusText) -> Void) {
            state.withLock { $0.collectors.append(body) }
        }

        /// Returns all metrics as text.
        ///
        /// Source: Prometheus, "Exposition formats", text format 0.0.4.
        package func text() -> [UInt8] {
            let (families, collectors) = state.withLock { ($0.families, $0.collectors) }
            var text = PrometheusText()
            for (name, family) in families.sorted(by: { $0.key < $1.key }) {
                guard let first = family.series.values.first else { continue }
                text.family(name, first.kind, family.help)
                for (_, series) in family.series.sorted(by: { $0.key < $1.key }) {
                    series.write(name, to: &text)
                }
            }
            for collect in collectors { collect(&text) }
            return text.bytes
        }

        private func series<Series: MetricSeries>(
            _ name: String,
            _ labels: [(String, String)],
            _ make: ([(String, String)]) -> Series
        ) -> Series {
            let key = labels.map { "\($0)=\($1)" }.joined(separator: "\n")
            return state.withLock { state in
                let found = state.families[name]?.series[key]
                if let found {
                    guard let series = found as? Series else {
                        preconditionFailure("\(name) is a metric of another kind")
                    }
                    return series
                }
                let series = make(labels)
                state.families[name, default: Family()].series[key] = series
                return series
            }
        }

        // MARK: Metrics

        /// Returns a counter.
        func counter(_ name: String, _ labels: [(String, String)] = []) -> CounterSeries {
            series(name, labels) { CounterSeries($0) }
        }

        /// Returns a histogram of seconds.
        func histogram(_ name: String, _ labels: [(String, String)] = []) -> HistogramSeries {
            series(name, labels) { HistogramSeries($0) }
        }

        /// Returns a gauge that is the last value.
        func gauge(_ name: String, _ labels: [(String, String)] = []) -> GaugeSeries {
            series(name, labels) { GaugeSeries($0) }
        }

        /// Returns a gauge that counts what comes and goes.
        func level(_ name: String, _ labels: [(String, String)] = []) -> LevelSeries {
            series(name, labels) { LevelSeries($0) }
        }

        // MARK: swift-metrics

        /// Returns a counter.
        package func makeCounter(
            label: String,
            dimensions: [(String, String)]
        ) -> any CounterHandler {
            counter(label, dimensions)
        }

        /// Returns a histogram of seconds.
        package func makeTimer(
            label: String,
            dimensions: [(String, String)]
        ) -> any TimerHandler {
            histogram(label, dimensions)
        }

        /// Returns a gauge that is the last value.
        package func makeMeter(
            label: String,
            dimensions: [(String, String)]
        ) -> any MeterHandler {
            gauge(label, dimensions)
        }

        /// Returns a histogram, or a gauge if the values are not to be summed up.
        package func makeRecorder(
            label: String,
            dimensions: [(String, String)],
            aggregate: Bool
        ) -> any RecorderHandler {
            aggregate ? histogram(label, dimensions) : gauge(label, dimensions)
        }

        /// Does nothing: a metric stays until the process ends, as Prometheus expects.
        package func destroyCounter(_ handler: any CounterHandler) {}
        /// Does nothing.
        package func destroyTimer(_ handler: any TimerHandler) {}
        /// Does nothing.
        package func destroyMeter(_ handler: any MeterHandler) {}
        /// Does nothing.
        package func destroyRecorder(_ handler: any RecorderHandler) {}
    }

    /// The values of one metric with one set of labels.
    protocol MetricSeries: AnyObject, Sendable {
        /// The kind of the metric.
        var kind: PrometheusText.Kind { get }
        /// Writes the values.
        func write(_ name: String, to text: inout PrometheusText)
    }
#endif
