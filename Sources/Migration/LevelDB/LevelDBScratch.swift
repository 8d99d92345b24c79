#if LevelDB
    internal import Bytes
    internal import FoundationEssentials
    internal import Mounts
    internal import SystemPackage

    /// A folder that looks like a LevelDB and shares its tables.
    ///
    /// LevelDB has no way to open a database without writing to it: it takes the lock, replays journals, and
    /// removes what it thinks is old. So it gets copies of `CURRENT`, the manifest and the journals, and
    /// symbolic links to the tables, which never change. It never sees the original's `LOCK`.
    struct LevelDBScratch {
        let path: FilePath

        /// Takes a copy of the database in `directory`.
        ///
        /// - Throws: `.sourceUnreadable`; `.sourceChanged` if a file vanished while it was copied; `.full`.
        init(of directory: FilePath) throws(MigrationError) {
            let name = "dagstore-leveldb-\(UUID().uuidString)"
            let files = FileManager.default
            path = FilePath(files.temporaryDirectory.path).appending(name)
            do {
                try files.createDirectory(
                    atPath: path.string,
                    withIntermediateDirectories: false,
                    attributes: [.posixPermissions: 0o700]
                )
            } catch {
                throw MigrationError(.full, path, "\(error)")
            }
            do throws(MigrationError) {
                try copy(from: directory)
            } catch {
                remove()
                throw error
            }
        }

        /// Removes the copy.
        func remove() { try? FileManager.default.removeItem(atPath: path.string) }

        private func copy(from directory: FilePath) throws(MigrationError) {
            let current = try read(directory.appending("CURRENT"))
            let manifest = String(decoding: current, as: UTF8.self)
            guard manifest.hasSuffix("\n"), manifest.hasPrefix("MANIFEST-"),
                let name = FilePath.Component(String(manifest.dropLast()))
            else {
                throw MigrationError(.sourceCorrupt, directory, "CURRENT names no manifest")
            }
            // The journals first: one that is replaced meanwhile is in a table of the later manifest.
            let names = try list(directory)
            for file in names where file.hasSuffix(".log") { try copy(file, directory) }
            for file in names where file.hasSuffix(".ldb") || file.hasSuffix(".sst") {
                try link(file, directory)
            }
            try copy(name.string, directory)
            try copy("CURRENT", directory)
        }

        private func list(_ directory: FilePath) throws(MigrationError) -> [String] {
            do {
                return try FileManager.default.contentsOfDirectory(atPath: directory.string)
            } catch {
                throw MigrationError(.sourceUnreadable, directory, "\(error)")
            }
        }

        private func link(_ name: String, _ directory: FilePath) throws(MigrationError) {
            let files = FileManager.default
            var target = directory.appending(name)
            if target.isRelative {
                target = FilePath(files.currentDirectoryPath).pushing(target)
            }
            do {
                try files.createSymbolicLink(
                    atPath: path.appending(name).string,
                    withDestinationPath: target.string
                )
            } catch {
                throw MigrationError(.full, path, "\(error)")
            }
        }

        private func copy(_ name: String, _ directory: FilePath) throws(MigrationError) {
            let bytes = try read(directory.appending(name))
            do {
                let file = try FileDescriptor.open(
                    path.appending(name),
                    .writeOnly,
                    options: [.create, .truncate, .closeOnExec],
                    permissions: [.ownerReadWrite]
                )
                try file.closeAfter { _ = try file.writeAll(bytes) }
            } catch {
                throw MigrationError(.full, path, "\(error)")
            }
        }

        /// Reads a file as long as it is now; a journal may grow meanwhile.
        private func read(_ path: FilePath) throws(MigrationError) -> [UInt8] {
            do throws(MountError) {
                let file = try LocalFile(opening: path)
                let bytes = try file.read(at: 0, size: Int(file.size))
                return bytes.view.copied
            } catch {
                throw MigrationError(error, path)
            }
        }
    }
#endif
