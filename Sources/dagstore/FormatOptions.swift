internal import ArgumentParser

/// The format of results.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case text
    /// For programs: one object a line.
    case json

    /// Reads the format from `arguments`, also if the rest of them is wrong.
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
    @Option(help: "The format of results and errors: text for people, json for programs.")
    var format = OutputFormat.text
}

/// `--progress`, which verbs that may take long have.
struct ProgressOptions: ParsableArguments {
    @Option(help: "Show a bar on standard error; auto: on a terminal, after one second.")
    var progress = ProgressBar.Mode.auto
}
