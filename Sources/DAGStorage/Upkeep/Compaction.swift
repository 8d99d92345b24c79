internal import DAGCatalog
public import SystemPackage

/// What compacting did to the catalogue's file.
public struct CompactionReport: Sendable, Equatable {
    /// Its size before, in bytes.
    public let bytesBefore: UInt64
    /// Its size after, in bytes.
    public let bytesAfter: UInt64
}

extension DAGStore {
    /// Writes the catalogue of a store that nobody has open anew, without the room that what was removed has
    /// left.
    ///
    /// A process that ends meanwhile leaves the catalogue as it was. It needs room for the new one beside the
    /// old one.
    ///
    /// *Cost*: reads and writes everything that is in use; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - directory: Where the store is.
    ///   - mapSize: The address space to open it with; see `Configuration.mapSize`.
    /// - Returns: The sizes before and after.
    /// - Throws: `catalogLocked` if somebody has the store open; `invalidArgument` if there is none;
    ///   `catalogFull` if the disk has no room; `catalogCorrupt`, `readOnly`.
    public static func compact(
        at directory: FilePath,
        mapSize: Int = Configuration().mapSize
    ) throws -> CompactionReport {
        let place = directory.appending("catalog")
        try checkPresence(in: directory)
        let (before, after) = try translating {
            try Catalog.compact(
                at: place,
                lockFile: directory.appending("LOCK"),
                mapSize: mapSize
            )
        }
        return CompactionReport(bytesBefore: before, bytesAfter: after)
    }
}
