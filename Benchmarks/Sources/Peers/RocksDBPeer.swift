import Glibc

/// RocksDB with binary keys, laid out as its guides recommend.
///
/// Records (default family): u32 shard, big-endian, and multihash, to u64 offset and u32 size.
/// Inverse (family "shards"): multihash and u32 shard, big-endian, to nothing: no read before a
/// write.
///
/// Tuned: full filters of 10 bits; a filter of prefixes, and an iterator that is kept, for the
/// inverse; a block cache of 512 MB, which holds a shard of 5 M. LZ4 in both families: digests do
/// not compress, but the rest of a row does (82 B an entry instead of 104); hits find their blocks
/// uncompressed in the cache and stay as fast, ingest loses 10 to 15 %. Blocks of 8 KiB with a
/// restart each 4 rows and a hash index: hits 10 % and opening 30 % faster, for 5 B an entry. Gets
/// are pinned, not copied.
///
/// Up to `batchCountMax` entries a shard is one synced batch. Above it, files are written in order
/// outside, synced and handed over, which writes neither log nor memory table: 100 shards of 10,000
/// came in 1.5 times as fast, all compaction included.
public final class RocksDBPeer: IndexPeer {
    /// "rocksdb".
    public static let system = "rocksdb"

    private static let cacheSize = 512 << 20
    private static let writeBufferSize = 64 << 20
    private static let batchCountMax = 8_192
    private static let shardSize = 4
    private static let multihashSize = 34
    private static let valueSize = 12

    private let library: RocksDBLibrary
    private let options: RocksDBOptions
    private let directory: String
    private var database: OpaquePointer?
    private var records: OpaquePointer?
    private var inverse: OpaquePointer?
    /// An iterator over the rows at its creation, so each ingest drops it.
    private var iterator: OpaquePointer?
    /// The shard, 12 20, the digest, the shard: a record's key is the beginning, an inverse key the
    /// end.
    private let key: UnsafeMutablePointer<CChar>
    private let value: UnsafeMutablePointer<CChar>

    private var inverseKey: UnsafeMutablePointer<CChar> { key + Self.shardSize }
    private static let keySize = shardSize + multihashSize

    /// The reason why librocksdb cannot be used; nil if it can.
    public static func unavailability() -> String? {
        switch RocksDBLibrary.shared {
        case .success: nil
        case .failure(let error): error.text
        }
    }

    /// Opens the database in a directory.
    public init(at directory: String) throws(PeerError) {
        library = try RocksDBLibrary.shared.get()
        self.directory = directory
        options = RocksDBOptions(
            library,
            cacheSize: Self.cacheSize,
            writeBufferSize: Self.writeBufferSize,
            prefixSize: Self.multihashSize
        )
        key = .allocate(capacity: Self.keySize + Self.shardSize)
        value = .allocate(capacity: Self.valueSize)
        key[Self.shardSize] = 0x12
        key[Self.shardSize + 1] = 0x20
        try makeDirectory(directory, for: Self.system)
        try openDatabase()
    }

    deinit {
        letGo()
        key.deallocate()
        value.deallocate()
    }

    /// Writes a shard in one batch, or as two files.
    public func ingest(
        shard: UInt32,
        _ entries: UnsafeBufferPointer<PeerEntry>
    ) throws(PeerError) {
        guard !entries.isEmpty else { return }
        dropIterator()
        let order = DigestOrder(of: entries)
        if order.count <= Self.batchCountMax {
            try writeBatch(order, of: shard)
        } else {
            try addFile(order, of: shard, to: records)
            try addFile(order, of: shard, to: inverse)
        }
    }

    /// One pinned get.
    public func offset(
        of digest: UnsafeRawPointer,
        in shard: UInt32
    ) throws(PeerError) -> UInt64? {
        setKey(digest, in: shard)
        var message: UnsafeMutablePointer<CChar>?
        let found = library.getPinned(
            database,
            options.read,
            records,
            key,
            Self.keySize,
            &message
        )
        try check(message)
        guard let found else { return nil }
        defer { library.pinnedDestroy(found) }
        var size = 0
        guard let bytes = library.pinnedValue(found, &size), size == Self.valueSize else {
            throw PeerError(system: Self.system, text: "a record of \(size) bytes")
        }
        return UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self)
    }

    /// One seek, and a step for each shard.
    public func shards(of digest: UnsafeRawPointer) throws(PeerError) -> [UInt32] {
        setKey(digest, in: 0)
        let iterator =
            self.iterator ?? library.iteratorCreate(database, options.readPrefix, inverse)
        self.iterator = iterator
        var shards: [UInt32] = []
        library.iteratorSeek(iterator, inverseKey, Self.multihashSize)
        while library.iteratorIsValid(iterator) != 0 {
            var size = 0
            let found = library.iteratorKey(iterator, &size)
            guard let found, size == Self.keySize,
                memcmp(found, inverseKey, Self.multihashSize) == 0
            else { break }
            let shard = UnsafeRawPointer(found + Self.multihashSize)
            shards.append(shard.loadUnaligned(as: UInt32.self).bigEndian)
            library.iteratorNext(iterator)
        }
        var message: UnsafeMutablePointer<CChar>?
        library.iteratorError(iterator, &message)
        try check(message)
        return shards
    }

    /// Writes the memory tables out and compacts everything.
    public func settle() throws(PeerError) {
        dropIterator()
        for family in [records, inverse] {
            try flush(family)
            library.compact(database, family, nil, 0, nil, 0)
        }
    }

    /// Writes the memory tables out, so that opening has no log to replay, and closes.
    public func close() throws(PeerError) {
        guard database != nil else { return }
        dropIterator()
        try flush(records)
        try flush(inverse)
        letGo()
    }

    // MARK: Rows

    private func writeBatch(_ order: borrowing DigestOrder, of shard: UInt32) throws(PeerError) {
        let batch = library.batchCreate()
        defer { library.batchDestroy(batch) }
        for place in 0..<order.count where !order.repeatsDigest(at: place) {
            setRow(order[place], in: shard)
            library.batchPut(batch, records, key, Self.keySize, value, Self.valueSize)
        }
        for place in 0..<order.count where !order.repeatsDigest(at: place) {
            setRow(order[place], in: shard)
            library.batchPut(batch, inverse, inverseKey, Self.keySize, value, 0)
        }
        var message: UnsafeMutablePointer<CChar>?
        library.write(database, options.durableWrite, batch, &message)
        try check(message)
    }

    /// Writes one family's rows to a file, which is synced, and lets the database link it.
    private func addFile(
        _ order: borrowing DigestOrder,
        of shard: UInt32,
        to family: OpaquePointer?
    ) throws(PeerError) {
        let isRecord = family == records
        let path = "\(directory)/\(isRecord ? "records" : "shards")-\(shard).new"
        let writer = library.fileWriterCreate(
            options.environment,
            isRecord ? options.records : options.inverse
        )
        defer { library.fileWriterDestroy(writer) }
        var message: UnsafeMutablePointer<CChar>?
        library.fileWriterOpen(writer, path, &message)
        try check(message)
        let bytes = isRecord ? key : inverseKey
        let size = isRecord ? Self.valueSize : 0
        for place in 0..<order.count where !order.repeatsDigest(at: place) {
            setRow(order[place], in: shard)
            library.fileWriterPut(writer, bytes, Self.keySize, value, size, &message)
            guard message == nil else { break }
        }
        try check(message)
        library.fileWriterFinish(writer, &message)
        try check(message)
        path.withCString { path in
            let paths: [UnsafePointer<CChar>?] = [path]
            library.ingestFiles(database, family, paths, 1, options.ingest, &message)
        }
        try check(message)
    }

    private func setKey(_ digest: UnsafeRawPointer, in shard: UInt32) {
        let key = UnsafeMutableRawPointer(self.key)
        key.storeBytes(of: shard.bigEndian, as: UInt32.self)
        (key + Self.shardSize + 2).copyMemory(from: digest, byteCount: 32)
        key.storeBytes(of: shard.bigEndian, toByteOffset: Self.keySize, as: UInt32.self)
    }

    private func setRow(_ entry: PeerEntry, in shard: UInt32) {
        withUnsafePointer(to: entry.digest) { setKey(UnsafeRawPointer($0), in: shard) }
        let value = UnsafeMutableRawPointer(self.value)
        value.storeBytes(of: entry.offset, as: UInt64.self)
        value.storeBytes(of: entry.size, toByteOffset: 8, as: UInt32.self)
    }

    // MARK: The database

    private func openDatabase() throws(PeerError) {
        var message: UnsafeMutablePointer<CChar>?
        var families: [OpaquePointer?] = [nil, nil]
        "default".withCString { first in
            "shards".withCString { second in
                let names: [UnsafePointer<CChar>?] = [first, second]
                let setups = [options.records, options.inverse]
                database = library.open(
                    options.records,
                    directory,
                    2,
                    names,
                    setups,
                    &families,
                    &message
                )
            }
        }
        try check(message)
        (records, inverse) = (families[0], families[1])
    }

    private func flush(_ family: OpaquePointer?) throws(PeerError) {
        var message: UnsafeMutablePointer<CChar>?
        library.flush(database, options.flush, family, &message)
        try check(message)
    }

    private func dropIterator() {
        if let iterator { library.iteratorDestroy(iterator) }
        iterator = nil
    }

    private func letGo() {
        dropIterator()
        guard let database else { return }
        library.familyDestroy(records)
        library.familyDestroy(inverse)
        library.close(database)
        self.database = nil
    }

    private func check(_ message: UnsafeMutablePointer<CChar>?) throws(PeerError) {
        guard let message else { return }
        defer { library.free(message) }
        throw PeerError(system: Self.system, text: String(cString: message))
    }
}
