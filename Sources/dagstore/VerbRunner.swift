#if Node
    internal import AdminMessages
    internal import ArgumentParser
    internal import DAGStorage
    internal import SystemPackage

    /// Runs verbs for the clients of a node, over the node's store.
    enum VerbRunner {
        /// Runs a verb to its end.
        ///
        /// A verb may block its thread.
        ///
        /// - Parameters:
        ///   - request: What the client asked for.
        ///   - store: The node's store.
        ///   - directory: Its folder, without symbolic links.
        ///   - send: Sends a frame of the output; false if the client is gone.
        /// - Returns: The exit status.
        static func run(
            _ request: VerbRequest,
            _ store: DAGStore,
            _ directory: FilePath,
            _ send: @escaping @Sendable (OutputFrame) -> Bool
        ) async -> Int32 {
            let client = Console(request, store: store, directory: directory, send: send)
            return await Console.$client.withValue(client) { await run(request.arguments) }
        }

        private static func run(_ arguments: [String]) async -> Int32 {
            let format = OutputFormat(asked: arguments)
            let command: any ParsableCommand
            do {
                command = try Dagstore.parseAsRoot(arguments)
            } catch {
                return Program.reportParsing(error, format)
            }
            do {
                guard !(command is Serve) else {
                    throw DAGStoreError(.catalogLocked, "a node serves this store already")
                }
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    var command = command
                    try command.run()
                }
                return 0
            } catch {
                return Program.report(error, format)
            }
        }
    }
#endif
