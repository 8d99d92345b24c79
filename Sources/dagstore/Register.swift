internal import AdminMessages
internal import ArgumentParser
internal import DAGCARFiles
internal import DAGMigration
internal import DAGMounts
internal import DAGStorage
internal import RemoteMounts
internal import Synchronization
internal import SystemPackage

/// `register`: adds CAR files to a store.
struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register CAR files as shards, and index them."
    )

    @Argument(
        help: ArgumentHelp(
            "A path, or a URL: file://, https://, http:// or s3://bucket/key.",
            valueName: "source"
        ),
        completion: .file()
    )
    var sources: [String]

    @Option(help: "The shard's key, 1 to 480 bytes. Default: the file's name without .car.")
    var key: String?

    @Flag(help: "Index the shard at its first use instead of now.")
    var lazy = false

    @Option(
        help: ArgumentHelp(
            "A local copy of the CAR to read instead of the source; never removed.",
            valueName: "file"
        ),
        completion: .file()
    )
    var existingTransient: String?

    @Option(
        help: ArgumentHelp(
            "An index file of 'car index', to use instead of reading the CAR.",
            valueName: "file"
        ),
        completion: .file()
    )
    var existingIndex: String?

    @Option(
        help: ArgumentHelp(
            "The entries of that index to compare with the CAR: sample, or full to read the whole CAR.",
            valueName: "how"
        )
    )
    var verify = "sample"

    @OptionGroup var policy: PolicyArgument
    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        for (option, value) in [
            ("--key", key), ("--existing-transient", existingTransient),
            ("--existing-index", existingIndex),
        ] where value != nil && sources.count != 1 {
            throw ValidationError("\(option) is for one source, not \(sources.count)")
        }
        guard existingIndex == nil || (!lazy && existingTransient == nil && policy.remote == nil)
        else {
            throw ValidationError(
                "--existing-index cannot be combined with --lazy, --remote or --existing-transient"
            )
        }
        guard ExistingIndex.Validation(rawValue: verify) != nil else {
            throw ValidationError("--verify takes sample or full, not \(verify)")
        }
    }

    func run() async throws {
        let store = try store.openForWriting(isNewAllowed: true) { $0.limits = limits.limits }
        let sources = sources.map { Source($0) }
        let keys = sources.map { key ?? $0.key }
        var lines = RegistrationLines(format.format, keys: keys)
        var status: Int32?
        // If two sources have one key, the first one gets it.
        let width = Set(keys).count < keys.count ? 1 : Self.inFlightMax
        let bars = ProgressTurn(progress.progress)
        let (outcomes, outcome) = AsyncStream.makeStream(of: Registered.self)
        var next = outcomes.makeAsyncIterator()
        var done: [Int: Registered] = [:]
        var started = 0
        for number in sources.indices {
            while started < sources.count, started < number + width {
                await start(sources, started, in: store, bars) { outcome.yield($0) }
                started += 1
            }
            // Prints lines in the order of the sources, each after its shard is on disk.
            while done[number] == nil, let one = await next.next() { done[one.number] = one }
            guard let one = done.removeValue(forKey: number) else { break }
            let shard = try? store.status(of: ShardKey(keys[number]))
            let ignored = await ignoredBytes(of: shard ?? nil, in: store)
            status = status ?? one.error?.exitStatus
            try lines.print(keys[number], shard ?? nil, one.error, one.time, ignored)
            if let ignored, let key = try? ShardKey(keys[number]) {
                Warning(code: .ignoredBytes, ignored.detail, offset: ignored.offset, key)
                    .write(format.format)
            }
            one.error?.write(format.format)
        }
        await StoreOptions.close(store)
        // A node that ends cancels its verbs, and the stream of outcomes with them.
        try Task.checkCancellation()
        if let status { throw ExitCode(status) }
    }

    /// Returns the bytes of a new shard that lie after its data and are not padding.
    private func ignoredBytes(of shard: ShardStatus?, in store: DAGStore) async -> IgnoredBytes? {
        // A shard that cannot be read now reports that to its next reader.
        guard let shard, shard.state == .available else { return nil }
        return try? await store.ignoredBytes(of: shard.key)
    }

    /// The number of sources to register at once: small ones share commits.
    private static let inFlightMax = 64

    /// The outcome of a source.
    private struct Registered: Sendable {
        let number: Int
        let error: ErrorReport?
        let time: Duration
    }

    /// Starts to register a source; the store gets the sources in their order.
    private func start(
        _ sources: [Source],
        _ number: Int,
        in store: DAGStore,
        _ bars: ProgressTurn,
        _ reply: @escaping @Sendable (Registered) -> Void
    ) async {
        let start = ContinuousClock.now
        let position = sources.count > 1 ? "\(number + 1)/\(sources.count) " : ""
        let bar = bars.begin(position + (key ?? sources[number].key))
        // The store calls back on its own threads, which do not know the client.
        let client = Console.client
        let end: @Sendable ((any Error)?) -> Void = { error in
            bars.end(bar)
            let report = Console.$client.withValue(client) { error.map { ErrorReport($0) } }
            let time = ContinuousClock.now - start
            reply(Registered(number: number, error: report, time: time))
        }
        do {
            try await register(sources[number], in: store, bar, end)
        } catch {
            end(error)
        }
    }

    /// Passes a source to the store.
    ///
    /// - Throws: An error in the arguments; it does not call `reply` then.
    private func register(
        _ source: Source,
        in store: DAGStore,
        _ bar: ProgressBar?,
        _ reply: @escaping @Sendable ((any Error)?) -> Void
    ) async throws {
        let key = try ShardKey(key ?? source.key)
        let url = try source.url.get()
        if let existingIndex {
            let mount = try source.file.get()
            try FilePath(existingIndex).ofClient.checkForClient()
            try ExistingIndex(at: FilePath(existingIndex).ofClient).register(
                key,
                from: mount,
                in: store,
                validation: ExistingIndex.Validation(rawValue: verify) ?? .sample
            ) { bar?.update($0, of: $1) }
            // The comparison read every section, so the rest costs little.
            if verify == "full" { try await store.initialize(key) }
            guard try store.status(of: key) != nil else {
                throw DAGStoreError(
                    .shardUnknown,
                    "another call destroyed the shard meanwhile",
                    shard: key
                )
            }
            return reply(nil)
        }
        let transient = try existingTransient.map { try Source($0).file.get().path }
        try store.register(
            key,
            from: url,
            indexing: lazy ? .onFirstUse : .now,
            policy: policy.policy ?? .automatic,
            existingTransient: transient,
            progress: { bar?.update($0.bytesDone, of: $0.bytesTotal) },
            reply: { result in
                switch result {
                case .success: reply(nil)
                case .failure(let error): reply(error)
                }
            }
        )
    }
}

/// Allows one bar at a time for all sources in progress.
private final class ProgressTurn: Sendable {
    private let mode: ProgressBar.Mode
    private let isTaken = Mutex(false)

    init(_ mode: ProgressBar.Mode) { self.mode = mode }

    /// Returns a bar, unless another one is visible.
    func begin(_ label: String) -> ProgressBar? {
        let isFree = isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
        return isFree ? ProgressBar(mode, label) : nil
    }

    /// Wipes a bar.
    func end(_ bar: ProgressBar?) {
        guard let bar else { return }
        bar.finish()
        isTaken.withLock { $0 = false }
    }
}

/// A CAR from the command line.
struct Source: Sendable {
    /// The file, or the error of the argument; also an error if the CAR is on another machine.
    let file: Result<FileMount, any Error>
    /// The mount's URL, or the error of the argument.
    let url: Result<MountURL, any Error>
    /// The default key: the file's name without `.car`.
    let key: String

    init(_ text: String) {
        let name: String
        if let scheme = Self.remoteScheme(of: text) {
            url = Result { try MountURL(text) }
            file = .failure(
                DAGStoreError(
                    .invalidArgument,
                    "a CAR behind \(scheme):// is not on this machine",
                    advice: "give a file"
                )
            )
            let path = text.prefix { $0 != "?" && $0 != "#" }
            name = path.split(separator: "/").last.map { String($0) } ?? ""
        } else {
            let mount = Result {
                let named = Self.isURL(text) ? try FileMount(url: text) : FileMount(FilePath(text))
                return FileMount(try named.path.lastingPath())
            }
            file = mount
            url = mount.map { $0.url }
            let path = (try? mount.get().path) ?? FilePath(text)
            name = path.lastComponent?.string ?? ""
        }
        key = name.hasSuffix(".car") ? String(name.dropLast(4)) : name
    }

    /// The scheme of a URL of another machine; `nil` for paths and all other URLs.
    private static func remoteScheme(of text: String) -> String? {
        guard let separator = text.utf8.firstRange(of: "://".utf8) else { return nil }
        let scheme = String(text[..<separator.lowerBound])
        return RemoteSchemes.names.contains(scheme) ? scheme : nil
    }

    /// Whether `text` begins as a URL does: letters, digits, `+`, `-` and `.` before `://`.
    private static func isURL(_ text: String) -> Bool {
        guard let separator = text.utf8.firstRange(of: "://".utf8) else { return false }
        let scheme = text[..<separator.lowerBound]
        guard let first = scheme.first, first.isASCII, first.isLetter else { return false }
        return scheme.allSatisfy { character in
            character.isASCII
                && (character.isLetter || character.isNumber || "+-.".contains(character))
        }
    }
}

/// Prints one line for each source as it ends.
private struct RegistrationLines {
    private var output: Output
    private var table: Table

    init(_ format: OutputFormat, keys: [String]) {
        output = Output(format)
        table = Table([
            .text("KEY", width: keys.map(\.printable.count).max() ?? 0),
            .number("BLOCKS", width: 11), .number("SIZE", width: 8), .number("TIME", width: 8),
            .text("STATE"),
        ])
        // The heading stays in the buffer until the first line, so this cannot fail.
        try? output.heading(of: table)
    }

    /// Prints the outcome of a source.
    ///
    /// The work continues when the reader of the lines is gone.
    mutating func print(
        _ key: String,
        _ shard: ShardStatus?,
        _ error: ErrorReport?,
        _ time: Duration,
        _ ignored: IgnoredBytes?
    ) throws {
        let state = shard?.state.rawValue
        let blocks = shard?.blockCount ?? 0
        let size = shard?.payloadSize ?? 0
        switch output.format {
        case .text:
            let cause = error.map { " (\($0.code))" } ?? ""
            let numbers = [blocks.grouped, size.asSize, time.asTime]
            try output.line(table.line([key.printable] + numbers + [(state ?? "refused") + cause]))
        case .json:
            try output.object { json in
                json.member("key", key)
                json.member("state", state)
                json.member("blocks", blocks)
                json.member("bytes", size)
                json.member("seconds", time)
                json.member("error", error?.code)
                json.member("ignoredBytes", ignored?.count ?? 0)
            }
        }
        do {
            try output.flush()
        } catch {
            guard error == .closed else { throw error }
        }
    }
}
