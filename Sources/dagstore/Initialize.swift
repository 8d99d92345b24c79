internal import ArgumentParser
internal import DAGStorage

/// `initialize`: indexes a shard that was registered for its first use.
struct Initialize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch and index a shard that was registered lazily, and wait for it."
    )

    @Argument(help: "The shard's key.")
    var key: String

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let key = try ShardKey(key)
        let store = try store.openForWriting(isNewAllowed: false) { $0.limits = limits.limits }
        let outcome = await ShardOutcome.of(key, in: store) { try await store.initialize(key) }
        await store.close(cancellingJobs: true)
        try outcome.end(format.format)
    }
}

/// `recover`: brings back shards that cannot be read.
struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring shards back that have failed or whose source changed, and wait for it.",
        discussion:
            "The index that is there is kept if the source is what was indexed; else it is made "
            + "anew. With several shards a line is printed as each ends, and the first failure "
            + "gives the exit status."
    )

    @Argument(help: "The shards' keys.")
    var keys: [String] = []

    @Flag(help: "Every shard that has failed.")
    var failed = false

    @Flag(help: "Every shard that has failed, or whose bytes are here and cannot be read.")
    var all = false

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard [!keys.isEmpty, failed, all].count(where: \.self) == 1 else {
            throw ValidationError("name shards, or give --failed or --all")
        }
    }

    func run() async throws {
        let keys = try keys.map { try ShardKey($0) }
        let store = try store.openForWriting(isNewAllowed: false) { $0.limits = limits.limits }
        if keys.count == 1 {
            let outcome = await Self.outcome(of: keys[0], in: store)
            await store.close(cancellingJobs: true)
            return try outcome.end(format.format)
        }
        var lines = OutcomeLines(format.format)
        var status: Int32?
        for key in keys {
            let outcome = await Self.outcome(of: key, in: store)
            status = status ?? outcome.error?.exitStatus
            try lines.print(outcome)
        }
        var shards = store.statuses().makeIterator()
        while keys.isEmpty, let shard = try await shards.next() {
            guard shard.state == .failed || (all && shard.state == .available) else { continue }
            let outcome = await Self.outcome(of: shard.key, in: store, fetches: false)
            // Of shards that nobody named, those that are sound are not told of.
            if outcome.error?.code == "notFailed" { continue }
            status = status ?? outcome.error?.exitStatus
            try lines.print(outcome)
        }
        await store.close(cancellingJobs: true)
        if let status { throw ExitCode(status) }
    }

    /// Recovers a shard.
    ///
    /// - Parameters:
    ///   - key: The shard.
    ///   - store: The store.
    ///   - fetches: Whether one that has not failed is fetched from afar to find out what is wrong with it.
    /// - Returns: What became of it.
    private static func outcome(
        of key: ShardKey,
        in store: DAGStore,
        fetches: Bool = true
    ) async -> ShardOutcome {
        await ShardOutcome.of(key, in: store) {
            do {
                try await store.recover(key)
            } catch let error as DAGStoreError where error.code == .notFailed {
                // What is wrong with its source is found out by reading it.
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
        abstract: "Fetch and index every shard that is not indexed yet, a line as each ends."
    )

    @Option(help: "How many at once.")
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
        var status: Int32?
        var waiting = store.statuses().makeIterator()
        try await withThrowingTaskGroup(of: ShardOutcome.self) { group in
            for _ in 0..<concurrency { try Self.addNext(of: &waiting, in: store, to: &group) }
            while let outcome = try await group.next() {
                status = status ?? outcome.error?.exitStatus
                try lines.print(outcome)
                try Self.addNext(of: &waiting, in: store, to: &group)
            }
        }
        await store.close(cancellingJobs: true)
        if let status { throw ExitCode(status) }
    }

    private static func addNext(
        of waiting: inout ShardStatuses.Iterator,
        in store: DAGStore,
        to group: inout ThrowingTaskGroup<ShardOutcome, any Error>
    ) throws {
        while let shard = try waiting.next() {
            // What an end of a process interrupted is taken up by the opening, and waited for here.
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
    private var list = RowList([.text("KEY", width: 24), .text("STATE")])

    init(_ format: OutputFormat) { output = Output(format) }

    /// Prints one; unless somebody else tells it, the error too.
    mutating func print(_ outcome: ShardOutcome, tells: Bool = true) throws {
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
            }
        }
        try output.flush()
        if tells { outcome.error?.write(output.format) }
    }
}
