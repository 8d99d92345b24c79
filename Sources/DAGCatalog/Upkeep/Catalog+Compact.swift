internal import DAGFailpoints
internal import DAGLMDB
package import SystemPackage

extension Catalog {
    /// The name of an unfinished copy; the next open removes a leftover one.
    private static let copyName = "data.mdb.compact"

    /// Writes a copy of the catalog without its free pages, and replaces the catalog by it.
    ///
    /// If the call is interrupted at any moment, the old data file or the new one is there, complete.
    ///
    /// - Parameters:
    ///   - directory: The directory of the environment.
    ///   - lockFile: The store's lock, which the call holds meanwhile.
    ///   - mapSize: The address space to reserve, in bytes; at least the size of the data file.
    ///   - willCopy: Receives the path of the copy, under the lock, before it is written.
    /// - Returns: The sizes of the data file before and after, in bytes.
    /// - Throws: `.locked` if any process has the store open, even for reading; `.missing`, `.tooNew`, `.corrupt`,
    ///   `.full`, `.readOnly`, `.io`. The catalog is then unchanged.
    ///
    /// *Cost*: reads and writes every page in use, and needs room for the copy meanwhile.
    package static func compact(
        at directory: FilePath,
        lockFile: FilePath,
        mapSize: Int,
        willCopy: (FilePath) -> Void = { _ in }
    ) throws(CatalogError) -> (before: UInt64, after: UInt64) {
        let lock = try StoreLock(at: lockFile)
        defer { lock.release() }
        removeLeftover(in: directory)
        let data = directory.appending(EnvironmentFiles.dataName).string
        let copy = directory.appending(copyName).string
        willCopy(directory.appending(copyName))
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

    /// Writes a copy, and waits until the disk has it.
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
                // The copy reads each page once.
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

    /// Removes an unfinished copy.
    ///
    /// A copy that stays costs room, and makes the next compaction fail.
    static func removeLeftover(in directory: FilePath) {
        try? EnvironmentFiles.remove(directory.appending(copyName).string)
    }
}
