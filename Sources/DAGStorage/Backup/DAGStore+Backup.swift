internal import DAGBytes
internal import DAGCatalog
internal import DAGFailpoints
internal import DAGMounts
internal import DAGSystem
public import SystemPackage

extension DAGStore {
    /// Copies the catalog of the open store to a new folder, while this process and others read and write.
    ///
    /// The backup is the catalog as it was at one moment: all records, indexes and the inverse index. It has no CARs:
    /// those of the user stay where they are, and the store fetches its own copies again. It has none of the CARs
    /// that a migration copied to the store's folder `imported`. The folder appears under its name when it is
    /// complete, checked and on disk; until then it has the ending `.partial`. After an error the call removes it.
    ///
    /// The check opens the copy, verifies its pages, and compares the number of shards with the snapshot.
    ///
    /// - Parameters:
    ///   - destination: A new folder, or an empty one; the call makes the folders above it.
    ///   - options: The rate, and the space that stays free.
    ///   - progress: Receives the number of bytes that are copied, and the number of all bytes. It may throw to end
    ///     the backup.
    /// - Returns: The backup.
    /// - Throws: `invalidArgument` if the folder is not empty, or it and the store lie in each other; `catalogFull`
    ///   if a file system has too little free space; `catalogCorrupt` if the copy is damaged; `catalogLocked` if
    ///   another process writes the same backup; `readOnly`, `outOfResources`, `tooManyReaders`, `closed`; the
    ///   errors of `progress`.
    ///
    /// *Cost*: reads and writes the whole catalog; blocks the calling thread.
    ///
    /// *Concurrency*: a store that closes waits for the call. Writers reuse no page of the snapshot meanwhile, so the
    /// catalog grows with each change.
    public func backup(
        to destination: FilePath,
        options: BackupOptions = BackupOptions(),
        progress: (_ done: UInt64, _ total: UInt64) throws -> Void = { _, _ in }
    ) throws -> BackupReport {
        try options.check()
        return try engine.access.using {
            let folder = try BackupFolder(at: destination, of: engine.directory)
            do {
                return try engine.backUp(to: folder, options, progress)
            } catch {
                folder.remove()
                if let error = error as? CatalogError { throw DAGStoreError(error) }
                throw error
            }
        }
    }
}

extension StoreEngine {
    fileprivate func backUp(
        to folder: BackupFolder,
        _ options: BackupOptions,
        _ progress: (UInt64, UInt64) throws -> Void
    ) throws -> BackupReport {
        let room = try translatingSystem(folder.partial) { () throws(Errno) in
            try CopyRoom(for: folder.partial, besides: directory, options)
        }
        let taken = WallClock.milliseconds
        var hash: UInt64 = 0
        var bytes: UInt64 = 0
        let copied = try catalog.copy(to: folder.data, bytesPerSecond: options.bytesPerSecond) {
            (piece, size, total) in
            hash = piece.withView { ContentChecksum.chain($0, after: hash) }
            bytes = size
            Failpoint.backupPartlyCopied.pass()
            try room.check(missing: total - size)
            try progress(size, total)
        }
        let shards = try Catalog.checkCopy(in: folder.catalog, size: bytes)
        guard shards == copied.shards else {
            throw DAGStoreError(
                .catalogCorrupt,
                "\(folder.data): the copy has \(shards) shards, and the store \(copied.shards)"
            )
        }
        let manifest = BackupManifest(
            taken: taken,
            shards: shards,
            size: bytes,
            checksum: ContentChecksum.final(hash)
        )
        try folder.complete(manifest)
        Failpoint.backupCopied.pass()
        try folder.publish()
        Failpoint.backupRenamed.pass()
        return BackupReport(
            shards: shards,
            bytes: bytes,
            growthBytes: copied.growth,
            checksum: manifest.checksum
        )
    }
}

/// Runs `body`, and turns an error of the system into one about a path.
func translatingSystem<R: ~Copyable>(
    _ path: FilePath,
    _ body: () throws(Errno) -> R
) throws(DAGStoreError) -> R {
    do {
        return try body()
    } catch {
        throw DAGStoreError(error, at: path)
    }
}
