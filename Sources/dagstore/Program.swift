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
    nonisolated static let version = "\(name) 0.1.0"
    /// The exit status for wrong arguments; ArgumentParser's own is 64.
    static let usageStatus: Int32 = 2

    /// Runs the verb of the arguments, and exits.
    static func run() async -> Never {
        Kernel.ignoreClosedPipes()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let format = OutputFormat(asked: arguments)
        // Scripts call this often, and the parser takes a third of the time of a call.
        if arguments == ["--version"] { end(printing: version) }
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
        } catch {
            end(error, format)
        }
    }

    private static func parse(
        _ arguments: [String],
        _ format: OutputFormat
    ) -> sending any ParsableCommand {
        do {
            return try Dagstore.parseAsRoot(arguments)
        } catch {
            endParsing(error, format)
        }
    }

    /// Ends with the result of the parser: help, the version, or wrong arguments.
    private static func endParsing(_ error: any Error, _ format: OutputFormat) -> Never {
        guard Dagstore.exitCode(for: error) != .success else { endWithHelp(error) }
        if format == .json {
            let message = Dagstore.message(for: error)
            ErrorReport(code: .invalidArgument, message, advice: Advice.help).write(.json)
        } else {
            ErrorReport.write(lines: Dagstore.fullMessage(for: error))
        }
        exit(usageStatus)
    }

    private static func endWithHelp(_ error: any Error) -> Never {
        end(printing: Dagstore.fullMessage(for: error))
    }

    private static func end(printing text: String) -> Never {
        do {
            try Output.run(.text) { try $0.lines(text) }
            exit(0)
        } catch {
            end(error, .text)
        }
    }

    private static func end(_ error: any Error, _ format: OutputFormat) -> Never {
        switch error {
        case let code as ExitCode: exit(code.rawValue)
        // The reader of the output has closed it.
        case OutputError.closed: exit(0)
        case let missing as MissingVerb:
            ErrorReport.write(lines: missing.help)
            exit(usageStatus)
        case _ where Dagstore.exitCode(for: error) == .success: endWithHelp(error)
        default:
            let report = ErrorReport(error)
            report.write(format)
            exit(report.exitStatus)
        }
    }
}
