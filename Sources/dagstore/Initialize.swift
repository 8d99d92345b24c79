internal import AdminMessages
internal import ArgumentParser
internal import DAGStorage

/// `initialize`: indexes a shard that was registered lazily.
struct Initialize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch and index a shard that was registered with --lazy, and wait for it.",
        discussion: "Fetches the copy of an indexed shard again if it is gone."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let key = try ShardKey(key)
        let store = try store.openForWriting(isNewAllowed: false) { $0.limits = limits.limits }
        let outcome = await ShardOutcome.of(key, in: store) {
            try await store.initialize(key)
            // The copy of an indexed shard may be gone.
            if let shard = try? store.acquireIfAvailable(key) { return shard.release() }
            guard try store.status(of: key)?.mountURL.hasPrefix("file://") == false else { return }
            try await store.acquire(key).release()
        }
        await StoreOptions.close(store)
        try outcome.end(format.format)
    }
}

/// `recover`: makes shards readable again.
struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Recover shards that failed or whose source changed, and wait for them.",
        discussion:
            "Keeps the index if the source has the indexed bytes, else indexes the source again. With "
            + "several shards, prints a line when each has ended; the exit status is that of the first "
            + "failure."
    )

    @Argument(help: ArgumentHelp("The shards' keys.", valueName: "key"))
    var keys: [String] = []

    @Flag(help: "Recover every shard that has failed.")
    var failed = false

    @Flag(help: "Recover every shard that has failed, or whose local bytes cannot be read.")
    var all = false

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard [!keys.isEmpty, failed, all].count(where: \.self) == 1 else {
            throw ValidationError("name shards, or give either --failed or --all")
        }
    }

    func run() async throws {
        let keys = try keys.map { try ShardKey($0) }
        let store = try store.openForWriting(isNewAllowed: false) { $0.limits = limits.limits }
        if keys.count == 1 {
            let outcome = await Self.outcome(of: keys[0], in: store)
            await StoreOptions.close(store)
            return try outcome.end(format.format)
        }
        var lines = OutcomeLines(format.format)
        for key in keys {
            let outcome = await Self.outcome(of: key, in: store)
            try lines.print(outcome)
            // The node that runs the verb ends, or its client is gone.
            try Task.checkCancellation()
        }
        var shards = store.statuses().makeIterator()
        while keys.isEmpty, let shard = try await shards.next() {
            guard shard.state == .failed || (all && shard.state == .available) else { continue }
            let outcome = await Self.outcome(of: shard.key, in: store, fetches: false)
            // The user did not name this shard, and nothing is wrong with it.
            if outcome.error?.code == "notFailed" { continue }
            try lines.print(outcome)
            try Task.checkCancellation()
        }
        await StoreOptions.close(store)
        try lines.end()
    }

    /// Recovers a shard.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - store: The store.
    ///   - fetches: Whether to fetch a shard that has not failed, to find out what is wrong with it.
    /// - Returns: The outcome.
    private static func outcome(
        of key: ShardKey,
        in store: DAGStore,
        fetches: Bool = true
    ) async -> ShardOutcome {
        await ShardOutcome.of(key, in: store) {
            do {
                try await store.recover(key)
            } catch let error as DAGStoreError where error.code == .notFailed {
                // Only a read finds out what is wrong with its source.
                guard try await isRecovered(key, in: store, fetches) else { throw error }
            }
        }
    }

    /// Reads a shard that has not failed, and recovers it if that fails it.
    ///
    /// - Returns: Whether it was recovered; if not, nothing is wrong with it.
    private static func isRecovered(
        _ key: ShardKey,
        in store: DAGStore,
        _ fetches: Bool
    ) async throws -> Bool {
        do {
            let shard =
                fetches ? try await store.acquire(key) : try store.acquireIfAvailable(key)
            shard?.release()
            return false
        } catch let error as DAGStoreError {
            guard try store.status(of: key)?.state == .failed else { throw error }
            try await store.recover(key)
            return true
        }
    }
}

/// `initialize-all`: indexes every shard that is not indexed yet.
struct InitializeAll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "initialize-all",
        abstract: "Fetch and index every shard without an index; print a line when each has ended."
    )

    @Option(help: "The number of shards to index at once, 1 to 1024.")
    var concurrency = 2

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard (1...1024).contains(concurrency) else {
            throw ValidationError("--concurrency takes a number from 1 to 1024")
        }
    }

    func run() async throws {
        let store = try store.openForWriting(isNewAllowed: false) {
            $0.concurrentIndexing = concurrency
            $0.limits = limits.limits
        }
        var lines = OutcomeLines(format.format)
        var waiting = store.statuses().makeIterator()
        try await withThrowingTaskGroup(of: ShardOutcome.self) { group in
            for _ in 0..<concurrency { try Self.addNext(of: &waiting, in: store, to: &group) }
            while let outcome = try await group.next() {
                try lines.print(outcome)
                try Task.checkCancellation()
                try Self.addNext(of: &waiting, in: store, to: &group)
            }
        }
        await StoreOptions.close(store)
        try lines.end()
    }

    private static func addNext(
        of waiting: inout ShardStatuses.Iterator,
        in store: DAGStore,
        to group: inout ThrowingTaskGroup<ShardOutcome, any Error>
    ) throws {
        while let shard = try waiting.next() {
            // The opening continues interrupted jobs, and this waits for them.
            guard [.registered, .initializing, .recovering].contains(shard.state) else { continue }
            group.addTask {
                await ShardOutcome.of(shard.key, in: store) {
                    try await store.initialize(shard.key)
                }
            }
            return
        }
    }
}

/// The outcome of an operation on a shard.
struct ShardOutcome: Sendable {
    let key: ShardKey
    /// Its state; `nil` if no shard has the key.
    let state: ShardStatus.State?
    /// The URL of its mount.
    let mount: String?
    let error: ErrorReport?

    /// Runs `body`, and reads the state of the shard afterwards.
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
        return ShardOutcome(
            key: key,
            state: status?.state,
            mount: status?.mountURL,
            error: report
        )
    }

    /// Prints the outcome, and ends the program with its exit status.
    ///
    /// - Parameters:
    ///   - format: The format.
    ///   - hasMount: Whether the JSON has the mount.
    /// - Throws: `ExitCode` after a failure; `OutputError`.
    func end(_ format: OutputFormat, hasMount: Bool = false) throws {
        var lines = OutcomeLines(format, hasMount: hasMount)
        // Without a shard there is only the error.
        if error?.exitStatus != 2, error?.exitStatus != 3 {
            try lines.print(self, writesError: false)
        }
        guard let error else { return }
        error.write(format)
        throw ExitCode(error.exitStatus)
    }
}

/// Prints outcomes, one a line, and remembers the first failure.
struct OutcomeLines {
    private var output: Output
    private var list = RowList([.text("KEY", width: 24), .text("STATE")])
    private var status: Int32?
    private let hasMount: Bool

    /// Creates a printer; `hasMount` adds the mount, and the error under the name `problem`, to the JSON.
    init(_ format: OutputFormat, hasMount: Bool = false) {
        output = Output(format)
        self.hasMount = hasMount
    }

    /// Prints an outcome and, with `writesError`, its error.
    mutating func print(_ outcome: ShardOutcome, writesError: Bool = true) throws {
        status = status ?? outcome.error?.exitStatus
        let state = outcome.state?.rawValue
        switch output.format {
        case .text:
            let cause = outcome.error.map { " (\($0.code))" } ?? ""
            try output.row([outcome.key.text, (state ?? "unknown") + cause], of: &list)
        case .json:
            try output.object { json in
                json.member("key", outcome.key.text)
                json.member("state", state)
                json.member("error", outcome.error?.code)
                guard hasMount else { return }
                json.member("mount", outcome.mount)
                json.member("problem", outcome.error?.code)
            }
        }
        try output.flush()
        if writesError { outcome.error?.write(output.format) }
    }

    /// Ends the program with the status of the first failure, if there was one.
    func end() throws {
        if let status { throw ExitCode(status) }
    }
}
