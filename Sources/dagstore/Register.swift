internal import ArgumentParser
internal import DAGCARFiles
internal import DAGMigration
internal import DAGMounts
internal import DAGStorage
internal import Synchronization
internal import SystemPackage

/// `register`: takes CAR files into a store.
struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Index CAR files and make their blocks available."
    )

    @Argument(
        help: ArgumentHelp("A path, or a file:// URL.", valueName: "source"),
        completion: .file()
    )
    var sources: [String]

    @Option(help: "The shard's key; else the file's name without .car.")
    var key: String?

    @Flag(help: "Index at the first use, not now.")
    var lazy = false

    @Option(
        help: ArgumentHelp(
            "A local copy of the CAR, which is read instead of the source; never removed.",
            valueName: "file"
        ),
        completion: .file()
    )
    var existingTransient: String?

    @Option(
        help: ArgumentHelp(
            "An index of the CAR, as car index writes it; instead of walking the CAR now.",
            valueName: "file"
        ),
        completion: .file()
    )
    var existingIndex: String?

    @Option(
        help: ArgumentHelp(
            "What of the index is compared with the CAR: sample or full; after sample, initialize walks it.",
            valueName: "how"
        )
    )
    var verify = "sample"

    @OptionGroup var limits: LimitOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard key == nil || sources.count == 1 else {
            throw ValidationError("--key names one shard: give one source, not \(sources.count)")
        }
        guard existingTransient == nil || sources.count == 1 else {
            throw ValidationError(
                "--existing-transient is a copy of one CAR: give one source, not \(sources.count)"
            )
        }
        guard existingIndex == nil || sources.count == 1 else {
            throw ValidationError(
                "--existing-index is of one CAR: give one source, not \(sources.count)"
            )
        }
        guard existingIndex == nil || (!lazy && existingTransient == nil) else {
            throw ValidationError(
                "--existing-index goes with neither --lazy nor --existing-transient"
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
        // Of two sources with one key the first has it.
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
            // Lines come in the order of the sources, and each after its shard is on disk.
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
        await store.close(cancellingJobs: true)
        if let status { throw ExitCode(status) }
    }

    /// Returns the bytes of a new shard that are not padding, and that no reader sees.
    private func ignoredBytes(of shard: ShardStatus?, in store: DAGStore) async -> IgnoredBytes? {
        // A shard that cannot be read now says so to its next reader.
        guard let shard, shard.state == .available else { return nil }
        return try? await store.ignoredBytes(of: shard.key)
    }

    /// How many sources are registered at once: small ones share commits.
    private static let inFlightMax = 64

    /// What became of a source.
    private struct Registered: Sendable {
        let number: Int
        let error: ErrorReport?
        let time: Duration
    }

    /// Starts to register a source; the store gets them in their order.
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
        let end: @Sendable ((any Error)?) -> Void = { error in
            bars.end(bar)
            let report = error.map { ErrorReport($0) }
            let time = ContinuousClock.now - start
            reply(Registered(number: number, error: report, time: time))
        }
        do {
            try await register(sources[number], in: store, bar, end)
        } catch {
            end(error)
        }
    }

    /// Hands a source to the store.
    ///
    /// - Throws: What is wrong with it; `reply` is not called then.
    private func register(
        _ source: Source,
        in store: DAGStore,
        _ bar: ProgressBar?,
        _ reply: @escaping @Sendable ((any Error)?) -> Void
    ) async throws {
        let key = try ShardKey(key ?? source.key)
        let mount = try source.mount.get()
        if let existingIndex {
            try ExistingIndex(at: FilePath(existingIndex)).register(
                key,
                from: mount,
                in: store,
                validation: ExistingIndex.Validation(rawValue: verify) ?? .sample
            ) { bar?.update($0, of: $1) }
            // Every section was looked at, so that the rest costs little.
            if verify == "full" { try await store.initialize(key) }
            guard try store.status(of: key) != nil else {
                throw DAGStoreError(.shardUnknown, "\(key): destroyed meanwhile", shard: key)
            }
            return reply(nil)
        }
        let transient = try existingTransient.map { try Source($0).mount.get().path }
        try store.register(
            key,
            from: mount.url,
            indexing: lazy ? .onFirstUse : .now,
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

/// Lets one bar be drawn at a time, of all sources that are under way.
private final class ProgressTurn: Sendable {
    private let mode: ProgressBar.Mode
    private let isTaken = Mutex(false)

    init(_ mode: ProgressBar.Mode) { self.mode = mode }

    /// A bar, unless another one is drawn.
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

/// A CAR file that was named on the command line.
struct Source: Sendable {
    /// The file, or why it is none.
    let mount: Result<FileMount, any Error>
    /// The key it gets if nobody gives it one: the file's name without `.car`.
    let key: String

    init(_ text: String) {
        mount = Result {
            let named = Self.isURL(text) ? try FileMount(url: text) : FileMount(FilePath(text))
            return FileMount(try named.path.lasting())
        }
        let path = (try? mount.get().path) ?? FilePath(text)
        let name = path.lastComponent?.string ?? ""
        key = name.hasSuffix(".car") ? String(name.dropLast(4)) : name
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

/// Prints a line a source, as soon as it is done.
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
        // Nothing is written before the first line, so that nothing can fail here.
        try? output.heading(of: table)
    }

    /// Prints what became of a source.
    ///
    /// The work goes on when nobody reads the lines any more.
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
