/// The requests that bring the section headers of a CAR at a distance: a value, without I/O and clock.
///
/// The walk over the sections *arrives* at one header after the other. The plan says which bytes to ask for: the header
/// itself, if it was not asked for yet, and windows at the places where the next headers probably are. A guess is only
/// a place to read: the walk believes no header before it arrives there, so a wrong guess costs its bytes and never a
/// wrong index. The number of guesses doubles while they are right and halves when one is wrong.
///
/// Where sections are small, a stream brings all bytes instead; `ScanCosts` decides.
struct ScanPlan {
    /// The size of a window for one header: a varint and a CID, mostly of 40 bytes.
    static let windowSizeMin: UInt64 = 512
    /// The largest window for a header that follows a large section.
    static let windowSizeMax: UInt64 = 4096
    /// The largest window where small sections follow each other.
    static let runSizeMax: UInt64 = 1 << 20
    /// The size from which on sections count as large before anything was measured.
    static let largeSize = 16.0 * 1024
    /// The rest of a CAR that one request reads at once.
    static let restMax: UInt64 = 64 << 10
    /// The sections that the usual size remembers.
    private static let memory = 16.0
    /// The share of the bytes that samples may have.
    static let sampleShare: UInt64 = 128
    static let sampleMin: UInt64 = 64 << 10
    static let sampleMax: UInt64 = 16 << 20

    /// The offsets of the payload in the object.
    let payload: Range<UInt64>
    /// The requests that run at once.
    let requestsAtOnce: Int

    /// The way now; nil before the first arrival.
    private(set) var way: ScanWay?
    /// The windows that were asked for and that the walk has not passed, in order.
    private(set) var windows: [Range<UInt64>] = []
    /// The requests that run, also those whose bytes the walk no longer needs.
    private(set) var running = 0
    private var measures: (roundTrip: Double?, bandwidth: Double?)
    private let isFixed: Bool

    private var position: UInt64
    private var sections: UInt64 = 0
    private var needed: Range<UInt64>?
    private var recent = (bytes: 0.0, sections: 0.0)

    private var forecast = SectionForecast()
    private var hints: SectionHints?
    private var expected: UInt64?
    private var hitRate = 0.9
    private var depth = 1
    /// The last guess, and the distance that leads to it.
    private var guess: (offset: UInt64, distance: UInt64)
    private var windowSize = windowSizeMin
    private var runSize = windowSizeMin
    /// The end of the last window that the walk was in.
    private var windowEnd: UInt64
    private var singles = 0

    /// Whether sections have decided the way.
    private var hasDecided = false
    private var sampled: UInt64 = 0
    private var sampleSize = sampleMin
    private var isSampling = false
    private var sampleRate: Double?

    /// Creates a plan.
    ///
    /// - Parameters:
    ///   - payload: The offsets of the payload in the object.
    ///   - start: The offset of the first section.
    ///   - requestsAtOnce: The requests that may run at once; at least 1.
    ///   - fixed: The measures to decide by; nil to measure.
    init(
        payload: Range<UInt64>,
        start: UInt64,
        requestsAtOnce: Int,
        fixed: ScanMeasures? = nil
    ) {
        precondition(payload.lowerBound <= start && start <= payload.upperBound)
        self.payload = payload
        self.requestsAtOnce = max(1, requestsAtOnce)
        measures = (fixed?.roundTrip, fixed?.bandwidth)
        isFixed = fixed != nil
        position = start
        guess = (start, 0)
        windowEnd = start
    }

    /// Adds a window that is there already: the first bytes of the object.
    mutating func begin(with window: Range<UInt64>) {
        guard !window.isEmpty else { return }
        windows = [window]
        windowEnd = max(windowEnd, window.upperBound)
    }

    // MARK: The walk

    /// Moves to the header that the walk needs next, and decides the way.
    ///
    /// - Parameters:
    ///   - offset: The offset of the header in the object; never smaller than the last.
    ///   - size: The bytes that the walk needs there, inside the payload.
    ///   - sections: The sections so far.
    mutating func arrive(at offset: UInt64, needs size: UInt64, sections: UInt64) {
        precondition(offset >= position && size > 0 && size <= payload.upperBound - offset)
        if offset > position { learn(offset - position, sections - self.sections) }
        position = offset
        self.sections = sections
        decide()
        guard way == .ranges else { return stop() }
        place(offset..<offset + size)
        expect()
    }

    private mutating func learn(_ distance: UInt64, _ count: UInt64) {
        recent.bytes += Double(distance)
        recent.sections += Double(count)
        while recent.sections > Self.memory {
            recent.bytes /= 2
            recent.sections /= 2
        }
        if let expected { learnHit(expected == position + distance, at: position + distance) }
        forecast.record(distance)
    }

    private mutating func learnHit(_ isHit: Bool, at offset: UInt64) {
        hitRate += ((isHit ? 1 : 0) - hitRate) / 16
        if hints?.confirm(isHit) == false { hints = nil }
        depth = isHit ? min(depth * 2, 2 * requestsAtOnce) : max(1, depth / 2)
    }

    /// Finds the window that has a header, or plans one.
    private mutating func place(_ header: Range<UInt64>) {
        windows.removeAll { $0.lowerBound < header.lowerBound && $0.upperBound < header.upperBound }
        if let window = windows.first, window.lowerBound <= header.lowerBound,
            header.upperBound <= window.upperBound
        {
            adapt(to: header.lowerBound)
            windowEnd = window.upperBound
            return
        }
        // The guesses began at another header than this one.
        windows = []
        let isRun = adapt(to: header.lowerBound)
        let size = max(isRun ? runSize : windowSize, UInt64(header.count))
        let end = min(header.lowerBound + size, payload.upperBound)
        needed = header.lowerBound..<end
        windows = [header.lowerBound..<end]
        windowEnd = end
        guess = (header.lowerBound, forecast.lastDistance)
    }

    /// Adapts the size of windows to what follows them.
    ///
    /// - Returns: Whether the walk goes on right behind the last window, as in a run of small sections.
    @discardableResult
    private mutating func adapt(to offset: UInt64) -> Bool {
        let isRun = offset <= windowEnd + windowSize && windowEnd > payload.lowerBound
        guard isRun else {
            runSize = windowSize
            singles += 1
            if singles >= 8 {
                windowSize = max(windowSize / 2, Self.windowSizeMin)
                singles = 0
            }
            return false
        }
        singles = 0
        runSize = min(2 * max(runSize, windowSize), Self.runSizeMax)
        // Windows have at most a 64th of the bytes.
        let limit = UInt64(min(usualSize / 64, Double(Self.windowSizeMax)))
        if 2 * windowSize <= limit { windowSize *= 2 }
        return true
    }

    private mutating func expect() {
        expected = nextGuess(after: position, forecast.lastDistance)?.offset
    }

    private mutating func stop() {
        windows = []
        needed = nil
        expect()
    }

    // MARK: Requests

    /// Returns the windows to ask for now; empty where a stream brings the bytes.
    mutating func nextRequests() -> [Range<UInt64>] {
        guard way == .ranges else { return [] }
        var requests: [Range<UInt64>] = []
        if let needed {
            requests.append(needed)
            self.needed = nil
            running += 1
        }
        while sections > 0, running < requestsAtOnce, windows.count <= depth,
            let next = nextGuess(after: guess.offset, guess.distance)
        {
            guess = next
            guard next.offset >= (windows.last?.upperBound ?? position) else { continue }
            let window = next.offset..<min(next.offset + windowSize, payload.upperBound)
            windows.append(window)
            requests.append(window)
            running += 1
        }
        return requests
    }

    /// Returns the probable place of the header after the one at `offset`; nil if there is none to guess.
    private func nextGuess(
        after offset: UInt64,
        _ distance: UInt64
    ) -> (offset: UInt64, distance: UInt64)? {
        if let hint = hints?.next(after: offset) {
            return hint < payload.upperBound ? (hint, hint - offset) : nil
        }
        // Small sections come with the window of the header before them.
        guard hints == nil, let next = forecast.next(after: distance), next > windowSize,
            next < payload.upperBound - offset
        else { return nil }
        return (offset + next, next)
    }

    /// Returns whether the walk may still arrive in a window.
    func wants(_ window: Range<UInt64>) -> Bool { windows.contains(window) }

    /// Counts a request that has ended.
    ///
    /// - Parameters:
    ///   - window: What it asked for.
    ///   - seconds: The time that it took; nil if it failed.
    mutating func finish(_ window: Range<UInt64>, seconds: Double?) {
        precondition(running > 0, "a request ended twice")
        running -= 1
        guard let seconds, !isFixed, window.count <= Int(Self.windowSizeMax) else { return }
        let known = measures.roundTrip ?? seconds
        // The first requests made their connections.
        measures.roundTrip = known + (seconds - known) / (seconds < known ? 2 : 8)
    }

    /// Removes a window whose bytes will not come, so that the walk asks again if it arrives there.
    ///
    /// - Returns: Whether the walk stands in the window; then no other request brings its header.
    mutating func lose(_ window: Range<UInt64>) -> Bool {
        guard let place = windows.firstIndex(of: window) else { return false }
        windows.remove(at: place)
        return window.contains(position)
    }

    /// Sets the places of all sections, out of an index that exists.
    mutating func setHints(_ hints: SectionHints) {
        self.hints = hints
        depth = 2 * requestsAtOnce
        windows.removeAll { $0.lowerBound > position }
        guess = (position, 0)
        expect()
    }

    /// Whether guesses have failed so often that an index is worth a request.
    var wantsHints: Bool { way == .ranges && hints == nil && hitRate < 0.6 }

    /// Whether headers are read by ranges, after the first sections were seen.
    var readsHeaders: Bool { way == .ranges && sections > 0 }

    // MARK: Measures

    /// Sets the measures of a stream; nil for what is not known yet.
    mutating func setMeasures(_ new: (roundTrip: Double?, bandwidth: Double?)) {
        guard !isFixed else { return }
        if let roundTrip = new.roundTrip, measures.roundTrip == nil {
            measures.roundTrip = roundTrip
        }
        if let bandwidth = new.bandwidth { measures.bandwidth = bandwidth }
    }

    /// Returns bytes to read for the bandwidth alone, beside the headers; nil for none.
    ///
    /// Samples grow until two of them give the same rate, because a connection begins slowly. All together have at
    /// most a `sampleShare` of the bytes.
    mutating func nextSample() -> Range<UInt64>? {
        guard way == .ranges, sections > 0, !isFixed, !isSampling, sampleSize <= Self.sampleMax,
            sampled + sampleSize <= UInt64(payload.count) / Self.sampleShare,
            position + sampleSize <= payload.upperBound
        else { return nil }
        isSampling = true
        sampled += sampleSize
        return position..<position + sampleSize
    }

    /// Ends a sample.
    ///
    /// - Parameter bandwidth: Its rate; nil if it failed.
    mutating func finishSample(bandwidth: Double?) {
        isSampling = false
        guard let bandwidth else {
            sampleSize = .max
            return
        }
        measures.bandwidth = max(bandwidth, measures.bandwidth ?? 0)
        let isKnown = sampleRate.map { bandwidth < 1.25 * $0 } ?? false
        sampleRate = bandwidth
        // Ranges stay the faster way even with much more bandwidth.
        let isClear = costs.map { 8 * $0.ranges < $0.stream } ?? false
        sampleSize = isKnown || isClear ? .max : 4 * sampleSize
    }

    /// The usual size of a section, in bytes.
    private var usualSize: Double {
        recent.sections > 0 ? max(1, recent.bytes / recent.sections) : 1
    }

    private var costs: ScanCosts? {
        guard let roundTrip = measures.roundTrip, let bandwidth = measures.bandwidth else {
            return nil
        }
        return ScanCosts(
            measures: ScanMeasures(roundTrip: roundTrip, bandwidth: bandwidth),
            remaining: payload.upperBound - position,
            sectionSize: usualSize,
            hitRate: hitRate,
            requestsAtOnce: requestsAtOnce,
            windowSize: Double(windowSize)
        )
    }

    /// The bytes that the walk takes from a stream at once.
    ///
    /// Where sections are large, it takes one header after the other, so that the forecast sees their distances.
    var streamWindow: Int { usualSize < 4096 ? 256 << 10 : 512 }

    private mutating func decide() {
        guard sections > 0 else {
            // The first bytes of the object show how large sections are.
            way = windows.isEmpty && payload.count <= Int(Self.restMax) ? .stream : .ranges
            return
        }
        let usual: ScanWay = usualSize < Self.largeSize ? .stream : .ranges
        let current = hasDecided ? way ?? usual : usual
        hasDecided = true
        guard payload.upperBound - position > Self.restMax else {
            way = current == .ranges && usual == .ranges ? .ranges : .stream
            return
        }
        way = costs?.way(current: current) ?? usual
    }
}
