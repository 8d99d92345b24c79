internal import Foundation

/// A logarithmic axis, which finds the places of values and of its decades.
struct LogAxis {
    /// The ends, as powers of ten.
    let low: Double
    let high: Double

    /// An axis from one power of ten to another, which must be larger.
    init(from low: Double, to high: Double) {
        precondition(low < high)
        self.low = low
        self.high = high
    }

    /// An axis that covers every value above zero; nil if there is none.
    ///
    /// - Parameters:
    ///   - values: The values; those that are not above zero are ignored.
    ///   - padding: The number of decades to leave free at each end.
    ///   - isWhole: Whether the ends move outwards to decades.
    init?(covering values: [Double], padding: Double, isWhole: Bool) {
        let powers = values.filter { $0 > 0 && $0.isFinite }.map { log10($0) }
        guard let least = powers.min(), let most = powers.max() else { return nil }
        let room = most - least < 0.01 && !isWhole ? max(padding, 0.5) : padding
        low = isWhole ? (least - room).rounded(.down) : least - room
        high = isWhole ? (most + room).rounded(.up) : most + room
    }

    /// Returns the place of a value, 0 at the low end and 1 at the high one; nil if the value is not above zero.
    ///
    /// Values beyond an end lie on that end.
    func fraction(_ value: Double) -> Double? {
        guard value > 0 else { return nil }
        return min(max((log10(value) - low) / (high - low), 0), 1)
    }

    /// The powers of ten to mark, no more than `limit` of them, at equal distances.
    func decades(limit: Int) -> [Int] {
        let first = Int((low - 1e-9).rounded(.up))
        let last = Int((high + 1e-9).rounded(.down))
        guard first <= last else { return [] }
        let step = max(1, (last - first + limit) / max(1, limit))
        return Array(stride(from: first, through: last, by: step))
    }

    /// The marks of decades in `unit`, no more than `limit` of them.
    func ticks(limit: Int, _ unit: String) -> [(value: Double, text: String)] {
        decades(limit: limit).map { (pow(10, Double($0)), MeasureUnit.tick($0, unit)) }
    }

    /// The values between decades, if there are few decades: 2 to 9 times each.
    var minors: [Double] {
        guard high - low < 2.5 else { return [] }
        return (Int(low.rounded(.down))...Int(high.rounded(.down))).flatMap { decade in
            (2...9).map { Double($0) * MeasureUnit.tenTo(decade) }
        }.filter { (low...high).contains(log10($0)) }
    }
}
