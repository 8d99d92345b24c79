internal import ArgumentParser
internal import DAGStorage
internal import Migration
internal import Mounts
internal import SystemPackage

/// `register`: takes CAR files into a store.
struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Index CAR files and make their blocks available."
    )

    @Argument(help: ArgumentHelp("A path, or a file:// URL.", valueName: "source"))
    var sources: [String]

    @Option(help: "The shard's key; else the file's name without .car.")
    var key: String?

    @Flag(help: "Index at the first use, not now.")
    var lazy = false

    @Option(
        help: ArgumentHelp(
            "A local copy of the CAR, which is read instead of the source; never removed.",
            valueName: "file"
        )
    )
    var existingTransient: String?

    @Option(
        help: ArgumentHelp(
            "An index of the CAR, as car index writes it; instead of walking the CAR now.",
            valueName: "file"
        )
    )
    var existingIndex: String?

    @Option(
        help: ArgumentHelp(
            "What of the index is compared with the CAR: sample or full; after sample, initialize walks it.",
            valueName: "how"
        )
    )
    var verify = "sample"

    @OptionGroup var store: StoreOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard key == nil || sources.count == 1 else {
            throw ValidationError("--key names one shard, and there are \(sources.count) sources")
        }
        guard existingTransient == nil || sources.count == 1 else {
            throw ValidationError(
                "--existing-transient is one CAR, and there are \(sources.count) sources"
            )
        }
        guard existingIndex == nil || sources.count == 1 else {
            throw ValidationError("--existing-index is of one CAR, and there are \(sources.count)")
        }
        guard existingIndex == nil || (!lazy && existingTransient == nil) else {
            throw ValidationError("--existing-index goes with neither --lazy nor a transient")
        }
        guard ExistingIndex.Validation(rawValue: verify) != nil else {
            throw ValidationError("\(verify): neither sample nor full")
        }
    }

    func run() async throws {
        let store = try store.openForWriting(isNewAllowed: true)
        let sources = sources.map { Source($0) }
        var lines = RegistrationLines(format.format, keys: sources.map { key ?? $0.key })
        var status: Int32?
        for (number, source) in sources.enumerated() {
            let start = ContinuousClock.now
            let position = sources.count > 1 ? "\(number + 1)/\(sources.count) " : ""
            do {
                let shard = try await register(source, in: store, position)
                try lines.print(key ?? source.key, shard, nil, ContinuousClock.now - start)
            } catch let error as OutputError {
                throw error
            } catch {
                let report = ErrorReport(error)
                status = status ?? report.exitStatus
                let known = try? store.status(of: ShardKey(key ?? source.key))
                let time = ContinuousClock.now - start
                try lines.print(key ?? source.key, known ?? nil, report, time)
                report.write(format.format)
            }
        }
        await store.close(cancellingJobs: true)
        if let status { throw ExitCode(status) }
    }

    private func register(
        _ source: Source,
        in store: DAGStore,
        _ position: String
    ) async throws -> ShardStatus {
        let key = try ShardKey(key ?? source.key)
        let mount = try source.mount.get()
        let bar = ProgressBar(progress.progress, position + key.text)
        defer { bar.finish() }
        if let existingIndex {
            try ExistingIndex(at: FilePath(existingIndex)).register(
                key,
                from: mount,
                in: store,
                validation: ExistingIndex.Validation(rawValue: verify) ?? .sample
            ) { bar.update($0, of: $1) }
            // Every section was looked at, so that the rest costs little.
            if verify == "full" { try await store.initialize(key) }
            guard let status = try store.status(of: key) else {
                throw DAGStoreError(.shardUnknown, "\(key): destroyed meanwhile", shard: key)
            }
            return status
        }
        let transient = try existingTransient.map { try Source($0).mount.get().path }
        return try await store.register(
            key,
            from: mount,
            indexing: lazy ? .onFirstUse : .now,
            existingTransient: transient
        ) { progress in
            bar.update(progress.bytesDone, of: progress.bytesTotal)
        }
    }
}

/// A CAR file that was named on the command line.
private struct Source {
    /// The file, or why it is none.
    let mount: Result<FileMount, any Error>
    /// The key it gets if nobody gives it one: the file's name without `.car`.
    let key: String

    init(_ text: String) {
        mount = Result {
            let named = Self.isURL(text) ? try FileMount(url: text) : FileMount(FilePath(text))
            // The store must find the file again from every working directory.
            guard !named.path.isAbsolute else { return named }
            guard let directory = Kernel.workingDirectory else {
                throw DAGStoreError(.invalidArgument, "\(text): the working directory is gone")
            }
            // `..` stays: after a symbolic link only the system knows where it leads.
            var path = directory
            path.components.append(
                contentsOf: named.path.components.filter { $0.kind != .currentDirectory }
            )
            return FileMount(path)
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
        _ time: Duration
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
            }
        }
        do {
            try output.flush()
        } catch {
            guard error == .closed else { throw error }
        }
    }
}
