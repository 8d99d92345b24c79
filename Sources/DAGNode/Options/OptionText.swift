/// The texts that the table of options makes.
package enum OptionText {
    /// The width of comments in a file.
    private static let width = 80

    /// Writes a file with every option: its text as a comment, and its value.
    ///
    /// An option without a value and without a default becomes a comment. So does an address with a password, of which
    /// the file shows the rest: people send such files to each other.
    ///
    /// - Parameter values: The values of an option; empty for its default.
    /// - Returns: The file, which `OptionFile` reads.
    package static func file(_ values: (NodeOption) -> [String]) -> String {
        var lines = [
            "# Options of 'dagstore serve --config FILE'.",
            "# Flags win over environment variables, and these over this file.",
        ]
        for option in NodeOption.all where option.isInFile {
            lines.append("")
            lines += wrapped(comment(option)).map { "# \($0)" }
            var found = values(option)
            if found.isEmpty, let standard = option.standard { found = [standard] }
            if found.isEmpty {
                lines.append("# \(option.name) = \(shown(option.placeholder))")
            }
            for value in found {
                let line = "\(option.name) = \(quoted(value))"
                guard option == .cluster, withoutPassword(value) != value else {
                    lines.append(line)
                    continue
                }
                lines.append("# This address lacks its password.")
                let rest = withoutPassword(value) ?? shown(option.placeholder)
                lines.append("# \(option.name) = \(quoted(rest))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Writes the rows of the documentation's table, in Markdown.
    package static var documentation: [String] {
        NodeOption.all.map { option in
            let flags =
                switch option.kind {
                case .flag(let off, _): "`--\(option.name)`, `--\(off)`"
                default: "`--\(option.name) \(escaped(shown(option.placeholder)))`"
                }
            let standard = option.standard.map { "`\($0)`" } ?? ""
            return "| \(flags) | `\(option.variable)` | \(standard) | \(option.text) |"
        }
    }

    /// The placeholder with capitals, except for words that are values.
    private static func shown(_ placeholder: String) -> String {
        let words = placeholder.split(separator: "|").map { String($0) }
        let isChoice = words.count > 1 && !words.contains(NodeOption.none)
        guard !isChoice else { return placeholder }
        return words.map { $0 == NodeOption.none ? $0 : $0.uppercased() }.joined(separator: "|")
    }

    private static func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }

    private static func comment(_ option: NodeOption) -> String {
        let standard = option.standard.map { " Default: \($0)." } ?? ""
        return "\(option.text)\(standard) Variable: \(option.variable)."
    }

    /// Keeps blanks at the ends of a value, and quotes that belong to it.
    private static func quoted(_ value: String) -> String {
        let isPlain = [value.first, value.last].allSatisfy {
            $0 != " " && $0 != "\t" && $0 != "\""
        }
        return isPlain ? value : "\"\(value)\""
    }

    private static func wrapped(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].isEmpty {
                lines[lines.count - 1] = String(word)
            } else if lines[lines.count - 1].count + 1 + word.count <= width {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
