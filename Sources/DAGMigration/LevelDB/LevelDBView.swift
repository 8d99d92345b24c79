#if LevelDB
    internal import CDAGLevelDBView
    internal import DAGBytes
    internal import DAGSystem
    internal import SystemPackage

    /// A LevelDB as it was when it was opened; see `CLevelDBView.h`.
    ///
    /// *Concurrency*: any thread.
    // SAFETY: LevelDB's reads may run on any thread, each through an iterator of its own; nothing is written.
    @safe final class LevelDBView: @unchecked Sendable {
        private let view: OpaquePointer
        private let path: FilePath

        /// Opens the database in `directory`.
        ///
        /// - Throws: `.sourceUnreadable`, `.sourceCorrupt`; `.sourceChanged` if a file went away meanwhile.
        init(of directory: FilePath, heldTablesMax: Int) throws(MigrationError) {
            var opened: OpaquePointer?
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the name is read during the call; the view and the message are ours.
            let outcome = unsafe directory.withPlatformString {
                unsafe leveldb_view_open($0, heldTablesMax, &opened, &message)
            }
            let text = unsafe Self.take(message)
            guard let view = unsafe opened else {
                throw Self.error(outcome, directory, text) ?? MigrationError(.full, directory, text)
            }
            unsafe self.view = view
            path = directory
        }

        deinit {
            // SAFETY: opened in `init`; walks end within a call.
            unsafe leveldb_view_close(view)
        }

        /// Whether some tables are gone if the owner removes them.
        var mayLoseTables: Bool { unsafe leveldb_view_unheld_tables(view) > 0 }

        /// Calls `body` with every row from `start` on, in order of the keys, until it returns false.
        ///
        /// - Throws: `.sourceCorrupt` if a block's checksum does not hold; `.sourceChanged` if a table went away;
        ///   what `body` throws.
        func forEach(
            from start: [UInt8],
            _ body: (_ key: ByteView, _ value: ByteView) throws(MigrationError) -> Bool
        ) throws(MigrationError) {
            let begun = unsafe start.withView { start in
                // SAFETY: the view of the key is alive during the call.
                unsafe leveldb_view_rows_from(
                    view,
                    start.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                    start.count
                )
            }
            guard let rows = unsafe begun else { throw MigrationError(.full, path, "no memory") }
            // SAFETY: begun above, and ended once.
            defer { unsafe leveldb_view_rows_close(rows) }
            while unsafe leveldb_view_rows_valid(rows) != 0 {
                // SAFETY: both stay valid until the next move, which is after `body`.
                let key = unsafe Self.bytes { unsafe leveldb_view_rows_key(rows, $0) }
                let value = unsafe Self.bytes { unsafe leveldb_view_rows_value(rows, $0) }
                guard try body(key, value) else { break }
                unsafe leveldb_view_rows_next(rows)
            }
            var message: UnsafeMutablePointer<CChar>?
            let outcome = unsafe leveldb_view_rows_outcome(rows, &message)
            let text = unsafe Self.take(message)
            if let error = Self.error(outcome, path, text) { throw error }
        }

        private static func error(
            _ outcome: leveldb_view_outcome,
            _ path: FilePath,
            _ text: String
        ) -> MigrationError? {
            switch outcome {
            case leveldb_view_ok: nil
            case leveldb_view_unreadable: MigrationError(.sourceUnreadable, path, text)
            case leveldb_view_changed: MigrationError(.sourceChanged, path, text)
            case leveldb_view_missing: MigrationError(.notBuiltIn, path, text)
            default: MigrationError(.sourceCorrupt, path, text)
            }
        }

        /// The text of a message, which is freed.
        private static func take(_ message: UnsafeMutablePointer<CChar>?) -> String {
            guard let message = unsafe message else { return "no memory" }
            // SAFETY: messages end with a zero, and are freed once, here.
            defer { unsafe free(message) }
            return unsafe String(cString: message)
        }

        private static func bytes(
            _ read: (UnsafeMutablePointer<Int>) -> UnsafePointer<CChar>?
        ) -> ByteView {
            var size = 0
            let start = unsafe read(&size)
            // SAFETY: LevelDB gives the size of what it points to.
            return unsafe ByteView(UnsafeRawBufferPointer(start: start, count: size))
        }
    }
#endif
