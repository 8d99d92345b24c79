/// A page of section 1 of the manual, in the macros of man(7).
struct Page {
    /// The words that call the verb: `dagstore car list`.
    let words: [String]
    private let command: Command
    private let version: String
    private let related: [[String]]

    /// A page about a verb.
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

    /// The pages of a verb and of all below it.
    static func all(of command: Command, below parents: [String] = [], _ version: String) -> [Page]
    {
        let words = parents + [command.commandName]
        let verbs = (command.subcommands ?? []).filter {
            $0.shouldDisplay && $0.commandName != "help"
        }
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
            ".TH \(Self.escaped(name).uppercased()) 1 \"\" \"\(version)\" \"dagstore manual\"",
            ".nh", ".ad l", ".SH NAME",
            "\(Self.escaped(name)) \\- \(Self.escaped(Self.withoutFullStop(command.abstract ?? "")))",
            ".SH SYNOPSIS", synopsis, ".SH DESCRIPTION", Self.prose(command.abstract ?? ""),
        ]
        if let discussion = command.discussion { lines += [".PP", Self.prose(discussion)] }
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

    private var hasVerbs: Bool { command.subcommands?.isEmpty == false }

    private var synopsis: String {
        var text = "\\fB\(Self.escaped(words.joined(separator: " ")))\\fR"
        if hasVerbs { return text + " \\fIverb\\fR [\\fIargument\\fR...]" }
        for argument in shown where !Self.isCommon(argument) {
            let item = Self.usage(of: argument)
            text += argument.isOptional ? " [\(item)]" : " \(item)"
            if argument.isRepeating { text += "..." }
        }
        return text
    }

    private var verbs: [String] {
        let verbs = (command.subcommands ?? []).filter {
            $0.shouldDisplay && $0.commandName != "help"
        }
        guard !verbs.isEmpty else { return [] }
        return [".SH VERBS"]
            + verbs.flatMap { verb in
                let name = Self.escaped(
                    (words.dropFirst() + [verb.commandName]).joined(separator: " ")
                )
                return [".TP", "\\fB\(name)\\fR", Self.prose(verb.abstract ?? "")]
            }
    }

    private var options: [String] {
        let named = shown.filter { $0.kind != .positional }
        guard !named.isEmpty else { return [] }
        var entries: [[Command.Argument]] = []
        for argument in named {
            // Flags that answer one question stand together.
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
            return ".BR \(Self.escaped(words.joined(separator: "-"))) (1)\(comma)"
        }
    }

    private static let environment = [
        ".SH ENVIRONMENT", ".TP", "\\fBDAGSTORE_PATH\\fR",
        "The store's directory where --store is not given.".manual, ".TP",
        "\\fBDAGSTORE_MAP_SIZE\\fR",
        "The address space to reserve for the catalog, in bytes; 1 TiB by default.",
        ".SH FILES", ".TP", "\\fBdagstore\\-data\\fR",
        "The store where neither --store nor DAGSTORE_PATH says another.".manual,
    ]

    private static let examples =
        [".SH EXAMPLES"]
        + [
            (
                "Index a CAR file and look at what the store has:",
                ["register pieces/a.car", "list"]
            ),
            (
                "Get a block from whichever shard has it, and check its hash:",
                ["get bafy… --verify --output block"]
            ),
            (
                "Bring the shards of a Go node over; the node may be running:",
                ["migrate plan ~/.lotus/dagstore", "migrate run ~/.lotus/dagstore"]
            ),
        ].flatMap { text, lines in
            [".PP", text, ".PP", ".RS 4", ".nf"] + lines.map { "dagstore \($0)".manual }
                + [".fi", ".RE"]
        }

    private static let exitStatus =
        [".SH EXIT STATUS"]
        + [
            ("0", "All is well."), ("1", "Any error that no other status stands for."),
            ("2", "The arguments or the store's directory are wrong."),
            ("3", "There is no such shard or block."),
            ("4", "The source is missing, cannot be read or has changed."),
            ("5", "The bytes of a CAR, a block or an index are wrong."),
            ("6", "The store cannot do it: it is locked, full, damaged or not readable."),
            ("7", "A signal or a deadline ended the program."),
        ].flatMap { [".TP", "\\fB\($0)\\fR", $1] }

    // MARK: Entries

    /// Help and version, which every verb has.
    private static func isCommon(_ argument: Command.Argument) -> Bool {
        ["help", "version"].contains(argument.valueName ?? "")
    }

    /// An argument with what it means, or several with one meaning.
    private static func entry(_ arguments: [Command.Argument]) -> [String] {
        guard let argument = arguments.first else { return [] }
        let names = arguments.flatMap { $0.names ?? [] }.map { "\\fB\(escaped($0.text))\\fR" }
        let value = "\\fI\(escaped(argument.valueName ?? "value"))\\fR"
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
        return [".TP", head, prose(text)]
    }

    private static func usage(of argument: Command.Argument) -> String {
        let value = "\\fI\(escaped(argument.valueName ?? "value"))\\fR"
        let names = argument.names ?? []
        guard argument.kind != .positional,
            let name = names.first(where: { $0.kind == "long" }) ?? names.first
        else { return value }
        let bold = "\\fB\(escaped(name.text))\\fR"
        return argument.kind == .flag ? bold : "\(bold) \(value)"
    }

    // MARK: Text

    private static func withoutFullStop(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    private static func prose(_ text: String) -> String { text.manual }

    private static func escaped(_ text: String) -> String { text.manual }
}

extension String {
    /// The text as man(7) shows it: no character of it is a command.
    fileprivate var manual: String {
        split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in
                let line = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
                return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : String(line)
            }
            .joined(separator: "\n")
    }
}
