/// Escapes text for the languages of the report.
enum Escaping {
    /// Text inside an element or a quoted attribute of XML or HTML.
    ///
    /// Characters that XML does not allow at all become spaces.
    static func xml(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case _ where isControl(scalar): result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Text inside a paragraph or a table cell of Markdown, on one line.
    static func markdown(_ text: String) -> String {
        var result = ""
        var last: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\\", "|", "*", "_", "`", "~", "$": result += "\\\(scalar)"
            // Brackets stay as they are, since ranges are full of them; only a link is prevented.
            case "(" where last == "]", "[" where last == "]" || last == "!", ":" where last == "]":
                result += "\\\(scalar)"
            case _ where isControl(scalar): result += " "
            default: result.unicodeScalars.append(scalar)
            }
            last = scalar
        }
        return result
    }

    /// Text as a span of code in Markdown.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - isInTable: Whether the span is in a table, where a bar would end the cell.
    /// - Returns: The span with its delimiters; longer ones if the text has backticks.
    static func markdownCode(_ text: String, isInTable: Bool) -> String {
        let scalars = text.unicodeScalars.map { isControl($0) ? " " : $0 }
        let line = String(String.UnicodeScalarView(scalars))
        guard !line.isEmpty else { return "" }
        let pieces = line.split(separator: "|", omittingEmptySubsequences: false)
        let safe = isInTable ? pieces.joined(separator: "\\|") : line
        guard safe.contains("`") else { return "`\(safe)`" }
        let longest = safe.split { $0 != "`" }.map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: longest + 1)
        return "\(fence) \(safe) \(fence)"
    }

    /// A name that is safe as a file's name and as an anchor: lower case, digits, `.` and `-`.
    static func slug(_ text: String) -> String {
        let kept = text.lowercased().unicodeScalars.map { scalar -> Character in
            let isPlain = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
            return isPlain || scalar == "." ? Character(scalar) : "-"
        }
        let words = kept.split { $0 == "-" }.map { String($0) }.joined(separator: "-")
        let trimmed = words.drop { $0 == "." || $0 == "-" }
        return trimmed.isEmpty ? "plot" : String(trimmed.prefix(80))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127...159).contains(scalar.value) || scalar.value == 0xFFFE
            || scalar.value == 0xFFFF || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
