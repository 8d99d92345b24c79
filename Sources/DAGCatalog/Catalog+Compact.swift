internal import DAGFailpoints
internal import DAGLMDB
package import SystemPackage

extension Catalog {
    /// The name of a copy that is being made; one that was left behind is removed at the next open.
    private static let copyName = "data.mdb.compact"

    /// Writes the catalogue anew without its free pages, and puts the copy in its place.
    ///
    /// Whenever it is stopped, the old data file or the new one is there, whole.
    ///
    /// - Parameters:
    ///   - directory: Where the environment's files are.
    ///   - lockFile: The store's lock; held meanwhile.
    ///   - mapSize: The address space to reserve, in bytes; at least the size of the data file.
    /// - Returns: The sizes of the data file before and after, in bytes.
    /// - Throws: `.locked` if anybody has the store open, also for reading; `.missing`, `.tooNew`,
    ///   `.corrupt`, `.full`, `.readOnly`, `.io`. The catalogue is as it was then.
    ///
    /// *Cost*: reads and writes every page in use, and needs as much disk again meanwhile.
    package static func compact(
        at directory: FilePath,
        lockFile: FilePath,
        mapSize: Int
    ) throws(CatalogError) -> (before: UInt64, after: UInt64) {
        let lock = try StoreLock(at: lockFile)
        defer { lock.release() }
        removeLeftover(in: directory)
        let data = directory.appending(EnvironmentFiles.dataName).string
        let copy = directory.appending(copyName).string
        do throws(LMDBError) {
            let before = try EnvironmentFiles.size(of: data)
            try writeCopy(of: directory, to: copy, mapSize: mapSize)
            Failpoint.compactCopied.pass()
            try EnvironmentFiles.replaceData(in: directory.string, with: copy)
            Failpoint.compactRenamed.pass()
            let after = try EnvironmentFiles.size(of: data)
            try EnvironmentFiles.sync(directory.string)
            return (UInt64(before), UInt64(after))
        } catch {
            removeLeftover(in: directory)
            let error = CatalogError(error)
            throw CatalogError(error.code, "\(directory): \(error.detail)")
        }
    }

    /// Writes a copy that is on disk when this returns.
    private static func writeCopy(
        of directory: FilePath,
        to copy: String,
        mapSize: Int
    ) throws(LMDBError) {
        let environment = try Environment.open(
            at: directory.string,
            options: Environment.Options(
                tables: tableNames,
                newerTables: newerTableNames,
                mapSize: mapSize,
                isReadOnly: true,
                // The copy reads every page once.
                isReadAheadOff: false
            )
        )
        defer { environment.close() }
        do {
            _ = try readFormat(environment, Tables(environment))
        } catch {
            throw LMDBError(error.code == .tooNew ? .versionMismatch : .corrupted)
        }
        try environment.copyCompacted(to: copy)
        try EnvironmentFiles.sync(copy)
    }

    /// Removes a copy that was not finished.
    ///
    /// One that cannot be removed costs room only, and stops the next compacting.
    static func removeLeftover(in directory: FilePath) {
        try? EnvironmentFiles.remove(directory.appending(copyName).string)
    }
}
