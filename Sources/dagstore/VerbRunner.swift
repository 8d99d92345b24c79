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
        ///   - sender: Sends frames of the output.
        /// - Returns: The exit status.
        static func run(
            _ request: VerbRequest,
            _ store: DAGStore,
            _ directory: FilePath,
            _ sender: OutputSender
        ) async -> Int32 {
            let client = Console(request, store: store, directory: directory, sender: sender)
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
                guard command is any NodeVerb else {
                    throw DAGStoreError(
                        .invalidArgument,
                        "a node does not run this verb for a client",
                        advice: "run it as a program of its own"
                    )
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

    /// A verb that may need a store that is open for writing, so that a node runs it for its clients.
    ///
    /// It ends by returning or throwing, closes stores by `StoreOptions.close` only, and changes nothing of the
    /// process.
    protocol NodeVerb: ParsableCommand {}

    extension Check: NodeVerb {}
    extension CollectGarbage: NodeVerb {}
    extension Destroy: NodeVerb {}
    extension Export: NodeVerb {}
    extension Get: NodeVerb {}
    extension Has: NodeVerb {}
    extension IndexExport: NodeVerb {}
    extension IndexList: NodeVerb {}
    extension Initialize: NodeVerb {}
    extension InitializeAll: NodeVerb {}
    extension Locate: NodeVerb {}
    extension MigrateRun: NodeVerb {}
    extension Recover: NodeVerb {}
    extension Register: NodeVerb {}
    extension Relocate: NodeVerb {}
#endif
