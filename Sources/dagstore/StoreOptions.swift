internal import AdminMessages
internal import ArgumentParser
internal import DAGMounts
internal import DAGStorage
internal import RemoteMounts
internal import SystemPackage

/// `--store` and `--wait`: opens the store.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The store's directory. Default: $DAGSTORE_PATH, else ./dagstore-data.",
            valueName: "dir"
        ),
        completion: .directory
    )
    var store: String?

    @Option(
        help: ArgumentHelp(
            "Seconds to wait for another process that has the store open.",
            valueName: "seconds"
        )
    )
    var wait: Double = 0

    @OptionGroup var remote: RemoteArguments

    func validate() throws {
        guard wait >= 0, wait <= 1e9 else {
            throw ValidationError("--wait takes a number of seconds from 0 to 1000000000")
        }
    }

    /// Opens the store read-only, which works while another process writes.
    ///
    /// - Throws: As `DAGStore.open`.
    func openForReading(
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> DAGStore { try open(isReadOnly: true, change) }

    /// Opens the store for writing.
    ///
    /// - Parameters:
    ///   - isNewAllowed: Whether to make the store if there is none.
    ///   - asksNode: Whether the node that has the store open may run the verb instead.
    ///   - change: Changes the configuration.
    ///   - setRemote: Changes the settings of remote mounts.
    /// - Returns: The store.
    /// - Throws: As `DAGStore.open`; `invalidArgument` if there is no store to open; `HeldByNode`.
    func openForWriting(
        isNewAllowed: Bool,
        asksNode: Bool = true,
        _ change: (inout Configuration) -> Void = { _ in },
        setRemote: (inout RemoteSettings) -> Void = { _ in }
    ) throws -> DAGStore {
        let directory = try directory
        if !isNewAllowed { try addAdvice { try DAGStore.checkPresence(in: directory) } }
        let change: (inout Configuration) -> Void = { configuration in
            // A verb that ends soon would continue interrupted jobs only to interrupt them again.
            configuration.continuesInterrupted = false
            change(&configuration)
        }
        return try open(isReadOnly: false, asksNode: asksNode, change, setRemote)
    }

    /// Rejects a store inside the source that fills it.
    ///
    /// - Throws: `invalidArgument`.
    func rejectStore(inside source: FilePath) throws {
        let fault = "the store lies in the source"
        try Self.reject(directory, inside: source, fault, "--store")
    }

    /// Rejects a destination inside the store.
    ///
    /// - Throws: `invalidArgument`.
    func rejectInsideStore(_ destination: FilePath) throws {
        try Self.reject(destination, inside: directory, "the destination lies in the store", "--to")
    }

    private static func reject(
        _ inner: FilePath,
        inside outer: FilePath,
        _ fault: String,
        _ option: String
    ) throws {
        let inner = Kernel.resolved(inner)
        guard inner.starts(with: Kernel.resolved(outer)) else { return }
        throw DAGStoreError(
            .invalidArgument,
            "\(inner): \(fault)",
            advice: "give \(option) a folder outside"
        )
    }

    /// The folder for migrated copies of CARs.
    var imported: FilePath {
        get throws {
            try directory.absolute().appending("imported")
        }
    }

    /// The store's directory.
    var directory: FilePath {
        get throws {
            let path = store ?? Console.variable("DAGSTORE_PATH") ?? "dagstore-data"
            guard !path.isEmpty else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the name of the store's directory is empty",
                    advice: "give --store a folder, or leave it out"
                )
            }
            return FilePath(path).ofClient
        }
    }

    /// Whether a process has the store open for writing.
    var isOwned: Bool {
        get throws { Kernel.isLocked(try directory.appending("LOCK")) }
    }

    /// The process that has the store open for writing, for people; `nil` if it is unknown.
    var holder: String? {
        get throws { Kernel.lockHolder(of: try directory.appending("LOCK")) }
    }

    /// Compacts the catalog of the store.
    func compact() throws -> CompactionReport {
        let configuration = try configuration()
        defer { Interruption.setTemporaryFile(nil) }
        do {
            return try waiting {
                try addAdvice {
                    try DAGStore.compact(
                        at: directory,
                        mapSize: configuration.mapSize,
                        willCopy: { Interruption.setTemporaryFile($0) }
                    )
                }
            }
        } catch let error as DAGStoreError where error.code == .catalogLocked {
            guard let holder = try holder else { throw error }
            throw DAGStoreError(.catalogLocked, "\(holder) has the store open")
        }
    }

    /// Calls `body` again and again while another process has the store open, for the time of `--wait`.
    ///
    /// - Throws: The error of `body`.
    func waiting<R>(_ body: () throws -> R) throws -> R {
        let end = ContinuousClock.now + .seconds(wait)
        while true {
            do {
                return try body()
            } catch let error as DAGStoreError where error.code == .catalogLocked {
                guard ContinuousClock.now < end else { throw error }
                Self.pause()
            }
        }
    }

    /// A lock on a file has no timed wait.
    private static func pause() { Kernel.pause(milliseconds: 20) }

    /// Adds the advice for a store that does not exist.
    private func addAdvice<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch var error as DAGStoreError where error.code == .invalidArgument {
            error.advice =
                "name it with --store or $DAGSTORE_PATH, or make one with 'dagstore register'"
            throw error
        }
    }

    /// Closes a store that a verb opened; the store of a node stays open.
    static func close(_ store: DAGStore) async {
        guard Console.client == nil else { return }
        await store.close(cancellingJobs: true)
    }

    /// As `close`, and blocks the thread.
    static func closeWaiting(_ store: DAGStore) {
        guard Console.client == nil else { return }
        store.closeWaiting()
    }

    /// Returns the node's store, for a verb that the node runs for a client.
    ///
    /// - Throws: `invalidArgument` if the verb is about another store, or has a limit that the node's store lacks.
    private func live(
        _ client: Console,
        _ change: (inout Configuration) -> Void
    ) throws -> DAGStore {
        let wanted = Kernel.resolved(try directory.absolute())
        guard wanted == client.directory else {
            throw DAGStoreError(
                .invalidArgument,
                "\(wanted) is not the store of the node, which is \(client.directory)"
            )
        }
        guard !remote.isPrivateAllowed else {
            throw DAGStoreError(
                .invalidArgument,
                "a running node has the store, and reads remote shards by its own rules",
                advice: "give --allow-private to 'dagstore serve'"
            )
        }
        var configuration = Configuration()
        change(&configuration)
        let (asked, present) = (configuration.limits, client.store.limits)
        guard asked.sectionSizeMax <= present.sectionSizeMax,
            asked.headerSizeMax <= present.headerSizeMax
        else {
            throw DAGStoreError(
                .invalidArgument,
                "a running node has the store, and reads headers of at most "
                    + "\(present.headerSizeMax) bytes and sections of at most "
                    + "\(present.sectionSizeMax) bytes",
                advice: "give 'dagstore serve' the larger limits"
            )
        }
        return client.store
    }

    private func open(
        isReadOnly: Bool,
        asksNode: Bool = false,
        _ change: (inout Configuration) -> Void,
        _ setRemote: (inout RemoteSettings) -> Void = { _ in }
    ) throws -> DAGStore {
        if let client = Console.client { return try live(client, change) }
        var settings = try remote.settings(of: directory)
        setRemote(&settings)
        var mounts = MountRegistry.standard
        try RemoteSchemes.add(to: &mounts, settings)
        var configuration = try configuration()
        configuration.isReadOnly = isReadOnly
        change(&configuration)
        let end = ContinuousClock.now + .seconds(wait)
        while true {
            do {
                return try addAdvice {
                    try DAGStore.open(
                        at: directory,
                        mounts: mounts,
                        configuration: configuration
                    )
                }
            } catch let error as DAGStoreError where error.code == .catalogLocked {
                if asksNode, let connection = NodeConnection(to: Kernel.resolved(try directory)) {
                    throw HeldByNode(connection: connection)
                }
                guard ContinuousClock.now < end else {
                    guard !isReadOnly, let holder = try holder else { throw error }
                    throw DAGStoreError(.catalogLocked, "\(holder) has the store open for writing")
                }
                Self.pause()
            }
        }
    }

    /// The address space for the catalog, in bytes.
    var mapSize: Int { get throws { try configuration().mapSize } }

    private func configuration() throws -> Configuration {
        var configuration = Configuration()
        if let text = Console.variable("DAGSTORE_MAP_SIZE") {
            guard let size = Int(text), size > 0 else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "DAGSTORE_MAP_SIZE is not a number of bytes: \(text)",
                    advice: "set it to a number such as \(1 << 40), or unset it"
                )
            }
            configuration.mapSize = size
        }
        return configuration
    }
}

extension DAGStore {
    /// Acquires a lease on a shard without fetching or indexing it.
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
