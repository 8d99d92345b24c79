internal import Foundation

/// Writes numbers as people read them: three digits that count, grouped thousands, fitting units.
enum NumberText {
    /// Values closer to zero are written as 0.
    static let least = 1e-15

    /// The value with three significant digits.
    ///
    /// - Parameters:
    ///   - value: Any number. Values closer to zero than `least` are written as 0.
    ///   - trimmed: Whether zeros at the end of a fraction are left away, as targets want it.
    /// - Returns: The digits, with thousands grouped; with an exponent from 1e9 on and below 1e-4.
    static func significant(_ value: Double, trimmed: Bool = false) -> String {
        guard value.isFinite else { return "not a number" }
        let magnitude = abs(value)
        guard magnitude >= least else { return "0" }
        var exponent = Int(log10(magnitude).rounded(.down))
        var digits = Int((magnitude * pow(10, Double(2 - exponent))).rounded())
        if digits < 100 {
            exponent -= 1
            digits = Int((magnitude * pow(10, Double(2 - exponent))).rounded())
        }
        if digits >= 1000 {
            exponent += 1
            digits = (digits + 5) / 10
        }
        let sign = value < 0 ? "-" : ""
        if exponent >= 9 || exponent < -4 {
            return sign + fraction(digits, decimals: 2, trimmed: trimmed) + "e\(exponent)"
        }
        guard exponent < 2 else {
            let whole = (2..<max(exponent, 2)).reduce(digits) { whole, _ in whole * 10 }
            return sign + grouped(whole)
        }
        return sign + fraction(digits, decimals: 2 - exponent, trimmed: trimmed)
    }

    /// A whole number with commas between thousands.
    static func grouped(_ number: Int) -> String {
        var result = ""
        let digits = String(number.magnitude)
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return number < 0 ? "-" + result : result
    }

    /// A count that may have been read as a fraction: exact if it is whole, else three digits.
    static func count(_ value: Double) -> String {
        guard let whole = Int(exactly: value), whole.magnitude < 1_000_000_000_000 else {
            return significant(value)
        }
        return grouped(whole)
    }

    /// A count in thousands or millions where nothing is lost by it, as in `100 M`.
    static func round(_ value: Double) -> String {
        let steps = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
        let fitting = steps.first { step, _ in
            let tenths = value / step * 10
            // Three digits show a tenth below a hundred only.
            let shown = tenths < 1000 ? tenths : tenths / 10
            return value >= step && tenths < 10_000 && shown == shown.rounded()
        }
        guard let (step, letter) = fitting else { return count(value) }
        return "\(significant(value / step, trimmed: true)) \(letter)"
    }

    /// A value in the unit that fits it, as in `247 ns`.
    static func quantity(_ value: Double, _ unit: String, trimmed: Bool = false) -> String {
        let shown = MeasureUnit.display(value, unit)
        let factor = MeasureUnit.factor(from: unit, to: shown) ?? 1
        return joined(significant(value * factor, trimmed: trimmed), shown)
    }

    /// The median and the range of a figure in one unit, as in `247 ns [240, 261]`.
    static func spread(_ figure: BenchRun.Figure) -> String {
        "\(quantity(figure.median, figure.unit)) \(range(figure))"
    }

    /// The range of a figure, in the unit of its median.
    static func range(_ figure: BenchRun.Figure) -> String {
        let unit = MeasureUnit.display(figure.median, figure.unit)
        let factor = MeasureUnit.factor(from: figure.unit, to: unit) ?? 1
        return "[\(significant(figure.min * factor)), \(significant(figure.max * factor))]"
    }

    /// Writes a ratio, as in `2.31x`.
    ///
    /// Values close to 1 have more digits, so that they do not read as 1.
    static func factor(_ value: Double) -> String {
        guard value != 1, abs(value - 1) < 0.005 else { return "\(significant(value))x" }
        let parts = Int((value * 1000).rounded())
        guard parts != 1000 else { return value > 1 ? "just over 1x" : "just under 1x" }
        return "\(parts / 1000).\(String(parts % 1000 + 1000).dropFirst())x"
    }

    /// Writes the numbers of measurements, as in `5 runs`, or `1 or 5 runs` if they differ.
    static func runs(_ figures: [BenchRun.Figure]) -> String {
        let counts = Set(figures.map(\.runs)).sorted()
        let noun = counts == [1] ? "run" : "runs"
        return "\(counts.map { "\($0)" }.joined(separator: " or ")) \(noun)"
    }

    /// A change against a whole, as in `+12.3 %`.
    static func change(_ part: Double) -> String {
        let percent = (part * 1000).rounded() / 10
        guard percent != 0 else { return "0 %" }
        let sign = percent > 0 ? "+" : "-"
        guard abs(percent) < 1000 else { return "\(sign)\(significant(abs(percent))) %" }
        let tenths = Int(abs(percent * 10).rounded())
        return "\(sign)\(tenths / 10).\(tenths % 10) %"
    }

    /// A number and its unit, with a space between them unless the unit is a suffix.
    static func joined(_ number: String, _ unit: String) -> String {
        switch unit {
        case "": number
        case "x": "\(number)x"
        case "1/s": "\(number)/s"
        default: "\(number) \(unit)"
        }
    }

    private static func fraction(_ digits: Int, decimals: Int, trimmed: Bool) -> String {
        let text = String(digits)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - text.count)) + text
        var end = padded.dropFirst(padded.count - decimals)
        if trimmed {
            while end.last == "0" { end = end.dropLast() }
        }
        let whole = padded.dropLast(decimals)
        return end.isEmpty ? String(whole) : "\(whole).\(end)"
    }
}
