internal import DAGCatalog
public import SystemPackage

/// The effect of compacting on the catalog's file.
public struct CompactionReport: Sendable, Equatable {
    /// The size before, in bytes.
    public let bytesBefore: UInt64
    /// The size after, in bytes.
    public let bytesAfter: UInt64
}

extension DAGStore {
    /// Rewrites the catalog of a closed store, without the room that removed rows left.
    ///
    /// If the process ends meanwhile, the old catalog stays. The disk needs room for the old and the new catalog.
    ///
    /// *Cost*: reads and writes all pages in use; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - directory: The store's directory.
    ///   - mapSize: The address space for the catalog; see `Configuration.mapSize`.
    /// - Returns: The sizes before and after.
    /// - Throws: `catalogLocked` if the store is open; `invalidArgument` if there is no store;
    ///   `catalogFull` if the disk has no room; `catalogCorrupt`, `readOnly`.
    public static func compact(
        at directory: FilePath,
        mapSize: Int = Configuration().mapSize
    ) throws -> CompactionReport {
        try compact(at: directory, mapSize: mapSize, willCopy: { _ in })
    }

    /// Compacts as `compact(at:mapSize:)`.
    ///
    /// - Parameters:
    ///   - directory: The store's directory.
    ///   - mapSize: The address space for the catalog.
    ///   - willCopy: Receives the path of the new catalog before the call writes it. A caller that ends the process
    ///     meanwhile may remove that file.
    /// - Returns: The sizes before and after.
    /// - Throws: As `compact(at:mapSize:)`.
    package static func compact(
        at directory: FilePath,
        mapSize: Int,
        willCopy: (FilePath) -> Void
    ) throws -> CompactionReport {
        let place = directory.appending("catalog")
        try checkPresence(in: directory)
        let (before, after) = try translating {
            try Catalog.compact(
                at: place,
                lockFile: directory.appending("LOCK"),
                mapSize: mapSize,
                willCopy: willCopy
            )
        }
        return CompactionReport(bytesBefore: before, bytesAfter: after)
    }
}
