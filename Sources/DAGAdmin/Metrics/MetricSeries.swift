#if Node
    internal import CoreMetrics
    internal import SharedReads
    internal import Synchronization

    /// A count that only grows.
    final class CounterSeries: MetricSeries, CounterHandler {
        let kind = PrometheusText.Kind.counter
        private let labels: [(String, String)]
        private let value = StripedCount()

        init(_ labels: [(String, String)]) { self.labels = labels }

        /// The count.
        var count: Int { value.sum }

        func increment(by amount: Int64) { value.add(Int(amount)) }

        func reset() { value.add(-value.sum) }

        func write(_ name: String, to text: inout PrometheusText) {
            text.sample(name, labels, Double(count))
        }
    }

    /// A value that goes up and down.
    final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
        let kind = PrometheusText.Kind.gauge
        private let labels: [(String, String)]
        /// The pattern of a `Double`.
        private let value = Atomic<UInt64>(0)

        init(_ labels: [(String, String)]) { self.labels = labels }

        func set(_ value: Int64) { set(Double(value)) }

        func set(_ value: Double) { self.value.store(value.bitPattern, ordering: .relaxed) }

        func record(_ value: Int64) { set(Double(value)) }

        func record(_ value: Double) { set(value) }

        func increment(by amount: Double) {
            var old = value.load(ordering: .relaxed)
            while true {
                let new = (Double(bitPattern: old) + amount).bitPattern
                let (isDone, found) = value.compareExchange(
                    expected: old,
                    desired: new,
                    ordering: .relaxed
                )
                if isDone { return }
                old = found
            }
        }

        func decrement(by amount: Double) { increment(by: -amount) }

        func write(_ name: String, to text: inout PrometheusText) {
            text.sample(name, labels, Double(bitPattern: value.load(ordering: .relaxed)))
        }
    }

    /// A number of things that come and go, which many threads count.
    final class LevelSeries: MetricSeries {
        let kind = PrometheusText.Kind.gauge
        private let labels: [(String, String)]
        private let value = StripedCount()

        init(_ labels: [(String, String)]) { self.labels = labels }

        /// The number.
        var count: Int { value.sum }

        func add(_ change: Int) { value.add(change) }

        func write(_ name: String, to text: inout PrometheusText) {
            text.sample(name, labels, Double(count))
        }
    }

    /// The number of values below each of some bounds, and their sum.
    final class HistogramSeries: MetricSeries, TimerHandler, RecorderHandler {
        /// The upper bounds of the buckets, in seconds.
        static let bounds: [Double] = [
            0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5,
            0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
        ]

        /// A count that many threads add to.
        private final class Cell: Sendable {
            let value = StripedCount()
        }

        let kind = PrometheusText.Kind.histogram
        private let labels: [(String, String)]
        private let cells = (0...HistogramSeries.bounds.count).map { _ in Cell() }
        /// The sum of the values in nanoseconds, which overflows after 292 years.
        private let sum = StripedCount()

        init(_ labels: [(String, String)]) { self.labels = labels }

        func recordNanoseconds(_ duration: Int64) {
            let nanoseconds = max(0, duration)
            let seconds = Double(nanoseconds) / 1e9
            var (low, high) = (0, Self.bounds.count)
            while low < high {
                let middle = (low + high) / 2
                if Self.bounds[middle] < seconds { low = middle + 1 } else { high = middle }
            }
            cells[low].value.add(1)
            sum.add(Int(nanoseconds))
        }

        func record(_ value: Int64) { record(Double(value)) }

        func record(_ value: Double) {
            recordNanoseconds(Int64(max(0, min(value, 1e9)) * 1e9))
        }

        /// The number of values in each bucket; the last one has those above all bounds.
        var counts: [UInt64] { cells.map { UInt64(max(0, $0.value.sum)) } }

        func write(_ name: String, to text: inout PrometheusText) {
            var total: UInt64 = 0
            for (bound, count) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], counts) {
                total += count
                text.sample("\(name)_bucket", labels + [("le", bound)], Double(total))
            }
            text.sample("\(name)_sum", labels, Double(sum.sum) / 1e9)
            text.sample("\(name)_count", labels, Double(total))
        }
    }
#endif
