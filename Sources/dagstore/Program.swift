internal import ArgumentParser
internal import DAGStorage
internal import DAGSystem

/// The program from its arguments to its exit status.
///
/// It runs on the main actor. A verb that only reads starts no task pool.
@MainActor
enum Program {
    /// The name of the program.
    nonisolated static let name = "dagstore"
    /// The text of `--version`.
    nonisolated static let version = "\(name) \(release)"
    /// The number of this release.
    nonisolated static let release = "0.1.0"
    /// The exit status for wrong arguments; ArgumentParser's own is 64.
    nonisolated static let usageStatus: Int32 = 2

    /// Runs the verb of the arguments, and exits.
    static func run() async -> Never {
        // Before anything opens a file.
        ThisProcess.openStandardDescriptors()
        Kernel.ignoreClosedPipes()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let format = OutputFormat(asked: arguments)
        // Scripts call this often, and the parser takes a third of the time of a call.
        if arguments == ["--version"] { end(printing: version) }
        if let argument = Kernel.malformedArgument {
            // Its replacements would name another file.
            let message = "the argument '\(argument)' is not UTF-8"
            let advice = "give the file a name in UTF-8, or a link with one"
            let report = ErrorReport(code: .invalidArgument, message, advice: advice)
            report.write(format)
            exit(report.exitStatus)
        }
        // First, because help needs none of the steps below.
        let command = parse(arguments, format)
        // Another process that truncates a mapped CAR causes an error instead of a signal.
        MappingGuard.install()
        ThisProcess.raiseDescriptorLimit()
        await Interruption.prepare(format)
        do {
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
            exit(0)
        } catch let held as HeldByNode {
            do {
                exit(try held.connection.run(arguments, skipping: held.printedSize))
            } catch {
                exit(report(error, format))
            }
        } catch {
            exit(report(error, format))
        }
    }

    private static func parse(
        _ arguments: [String],
        _ format: OutputFormat
    ) -> sending any ParsableCommand {
        do {
            return try Dagstore.parseAsRoot(arguments)
        } catch {
            exit(reportParsing(error, format))
        }
    }

    private static func end(printing text: String) -> Never { exit(print(text)) }

    // MARK: Errors

    /// Reports the result of the parser: help, the version, or wrong arguments.
    ///
    /// - Returns: The exit status.
    nonisolated static func reportParsing(_ error: any Error, _ format: OutputFormat) -> Int32 {
        guard Dagstore.exitCode(for: error) != .success else { return printHelp(error) }
        if let verb = Advice.unknownVerb {
            let message = "there is no verb '\(verb)'"
            ErrorReport(code: .invalidArgument, message, advice: Advice.help).write(format)
        } else if format == .json {
            let message = Dagstore.message(for: error)
            ErrorReport(code: .invalidArgument, message, advice: Advice.help).write(.json)
        } else {
            ErrorReport.write(lines: Dagstore.fullMessage(for: error))
        }
        return usageStatus
    }

    /// Reports the error of a verb.
    ///
    /// - Returns: The exit status.
    nonisolated static func report(_ error: any Error, _ format: OutputFormat) -> Int32 {
        switch error {
        case let code as ExitCode: return code.rawValue
        // The reader of the output has closed it.
        case OutputError.closed: return 0
        case let missing as MissingVerb:
            ErrorReport.write(lines: missing.help)
            return usageStatus
        case _ where Dagstore.exitCode(for: error) == .success: return printHelp(error)
        default:
            let report = ErrorReport(error)
            report.write(format)
            return report.exitStatus
        }
    }

    nonisolated private static func printHelp(_ error: any Error) -> Int32 {
        print(Dagstore.fullMessage(for: error))
    }

    nonisolated private static func print(_ text: String) -> Int32 {
        do {
            try Output.run(.text) { try $0.lines(text) }
            return 0
        } catch {
            return report(error, .text)
        }
    }
}
