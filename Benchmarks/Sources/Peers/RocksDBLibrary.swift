import Glibc

/// The functions of librocksdb that the peer calls, found at run time.
///
/// So that the package builds, and runs without this peer, where librocksdb is not installed.
/// The environment's `DAGSTORE_ROCKSDB` names another file to load: Debian's 7.8 is built with
/// RocksDB's assertions and sync points in. Types are those of `rocksdb/c.h` 7 and later (in 6 a
/// filter's bits were an int).
struct RocksDBLibrary: @unchecked Sendable {  // Function pointers only, never changed.
    typealias Handle = OpaquePointer?
    typealias Bytes = UnsafePointer<CChar>?
    typealias Message = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    typealias Create = @convention(c) () -> Handle
    typealias Destroy = @convention(c) (Handle) -> Void
    typealias SetByte = @convention(c) (Handle, UInt8) -> Void
    typealias SetInt = @convention(c) (Handle, Int32) -> Void
    typealias SetSize = @convention(c) (Handle, Int) -> Void
    typealias SetHandle = @convention(c) (Handle, Handle) -> Void

    /// The library, or the reason why it cannot be loaded.
    static let shared: Result<RocksDBLibrary, PeerError> = load()

    // The database.
    let open:
        @convention(c) (
            Handle, Bytes, Int32, UnsafePointer<Bytes>?, UnsafePointer<Handle>?,
            UnsafeMutablePointer<Handle>?, Message
        ) -> Handle
    let close: Destroy
    let familyDestroy: Destroy
    let free: @convention(c) (UnsafeMutableRawPointer?) -> Void
    let getPinned: @convention(c) (Handle, Handle, Handle, Bytes, Int, Message) -> Handle
    let pinnedValue: @convention(c) (Handle, UnsafeMutablePointer<Int>) -> Bytes
    let pinnedDestroy: Destroy
    let write: @convention(c) (Handle, Handle, Handle, Message) -> Void
    let flush: @convention(c) (Handle, Handle, Handle, Message) -> Void
    let compact: @convention(c) (Handle, Handle, Bytes, Int, Bytes, Int) -> Void
    let ingestFiles:
        @convention(c) (Handle, Handle, UnsafePointer<Bytes>?, Int, Handle, Message) -> Void

    // Iterators and batches.
    let iteratorCreate: @convention(c) (Handle, Handle, Handle) -> Handle
    let iteratorSeek: @convention(c) (Handle, Bytes, Int) -> Void
    let iteratorIsValid: @convention(c) (Handle) -> UInt8
    let iteratorKey: @convention(c) (Handle, UnsafeMutablePointer<Int>) -> Bytes
    let iteratorNext: Destroy
    let iteratorError: @convention(c) (Handle, Message) -> Void
    let iteratorDestroy: Destroy
    let batchCreate: Create
    let batchPut: @convention(c) (Handle, Handle, Bytes, Int, Bytes, Int) -> Void
    let batchDestroy: Destroy

    // Files written outside of the database.
    let fileWriterCreate: @convention(c) (Handle, Handle) -> Handle
    let fileWriterOpen: @convention(c) (Handle, Bytes, Message) -> Void
    let fileWriterPut: @convention(c) (Handle, Bytes, Int, Bytes, Int, Message) -> Void
    let fileWriterFinish: @convention(c) (Handle, Message) -> Void
    let fileWriterDestroy: Destroy
    let environmentOptionsCreate: Create
    let environmentOptionsDestroy: Destroy
    let ingestOptionsCreate: Create
    let ingestOptionsSetMove: SetByte
    let ingestOptionsDestroy: Destroy

    // Options.
    let optionsCreate: Create
    let optionsDestroy: Destroy
    let optionsSetCreate: SetByte
    let optionsSetCreateFamilies: SetByte
    let optionsSetCompression: SetInt
    let optionsSetDynamicLevels: SetByte
    let optionsSetJobs: SetInt
    let optionsSetOpenFiles: SetInt
    let optionsSetWriteBuffer: SetSize
    let optionsSetPrefix: SetHandle
    let optionsSetTable: SetHandle
    let fixedPrefixCreate: @convention(c) (Int) -> Handle
    let tableOptionsCreate: Create
    let tableOptionsDestroy: Destroy
    let tableOptionsSetCache: SetHandle
    let tableOptionsSetFilter: SetHandle
    let tableOptionsSetDataIndex: SetInt
    let tableOptionsSetBlockSize: SetSize
    let tableOptionsSetRestartInterval: SetInt
    let cacheCreate: @convention(c) (Int) -> Handle
    let cacheDestroy: Destroy
    let bloomCreate: @convention(c) (Double) -> Handle
    let readOptionsCreate: Create
    let readOptionsSetSamePrefix: SetByte
    let readOptionsDestroy: Destroy
    let writeOptionsCreate: Create
    let writeOptionsSetSync: SetByte
    let writeOptionsDestroy: Destroy
    let flushOptionsCreate: Create
    let flushOptionsDestroy: Destroy
}

/// Looks up functions by name, and remembers the first that is missing.
private struct SymbolFinder {
    let library: UnsafeMutableRawPointer
    var missing: String?

    /// The function, or one that must not be called if `missing` is set.
    mutating func callAsFunction<F>(_ name: String) -> F {
        precondition(MemoryLayout<F>.size == MemoryLayout<UnsafeMutableRawPointer>.size)
        let symbol = dlsym(library, "rocksdb_" + name)
        if symbol == nil { missing = missing ?? name }
        // Nothing calls the function, so any address serves.
        return unsafeBitCast(symbol ?? library, to: F.self)
    }
}

extension RocksDBLibrary {
    /// The name that development packages install, and those of releases.
    private static let names =
        ["librocksdb.so"] + (7...11).reversed().map { "librocksdb.so.\($0)" }
        + ["librocksdb.so.8.9", "librocksdb.so.7.8"]

    private static func load() -> Result<RocksDBLibrary, PeerError> {
        let chosen = getenv("DAGSTORE_ROCKSDB").map { [String(cString: $0)] }
        for name in chosen ?? names {
            // It stays for the life of the process.
            guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            var find = SymbolFinder(library: library)
            let functions = RocksDBLibrary(&find)
            guard let missing = find.missing else { return .success(functions) }
            let text = "\(name) has no rocksdb_\(missing)"
            return .failure(PeerError(system: RocksDBPeer.system, text: text))
        }
        return .failure(PeerError(system: RocksDBPeer.system, text: "librocksdb is not installed"))
    }

    private init(_ find: inout SymbolFinder) {
        open = find("open_column_families")
        close = find("close")
        familyDestroy = find("column_family_handle_destroy")
        free = find("free")
        getPinned = find("get_pinned_cf")
        pinnedValue = find("pinnableslice_value")
        pinnedDestroy = find("pinnableslice_destroy")
        write = find("write")
        flush = find("flush_cf")
        compact = find("compact_range_cf")
        ingestFiles = find("ingest_external_file_cf")
        iteratorCreate = find("create_iterator_cf")
        iteratorSeek = find("iter_seek")
        iteratorIsValid = find("iter_valid")
        iteratorKey = find("iter_key")
        iteratorNext = find("iter_next")
        iteratorError = find("iter_get_error")
        iteratorDestroy = find("iter_destroy")
        batchCreate = find("writebatch_create")
        batchPut = find("writebatch_put_cf")
        batchDestroy = find("writebatch_destroy")
        fileWriterCreate = find("sstfilewriter_create")
        fileWriterOpen = find("sstfilewriter_open")
        fileWriterPut = find("sstfilewriter_put")
        fileWriterFinish = find("sstfilewriter_finish")
        fileWriterDestroy = find("sstfilewriter_destroy")
        environmentOptionsCreate = find("envoptions_create")
        environmentOptionsDestroy = find("envoptions_destroy")
        ingestOptionsCreate = find("ingestexternalfileoptions_create")
        ingestOptionsSetMove = find("ingestexternalfileoptions_set_move_files")
        ingestOptionsDestroy = find("ingestexternalfileoptions_destroy")
        optionsCreate = find("options_create")
        optionsDestroy = find("options_destroy")
        optionsSetCreate = find("options_set_create_if_missing")
        optionsSetCreateFamilies = find("options_set_create_missing_column_families")
        optionsSetCompression = find("options_set_compression")
        optionsSetDynamicLevels = find("options_set_level_compaction_dynamic_level_bytes")
        optionsSetJobs = find("options_set_max_background_jobs")
        optionsSetOpenFiles = find("options_set_max_open_files")
        optionsSetWriteBuffer = find("options_set_write_buffer_size")
        optionsSetPrefix = find("options_set_prefix_extractor")
        optionsSetTable = find("options_set_block_based_table_factory")
        fixedPrefixCreate = find("slicetransform_create_fixed_prefix")
        tableOptionsCreate = find("block_based_options_create")
        tableOptionsDestroy = find("block_based_options_destroy")
        tableOptionsSetCache = find("block_based_options_set_block_cache")
        tableOptionsSetFilter = find("block_based_options_set_filter_policy")
        tableOptionsSetDataIndex = find("block_based_options_set_data_block_index_type")
        tableOptionsSetBlockSize = find("block_based_options_set_block_size")
        tableOptionsSetRestartInterval = find("block_based_options_set_block_restart_interval")
        cacheCreate = find("cache_create_lru")
        cacheDestroy = find("cache_destroy")
        bloomCreate = find("filterpolicy_create_bloom_full")
        readOptionsCreate = find("readoptions_create")
        readOptionsSetSamePrefix = find("readoptions_set_prefix_same_as_start")
        readOptionsDestroy = find("readoptions_destroy")
        writeOptionsCreate = find("writeoptions_create")
        writeOptionsSetSync = find("writeoptions_set_sync")
        writeOptionsDestroy = find("writeoptions_destroy")
        flushOptionsCreate = find("flushoptions_create")
        flushOptionsDestroy = find("flushoptions_destroy")
    }
}
