/// A page of section 1 of the manual, in the macros of man(7).
struct Page {
    /// The words that call the verb: `dagstore car list`.
    let words: [String]
    private let command: Command
    private let version: String
    private let related: [[String]]

    /// Makes a page about a verb.
    ///
    /// - Parameters:
    ///   - command: The verb.
    ///   - words: The words that call it.
    ///   - version: The program's name and version.
    ///   - related: The words of the verbs to see too.
    init(_ command: Command, _ words: [String], version: String, related: [[String]]) {
        self.command = command
        self.words = words
        self.version = version
        self.related = related
    }

    /// Makes the pages of a verb and of its subcommands.
    static func all(of command: Command, below parents: [String] = [], _ version: String) -> [Page]
    {
        let words = parents + [command.commandName]
        let verbs = shownVerbs(of: command)
        let below = verbs.map { words + [$0.commandName] }
        let above = parents.isEmpty ? [] : [parents]
        let page = Page(command, words, version: version, related: above + below)
        return [page] + verbs.flatMap { all(of: $0, below: words, version) }
    }

    /// The name of the page, without its section.
    var name: String { words.joined(separator: "-") }

    /// The page.
    var text: String {
        var lines = [
            ".TH \(name.manual.uppercased()) 1 \"\" \"\(version)\" \"dagstore manual\"",
            ".nh", ".ad l", ".SH NAME",
            "\(name.manual) \\- \(Self.withoutFullStop(command.abstract ?? "").manual)",
            ".SH SYNOPSIS", synopsis, ".SH DESCRIPTION", (command.abstract ?? "").manual,
        ]
        if let discussion = command.discussion { lines += [".PP", discussion.manual] }
        lines += verbs + arguments(.positional, "ARGUMENTS") + options
        if words.count == 1 { lines += Self.environment + Self.examples }
        lines += Self.exitStatus
        lines += [".SH SEE ALSO"] + references
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Sections

    private var shown: [Command.Argument] {
        (command.arguments ?? []).filter(\.shouldDisplay)
    }

    private static func shownVerbs(of command: Command) -> [Command] {
        (command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    }

    private var hasVerbs: Bool { command.subcommands?.isEmpty == false }

    private var synopsis: String {
        var text = "\\fB\(words.joined(separator: " ").manual)\\fR"
        if hasVerbs { return text + " \\fIverb\\fR [\\fIargument\\fR...]" }
        for argument in shown where !Self.isCommon(argument) {
            let item = Self.usage(of: argument)
            text += argument.isOptional ? " [\(item)]" : " \(item)"
            if argument.isRepeating { text += "..." }
        }
        return text
    }

    private var verbs: [String] {
        let verbs = Self.shownVerbs(of: command)
        guard !verbs.isEmpty else { return [] }
        return [".SH VERBS"]
            + verbs.flatMap { verb in
                let name = (words.dropFirst() + [verb.commandName]).joined(separator: " ").manual
                return [".TP", "\\fB\(name)\\fR", (verb.abstract ?? "").manual]
            }
    }

    private var options: [String] {
        let named = shown.filter { $0.kind != .positional }
        guard !named.isEmpty else { return [] }
        var entries: [[Command.Argument]] = []
        for argument in named {
            // Flags of one option share an entry.
            let isAlternative =
                argument.kind == .flag && entries.last?.last?.kind == .flag
                && entries.last?.last?.abstract == argument.abstract
            if isAlternative {
                entries[entries.count - 1].append(argument)
            } else {
                entries.append([argument])
            }
        }
        return [".SH OPTIONS"] + entries.flatMap(Self.entry)
    }

    private func arguments(_ kind: Command.Argument.Kind, _ heading: String) -> [String] {
        let found = shown.filter { $0.kind == kind }
        return found.isEmpty ? [] : [".SH \(heading)"] + found.flatMap { Self.entry([$0]) }
    }

    private var references: [String] {
        related.enumerated().map { number, words in
            let comma = number < related.count - 1 ? "," : ""
            return ".BR \(words.joined(separator: "-").manual) (1)\(comma)"
        }
    }

    private static let environment = [
        ".SH ENVIRONMENT", ".TP", "\\fBDAGSTORE_PATH\\fR",
        "The store's directory where --store is not given.".manual, ".TP",
        "\\fBDAGSTORE_MAP_SIZE\\fR",
        "The address space to reserve for the catalog, in bytes; 1 TiB by default.",
        ".SH FILES", ".TP", "\\fBdagstore\\-data\\fR",
        "The store without --store and DAGSTORE_PATH.".manual,
    ]

    private static let examples =
        [".SH EXAMPLES"]
        + [
            ("Register a CAR file, and list the shards:", ["register pieces/a.car", "list"]),
            (
                "Get a block from any shard that has it, and check its hash:",
                ["get bafy… --verify --output block"]
            ),
            (
                "Migrate the shards of a Go node, which may run meanwhile:",
                ["migrate plan ~/.lotus/dagstore", "migrate run ~/.lotus/dagstore"]
            ),
        ].flatMap { text, lines in
            [".PP", text, ".PP", ".RS 4", ".nf"] + lines.map { "dagstore \($0)".manual }
                + [".fi", ".RE"]
        }

    private static let exitStatus =
        [".SH EXIT STATUS"]
        + [
            ("0", "Success."), ("1", "Any other error."),
            ("2", "The arguments or the store's directory are wrong."),
            ("3", "The shard or block does not exist."),
            ("4", "The source is missing, cannot be read or has changed."),
            ("5", "The bytes of a CAR, a block or an index are wrong."),
            ("6", "The store is locked, full, damaged or not accessible."),
            ("7", "A signal or a deadline ended the program."),
        ].flatMap { [".TP", "\\fB\($0)\\fR", $1] }

    // MARK: Entries

    /// Whether an argument is help or version, which every verb has.
    private static func isCommon(_ argument: Command.Argument) -> Bool {
        ["help", "version"].contains(argument.valueName ?? "")
    }

    /// Formats an argument with its meaning, or several with one meaning.
    private static func entry(_ arguments: [Command.Argument]) -> [String] {
        guard let argument = arguments.first else { return [] }
        let names = arguments.flatMap { $0.names ?? [] }.map { "\\fB\($0.text.manual)\\fR" }
        let value = "\\fI\((argument.valueName ?? "value").manual)\\fR"
        let head =
            switch argument.kind {
            case .positional: value
            case .flag: names.joined(separator: ", ")
            case .option: names.joined(separator: ", ") + " " + value
            }
        var text = argument.abstract ?? ""
        if let discussion = argument.discussion { text += " " + discussion }
        if let values = argument.allValues, !values.isEmpty {
            text += " One of \(values.joined(separator: ", "))."
        }
        if let value = argument.defaultValue, argument.kind != .flag {
            text += " Default: \(value)."
        }
        return [".TP", head, text.manual]
    }

    private static func usage(of argument: Command.Argument) -> String {
        let value = "\\fI\((argument.valueName ?? "value").manual)\\fR"
        let names = argument.names ?? []
        guard argument.kind != .positional,
            let name = names.first(where: { $0.kind == "long" }) ?? names.first
        else { return value }
        let bold = "\\fB\(name.text.manual)\\fR"
        return argument.kind == .flag ? bold : "\(bold) \(value)"
    }

    // MARK: Text

    private static func withoutFullStop(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}

extension String {
    /// The text escaped for man(7), so that no character is a command.
    fileprivate var manual: String {
        split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in
                let line = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
                return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : String(line)
            }
            .joined(separator: "\n")
    }
}
