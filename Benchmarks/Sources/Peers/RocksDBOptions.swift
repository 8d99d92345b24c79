/// The options of the RocksDB peer, with the objects that they refer to.
final class RocksDBOptions {
    let library: RocksDBLibrary
    /// For records, whose keys are found whole.
    let records: OpaquePointer?
    /// For the inverse, whose keys are found by the multihash that they begin with.
    let inverse: OpaquePointer?
    let read: OpaquePointer?
    let readPrefix: OpaquePointer?
    let durableWrite: OpaquePointer?
    let flush: OpaquePointer?
    let environment: OpaquePointer?
    let ingest: OpaquePointer?
    private let cache: OpaquePointer?

    init(_ library: RocksDBLibrary, cacheSize: Int, writeBufferSize: Int, prefixSize: Int) {
        self.library = library
        cache = library.cacheCreate(cacheSize)
        records = Self.family(library, cache, writeBufferSize)
        inverse = Self.family(library, cache, writeBufferSize)
        library.optionsSetCreate(records, 1)
        library.optionsSetCreateFamilies(records, 1)
        // The options own the prefix transform.
        library.optionsSetPrefix(inverse, library.fixedPrefixCreate(prefixSize))
        read = library.readOptionsCreate()
        readPrefix = library.readOptionsCreate()
        library.readOptionsSetSamePrefix(readPrefix, 1)
        durableWrite = library.writeOptionsCreate()
        library.writeOptionsSetSync(durableWrite, 1)
        flush = library.flushOptionsCreate()
        environment = library.environmentOptionsCreate()
        ingest = library.ingestOptionsCreate()
        library.ingestOptionsSetMove(ingest, 1)
    }

    deinit {
        library.ingestOptionsDestroy(ingest)
        library.environmentOptionsDestroy(environment)
        library.flushOptionsDestroy(flush)
        library.writeOptionsDestroy(durableWrite)
        library.readOptionsDestroy(readPrefix)
        library.readOptionsDestroy(read)
        library.optionsDestroy(inverse)
        library.optionsDestroy(records)
        library.cacheDestroy(cache)
    }

    // Numbers of rocksdb/c.h.
    private static let lz4: Int32 = 4
    private static let binarySearchAndHash: Int32 = 1

    private static func family(
        _ library: RocksDBLibrary,
        _ cache: OpaquePointer?,
        _ writeBufferSize: Int
    ) -> OpaquePointer? {
        let options = library.optionsCreate()
        library.optionsSetCompression(options, lz4)
        library.optionsSetDynamicLevels(options, 1)
        library.optionsSetJobs(options, 2)
        library.optionsSetOpenFiles(options, -1)
        library.optionsSetWriteBuffer(options, writeBufferSize)
        let table = library.tableOptionsCreate()
        defer { library.tableOptionsDestroy(table) }
        library.tableOptionsSetCache(table, cache)
        library.tableOptionsSetBlockSize(table, 8192)
        library.tableOptionsSetRestartInterval(table, 4)
        library.tableOptionsSetDataIndex(table, binarySearchAndHash)
        // The table owns the filter.
        library.tableOptionsSetFilter(table, library.bloomCreate(10))
        library.optionsSetTable(options, table)
        return options
    }
}
