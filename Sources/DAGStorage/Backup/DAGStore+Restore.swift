internal import DAGBytes
internal import DAGCatalog
internal import DAGFailpoints
internal import DAGMounts
internal import DAGSystem
public import SystemPackage

extension DAGStore {
    /// Makes a store out of a backup.
    ///
    /// The store's folder may exist, but not have a catalog. The catalog appears under its name when it is complete,
    /// checked and on disk; until then there is no store. After an error the call removes what it wrote. The next
    /// call removes what an interrupted one left.
    ///
    /// - Parameters:
    ///   - backup: A folder that `backup(to:options:progress:)` made.
    ///   - directory: The store's folder; the call makes it, and those above it, if missing.
    ///   - options: The rate, and the space that stays free.
    ///   - progress: Receives the number of bytes that are copied, and the number of all bytes. It may throw to end
    ///     the call.
    /// - Returns: The store's counts.
    /// - Throws: `invalidArgument` if there is no backup, or there is a store; `catalogCorrupt` if the backup is
    ///   damaged; `catalogTooNew`; `catalogFull` if the file system has too little free space; `catalogLocked` if
    ///   another process opens or restores the store; `readOnly`; the errors of `progress`.
    ///
    /// *Cost*: reads and writes the whole catalog; blocks the calling thread.
    public static func restore(
        from backup: FilePath,
        to directory: FilePath,
        options: BackupOptions = BackupOptions(),
        progress: (_ done: UInt64, _ total: UInt64) throws -> Void = { _, _ in }
    ) throws -> RestoreReport {
        try options.check()
        let manifest = try BackupManifest(in: backup)
        let isNew = !FileSystem.isDirectory(directory)
        try makeDirectory(directory, isDurable: true)
        do {
            let lockFile = directory.appending("LOCK")
            let lock = try translating { try StoreLock(at: lockFile) }
            defer { lock.release() }
            do {
                let restoring = try Restoring(backup, manifest, directory, options)
                return try restoring.run(progress)
            } catch {
                // No other process can have written here, because the lock is held.
                if isNew { try? FileSystem.removeFile(lockFile) }
                throw error
            }
        } catch {
            if isNew { try? FileSystem.removeDirectory(directory) }
            if let error = error as? CatalogError { throw DAGStoreError(error) }
            throw error
        }
    }
}

/// A restore under the store's lock.
private struct Restoring {
    private let backup: FilePath
    private let manifest: BackupManifest
    private let directory: FilePath
    private let options: BackupOptions

    private var catalog: FilePath { directory.appending("catalog") }
    private var partial: FilePath { directory.appending("catalog.partial") }
    private var data: FilePath { partial.appending(Catalog.dataName) }

    /// Refuses a folder with a catalog.
    init(
        _ backup: FilePath,
        _ manifest: BackupManifest,
        _ directory: FilePath,
        _ options: BackupOptions
    ) throws(DAGStoreError) {
        self.backup = backup
        self.manifest = manifest
        self.directory = directory
        self.options = options
        do {
            _ = try Stat(catalog, followTargetSymlink: false)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw DAGStoreError(error, at: catalog) }
            return
        }
        throw DAGStoreError(.invalidArgument, "there is a store in \(directory)")
    }

    func run(_ progress: (UInt64, UInt64) throws -> Void) throws -> RestoreReport {
        removePartial()
        do {
            try translatingSystem(partial) { () throws(Errno) in
                try FileSystem.makeDirectory(partial)
            }
            try copy(progress)
            let shards = try Catalog.checkCopy(in: partial, size: manifest.size)
            guard shards == manifest.shards else {
                throw DAGStoreError(
                    .catalogCorrupt,
                    "\(backup): the catalog has \(shards) shards, and the backup \(manifest.shards)"
                )
            }
            try translatingSystem(partial) { () throws(Errno) in
                try FileSystem.synchronizeIfPossible(directory: partial)
            }
            Failpoint.restoreCopied.pass()
            try translatingSystem(catalog) { () throws(Errno) in
                try FileSystem.rename(partial, to: catalog)
            }
        } catch {
            removePartial()
            throw error
        }
        Failpoint.restoreRenamed.pass()
        try DAGStore.syncDirectory(directory)
        return RestoreReport(
            shards: manifest.shards,
            bytes: manifest.size,
            taken: manifest.taken,
            checksum: manifest.checksum
        )
    }

    /// Removes what an interrupted restore left.
    private func removePartial() {
        for name in [Catalog.dataName, "lock.mdb"] {
            try? FileSystem.removeFile(partial.appending(name))
        }
        try? FileSystem.removeDirectory(partial)
    }

    /// Copies the catalog, and compares its checksum with the manifest.
    private func copy(_ progress: (UInt64, UInt64) throws -> Void) throws {
        let room = try translatingSystem(directory) { () throws(Errno) in
            try CopyRoom(for: directory, besides: directory, options)
        }
        let original = BackupFolder.data(in: backup)
        let source = try translatingSystem(original) { () throws(Errno) in
            try FileDescriptor.opening(original)
        }
        defer { try? source.close() }
        let target = try translatingSystem(data) { () throws(Errno) in
            try FileDescriptor.opening(
                data,
                .writeOnly,
                options: [.create, .exclusiveCreate],
                permissions: .allReadWrite
            )
        }
        defer { try? target.close() }
        let found = try translatingSystem(original) { () throws(Errno) in
            UInt64(try Stat(source).size)
        }
        guard found == manifest.size else {
            throw damage("has \(found) bytes, and not the \(manifest.size)")
        }
        var copy = PacedCopy(from: source, to: target, bytesPerSecond: options.bytesPerSecond)
        var offset: UInt64 = 0
        var hash: UInt64 = 0
        while offset < manifest.size {
            try room.check(missing: manifest.size - offset)
            let size = Int(min(UInt64(ContentChecksum.pieceSize), manifest.size - offset))
            try translatingSystem(data) { () throws(Errno) in
                guard try copy.read(at: offset, size: size) == size else { throw .ioError }
                try copy.write()
            }
            hash = copy.piece.withView { ContentChecksum.chain($0, after: hash) }
            offset += UInt64(size)
            Failpoint.restorePartlyCopied.pass()
            try progress(offset, manifest.size)
        }
        copy.finish()
        try translatingSystem(data) { () throws(Errno) in try target.synchronize() }
        guard ContentChecksum.final(hash) == manifest.checksum else {
            throw damage("has other bytes than those")
        }
    }

    private func damage(_ finding: String) -> DAGStoreError {
        DAGStoreError(
            .catalogCorrupt,
            "\(BackupFolder.data(in: backup)): \(finding) that the backup was taken with"
        )
    }
}
