extension Unicode.Scalar {
    /// Whether a terminal obeys it instead of showing it.
    ///
    /// *Shape*: the controls C0, DEL and C1, ends of lines and paragraphs, marks for the direction of writing and
    /// marks that no terminal shows.
    package var isControl: Bool {
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
    package var printable: String { escaped { $0.isControl } }

    /// The text with control characters except newlines escaped.
    package var printableLines: String { escaped { $0.isControl && $0 != "\n" } }

    private func escaped(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
        // Nearly every text is plain ASCII.
        guard !utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            text += isEscaped(scalar) ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }

    /// The text as an argument on a line of shell; `KEY` if it has control characters.
    package var asArgument: String {
        guard printable == self, !isEmpty else { return "KEY" }
        let start = hasPrefix("-") ? "-- " : ""
        let isPlain = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._/:@%+=,".utf8.contains(byte)
            }
        }
        guard !isPlain else { return start + self }
        // Advice stands in single quotes. Between double ones, an interactive shell takes `!` for its history.
        guard !contains("!") else {
            let parts = split(separator: "'", omittingEmptySubsequences: false)
            return "\(start)'\(parts.joined(separator: #"'\''"#))'"
        }
        let escaped = reduce(into: "") { text, character in
            if "\"$`\\".contains(character) { text.append("\\") }
            text.append(character)
        }
        return "\(start)\"\(escaped)\""
    }
}

extension BinaryInteger {
    /// Milliseconds since 1970 as a time in UTC: `2026-11-23T23:13:24Z`.
    package var asTimestamp: String {
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
}
