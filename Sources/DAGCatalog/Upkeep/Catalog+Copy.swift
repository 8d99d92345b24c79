internal import DAGLMDB
package import SystemPackage

extension Catalog {
    /// The name of the data file in a catalog's directory.
    package static let dataName = EnvironmentFiles.dataName

    /// The version of LMDB that this process has loaded.
    package static var engineVersion: String { Environment.engineVersion }

    /// A snapshot of the catalog that was copied.
    package struct Copied: Sendable, Equatable {
        /// The number of shards in the snapshot.
        package let shards: UInt64
        /// The growth of the catalog while the copy ran, in bytes.
        package let growth: UInt64
    }

    /// Writes a copy of a snapshot of the catalog, and waits until the disk has it.
    ///
    /// - Parameters:
    ///   - path: The new file, which must not exist. After an error a part of it may exist.
    ///   - rate: The largest number of bytes to read in a second; nil for no bound.
    ///   - piece: Receives the pieces of the copy, as in `Environment.copySnapshot`.
    /// - Returns: The copy.
    /// - Throws: `CatalogError`: `.full`, `.readOnly`, `.corrupt`, `.tooManyReaders`, `.io`; the errors of `piece`.
    ///
    /// *Cost*: reads and writes the whole file.
    ///
    /// *Concurrency*: other threads and processes may read and write meanwhile. Writers reuse no page of the snapshot,
    /// so the catalog may grow.
    package func copy(
        to path: FilePath,
        bytesPerSecond rate: UInt64?,
        piece: (_ bytes: [UInt8], _ size: UInt64, _ total: UInt64) throws -> Void
    ) throws -> Copied {
        do {
            let before = try environment.usage()
            let shards = try environment.copySnapshot(
                to: path.string,
                bytesPerSecond: rate,
                inspecting: { (reader) throws(LMDBError) in
                    try reader.statistics(of: tables.shards).entries
                },
                piece: piece
            )
            try EnvironmentFiles.sync(path.string)
            let after = try environment.usage()
            let pages = after.lastPage - min(after.lastPage, before.lastPage)
            return Copied(shards: UInt64(shards), growth: UInt64(pages * after.pageSize))
        } catch let error as LMDBError {
            let error = CatalogError(error)
            throw CatalogError(error.code, "\(path): \(error.detail)")
        }
    }

    /// Checks a copy of a catalog page by page, and removes the file with its readers' slots.
    ///
    /// - Parameters:
    ///   - directory: The directory with the copy, which no other process has open.
    ///   - size: The size of the copy in bytes.
    /// - Returns: The number of shards.
    /// - Throws: `.corrupt` if pages are damaged, `.tooNew`, `.io`.
    ///
    /// *Cost*: reads every page of rows, and the header of every larger value.
    package static func checkCopy(
        in directory: FilePath,
        size: UInt64
    ) throws(CatalogError) -> UInt64 {
        let catalog = try Catalog(
            at: directory,
            lockFile: directory.appending("LOCK"),
            options: Options(
                mapSize: max(1 << 30, Int(clamping: size)),
                isReadOnly: true,
                checksPages: true
            ),
            randomKey: (0, 0)
        )
        defer {
            catalog.close()
            // The next process that opens the catalog makes a new one.
            try? EnvironmentFiles.remove(directory.appending(EnvironmentFiles.lockName).string)
        }
        let rows = try catalog.read { (reader) throws(LMDBError) in
            try reader.statistics(of: catalog.tables.shards).entries
        }
        return UInt64(rows)
    }
}
