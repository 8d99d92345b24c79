#if Node
    internal import Configuration
    internal import DAGSystem
    internal import SystemPackage

    /// The values of all options: of flags, else of environment variables, else of a file.
    ///
    /// swift-configuration decides which source wins. This type checks the values of all three sources first, so that
    /// an error names its place.
    package struct OptionReader: Sendable {
        /// Values by their options.
        package typealias Values = [NodeOption: [String]]

        private let reader: ConfigReader

        /// Reads the sources.
        ///
        /// - Parameters:
        ///   - flags: The values of flags.
        ///   - variable: Returns the value of an environment variable. An empty value counts as none. Several paths
        ///     have `:` between them.
        /// - Throws: The first error, with the flag, the variable, or the line and key of the file.
        package init(
            flags: Values,
            variable: (String) -> String?
        ) throws(OptionError) {
            var variables: [String: String] = [:]
            for option in NodeOption.all {
                guard let text = variable(option.variable), !text.isEmpty else { continue }
                variables[option.variable] = text
                let values = option.isList ? Self.parts(of: text) : [text]
                try Self.check(values, of: option, option.variable)
            }
            for (option, values) in flags { try Self.check(values, of: option, "--\(option.name)") }
            let first: [any ConfigProvider] = [
                Self.provider("flags", flags),
                EnvironmentVariablesProvider(
                    environmentVariables: variables,
                    arraySeparator: Self.separator
                ),
            ]
            let path = ConfigReader(providers: first).string(forKey: NodeOption.config.key)
            var file = Values()
            if let path { file = try Self.file(FilePath(path)) }
            reader = ConfigReader(providers: first + [Self.provider("file", file)])
        }

        /// Returns the values of an option; empty for its default.
        package func values(of option: NodeOption) -> [String] {
            guard option.isList else {
                return reader.string(forKey: option.key).map { [$0] } ?? []
            }
            return reader.stringArray(forKey: option.key) ?? []
        }

        /// Returns the settings.
        ///
        /// - Throws: If options contradict each other.
        package func settings() throws(OptionError) -> NodeSettings {
            try NodeSettings { values(of: $0) }
        }

        // MARK: Sources

        private static let separator: Character = ":"

        private static func parts(of text: String) -> [String] {
            text.split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
        }

        private static func check(
            _ values: [String],
            of option: NodeOption,
            _ place: String
        ) throws(OptionError) {
            for value in values {
                if let fault = option.fault(in: value) { throw OptionError(place, fault) }
            }
        }

        /// Of options of one value, the last one counts.
        private static func provider(_ name: String, _ values: Values) -> InMemoryProvider {
            var content: [AbsoluteConfigKey: ConfigValue] = [:]
            for (option, values) in values {
                guard let last = values.last else { continue }
                content[AbsoluteConfigKey(option.key)] = ConfigValue(
                    option.isList ? .stringArray(values) : .string(last),
                    isSecret: false
                )
            }
            return InMemoryProvider(name: name, values: content)
        }

        private static func file(_ path: FilePath) throws(OptionError) -> Values {
            let name = path.string
            let bytes: [UInt8]?
            do {
                bytes = try contents(of: path)
            } catch {
                throw OptionError(name, "cannot be read: \(error)")
            }
            guard let bytes else {
                throw OptionError(name, "has more than \(OptionFile.sizeMax) bytes")
            }
            return try OptionFile(bytes, name: name).values
        }

        private static func contents(of path: FilePath) throws(Errno) -> [UInt8]? {
            let file = try FileDescriptor.opening(path)
            defer { try? file.close() }
            return try file.readToEnd(atMost: OptionFile.sizeMax)
        }
    }

    extension NodeOption {
        /// The key from which swift-configuration makes the name of the variable.
        fileprivate var key: ConfigKey {
            let words = variable.lowercased().split(separator: "_", maxSplits: 1)
            return ConfigKey(words.map { String($0) })
        }
    }
#endif
