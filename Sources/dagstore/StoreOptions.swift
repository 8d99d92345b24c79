internal import ArgumentParser
internal import DAGStorage
internal import SystemPackage

/// `--store`, and how a store is opened.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The store's directory; else $DAGSTORE_PATH, else ./dagstore-data.",
            valueName: "dir"
        )
    )
    var store: String?

    /// Opens the store to look only, which works beside a process that writes.
    ///
    /// - Throws: As `DAGStore.open`.
    func openForReading() throws -> DAGStore { try open(isReadOnly: true) }

    /// Opens the store to write.
    ///
    /// - Parameter isNewAllowed: Whether to make the store if there is none.
    /// - Returns: The store.
    /// - Throws: As `DAGStore.open`; `invalidArgument` if there is none and none may be made.
    func openForWriting(isNewAllowed: Bool) throws -> DAGStore {
        let directory = try directory
        guard isNewAllowed || Kernel.exists(directory.appending("catalog")) else {
            throw DAGStoreError(.invalidArgument, "there is no store in \(directory)")
        }
        return try open(isReadOnly: false)
    }

    private var directory: FilePath {
        get throws {
            let path = store ?? Kernel.variable("DAGSTORE_PATH") ?? "dagstore-data"
            guard !path.isEmpty else {
                throw DAGStoreError(.invalidArgument, "the store's directory has no name")
            }
            return FilePath(path)
        }
    }

    private func open(isReadOnly: Bool) throws -> DAGStore {
        var configuration = Configuration()
        configuration.isReadOnly = isReadOnly
        if let text = Kernel.variable("DAGSTORE_MAP_SIZE") {
            guard let size = Int(text), size > 0 else {
                throw DAGStoreError(
                    .invalidConfiguration,
                    "DAGSTORE_MAP_SIZE is no number of bytes: \(text)"
                )
            }
            configuration.mapSize = size
        }
        return try DAGStore.open(at: directory, configuration: configuration)
    }
}
