internal import SystemPackage

extension String {
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
    static var ofOutput: SizeUnits {
        guard Console.client == nil else { return Console.isTerminal(.output) ? .binary : .decimal }
        return ownOutput
    }

    /// The units of standard error.
    static var ofErrors: SizeUnits { Console.isTerminal(.error) ? .binary : .decimal }

    // A list asks for each of its sizes.
    private static let ownOutput: SizeUnits =
        Kernel.isTerminal(.standardOutput) ? .binary : .decimal

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
