@testable import RemoteMounts

/// A scan in virtual time: the plan against a server with a round trip and a bandwidth.
struct ScanSimulation {
    /// What a scan cost.
    struct Outcome: Equatable {
        var seconds = 0.0
        var bytes: UInt64 = 0
        var requests = 0
        /// The ways, one after the other.
        var ways: [ScanWay] = []
    }

    static let headerSize: UInt64 = 64

    /// The server: each request brings its first byte after the round trip.
    let server: ScanMeasures
    let requestsAtOnce: Int
    private let offsets: [UInt64]
    private let end: UInt64
    private let start: UInt64 = 59

    init(_ sizes: [UInt64], _ server: ScanMeasures, requestsAtOnce: Int = 8) {
        self.server = server
        self.requestsAtOnce = requestsAtOnce
        var offset = start
        offsets = sizes.map { size in
            defer { offset += size }
            return offset
        }
        end = offset
    }

    /// The time of a stream.
    var streamSeconds: Double { server.roundTrip + Double(end) / server.bandwidth }

    private struct Run {
        var time = 0.0
        var plan: ScanPlan
        var outcome = Outcome()
        var running: [(window: Range<UInt64>, begin: Double, end: Double, isSample: Bool)] = []
        var arrived: [Range<UInt64>] = []
        var stream: (offset: UInt64, time: Double)?
        var position: UInt64
    }

    /// Scans everything.
    ///
    /// - Parameters:
    ///   - fixed: The measures to decide by; nil to measure.
    ///   - hints: Whether an index is there.
    /// - Returns: The cost.
    func run(fixed: ScanMeasures? = nil, hints: Bool = false) -> Outcome {
        var plan = ScanPlan(
            payload: 0..<end,
            start: start,
            requestsAtOnce: requestsAtOnce,
            fixed: fixed
        )
        plan.begin(with: 0..<min(4096, end))
        if hints { plan.setHints(SectionHints(offsets)) }
        var run = Run(plan: plan, arrived: [0..<min(4096, end)], position: start)
        var index = 0
        while index < offsets.count {
            let offset = offsets[index]
            let size = min(Self.headerSize, end - offset)
            if let stream = run.stream {
                let isKnown = run.position - stream.offset >= 64 << 10
                run.plan.setMeasures((server.roundTrip, isKnown ? server.bandwidth : nil))
            }
            run.plan.arrive(at: offset, needs: size, sections: UInt64(index))
            run.position = offset
            if run.outcome.ways.last != run.plan.way, index > 0, let way = run.plan.way {
                run.outcome.ways.append(way)
            }
            let there =
                run.plan.way == .stream
                ? streamed(offset, size, &run) : window(offset, size, &run)
            while index < offsets.count, offsets[index] < there,
                min(offsets[index] + Self.headerSize, end) <= there
            { index += 1 }
        }
        if let stream = run.stream { run.outcome.bytes += end - stream.offset }
        run.outcome.seconds = run.time
        return run.outcome
    }

    /// Returns the end of the bytes that a stream has brought.
    private func streamed(_ offset: UInt64, _ size: UInt64, _ run: inout Run) -> UInt64 {
        let stream = run.stream ?? (offset, run.time)
        if run.stream == nil { run.outcome.requests += 1 }
        run.stream = stream
        run.arrived = []
        let bytes = Double(offset + size - stream.offset)
        run.time = max(run.time, stream.time + server.roundTrip + bytes / server.bandwidth)
        let count = (run.time - stream.time - server.roundTrip) * server.bandwidth
        let window = offset + max(size, UInt64(run.plan.streamWindow))
        return max(offset + size, min(stream.offset + UInt64(count), window, end))
    }

    /// Returns the end of the window that has a header.
    private func window(_ offset: UInt64, _ size: UInt64, _ run: inout Run) -> UInt64 {
        if let stream = run.stream {
            // The reader ended the stream: a buffer of it was on its way.
            run.outcome.bytes += min(run.position + (4 << 20), end) - stream.offset
            run.stream = nil
        }
        while true {
            for window in run.plan.nextRequests() { send(window, isSample: false, &run) }
            if let sample = run.plan.nextSample() { send(sample, isSample: true, &run) }
            if let found = run.arrived.first(where: {
                $0.lowerBound <= offset && offset + size <= $0.upperBound
            }) {
                run.arrived.removeAll { $0.upperBound <= offset }
                return found.upperBound
            }
            guard
                let next = run.running.indices.min(by: { run.running[$0].end < run.running[$1].end }
                )
            else { preconditionFailure("nobody asked for \(offset)") }
            let done = run.running.remove(at: next)
            run.time = max(run.time, done.end)
            if done.isSample {
                run.plan.finishSample(bandwidth: server.bandwidth)
            } else {
                run.plan.finish(done.window, seconds: done.end - done.begin)
                run.arrived.append(done.window)
            }
        }
    }

    private func send(_ window: Range<UInt64>, isSample: Bool, _ run: inout Run) {
        let time = server.roundTrip + Double(window.count) / server.bandwidth
        run.running.append((window, run.time, run.time + time, isSample))
        run.outcome.requests += 1
        run.outcome.bytes += UInt64(window.count)
    }
}

extension ScanMeasures {
    /// Measures that make ranges the faster way for any section, whatever the server does.
    static let rangesOnly = ScanMeasures(roundTrip: 1e-9, bandwidth: 1e-3)
    /// Measures that make a stream the faster way.
    static let streamOnly = ScanMeasures(roundTrip: 1, bandwidth: 1e12)
}
