/// Estimates the width of text, never too small.
///
/// The reader's font is unknown. The widths are those of DejaVu Sans and Verdana, the widest fonts that browsers fall
/// back to, so text that fits here fits everywhere.
enum TextMetrics {
    static func width(_ text: String, size: Double, isBold: Bool = false) -> Double {
        let ems = text.reduce(0) { $0 + width($1) }
        return ems * size * (isBold ? 1.12 : 1)
    }

    /// Breaks text into lines no wider than `limit`, between words if it can be.
    static func wrap(_ text: String, limit: Double, size: Double, isBold: Bool = false) -> [String]
    {
        var lines: [String] = []
        var line = ""
        func fits(_ text: String) -> Bool { width(text, size: size, isBold: isBold) <= limit }
        for word in text.split(separator: " ") {
            let longer = line.isEmpty ? String(word) : "\(line) \(word)"
            guard !fits(longer) else {
                line = longer
                continue
            }
            if !line.isEmpty { lines.append(line) }
            line = ""
            for character in word {
                if !line.isEmpty, !fits(line + String(character)) {
                    lines.append(line)
                    line = ""
                }
                line.append(character)
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    private static func width(_ character: Character) -> Double {
        guard let value = character.asciiValue else { return 1.05 }
        return switch character {
        case " ", ".", ",", ":", ";", "i", "j", "l", "I", "'", "|", "!": 0.36
        case "f", "t", "r", "(", ")", "[", "]", "/", "-": 0.43
        case "m", "w", "M", "W", "@", "%", "<", ">", "=", "+": 0.96
        case _ where (0x41...0x5A).contains(value): 0.76
        default: 0.64
        }
    }
}
