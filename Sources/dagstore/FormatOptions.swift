internal import ArgumentParser

/// What answers are printed as.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case text
    /// For programs: one object a line.
    case json

    /// The format that `arguments` ask for, also if the rest of them cannot be parsed.
    init(asked arguments: [String]) {
        let options = arguments.prefix { $0 != "--" }
        let name = "--format"
        var format = OutputFormat.text
        for (argument, next) in zip(options, options.dropFirst() + [""]) {
            let value = argument == name ? next : String(argument.dropFirst(name.count + 1))
            guard argument == name || argument.hasPrefix(name + "=") else { continue }
            format = OutputFormat(rawValue: value) ?? format
        }
        self = format
    }
}

/// `--format`, which every verb has.
struct FormatOptions: ParsableArguments {
    @Option(help: "What to print: text for people, json for programs.")
    var format = OutputFormat.text
}

/// `--progress`, which verbs have that may take a while.
struct ProgressOptions: ParsableArguments {
    @Option(help: "Whether to show a bar on standard error; auto: on a terminal, after a second.")
    var progress = ProgressBar.Mode.auto
}
