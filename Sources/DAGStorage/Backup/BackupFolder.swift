internal import DAGCatalog
internal import DAGSystem
internal import SystemPackage

/// A folder that becomes a backup, under a temporary name until it is complete.
///
/// ```
/// NAME.partial/LOCK               held while the backup is written
/// NAME.partial/catalog/data.mdb
/// NAME.partial/BACKUP             the `BackupManifest`, written last
/// ```
///
/// The folder is a store without copies of CARs, so the reading verbs work on a backup too.
final class BackupFolder {
    private static let partialSuffix = ".partial"
    private static let lockName = "LOCK"
    private static let catalogName = "catalog"

    /// The final path.
    let path: FilePath
    /// The path until the folder is complete.
    let partial: FilePath
    private let lock: StoreLock

    /// The folder of the catalog.
    var catalog: FilePath { partial.appending(Self.catalogName) }
    /// The catalog's file.
    var data: FilePath { catalog.appending(Catalog.dataName) }

    /// Returns the path of the catalog's file in a complete backup.
    static func data(in backup: FilePath) -> FilePath {
        backup.appending(catalogName).appending(Catalog.dataName)
    }

    /// Makes the folder under its temporary name; removes what an interrupted backup left there.
    ///
    /// - Throws: `invalidArgument` if there is something at `path`, or if it and the store lie in each other;
    ///   `catalogLocked` if another process writes the same backup; `catalogFull`, `readOnly`.
    init(at path: FilePath, of store: FilePath) throws(DAGStoreError) {
        guard let name = path.lastComponent, name.kind == .regular else {
            throw DAGStoreError(.invalidArgument, "\(path): is not the name of a new folder")
        }
        try Self.refuseNesting(path, store)
        try Self.refuseContent(of: path)
        let parent = path.removingLastComponent()
        let partial = parent.appending(name.string + Self.partialSuffix)
        self.path = path
        self.partial = partial
        do {
            if !parent.isEmpty { try DAGStore.makeDirectory(parent, isDurable: true) }
            try Self.make(partial)
            lock = try StoreLock(at: partial.appending(Self.lockName))
        } catch {
            throw DAGStoreError(any: error)
        }
        do {
            // Another process may have finished this backup before the lock was free.
            try Self.refuseContent(of: path)
            try removeContent()
            try Self.makeNew(catalog)
        } catch {
            lock.release()
            throw error
        }
    }

    // MARK: Checks

    private static func refuseNesting(
        _ path: FilePath,
        _ store: FilePath
    ) throws(DAGStoreError) {
        let (path, store) = (resolved(path), resolved(store))
        if path.starts(with: store) {
            throw DAGStoreError(.invalidArgument, "\(path): the backup lies in the store")
        }
        if store.starts(with: path) {
            throw DAGStoreError(.invalidArgument, "\(path): the store lies in the backup")
        }
    }

    /// Returns a path without links; components that do not exist yet stay as they are.
    private static func resolved(_ path: FilePath) -> FilePath {
        var there = ((try? FileSystem.workingDirectory()) ?? "/").pushing(path)
        var rest: [FilePath.Component] = []
        while let last = there.lastComponent {
            if let found = FileSystem.resolved(there) {
                there = found
                break
            }
            rest.append(last)
            there.removeLastComponent()
        }
        there.components.append(contentsOf: rest.reversed())
        return there.lexicallyNormalized()
    }

    /// Refuses a path where something is, other than an empty folder.
    private static func refuseContent(of path: FilePath) throws(DAGStoreError) {
        var isEmpty = true
        do {
            try FileSystem.forEachName(in: path) { _, _ in
                isEmpty = false
                return false
            }
        } catch {
            if error == .noSuchFileOrDirectory { return }
            guard error == .notDirectory || error == .tooManySymbolicLinkLevels else {
                throw DAGStoreError(.readOnly, "\(path): \(error)")
            }
            throw DAGStoreError(.invalidArgument, "\(path): is not a folder")
        }
        guard isEmpty else { throw DAGStoreError(.invalidArgument, "\(path): is not empty") }
    }

    // MARK: Content

    private static func make(_ folder: FilePath) throws(DAGStoreError) {
        do {
            try FileSystem.makeDirectory(folder)
        } catch {
            guard error == .fileExists else { throw DAGStoreError(error, at: folder) }
            let names = (try? FileSystem.names(in: folder)) ?? []
            let own = [".", "..", lockName, catalogName, BackupManifest.name]
            guard FileSystem.isDirectory(folder), names.allSatisfy({ own.contains($0) }) else {
                throw DAGStoreError(.invalidArgument, "\(folder): is in the way of the backup")
            }
        }
    }

    private static func makeNew(_ folder: FilePath) throws(DAGStoreError) {
        do {
            try FileSystem.makeDirectory(folder)
        } catch {
            throw DAGStoreError(error, at: folder)
        }
    }

    /// Removes the manifest first, so that no part of an old backup passes for a whole one.
    private func removeContent() throws(DAGStoreError) {
        do throws(Errno) {
            for file in [
                partial.appending(BackupManifest.name), data, catalog.appending("lock.mdb"),
            ] {
                do throws(Errno) {
                    try FileSystem.removeFile(file)
                } catch {
                    guard error == .noSuchFileOrDirectory else { throw error }
                }
            }
            do throws(Errno) {
                try FileSystem.removeDirectory(catalog)
            } catch {
                guard error == .noSuchFileOrDirectory else { throw error }
            }
        } catch {
            throw DAGStoreError(error, at: partial)
        }
    }

    /// Removes the unfinished folder, as far as possible.
    func remove() {
        try? removeContent()
        try? FileSystem.removeFile(partial.appending(Self.lockName))
        try? FileSystem.removeDirectory(partial)
        lock.release()
    }

    /// Writes the manifest, and waits until the disk has all of the folder.
    ///
    /// - Throws: `catalogFull`, `readOnly`.
    func complete(_ manifest: BackupManifest) throws(DAGStoreError) {
        do {
            try FileSystem.synchronizeIfPossible(directory: catalog)
            try manifest.write(in: partial)
            try FileSystem.synchronizeIfPossible(directory: partial)
        } catch {
            throw DAGStoreError(error, at: partial)
        }
    }

    /// Gives the folder its final name, and waits until the disk has it.
    ///
    /// - Throws: `invalidArgument` if something appeared there; `readOnly`.
    func publish() throws(DAGStoreError) {
        do {
            // An empty folder with the name is replaced.
            try FileSystem.rename(partial, to: path)
        } catch {
            throw DAGStoreError(error, at: path)
        }
        let parent = path.removingLastComponent()
        // The backup is complete under its old or its new name.
        try? FileSystem.synchronizeIfPossible(directory: parent.isEmpty ? "." : parent)
        lock.release()
    }
}

extension DAGStoreError {
    /// Converts the error of a system call on a path.
    init(_ errno: Errno, at path: FilePath) {
        let code: Code =
            switch errno {
            case .noSpace, .diskQuotaExceeded, .fileTooLarge: .catalogFull
            case .fileExists, .directoryNotEmpty, .resourceBusy, .improperLink: .invalidArgument
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory: .outOfResources
            default: .readOnly
            }
        self.init(code, "\(path): \(errno)")
    }
}
