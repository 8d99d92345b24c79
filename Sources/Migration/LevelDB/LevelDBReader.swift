#if LevelDB
    internal import Bytes
    internal import CLevelDB
    internal import SystemPackage

    /// A LevelDB directory that somebody else owns, opened on a scratch copy.
    ///
    /// *Concurrency*: any thread.
    // SAFETY: LevelDB's reads may run on any thread, each through an iterator of its own; nothing is written.
    @safe final class LevelDBReader: @unchecked Sendable {
        private let database: OpaquePointer
        private let options: OpaquePointer
        private let readOptions: OpaquePointer
        private let scratch: LevelDBScratch
        private let path: FilePath

        /// How often a copy is taken anew, because a table vanished under it.
        private static let attemptsMax = 5

        /// Opens the database in `directory`.
        ///
        /// Nothing in the directory is written, locked or removed; a node may go on using it.
        ///
        /// - Throws: `.sourceUnreadable`, `.sourceCorrupt`, `.full`.
        init(at directory: FilePath) throws(MigrationError) {
            let options = unsafe leveldb_options_create()
            let readOptions = unsafe leveldb_readoptions_create()
            // SAFETY: both were just made; LevelDB aborts the process where it cannot.
            guard let options = unsafe options, let readOptions = unsafe readOptions else {
                preconditionFailure("LevelDB gave no options")
            }
            unsafe leveldb_options_set_create_if_missing(options, 0)
            unsafe leveldb_options_set_paranoid_checks(options, 1)
            unsafe leveldb_options_set_max_open_files(options, 256)
            unsafe leveldb_readoptions_set_verify_checksums(readOptions, 1)
            unsafe leveldb_readoptions_set_fill_cache(readOptions, 0)
            var last = MigrationError(.sourceUnreadable, directory, "not read")
            var opened: (OpaquePointer, LevelDBScratch)?
            for _ in 0..<Self.attemptsMax where unsafe opened == nil {
                do throws(MigrationError) {
                    unsafe opened = try unsafe Self.open(directory, options)
                } catch {
                    last = error
                    // A table that is gone was compacted away: the next copy follows the new manifest.
                    guard error.code == .sourceChanged || error.code == .sourceCorrupt else {
                        break
                    }
                }
            }
            guard let (database, scratch) = unsafe opened else {
                unsafe leveldb_options_destroy(options)
                unsafe leveldb_readoptions_destroy(readOptions)
                throw last
            }
            unsafe self.database = database
            unsafe self.options = options
            unsafe self.readOptions = readOptions
            self.scratch = scratch
            self.path = directory
        }

        deinit {
            // SAFETY: all three were made in `init`, and nothing else refers to them.
            unsafe leveldb_close(database)
            unsafe leveldb_readoptions_destroy(readOptions)
            unsafe leveldb_options_destroy(options)
            scratch.remove()
        }

        private static func open(
            _ directory: FilePath,
            _ options: OpaquePointer
        ) throws(MigrationError) -> (OpaquePointer, LevelDBScratch) {
            let scratch = try LevelDBScratch(of: directory)
            var message: UnsafeMutablePointer<CChar>?
            // SAFETY: the name is read during the call; the message is ours to free.
            let database = unsafe scratch.path.withPlatformString {
                unsafe leveldb_open(options, $0, &message)
            }
            guard let database = unsafe database else {
                let text = unsafe Self.take(message) ?? "cannot be opened"
                scratch.remove()
                throw MigrationError(.sourceCorrupt, directory, text)
            }
            return unsafe (database, scratch)
        }

        /// The text of a message, which is freed.
        static func take(_ message: UnsafeMutablePointer<CChar>?) -> String? {
            guard let message = unsafe message else { return nil }
            // SAFETY: LevelDB's messages end with a zero, and are freed once, here.
            defer { unsafe leveldb_free(message) }
            return unsafe String(cString: message)
        }

        /// Calls `body` with every row whose key begins with `prefix`, in order of the keys.
        ///
        /// - Parameters:
        ///   - prefix: What the keys begin with.
        ///   - body: Receives the whole key and the value, valid during the call; returns whether to go on.
        /// - Throws: `.sourceCorrupt` if a block's checksum does not hold.
        func forEach(
            prefix: [UInt8],
            _ body: (_ key: ByteView, _ value: ByteView) throws(MigrationError) -> Bool
        ) throws(MigrationError) {
            guard let rows = unsafe leveldb_create_iterator(database, readOptions) else { return }
            defer { unsafe leveldb_iter_destroy(rows) }
            prefix.withView { prefix in
                // SAFETY: the view is alive during the call.
                unsafe leveldb_iter_seek(
                    rows,
                    prefix.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                    prefix.count
                )
            }
            while unsafe leveldb_iter_valid(rows) != 0 {
                // SAFETY: both stay valid until the iterator moves, which it does after `body`.
                let key = unsafe Self.view { unsafe leveldb_iter_key(rows, $0) }
                let value = unsafe Self.view { unsafe leveldb_iter_value(rows, $0) }
                let isOurs =
                    key.count >= prefix.count
                    && prefix.withView { key[0..<prefix.count].elementsEqual($0) }
                guard isOurs, try body(key, value) else { break }
                unsafe leveldb_iter_next(rows)
            }
            var message: UnsafeMutablePointer<CChar>?
            unsafe leveldb_iter_get_error(rows, &message)
            if let text = unsafe Self.take(message) {
                throw MigrationError(.sourceCorrupt, path, text)
            }
        }

        private static func view(
            _ read: (UnsafeMutablePointer<Int>) -> UnsafePointer<CChar>?
        ) -> ByteView {
            var size = 0
            let start = unsafe read(&size)
            // SAFETY: LevelDB gives the size of what it points to.
            return unsafe ByteView(UnsafeRawBufferPointer(start: start, count: size))
        }
    }
#endif
