package import DAGBytes
package import DAGCAR

/// The sections of a payload, and where the data end.
package struct SectionList: Equatable, Sendable {
    /// The sections in file order.
    package private(set) var sections: [Section] = []
    /// The scanner's position when it was done.
    package private(set) var end: UInt64 = 0
    /// What stopped the scan, if it was not the end; its offset counts in comparisons.
    package private(set) var error: CARError?
    /// Whether the scanner asked again for what it had been shown, which it must not.
    package private(set) var isStalled = false

    /// Scans a payload that is seen as a whole.
    package init(of payload: ByteView, from start: UInt64, limits: CARLimits = CARLimits()) {
        scan(payload, from: start, limits: limits, first: payload) { payload.count }
    }

    /// Scans a payload that is seen through windows.
    ///
    /// - Parameters:
    ///   - payload: The payload from its header on.
    ///   - start: The payload offset of the first section.
    ///   - limits: The scanner's limits.
    ///   - windowSize: The size of the next window; it is made larger where the scanner needs more,
    ///     and only there.
    package init(
        of payload: ByteView,
        from start: UInt64,
        limits: CARLimits = CARLimits(),
        windowSize: () -> Int
    ) {
        scan(payload, from: start, limits: limits, first: .empty, windowSize: windowSize)
    }

    private mutating func scan(
        _ payload: ByteView,
        from start: UInt64,
        limits: CARLimits,
        first: ByteView,
        windowSize: () -> Int
    ) {
        let payloadSize = UInt64(payload.count)
        var scanner = SectionScanner(start: start, payloadSize: payloadSize, limits: limits)
        defer { end = scanner.position }
        var section = Section.none
        var window = first
        var windowOffset: UInt64 = 0
        do throws(CARError) {
            while true {
                switch try scanner.next(in: window, at: windowOffset, into: &section) {
                case .section: sections.append(section)
                case .end: return
                case .needs(let size):
                    guard windowOffset != scanner.position || window.count < size else {
                        isStalled = true
                        return
                    }
                    let begin = Int(scanner.position)
                    let end = min(begin + max(size, windowSize()), payload.count)
                    window = payload[begin..<end]
                    windowOffset = scanner.position
                }
            }
        } catch {
            self.error = error
        }
    }

    /// What ended the scan, for people.
    package var reason: String {
        isStalled ? "stalled" : error?.description ?? "at the end of the data"
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.sections == other.sections && one.end == other.end && one.error == other.error
            && one.error?.offset == other.error?.offset && one.isStalled == other.isStalled
    }
}
