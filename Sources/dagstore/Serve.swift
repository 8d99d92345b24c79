internal import AdminMessages
internal import ArgumentParser
internal import DAGNode
internal import DAGStorage
internal import DAGSystem
internal import RemoteMounts

/// `serve`: serves a store over HTTP.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a store over HTTP as a trustless IPFS gateway.",
        discussion: """
            Flags win over environment variables, which are DAGSTORE_ and the flag's name in capitals, and these \
            over the file of --config. SIGTERM, SIGINT and SIGHUP end the node: it accepts no more requests, \
            and answers may go on for the time of --drain. Meanwhile the reading verbs work beside it. A \
            client asks for /ipfs/CID and /piece/KEY, and a supervisor for /health/livez and /health/readyz.
            """
    )

    @OptionGroup var flags: NodeFlags

    @Flag(help: "Print a file for --config with every option and its present value, and end.")
    var printConfig = false

    @OptionGroup var format: FormatOptions

    #if Node
        func run() async throws {
            let reader: OptionReader
            let settings: NodeSettings
            do {
                reader = try OptionReader(flags: flags.values) { Kernel.variable($0) }
                settings = try reader.settings()
            } catch {
                throw DAGStoreError(
                    .invalidConfiguration,
                    error.description,
                    advice:
                        "see '\(Advice.verb) --help', or start from '\(Advice.verb) --print-config'"
                )
            }
            guard !printConfig else {
                let text = OptionText.file { reader.values(of: $0) }
                return try Output.run(.text) { try $0.lines(String(text.dropLast())) }
            }
            try await serve(settings)
        }

        /// The file descriptors without which no event loop can begin.
        private static let descriptorsMin: UInt64 = 32

        private func serve(_ settings: NodeSettings) async throws {
            if let limit = ThisProcess.descriptorCountMax, limit < Self.descriptorsMin {
                throw DAGStoreError(
                    .outOfResources,
                    "a node needs \(Self.descriptorsMin) file descriptors, and its limit is \(limit)",
                    advice: "raise the limit, for example with 'ulimit -n 4096'"
                )
            }
            let log = NodeLog(settings)
            let telemetry = NodeTelemetry(log)
            let store: DAGStore
            let cluster: NodeCluster?
            do {
                let joining = try await ClusterJoining(settings)
                store = try open(settings, telemetry, joining)
                cluster = try joining.cluster(settings, store)
            } catch {
                log.close()
                throw error
            }
            let result: Result<Void, any Error>
            do {
                let node = try Node(
                    settings,
                    store: store,
                    log: log,
                    telemetry: telemetry,
                    version: Program.release,
                    runVerb: { await VerbRunner.run($0, store, $1, $2) },
                    cluster: cluster,
                    onListening: { address in
                        // The node listens for the signals by now.
                        Interruption.release()
                        announce(address, settings, log)
                    }
                )
                try await node.run(heedsHangup: Interruption.heedsHangup)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await store.close(cancellingJobs: true)
            log.close()
            try result.get()
        }

        private func open(
            _ settings: NodeSettings,
            _ telemetry: NodeTelemetry,
            _ joining: ClusterJoining
        ) throws -> DAGStore {
            var options = try StoreOptions.parse([])
            options.store = settings.store.string
            options.wait = settings.wait / .seconds(1)
            // Without a folder, a new store would stay empty.
            let setRemote: (inout RemoteSettings) -> Void = { remote in
                remote.policy = settings.remotePolicy
                remote.cacheSizeMax = settings.remoteCacheSize
                remote.allowsPrivate = settings.allowsPrivate
            }
            return try options.openForWriting(
                isNewAllowed: !settings.mountFolders.isEmpty || joining.isNew,
                asksNode: false,
                {
                    $0.continuesInterrupted = true
                    $0.observer = telemetry.observer
                    $0.limits.sectionSizeMax = settings.sectionSizeMax
                    $0.limits.headerSizeMax = settings.headerSizeMax
                    $0.hashKey = joining.hashKey
                },
                setRemote: setRemote
            )
        }

        private func announce(_ address: NodeAddress, _ settings: NodeSettings, _ log: NodeLog) {
            let url = "\(settings.tls == nil ? "http" : "https")://\(address)"
            log.announce("listens on \(url)", ["address": address.description])
            guard format.format == .json else { return }
            // A reader of the output that is gone has no effect on the node.
            try? Output.run(.json) { output in
                try output.object { json in
                    json.member("address", address.description)
                    json.member("url", url)
                    json.member("process", Kernel.processNumber)
                }
            }
        }
    #else
        func run() throws {
            throw VerbNotBuiltIn(
                message: "this program was built without the trait Node, so it cannot serve",
                advice: "use a program built with 'make release' or 'swift build --traits Node'"
            )
        }
    #endif
}

/// The error for a verb that this build lacks.
struct VerbNotBuiltIn: Error {
    /// What is missing.
    let message: String
    /// Which build has it.
    let advice: String
}
