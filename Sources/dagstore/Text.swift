internal import SystemPackage

extension Unicode.Scalar {
    /// Whether a terminal obeys it instead of showing it.
    ///
    /// *Shape*: the controls C0, DEL and C1, ends of lines and paragraphs, marks for the direction of writing and
    /// marks that no terminal shows.
    var isControl: Bool {
        switch value {
        case 0..<0x20, 0x7f...0x9f: true
        case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x206f: true
        case 0xfeff, 0xfff9...0xfffb, 0xe0000...0xe007f: true
        default: false
        }
    }
}

extension String {
    /// The text with control characters escaped, so that it stays on its line of a terminal.
    var printable: String { escaped { $0.isControl } }

    /// The text with control characters except newlines escaped.
    var printableLines: String { escaped { $0.isControl && $0 != "\n" } }

    private func escaped(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
        // Nearly every text is plain ASCII.
        guard !utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            text += isEscaped(scalar) ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }

    /// Returns the text with spaces after it, up to `width`.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }

    /// Returns the text with spaces before it, up to `width`.
    func aligned(to width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - count)) + self
    }
}

extension BinaryInteger {
    /// The number with a comma before each three digits: `1,049`.
    var grouped: String {
        let digits = String(self)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// Returns the number with its noun: `1 shard`, `1,049 shards`.
    func counted(_ one: String, _ many: String) -> String {
        "\(grouped) \(self == 1 ? one : many)"
    }

    /// Milliseconds since 1970 as a time in UTC: `2026-11-23T23:13:24Z`.
    var asTimestamp: String {
        let seconds = Int64(self) / 1000
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        // Years begin in March here, so that the leap day is the last of its year. Source: H. Hinnant,
        // "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(twoDigits(month))-\(twoDigits(day))T"
            + "\(twoDigits(rest / 3600)):\(twoDigits(rest / 60 % 60)):\(twoDigits(rest % 60))Z"
    }

    /// The number as a size in the units of standard output.
    var asSize: String { asSize(Self.units) }

    /// The number as a size in bytes: `280.4 MiB`, and `294.0 MB` in decimal units.
    func asSize(_ units: SizeUnits) -> String {
        let size = UInt64(self)
        guard size >= units.step else { return "\(size) B" }
        // In tenths of a unit, rounded; a number that rounds to a whole step gets the next unit.
        var unit = units.step
        for name in units.names {
            let tenths = size.tenths(of: unit)
            if tenths < 10 * units.step || name == units.names.last {
                // Three digits and the point are as wide as the four that 1,023 KiB has.
                let isShort = units == .binary && tenths >= 1000
                return isShort
                    ? "\((tenths + 5) / 10) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)"
            }
            unit *= units.step
        }
        return "\(size) B"
    }

    private func tenths(of unit: UInt64) -> UInt64 {
        let (whole, rest) = UInt64(self).quotientAndRemainder(dividingBy: unit)
        return whole * 10 + (rest * 10 + unit / 2) / unit
    }

    private static var units: SizeUnits { SizeUnits.ofOutput }
}

/// The units in which sizes are printed.
enum SizeUnits {
    /// Powers of 1,024, as options take them: KiB, MiB.
    case binary
    /// Powers of 1,000: kB, MB.
    case decimal

    /// The units of standard output: binary on a terminal, decimal in a pipe.
    static let ofOutput: SizeUnits = Kernel.isTerminal(.standardOutput) ? .binary : .decimal
    /// The units of standard error.
    static let ofErrors: SizeUnits = Kernel.isTerminal(.standardError) ? .binary : .decimal

    fileprivate var step: UInt64 { self == .binary ? 1024 : 1000 }

    fileprivate var names: [String] {
        self == .binary
            ? ["KiB", "MiB", "GiB", "TiB", "PiB"] : ["kB", "MB", "GB", "TB", "PB"]
    }
}

extension Duration {
    /// The duration for people: `42 ms`, `1.42 s`, `3 min 07 s`.
    var asTime: String {
        let (seconds, attoseconds) = components
        guard seconds < 60 else {
            let rest = String(100 + seconds % 60).dropFirst()
            return "\(seconds / 60) min \(rest) s"
        }
        guard seconds > 0 else { return "\(attoseconds / 1_000_000_000_000_000) ms" }
        return "\(seconds).\(String(100 + attoseconds / 10_000_000_000_000_000).dropFirst()) s"
    }

    /// Returns `count` divided by the duration, per second.
    func rate(of count: UInt64) -> UInt64? {
        let (seconds, attoseconds) = components
        let time = Double(seconds) + Double(attoseconds) / 1e18
        guard time > 0 else { return nil }
        return UInt64(min(Double(count) / time, 1e18))
    }
}

extension UInt64 {
    /// The number of an index codec in hexadecimal, with at least four digits.
    var asCodec: String {
        let digits = String(self, radix: 16)
        return "0x" + String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
    }
}
