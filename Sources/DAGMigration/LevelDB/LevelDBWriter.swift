#if LevelDB
    internal import DAGBytes
    internal import CDAGLevelDB
    internal import SystemPackage

    /// A new LevelDB directory that is being filled.
    ///
    /// Rows are collected and written some at a time; they are durable when `finish` returns.
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

        /// Makes a database in `directory`, in which there must be none.
        ///
        /// - Parameters:
        ///   - directory: The folder, which is made.
        ///   - bufferSize: The bytes of rows that become a table.
        /// - Throws: `.destinationUnwritable`.
        init(
            creating directory: FilePath,
            bufferSize: Int = LevelDBWriter.bufferSize
        ) throws(MigrationError) {
            // SAFETY: all were just made; LevelDB aborts the process where it cannot.
            guard let options = unsafe leveldb_options_create(),
                let writeOptions = unsafe leveldb_writeoptions_create(),
                let readOptions = unsafe leveldb_readoptions_create(),
                let batch = unsafe leveldb_writebatch_create()
            else { preconditionFailure("LevelDB gave no options") }
            unsafe leveldb_options_set_create_if_missing(options, 1)
            unsafe leveldb_options_set_error_if_exists(options, 1)
            unsafe leveldb_options_set_write_buffer_size(options, bufferSize)
            // As the node writes it; it reads either.
            unsafe leveldb_options_set_compression(options, Int32(leveldb_no_compression))
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the name is read during the call; the message is ours to free.
            let database = unsafe directory.withPlatformString {
                unsafe leveldb_open(options, $0, &message)
            }
            unsafe self.options = options
            unsafe self.writeOptions = writeOptions
            unsafe self.readOptions = readOptions
            unsafe self.batch = batch
            path = directory
            guard let database = unsafe database else {
                let text = unsafe Self.take(message) ?? "cannot be made"
                unsafe leveldb_writebatch_destroy(batch)
                unsafe leveldb_readoptions_destroy(readOptions)
                unsafe leveldb_writeoptions_destroy(writeOptions)
                unsafe leveldb_options_destroy(options)
                throw MigrationError(.destinationUnwritable, directory, text)
            }
            unsafe self.database = database
        }

        deinit {
            // SAFETY: all were made in `init`, and nothing else refers to them.
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
                    // SAFETY: both are copied during the call.
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

        /// The value of a row; nil if there is none.
        ///
        /// - Throws: `.destinationUnwritable`.
        func value(of key: [UInt8]) throws(MigrationError) -> [UInt8]? {
            try flush()
            var size = 0
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the key is read during the call; value and message are ours to free.
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

        /// Writes what was collected, and waits for the disk.
        ///
        /// - Throws: `.destinationUnwritable`.
        func finish() throws(MigrationError) {
            unsafe leveldb_writeoptions_set_sync(writeOptions, 1)
            try write()
        }

        private func flush() throws(MigrationError) {
            guard batchSize > 0 else { return }
            try write()
        }

        private func write() throws(MigrationError) {
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the batch is ours, and is emptied after it was written.
            unsafe leveldb_write(database, writeOptions, batch, &message)
            unsafe leveldb_writebatch_clear(batch)
            batchSize = 0
            try unsafe check(message)
        }

        /// The text of a message, which is freed.
        private static func take(_ message: UnsafeMutablePointer<CChar>?) -> String? {
            guard let message = unsafe message else { return nil }
            // SAFETY: LevelDB's messages end with a zero, and are freed once, here.
            defer { unsafe leveldb_free(message) }
            return unsafe String(cString: message)
        }

        private func check(_ message: UnsafeMutablePointer<CChar>?) throws(MigrationError) {
            guard let text = unsafe Self.take(message) else { return }
            throw MigrationError(.destinationUnwritable, path, text)
        }
    }
#endif
