internal import ArgumentParser
internal import DAGStorage

/// `initialize`: indexes a shard that was registered for its first use.
struct Initialize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch and index a shard that was registered lazily, and wait for it."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let key = try ShardKey(key)
        let store = try store.openForWriting(isNewAllowed: false)
        let outcome = await ShardOutcome.of(key, in: store) { try await store.initialize(key) }
        await store.close(cancellingJobs: true)
        try outcome.end(format.format)
    }
}

/// `recover`: fetches and indexes a failed shard again.
struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch and index a failed shard again, and wait for it."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let key = try ShardKey(key)
        let store = try store.openForWriting(isNewAllowed: false)
        let outcome = await ShardOutcome.of(key, in: store) { try await store.recover(key) }
        await store.close(cancellingJobs: true)
        try outcome.end(format.format)
    }
}

/// `initialize-all`: indexes every shard that was registered for its first use.
struct InitializeAll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "initialize-all",
        abstract: "Fetch and index every shard that was registered lazily, a line as each ends."
    )

    @Option(help: "How many at once.")
    var concurrency = 2

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard concurrency > 0 else { throw ValidationError("--concurrency must be 1 at least") }
    }

    func run() async throws {
        let store = try store.openForWriting(isNewAllowed: false) {
            $0.concurrentIndexing = concurrency
        }
        var lines = OutcomeLines(format.format)
        var status: Int32?
        var waiting = store.statuses().makeIterator()
        try await withThrowingTaskGroup(of: ShardOutcome.self) { group in
            for _ in 0..<concurrency { Self.addNext(of: &waiting, in: store, to: &group) }
            while let outcome = try await group.next() {
                status = status ?? outcome.error?.exitStatus
                try lines.print(outcome)
                Self.addNext(of: &waiting, in: store, to: &group)
            }
        }
        if let error = waiting.error { throw error }
        await store.close(cancellingJobs: true)
        if let status { throw ExitCode(status) }
    }

    private static func addNext(
        of waiting: inout ShardStatuses.Iterator,
        in store: DAGStore,
        to group: inout ThrowingTaskGroup<ShardOutcome, any Error>
    ) {
        while let shard = waiting.next() {
            guard shard.state == .registered else { continue }
            group.addTask {
                await ShardOutcome.of(shard.key, in: store) {
                    try await store.initialize(shard.key)
                }
            }
            return
        }
    }
}

/// What became of a shard that something was asked of.
struct ShardOutcome: Sendable {
    let key: ShardKey
    /// Its state; nil if there is no such shard.
    let state: ShardStatus.State?
    let error: ErrorReport?

    /// Runs `body`, and sees what became of the shard.
    static func of(
        _ key: ShardKey,
        in store: DAGStore,
        _ body: () async throws -> Void
    ) async -> ShardOutcome {
        var report: ErrorReport?
        do {
            try await body()
        } catch {
            report = ErrorReport(DAGStoreError(any: error).about(key))
        }
        let status = try? store.status(of: key)
        return ShardOutcome(key: key, state: status?.state, error: report)
    }

    /// Prints the outcome, and ends the program as it says.
    func end(_ format: OutputFormat) throws {
        var lines = OutcomeLines(format)
        // Of a shard that is not there, or that was asked for wrongly, there is nothing but the error.
        if error?.exitStatus != 2, error?.exitStatus != 3 { try lines.print(self, tells: false) }
        guard let error else { return }
        error.write(format)
        throw ExitCode(error.exitStatus)
    }
}

/// Prints outcomes, a line each.
struct OutcomeLines {
    private var output: Output

    init(_ format: OutputFormat) { output = Output(format) }

    /// Prints one; unless somebody else tells it, the error too.
    mutating func print(_ outcome: ShardOutcome, tells: Bool = true) throws {
        let state = outcome.state?.rawValue
        switch output.format {
        case .text:
            let cause = outcome.error.map { " (\($0.code))" } ?? ""
            try output.line("\(outcome.key.text.printable)  \(state ?? "unknown")\(cause)")
        case .json:
            try output.object { json in
                json.member("key", outcome.key.text)
                json.member("state", state)
                json.member("error", outcome.error?.code)
            }
        }
        try output.flush()
        if tells { outcome.error?.write(output.format) }
    }
}
