import CLevelDBPeer
import Glibc

/// A key that ends in a sha2-256 multihash in hexadecimal, written in place.
final class LevelDBKey {
    private static let prefixMax = 32
    private static let multihashSize = 68

    /// Two digits for each byte, in memory order.
    private static let digits: [UInt16] = (0..<256).map { byte in
        let digits = Array("0123456789abcdef".utf8)
        return (UInt16(digits[byte >> 4]) | UInt16(digits[byte & 15]) << 8).littleEndian
    }

    /// The bytes so far, of which the multihash is the end.
    private(set) var count = 0
    let bytes: UnsafeMutablePointer<CChar>
    private let digits: UnsafeMutablePointer<UInt16>
    private var cursor: UInt64 = 0

    init() {
        bytes = .allocate(capacity: Self.prefixMax + Self.multihashSize)
        digits = .allocate(capacity: 256)
        for (byte, pair) in Self.digits.enumerated() { digits[byte] = pair }
    }

    deinit {
        bytes.deallocate()
        digits.deallocate()
    }

    /// Sets what comes before the multihash; the digest must be set after it.
    func setPrefix(_ prefix: [UInt8]) {
        precondition(prefix.count <= Self.prefixMax)
        for (place, byte) in prefix.enumerated() { bytes[place] = CChar(bitPattern: byte) }
        var place = prefix.count
        for byte in "1220".utf8 {
            bytes[place] = CChar(bitPattern: byte)
            place += 1
        }
        count = prefix.count + Self.multihashSize
        cursor = 0
    }

    /// Sets the prefix of a shard's records, unless it is the one set last.
    func setPrefix(cursor: UInt64) {
        guard cursor != self.cursor else { return }
        setPrefix(Array("/\(cursor)/".utf8))
        self.cursor = cursor
    }

    /// Writes the digest's 64 digits.
    func setDigest(_ digest: UnsafeRawPointer) {
        let target = UnsafeMutableRawPointer(bytes + (count - 64))
        for place in 0..<32 {
            let byte = digest.load(fromByteOffset: place, as: UInt8.self)
            target.storeBytes(of: digits[Int(byte)], toByteOffset: 2 * place, as: UInt16.self)
        }
    }

    /// Copies another key's multihash.
    func copyMultihash(of other: LevelDBKey) {
        memcpy(
            bytes + (count - Self.multihashSize),
            other.bytes + (other.count - Self.multihashSize),
            Self.multihashSize
        )
    }
}

/// The objects of LevelDB's C interface, freed at the end.
final class LevelDBHandles {
    private var database: OpaquePointer?
    private let options: OpaquePointer?
    private let readOptions: OpaquePointer?
    private let writeOptions: OpaquePointer?
    private let batch: OpaquePointer?
    private let cache: OpaquePointer?
    private let filter: OpaquePointer?

    init(cacheSize: Int, writeBufferSize: Int, fileSizeMax: Int, filesMax: Int32) {
        options = leveldb_options_create()
        readOptions = leveldb_readoptions_create()
        writeOptions = leveldb_writeoptions_create()
        batch = leveldb_writebatch_create()
        cache = leveldb_cache_create_lru(cacheSize)
        filter = leveldb_filterpolicy_create_bloom(10)
        leveldb_options_set_create_if_missing(options, 1)
        leveldb_options_set_compression(options, Int32(leveldb_snappy_compression))
        leveldb_options_set_cache(options, cache)
        leveldb_options_set_filter_policy(options, filter)
        leveldb_options_set_write_buffer_size(options, writeBufferSize)
        leveldb_options_set_max_file_size(options, fileSizeMax)
        leveldb_options_set_max_open_files(options, filesMax)
    }

    deinit {
        close()
        leveldb_writebatch_destroy(batch)
        leveldb_readoptions_destroy(readOptions)
        leveldb_writeoptions_destroy(writeOptions)
        leveldb_options_destroy(options)
        leveldb_cache_destroy(cache)
        leveldb_filterpolicy_destroy(filter)
    }

    func open(_ directory: String) throws(PeerError) {
        var message: UnsafeMutablePointer<CChar>?
        database = leveldb_open(options, directory, &message)
        try check(message)
    }

    func close() {
        guard let database else { return }
        leveldb_close(database)
        self.database = nil
    }

    /// The value of a key, which the caller gives back with `leveldb_free`.
    func get(_ key: LevelDBKey) throws(PeerError) -> UnsafeMutableRawBufferPointer? {
        var message: UnsafeMutablePointer<CChar>?
        var size = 0
        let value = leveldb_get(database, readOptions, key.bytes, key.count, &size, &message)
        try check(message)
        guard let value else { return nil }
        return UnsafeMutableRawBufferPointer(start: value, count: size)
    }

    func put(_ key: LevelDBKey, _ value: UnsafeRawBufferPointer) {
        leveldb_writebatch_put(
            batch,
            key.bytes,
            key.count,
            value.baseAddress?.assumingMemoryBound(to: CChar.self),
            value.count
        )
    }

    func put(_ key: LevelDBKey, _ value: [UInt8]) {
        value.withUnsafeBytes { put(key, $0) }
    }

    /// Writes the batch, and empties it.
    func writeBatch(isDurable: Bool) throws(PeerError) {
        var message: UnsafeMutablePointer<CChar>?
        leveldb_writeoptions_set_sync(writeOptions, isDurable ? 1 : 0)
        leveldb_write(database, writeOptions, batch, &message)
        leveldb_writebatch_clear(batch)
        try check(message)
    }

    /// Writes the memory table to a file: LevelDB does so before it compacts a range, even one that
    /// no key is in.
    func flush() {
        guard database != nil else { return }
        leveldb_compact_range(database, "\u{7f}", 1, "\u{7f}", 1)
    }

    func compact() { leveldb_compact_range(database, nil, 0, nil, 0) }

    private func check(_ message: UnsafeMutablePointer<CChar>?) throws(PeerError) {
        guard let message else { return }
        defer { leveldb_free(message) }
        throw PeerError(system: LevelDBPeer.system, text: String(cString: message))
    }
}
