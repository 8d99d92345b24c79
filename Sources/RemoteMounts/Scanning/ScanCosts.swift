/// A way to read the section headers of a CAR at a distance.
enum ScanWay: Sendable, Hashable {
    /// One request for all bytes.
    case stream
    /// A request for each header, several at once.
    case ranges
}

/// The properties of a connection that decide between the ways.
package struct ScanMeasures: Sendable, Hashable {
    /// The time of a small request, in seconds; the wait for a connection is part of it.
    package var roundTrip: Double
    /// The bytes that one request brings in a second.
    package var bandwidth: Double

    /// Creates measures.
    package init(roundTrip: Double, bandwidth: Double) {
        self.roundTrip = roundTrip
        self.bandwidth = bandwidth
    }
}

/// The times that both ways need for the rest of a CAR.
///
/// ```
/// stream   roundTrip + remaining / bandwidth
/// ranges   sections x (roundTrip x ((1 - hitRate) + hitRate / requestsAtOnce) + windowSize / bandwidth)
/// ```
///
/// A header whose place was guessed comes together with others; one whose place was not costs a whole round trip.
struct ScanCosts {
    /// The share of the time by ranges that a stream must save.
    ///
    /// Ranges transfer a hundredth of the bytes, so a stream that is hardly faster is not worth its transfer. The way
    /// that is chosen still takes less than 1.2 times as long as the faster one.
    static let savingMin = 0.15

    /// The connection.
    var measures: ScanMeasures
    /// The bytes that are left.
    var remaining: UInt64
    /// The usual size of a section, in bytes; at least 1.
    var sectionSize: Double
    /// The share of the headers whose places were guessed.
    var hitRate: Double
    /// The requests that run at once.
    var requestsAtOnce: Int
    /// The bytes of a request for a header.
    var windowSize: Double

    /// The seconds that a stream needs.
    var stream: Double { measures.roundTrip + Double(remaining) / measures.bandwidth }

    /// The seconds that ranges need.
    var ranges: Double {
        let sections = max(1, Double(remaining) / sectionSize)
        let share = 1 - hitRate + hitRate / Double(max(1, requestsAtOnce))
        return sections * (measures.roundTrip * share + windowSize / measures.bandwidth)
    }

    /// Returns the way that takes less time.
    ///
    /// - Parameter current: The way now; it stays where the two are nearly equal. A change costs a round trip.
    /// - Returns: The way for the rest.
    func way(current: ScanWay) -> ScanWay {
        let stream = stream - (current == .stream ? measures.roundTrip : 0)
        let ranges = ranges + (current == .stream ? measures.roundTrip : 0)
        if stream < ranges * (1 - Self.savingMin) { return .stream }
        return ranges < stream ? .ranges : current
    }
}

/// The rate at which bytes come, without the slow start of a connection.
///
/// The rate is that of the last half of the bytes, or a little more.
struct RateMeter {
    /// The bytes without which there is no rate.
    static let bytesMin: UInt64 = 32 << 10

    private struct Mark {
        var bytes: UInt64
        var time: Double
    }

    private var first: Mark?
    private var last = Mark(bytes: 0, time: 0)
    /// The time at about half of the bytes.
    private var half = Mark(bytes: 0, time: 0)
    private var next = Mark(bytes: 0, time: 0)

    /// Adds bytes that came at `time`, in seconds from any fixed moment.
    mutating func record(_ bytes: Int, at time: Double) {
        guard first != nil else {
            // The bytes that came first have no beginning that was seen.
            let mark = Mark(bytes: 0, time: time)
            (first, last, half, next) = (mark, mark, mark, mark)
            return
        }
        last = Mark(bytes: last.bytes + UInt64(bytes), time: time)
        if last.bytes >= 2 * max(next.bytes, Self.bytesMin) {
            half = next
            next = last
        }
    }

    /// The bytes a second; nil while too few have come.
    var bandwidth: Double? {
        let bytes = last.bytes - half.bytes
        guard bytes >= Self.bytesMin else { return nil }
        return Double(bytes) / max(last.time - half.time, 1e-6)
    }
}
