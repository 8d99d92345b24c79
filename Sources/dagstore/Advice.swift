internal import AdminMessages
internal import ArgumentParser
internal import DAGMigration
internal import DAGStorage

/// The next step after an error, which ends its message.
enum Advice {
    /// The verb on the command line with the program's name: `dagstore car list`.
    static var verb: String { wordsAndRest.words.joined(separator: " ") }

    /// The first argument where a verb is expected, with the words before it, if there is no such verb: `dagstore car
    /// frob`; `nil` if there is one, or an option stands there.
    static var unknownVerb: String? {
        let (words, command, rest) = wordsAndRest
        guard !command.configuration.subcommands.isEmpty, let word = rest.first,
            !word.hasPrefix("-"), word != "help"
        else { return nil }
        return (words + [word]).joined(separator: " ")
    }

    private static var wordsAndRest:
        (words: [String], command: any ParsableCommand.Type, rest: ArraySlice<String>)
    {
        var command: any ParsableCommand.Type = Dagstore.self
        var words = [Program.name]
        var rest = Console.arguments[...]
        while let argument = rest.first,
            let next = command.configuration.subcommands.first(where: {
                $0._commandName == argument
            })
        {
            command = next
            words.append(argument)
            rest.removeFirst()
        }
        return (words, command, rest)
    }

    /// The next step after wrong arguments.
    static var help: String { "see '\(verb) --help'" }

    /// The next step after an output file could not be written.
    static let output = "check that its folder exists, is writable and has room"

    /// The next step after an error of the library.
    ///
    /// - Parameters:
    ///   - code: The error's code.
    ///   - shard: The key of the shard it is about.
    /// - Returns: A clause without a full stop.
    static func nextStep(after code: DAGStoreError.Code, _ shard: String?) -> String {
        let key = shard?.asArgument ?? "KEY"
        if isOfCluster, let step = nextStepInCluster(after: code, shard.map { _ in key }) {
            return step
        }
        switch code.exitStatus {
        case 2: return afterWrongArgument(code, key)
        case 3:
            switch code {
            case .shardUnknown: return "run 'dagstore list' to see the keys"
            case .pathNotFound: return "give a path that the DAG has"
            default:
                return "register a CAR that has it, "
                    + "or index lazy shards with 'dagstore initialize-all'"
            }
        case 4: return afterSource(code, shard.map { _ in key })
        case 5: return afterBytes(code, shard.map { _ in key })
        case 6: return afterStore(code, key)
        default: return "run the same command again"
        }
    }

    private static func afterWrongArgument(_ code: DAGStoreError.Code, _ key: String) -> String {
        switch code {
        case .invalidKey: "choose a key of 1 to 480 bytes without NUL"
        case .invalidCID: "give the whole CID, such as bafy… or Qm…"
        case .unknownScheme:
            "give a path or a file:// URL, "
                + (verb.contains("migrate") ? "map the scheme with --mount-map, " : "")
                + "or use a program built with 'make release', which reads http, https and s3"
        case .unsupportedHash: "read the block without --verify"
        case .shardExists:
            "choose another key with --key, or remove that shard with 'dagstore destroy \(key)'"
        case .shardInUse: "wait until its readers have ended, then try again"
        case .notFailed: "use the shard as it is"
        case .unsupportedCodec: "ask for the block alone with --scope block"
        case .pathNotALink: "give the path to a link"
        default: help
        }
    }

    private static func afterSource(_ code: DAGStoreError.Code, _ key: String?) -> String {
        guard let key else {
            return code == .sourceChanged
                ? "wait until the file is complete, then try again"
                : "check that the path leads to a file that you may read"
        }
        return code == .sourceChanged
            ? "restore the old file, or accept the new one with 'dagstore recover \(key)'"
            : "restore the source ('dagstore status \(key)' shows it); if the shard has failed, "
                + "then run 'dagstore recover \(key)'"
    }

    private static func afterBytes(_ code: DAGStoreError.Code, _ key: String?) -> String {
        let next = key.map { ", then run 'dagstore recover \($0)'" } ?? ""
        switch code {
        case .unsupportedVersion: return "convert the file to CARv1 or CARv2\(next)"
        case .limitExceeded:
            return "raise the limit, or split the block, header or CAR that is too large\(next)"
        case .malformedBlock:
            return "ask for the block alone with --scope block, or ask its maker for a sound DAG"
        case .hashMismatch:
            let relocate =
                key.map {
                    ", then run 'dagstore relocate \($0) FILE'; if another CAR is meant to be there, "
                        + "destroy the shard and register it again"
                } ?? ""
            return "replace the file by an intact copy\(relocate)"
        case .malformedIndex: return "write a new index with 'dagstore car index'\(next)"
        default: return "get an intact copy of the file\(next)"
        }
    }

    private static func afterStore(_ code: DAGStoreError.Code, _ key: String) -> String {
        switch code {
        case .catalogCorrupt:
            if verb.hasSuffix(" restore") {
                "take another backup"
            } else if verb.hasSuffix(" check") {
                "restore a backup with 'dagstore restore', or register the CARs in a new store"
            } else {
                "run 'dagstore check --repair'"
            }
        case .catalogFull: "free disk space, or raise DAGSTORE_MAP_SIZE, then try again"
        case .catalogLocked: "wait for that process with --wait SECONDS, or end it"
        case .catalogTooNew: "use the newer release of dagstore that wrote the store"
        case .quotaExceeded: "remove copies with 'dagstore gc', or raise the quota"
        case .shardFailed:
            "see the cause with 'dagstore status \(key)', then run 'dagstore recover \(key)'"
        case .outOfResources: "raise the limits of the process (see 'ulimit -a'), then try again"
        case .reopenNeeded: "run the same command again"
        case .catalogUnreachable: "see whether the database runs, then run the same command again"
        case .tooManyReaders: "end some of the processes that read the store, then try again"
        default: "check the permissions of the store's folder and its disk, then try again"
        }
    }

    /// The next step after an error of a migration.
    static func nextStep(after code: MigrationError.Code) -> String {
        switch code {
        case .unknownLayout:
            "name the folder that contains datastore, lid, .idx or .car files, or give --from"
        case .sourceUnreadable: "check the path and its permissions"
        case .sourceChanged: "run the same command again"
        case .sourceCorrupt:
            "let the node repair its datastore, or migrate a backup of it"
        case .truncated, .malformedIndex: "write a new index with 'dagstore car index'"
        case .unsupportedVersion: "convert the folder to version 1 with the node's own tools"
        case .notBuiltIn: "use a program built with 'make release'"
        case .destinationExists: "name an empty folder, or a new one"
        case .full: "free disk space, then run the same command again"
        case .destinationUnwritable: "check that its folder exists and is writable"
        }
    }
}
