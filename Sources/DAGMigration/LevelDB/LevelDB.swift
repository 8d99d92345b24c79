internal import DAGBytes
internal import SystemPackage

#if LevelDB
    internal import CDAGLevelDB
    internal import CDAGLevelDBView

    /// Whether this program reads and writes LevelDB, which the package's trait `LevelDB` decides.
    enum LevelDB {
        static let isBuiltIn = true

        /// Returns the text of a message, and frees the message; nil if there is none.
        fileprivate static func consume(_ message: UnsafeMutablePointer<CChar>?) -> String? {
            guard let message = unsafe message else { return nil }
            // SAFETY: messages end with a zero; this function alone frees them, with `free`, which is `leveldb_free`.
            defer { unsafe leveldb_free(message) }
            return unsafe String(cString: message)
        }
    }

    /// An immutable snapshot of a LevelDB; see `CDAGLevelDBView.h`.
    ///
    /// *Concurrency*: any thread.
    // SAFETY: any thread may read a LevelDB through an iterator of its own, and nothing writes to this one.
    @safe final class LevelDBView: @unchecked Sendable {
        private let view: OpaquePointer
        private let path: FilePath

        /// Opens the database in `directory`.
        ///
        /// - Throws: `.sourceUnreadable`, `.sourceCorrupt`; `.sourceChanged` if the owner removed a file meanwhile.
        init(of directory: FilePath, heldTablesMax: Int) throws(MigrationError) {
            var opened: OpaquePointer?
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the call reads the name; afterwards this object owns the view and the message.
            let outcome = unsafe directory.withPlatformString {
                unsafe leveldb_view_open($0, heldTablesMax, &opened, &message)
            }
            let text = unsafe LevelDB.consume(message) ?? "no memory"
            guard let view = unsafe opened else {
                throw Self.error(outcome, directory, text) ?? MigrationError(.full, directory, text)
            }
            unsafe self.view = view
            path = directory
        }

        deinit {
            // SAFETY: `init` opened the view, and every walk ended within its call.
            unsafe leveldb_view_close(view)
        }

        /// Whether the owner can remove tables that were not kept open.
        // SAFETY: the view is open until `deinit`.
        var mayLoseTables: Bool { unsafe leveldb_view_unheld_tables(view) > 0 }

        /// Calls `body` with every row from `start` on, in the order of the keys, until it returns false.
        ///
        /// - Throws: `.sourceCorrupt` if a block's checksum is wrong; `.sourceChanged` if the owner removed a table;
        ///   what `body` throws.
        func forEach(
            from start: [UInt8],
            _ body: (_ key: ByteView, _ value: ByteView) throws(MigrationError) -> Bool
        ) throws(MigrationError) {
            let begun = unsafe start.withView { start in
                // SAFETY: the key's bytes live during the call.
                unsafe leveldb_view_rows_from(
                    view,
                    start.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                    start.count
                )
            }
            guard let rows = unsafe begun else { throw MigrationError(.full, path, "no memory") }
            // SAFETY: the walk began above, and ends once, here.
            defer { unsafe leveldb_view_rows_close(rows) }
            while unsafe leveldb_view_rows_valid(rows) != 0 {
                // SAFETY: key and value stay valid until the next move, which follows `body`.
                let key = unsafe Self.bytes { unsafe leveldb_view_rows_key(rows, $0) }
                let value = unsafe Self.bytes { unsafe leveldb_view_rows_value(rows, $0) }
                guard try body(key, value) else { break }
                unsafe leveldb_view_rows_next(rows)
            }
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the walk is open, and the message becomes this object's.
            let outcome = unsafe leveldb_view_rows_outcome(rows, &message)
            let text = unsafe LevelDB.consume(message) ?? "no memory"
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

        private static func bytes(
            _ read: (UnsafeMutablePointer<Int>) -> UnsafePointer<CChar>?
        ) -> ByteView {
            var size = 0
            // SAFETY: LevelDB returns a pointer and stores the number of bytes behind it.
            let start = unsafe read(&size)
            return unsafe ByteView(UnsafeRawBufferPointer(start: start, count: size))
        }
    }

    /// A new LevelDB directory that an export fills.
    ///
    /// Rows are written in batches; they are durable when `finish` returns.
    ///
    /// *Concurrency*: one thread.
    @safe final class LevelDBWriter {
        private let database: OpaquePointer
        private let options: OpaquePointer
        private let writeOptions: OpaquePointer
        private let readOptions: OpaquePointer
        private let batch: OpaquePointer
        private let path: FilePath
        private var batchSize = 0

        private static let batchSizeMax = 1 << 20
        static let bufferSize = 16 << 20

        /// Creates a database in `directory`, which must have none.
        ///
        /// - Parameters:
        ///   - directory: The folder, which LevelDB creates.
        ///   - bufferSize: The number of bytes of rows that become a table.
        /// - Throws: `.destinationUnwritable`.
        init(
            creating directory: FilePath,
            bufferSize: Int = LevelDBWriter.bufferSize
        ) throws(MigrationError) {
            // SAFETY: these functions return new objects; without memory LevelDB aborts the process.
            guard let options = unsafe leveldb_options_create(),
                let writeOptions = unsafe leveldb_writeoptions_create(),
                let readOptions = unsafe leveldb_readoptions_create(),
                let batch = unsafe leveldb_writebatch_create()
            else { preconditionFailure("LevelDB gave no options") }
            unsafe leveldb_options_set_create_if_missing(options, 1)
            unsafe leveldb_options_set_error_if_exists(options, 1)
            unsafe leveldb_options_set_write_buffer_size(options, bufferSize)
            // The node writes without compression, and reads both.
            unsafe leveldb_options_set_compression(options, Int32(leveldb_no_compression))
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the call reads the name; afterwards this object owns the database and the message.
            let database = unsafe directory.withPlatformString {
                unsafe leveldb_open(options, $0, &message)
            }
            unsafe self.options = options
            unsafe self.writeOptions = writeOptions
            unsafe self.readOptions = readOptions
            unsafe self.batch = batch
            path = directory
            guard let database = unsafe database else {
                let text = unsafe LevelDB.consume(message) ?? "the database cannot be created"
                unsafe leveldb_writebatch_destroy(batch)
                unsafe leveldb_readoptions_destroy(readOptions)
                unsafe leveldb_writeoptions_destroy(writeOptions)
                unsafe leveldb_options_destroy(options)
                throw MigrationError(.destinationUnwritable, directory, text)
            }
            unsafe self.database = database
        }

        deinit {
            // SAFETY: `init` created all of them, and nothing else refers to them.
            unsafe leveldb_writebatch_destroy(batch)
            unsafe leveldb_close(database)
            unsafe leveldb_readoptions_destroy(readOptions)
            unsafe leveldb_writeoptions_destroy(writeOptions)
            unsafe leveldb_options_destroy(options)
        }

        /// Adds a row, or replaces one.
        ///
        /// - Throws: `.destinationUnwritable`.
        func put(_ key: [UInt8], _ value: [UInt8]) throws(MigrationError) {
            key.withView { key in
                value.withView { value in
                    // SAFETY: the call copies key and value.
                    unsafe leveldb_writebatch_put(
                        batch,
                        key.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                        key.count,
                        value.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                        value.count
                    )
                }
            }
            batchSize += key.count + value.count
            if batchSize >= Self.batchSizeMax { try flush() }
        }

        /// Returns the value of a row; nil if there is none.
        ///
        /// - Throws: `.destinationUnwritable`.
        func value(of key: [UInt8]) throws(MigrationError) -> [UInt8]? {
            try flush()
            var size = 0
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the call reads the key; value and message are freed here, once each.
            let value = unsafe key.withView { key in
                unsafe leveldb_get(
                    database,
                    readOptions,
                    key.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                    key.count,
                    &size,
                    &message
                )
            }
            try unsafe check(message)
            guard let value = unsafe value else { return nil }
            defer { unsafe leveldb_free(value) }
            return unsafe ByteView(UnsafeRawBufferPointer(start: value, count: size)).copied
        }

        /// Writes the last batch, and waits until all rows are on disk.
        ///
        /// - Throws: `.destinationUnwritable`.
        func finish() throws(MigrationError) {
            // SAFETY: the options are alive until `deinit`.
            unsafe leveldb_writeoptions_set_sync(writeOptions, 1)
            try write()
        }

        private func flush() throws(MigrationError) {
            guard batchSize > 0 else { return }
            try write()
        }

        private func write() throws(MigrationError) {
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: this object owns the batch, and empties it after the write.
            unsafe leveldb_write(database, writeOptions, batch, &message)
            unsafe leveldb_writebatch_clear(batch)
            batchSize = 0
            try unsafe check(message)
        }

        private func check(_ message: UnsafeMutablePointer<CChar>?) throws(MigrationError) {
            // SAFETY: the message came from the call before, and this call frees it.
            guard let text = unsafe LevelDB.consume(message) else { return }
            throw MigrationError(.destinationUnwritable, path, text)
        }
    }
#else
    enum LevelDB {
        static let isBuiltIn = false
    }

    final class LevelDBView: Sendable {
        init(of directory: FilePath, heldTablesMax: Int) throws(MigrationError) {
            throw LevelDB.notBuiltIn(directory)
        }

        var mayLoseTables: Bool { false }

        func forEach(
            from start: [UInt8],
            _ body: (_ key: ByteView, _ value: ByteView) throws(MigrationError) -> Bool
        ) throws(MigrationError) {}
    }

    final class LevelDBWriter {
        init(creating directory: FilePath) throws(MigrationError) {
            throw LevelDB.notBuiltIn(directory)
        }

        func put(_ key: [UInt8], _ value: [UInt8]) throws(MigrationError) {}

        func value(of key: [UInt8]) throws(MigrationError) -> [UInt8]? { nil }

        func finish() throws(MigrationError) {}
    }
#endif

extension LevelDB {
    /// The error of a program without the trait.
    static func notBuiltIn(_ path: FilePath) -> MigrationError {
        MigrationError(
            .notBuiltIn,
            path,
            "a LevelDB datastore; this program was built without the trait LevelDB"
        )
    }
}
