import DAGMounts

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
        /// What ended the scan.
        var end = End.complete
    }

    enum End { case complete, failed, hung }

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

    private struct Request {
        let window: Range<UInt64>
        let begin: Double
        let end: Double
        let isSample: Bool
        let fails: Bool
    }

    private struct Run {
        var time = 0.0
        var windows: ScanWindows
        let fails: (Int) -> Bool
        var outcome = Outcome()
        var running: [Request] = []
        var stream: (offset: UInt64, time: Double)?
        var position: UInt64
    }

    /// Scans everything.
    ///
    /// - Parameters:
    ///   - fixed: The measures to decide by; nil to measure.
    ///   - hints: Whether an index is there.
    ///   - fails: Returns whether a request for a window or a sample fails, by its number; the first has number 0.
    /// - Returns: The cost.
    func run(
        fixed: ScanMeasures? = nil,
        hints: Bool = false,
        fails: @escaping (Int) -> Bool = { _ in false }
    ) -> Outcome {
        let plan = ScanPlan(
            payload: 0..<end,
            start: start,
            requestsAtOnce: requestsAtOnce,
            fixed: fixed
        )
        let first = [UInt8](repeating: 0, count: Int(min(4096, end)))
        var run = Run(windows: ScanWindows(plan, first: first), fails: fails, position: start)
        if hints { run.windows.plan.setHints(SectionHints(offsets)) }
        var index = 0
        while index < offsets.count {
            let offset = offsets[index]
            let size = min(Self.headerSize, end - offset)
            if let stream = run.stream {
                let isKnown = run.position - stream.offset >= 64 << 10
                run.windows.plan.setMeasures((server.roundTrip, isKnown ? server.bandwidth : nil))
            }
            run.windows.arrive(at: offset, needs: size, sections: UInt64(index))
            run.position = offset
            let way = run.windows.plan.way
            if run.outcome.ways.last != way, index > 0, let way { run.outcome.ways.append(way) }
            let there =
                way == .stream ? streamed(offset, size, &run) : window(offset, size, &run)
            guard let there else { break }
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
        let bytes = Double(offset + size - stream.offset)
        run.time = max(run.time, stream.time + server.roundTrip + bytes / server.bandwidth)
        let count = (run.time - stream.time - server.roundTrip) * server.bandwidth
        let window = offset + max(size, UInt64(run.windows.plan.streamWindow))
        return max(offset + size, min(stream.offset + UInt64(count), window, end))
    }

    /// Returns the end of the window that has a header; nil if the scan ends before.
    private func window(_ offset: UInt64, _ size: UInt64, _ run: inout Run) -> UInt64? {
        if let stream = run.stream {
            // The reader ended the stream: a buffer of it was on its way.
            run.outcome.bytes += min(run.position + (4 << 20), end) - stream.offset
            run.stream = nil
        }
        while true {
            for window in run.windows.plan.nextRequests() { send(window, isSample: false, &run) }
            if let sample = run.windows.plan.nextSample() { send(sample, isSample: true, &run) }
            switch run.windows.answer(at: offset, needs: Int(size)) {
            case .success(let bytes): return offset + UInt64(bytes.count)
            case .failure:
                run.outcome.end = .failed
                return nil
            case nil: break
            }
            let next = run.running.indices.min { run.running[$0].end < run.running[$1].end }
            guard let next else {
                // No request runs that brings the header.
                run.outcome.end = .hung
                return nil
            }
            finish(run.running.remove(at: next), &run)
        }
    }

    private func finish(_ request: Request, _ run: inout Run) {
        run.time = max(run.time, request.end)
        guard !request.isSample else {
            let bandwidth = request.fails ? nil : server.bandwidth
            return run.windows.plan.finishSample(bandwidth: bandwidth)
        }
        run.windows.finish(
            request.window,
            request.fails
                ? .failure(MountError(.gone, "the object is gone"))
                : .success([UInt8](repeating: 0, count: request.window.count)),
            seconds: request.end - request.begin
        )
    }

    private func send(_ window: Range<UInt64>, isSample: Bool, _ run: inout Run) {
        let time = server.roundTrip + Double(window.count) / server.bandwidth
        run.running.append(
            Request(
                window: window,
                begin: run.time,
                end: run.time + time,
                isSample: isSample,
                fails: run.fails(run.outcome.requests)
            )
        )
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
