internal import DAGCatalog
internal import DAGSystem
public import SystemPackage

extension DAGStore {
    /// Checks the machine, the process and the place of a store: limits, disk space, file system, clock and libraries.
    ///
    /// Without a store in the folder, the report has only what needs none. A store that cannot be opened is a finding,
    /// not an error.
    ///
    /// *Cost*: some system calls, and the record of each shard; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - directory: The store's folder, which may be missing.
    ///   - mapSize: The address space for the catalog; see `Configuration.mapSize`.
    /// - Returns: The findings.
    public static func checkEnvironment(
        of directory: FilePath,
        mapSize: Int = Configuration().mapSize
    ) -> EnvironmentReport {
        var facts = EnvironmentFacts(of: directory, mapSize: mapSize)
        do {
            try checkPresence(in: directory)
            let catalog = try translating {
                try Catalog(
                    at: directory.appending("catalog"),
                    lockFile: directory.appending("LOCK"),
                    options: Catalog.Options(mapSize: mapSize, isReadOnly: true),
                    randomKey: (0, 0)
                )
            }
            defer { catalog.close() }
            try facts.add(catalog)
        } catch {
            let error = DAGStoreError(any: error)
            if error.code != .invalidArgument { facts.storeFault = error }
        }
        return EnvironmentReport(findings: facts.findings)
    }

    /// Checks the machine, the process and the place of the open store, as the static function does.
    ///
    /// - Returns: The findings.
    /// - Throws: `closed`, `catalogCorrupt`.
    public func checkEnvironment() throws -> EnvironmentReport {
        try engine.access.using {
            var facts = EnvironmentFacts(
                of: engine.directory,
                mapSize: engine.configuration.mapSize
            )
            try translating { try facts.add(engine.catalog) }
            return EnvironmentReport(findings: facts.findings)
        }
    }
}
