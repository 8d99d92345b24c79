internal import DAGCatalog
public import SystemPackage

/// The effect of compacting on the catalog's file.
public struct CompactionReport: Sendable, Equatable {
    /// Its size before, in bytes.
    public let bytesBefore: UInt64
    /// Its size after, in bytes.
    public let bytesAfter: UInt64
}

extension DAGStore {
    /// Writes the catalog of a closed store anew, without the room that removed rows have left.
    ///
    /// A process that ends meanwhile leaves the catalog as it was. The disk needs room for the new catalog beside the
    /// old one.
    ///
    /// *Cost*: reads and writes everything that is in use; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - directory: Where the store is.
    ///   - mapSize: The address space to open it with; see `Configuration.mapSize`.
    /// - Returns: The sizes before and after.
    /// - Throws: `catalogLocked` if the store is open; `invalidArgument` if there is none;
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
