#if LevelDB
    internal import DAGBytes
    internal import Synchronization
    internal import SystemPackage

    /// A LevelDB directory that somebody else owns, and may be writing to.
    ///
    /// Nothing in the directory is written, locked or removed, and nothing is written anywhere else.
    ///
    /// *Memory*: what the journals hold, some megabytes, and 8 MiB. *Concurrency*: any thread.
    final class LevelDBReader: Sendable {
        private let path: FilePath
        private let heldTablesMax: Int
        private let view: Mutex<LevelDBView>

        /// How often in a row another look is taken, because a table went away.
        private static let attemptsMax = 5

        /// Opens the database in `directory`.
        ///
        /// - Parameters:
        ///   - directory: The folder.
        ///   - heldTablesMax: How many tables are kept open at most; half of what the process may open is the limit.
        /// - Throws: `.sourceUnreadable`, `.sourceCorrupt`, `.sourceChanged`.
        init(at directory: FilePath, heldTablesMax: Int = .max) throws(MigrationError) {
            path = directory
            self.heldTablesMax = heldTablesMax
            view = Mutex(try Self.open(directory, heldTablesMax))
        }

        /// Opens the database; once more if its tables and its manifest were not of one moment.
        private static func open(_ directory: FilePath, _ heldTablesMax: Int) throws(MigrationError)
            -> LevelDBView
        {
            var last = MigrationError(.sourceUnreadable, directory, "not read")
            for _ in 0..<attemptsMax {
                do throws(MigrationError) {
                    return try LevelDBView(of: directory, heldTablesMax: heldTablesMax)
                } catch {
                    last = error
                    // A table that is gone was compacted away: the next look follows the new manifest.
                    guard error.code == .sourceChanged || error.code == .sourceCorrupt else {
                        break
                    }
                }
            }
            throw last
        }

        /// Calls `body` with every row whose key begins with `prefix`, in order of the keys.
        ///
        /// If the owner removes a table that could not be kept open, the walk goes on, after the last row, over what
        /// is there then.
        ///
        /// - Parameters:
        ///   - prefix: What the keys begin with.
        ///   - body: Receives the whole key and the value, valid during the call; returns whether to go on.
        /// - Throws: `.sourceCorrupt` if a block's checksum does not hold; `.sourceChanged` if tables go away faster
        ///   than they can be read; what `body` throws.
        func forEach(
            prefix: [UInt8],
            _ body: (_ key: ByteView, _ value: ByteView) throws(MigrationError) -> Bool
        ) throws(MigrationError) {
            var last: [UInt8]?
            var attempts = 0
            while true {
                let current = view.withLock { $0 }
                var isOver = false
                do throws(MigrationError) {
                    try current.forEach(from: last ?? prefix) {
                        (key, value) throws(MigrationError) in
                        let isOurs =
                            key.count >= prefix.count
                            && prefix.withView { key[0..<prefix.count].elementsEqual($0) }
                        guard isOurs else { return false }
                        if let last, last.withView({ $0.elementsEqual(key) }) { return true }
                        guard try body(key, value) else {
                            isOver = true
                            return false
                        }
                        // Copied only where it can be needed.
                        if current.mayLoseTables { last = key.copied }
                        attempts = 0
                        return true
                    }
                    return
                } catch {
                    guard error.code == .sourceChanged, !isOver, attempts < Self.attemptsMax else {
                        throw error
                    }
                    attempts += 1
                }
                try renew(current)
            }
        }

        /// Takes another look, unless somebody else has.
        private func renew(_ old: LevelDBView) throws(MigrationError) {
            let new = try Self.open(path, heldTablesMax)
            view.withLock { if $0 === old { $0 = new } }
        }
    }
#endif
