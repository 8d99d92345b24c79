internal import ArgumentParser
internal import DAGStorage
internal import SystemPackage

/// `--store`, and how a store is opened.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The store's directory; else $DAGSTORE_PATH, else ./dagstore-data.",
            valueName: "dir"
        ),
        completion: .directory
    )
    var store: String?

    @Option(
        help: ArgumentHelp(
            "Wait so long for another process that has the store open.",
            valueName: "seconds"
        )
    )
    var wait: Double = 0

    func validate() throws {
        guard wait >= 0, wait <= 1e9 else {
            throw ValidationError("--wait takes a number of seconds from 0 to 1000000000")
        }
    }

    /// Opens the store to look only, which works beside a process that writes.
    ///
    /// - Throws: As `DAGStore.open`.
    func openForReading(
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> DAGStore { try open(isReadOnly: true, change) }

    /// Opens the store to write.
    ///
    /// - Parameters:
    ///   - isNewAllowed: Whether to make the store if there is none.
    ///   - change: Changes how it behaves.
    /// - Returns: The store.
    /// - Throws: As `DAGStore.open`; `invalidArgument` if there is none and none may be made.
    func openForWriting(
        isNewAllowed: Bool,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> DAGStore {
        let directory = try directory
        if !isNewAllowed { try advising { try DAGStore.checkPresence(in: directory) } }
        return try open(isReadOnly: false) { configuration in
            // A verb that ends soon would take up what was interrupted only to interrupt it again.
            configuration.continuesInterrupted = false
            change(&configuration)
        }
    }

    /// Refuses a store that would lie inside of what it is filled from.
    ///
    /// - Throws: `invalidArgument`.
    func refuseInside(_ source: FilePath) throws {
        let inner = Kernel.resolved(try directory)
        guard inner.starts(with: Kernel.resolved(source)) else { return }
        throw DAGStoreError(
            .invalidArgument,
            "\(inner): the store lies in the source",
            advice: "give --store a folder outside"
        )
    }

    /// Where copies of CARs go that were brought over.
    var imported: FilePath {
        get throws {
            try directory.absolute().appending("imported")
        }
    }

    /// Refuses a destination that would lie inside of the store.
    ///
    /// - Throws: `invalidArgument`.
    func refuseHolding(_ destination: FilePath) throws {
        let inner = Kernel.resolved(destination)
        guard inner.starts(with: Kernel.resolved(try directory)) else { return }
        throw DAGStoreError(
            .invalidArgument,
            "\(inner): lies in the store",
            advice: "give --to a folder outside"
        )
    }

    private var directory: FilePath {
        get throws {
            let path = store ?? Kernel.variable("DAGSTORE_PATH") ?? "dagstore-data"
            guard !path.isEmpty else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the store's directory has no name",
                    advice: "give --store a folder, or leave it out"
                )
            }
            return FilePath(path)
        }
    }

    /// Whether some process has the store open for writing.
    var isOwned: Bool {
        get throws { Kernel.isLocked(try directory.appending("LOCK")) }
    }

    /// The process that has the store open for writing, for people; nil if it cannot be told.
    var holder: String? {
        get throws { Kernel.lockHolder(of: try directory.appending("LOCK")) }
    }

    /// Compacts the catalogue of the store.
    func compact() throws -> CompactionReport {
        let configuration = try configuration()
        return try advising {
            try DAGStore.compact(at: directory, mapSize: configuration.mapSize)
        }
    }

    /// Says where else the store may be if there is none.
    private func advising<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch var error as DAGStoreError where error.code == .invalidArgument {
            error.advice =
                "name it with --store or $DAGSTORE_PATH, or make one with 'dagstore register'"
            throw error
        }
    }

    private func open(
        isReadOnly: Bool,
        _ change: (inout Configuration) -> Void
    ) throws -> DAGStore {
        var configuration = try configuration()
        configuration.isReadOnly = isReadOnly
        change(&configuration)
        let end = ContinuousClock.now + .seconds(wait)
        while true {
            do {
                return try advising {
                    try DAGStore.open(at: directory, configuration: configuration)
                }
            } catch let error as DAGStoreError where error.code == .catalogLocked {
                guard ContinuousClock.now < end else {
                    guard !isReadOnly, let holder = try holder else { throw error }
                    throw DAGStoreError(.catalogLocked, "\(holder) has the store open for writing")
                }
                // A lock on a file has no timed wait.
                Kernel.pause(milliseconds: 20)
            }
        }
    }

    private func configuration() throws -> Configuration {
        var configuration = Configuration()
        if let text = Kernel.variable("DAGSTORE_MAP_SIZE") {
            guard let size = Int(text), size > 0 else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "DAGSTORE_MAP_SIZE is no number of bytes: \(text)",
                    advice: "set it to one such as \(1 << 40), or unset it"
                )
            }
            configuration.mapSize = size
        }
        return configuration
    }
}

extension DAGStore {
    /// A lease on a shard, without fetching or indexing anything.
    ///
    /// - Throws: As `acquireIfAvailable`; `readOnly` if the shard would have to be fetched or indexed.
    func lease(_ key: ShardKey) throws -> Shard {
        var shard: Shard?
        do {
            shard = try acquireIfAvailable(key)
        } catch let error as DAGStoreError where error.code == .readOnly {
            // Only a store that is open for writing can bring the shard in.
        }
        guard let shard else {
            throw DAGStoreError(
                .readOnly,
                "it is not indexed yet, or its copy must be fetched again",
                shard: key,
                advice: "run '\(Program.name) initialize \(key.text.asArgument)'"
            )
        }
        return shard
    }
}
