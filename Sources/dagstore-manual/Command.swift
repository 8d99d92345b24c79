internal import Foundation

/// A verb as `--experimental-dump-help` describes it.
struct Command: Decodable {
    /// An argument, option or flag.
    struct Argument: Decodable {
        /// Its role on the command line.
        enum Kind: String, Decodable {
            /// A value in its place.
            case positional
            /// A name and a value.
            case option
            /// A name alone.
            case flag
        }

        /// A spelling of a name.
        struct Name: Decodable {
            /// `long`, or another word for those with one dash.
            let kind: String
            /// The name without dashes.
            let name: String

            /// The name with its dashes.
            var text: String { (kind == "long" ? "--" : "-") + name }
        }

        let kind: Kind
        let shouldDisplay: Bool
        let isOptional: Bool
        let isRepeating: Bool
        let names: [Name]?
        let valueName: String?
        let defaultValue: String?
        let allValues: [String]?
        let abstract: String?
        let discussion: String?
    }

    let commandName: String
    let shouldDisplay: Bool
    let abstract: String?
    let discussion: String?
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// Decodes a verb with its subcommands.
    static func decode(_ json: Data) throws -> Command {
        struct Answer: Decodable { let command: Command }
        return try JSONDecoder().decode(Answer.self, from: json).command
    }
}
