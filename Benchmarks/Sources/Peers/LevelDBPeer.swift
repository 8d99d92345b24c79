import CLevelDBPeer
import Glibc

/// LevelDB as Boost's local index directory uses it: a record a multihash, and a row of shard keys.
///
/// Records: "/", the cursor of the shard in decimal, "/", the multihash in hexadecimal, to uvarint
/// offset and uvarint size. Inverse: "/", 2 as a varint in ten bytes, the multihash in hexadecimal,
/// to a JSON array of shard keys, read, extended and put back, a get for each entry. The shard keys
/// are shorter than Boost's piece CIDs (64 characters), which favors the peer.
///
/// Tuned: snappy, filters of 10 bits, a cache of 64 MB, batches of 1,000 records. Beyond what Boost
/// does: a memory table of 64 MB, and entries in the order of their digests, not of the CAR, so
/// that neighbors in the memory table and in files come after each other. With 1 M entries sorting
/// alone made ingest 1.3 times as fast (0.12 M/s), the larger table alone did nothing, both made it
/// 2.8 times as fast (0.26 M/s).
///
/// *Durability*: a synced write at the end, and fsync of the log before it.
public final class LevelDBPeer: IndexPeer {
    /// "leveldb".
    public static let system = "leveldb"

    private static let batchCount = 1_000
    private static let cacheSize = 64 << 20
    private static let writeBufferSize = 64 << 20
    private static let fileSizeMax = 8 << 20
    private static let filesMax: Int32 = 4_000
    /// Boost numbers pieces from 100.
    private static let firstCursor: UInt64 = 100

    private let directory: String
    private let handles: LevelDBHandles
    private let recordKey: LevelDBKey
    private let inverseKey: LevelDBKey

    /// It is linked.
    public static func unavailability() -> String? { nil }

    /// Opens the database in a directory.
    public init(at directory: String) throws(PeerError) {
        self.directory = directory
        recordKey = LevelDBKey()
        inverseKey = LevelDBKey()
        inverseKey.setPrefix([UInt8(ascii: "/"), 2] + [UInt8](repeating: 0, count: 9))
        try makeDirectory(directory, for: Self.system)
        handles = LevelDBHandles(
            cacheSize: Self.cacheSize,
            writeBufferSize: Self.writeBufferSize,
            fileSizeMax: Self.fileSizeMax,
            filesMax: Self.filesMax
        )
        try handles.open(directory)
    }

    /// Puts a shard's records and extends its inverse rows, then waits for the disk.
    public func ingest(
        shard: UInt32,
        _ entries: UnsafeBufferPointer<PeerEntry>
    ) throws(PeerError) {
        let order = DigestOrder(of: entries)
        recordKey.setPrefix(Self.recordPrefix(of: shard))
        let shardKey = Array(#"{"/":"baga6ea4seaqshard\#(shard)"}"#.utf8)
        let firstRow = [UInt8(ascii: "[")] + shardKey + [UInt8(ascii: "]")]
        var row: [UInt8] = []
        var pending = 0
        for place in 0..<order.count where !order.repeatsDigest(at: place) {
            let entry = order[place]
            withUnsafePointer(to: entry.digest) { recordKey.setDigest(UnsafeRawPointer($0)) }
            inverseKey.copyMultihash(of: recordKey)
            putRecord(entry)
            if let old = try handles.get(inverseKey) {
                defer { leveldb_free(old.baseAddress) }
                guard Self.extend(old, with: shardKey, into: &row) else { continue }
                handles.put(inverseKey, row)
            } else {
                handles.put(inverseKey, firstRow)
            }
            pending += 1
            guard pending == Self.batchCount else { continue }
            try handles.writeBatch(isDurable: false)
            pending = 0
        }
        try handles.writeBatch(isDurable: true)
        try synchroniseLogs()
    }

    /// One get.
    public func offset(
        of digest: UnsafeRawPointer,
        in shard: UInt32
    ) throws(PeerError) -> UInt64? {
        recordKey.setPrefix(cursor: Self.firstCursor + UInt64(shard))
        recordKey.setDigest(digest)
        guard let value = try handles.get(recordKey) else { return nil }
        defer { leveldb_free(value.baseAddress) }
        var offset: UInt64 = 0
        var shift: UInt64 = 0
        for byte in value {
            guard shift < 64 else { break }
            offset |= UInt64(byte & 0x7f) << shift
            guard byte & 0x80 != 0 else { return offset }
            shift += 7
        }
        throw PeerError(system: Self.system, text: "a record ends inside its offset")
    }

    /// One get, and the numbers in the JSON array.
    public func shards(of digest: UnsafeRawPointer) throws(PeerError) -> [UInt32] {
        inverseKey.setDigest(digest)
        guard let value = try handles.get(inverseKey) else { return [] }
        defer { leveldb_free(value.baseAddress) }
        // The digits before a closing quotation mark are the number; "/" and "6" are elsewhere.
        var shards: [UInt32] = []
        var number: UInt32?
        for byte in value {
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                number = (number ?? 0) &* 10 &+ UInt32(byte - UInt8(ascii: "0"))
            } else {
                if byte == UInt8(ascii: #"""#), let number { shards.append(number) }
                number = nil
            }
        }
        return shards
    }

    /// Compacts everything.
    public func settle() throws(PeerError) { handles.compact() }

    /// Writes the memory table out, so that opening has no log to replay, and closes.
    public func close() throws(PeerError) {
        handles.flush()
        handles.close()
    }

    // MARK: Rows

    private static func recordPrefix(of shard: UInt32) -> [UInt8] {
        Array("/\(firstCursor + UInt64(shard))/".utf8)
    }

    private func putRecord(_ entry: PeerEntry) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { value in
            var count = 0
            for var rest in [entry.offset, UInt64(entry.size)] {
                while rest >= 0x80 {
                    value[count] = UInt8(truncatingIfNeeded: rest) | 0x80
                    rest >>= 7
                    count += 1
                }
                value[count] = UInt8(rest)
                count += 1
            }
            handles.put(recordKey, UnsafeRawBufferPointer(start: value.baseAddress, count: count))
        }
    }

    /// Makes a row with one more shard key, unless the old one has it.
    private static func extend(
        _ old: UnsafeMutableRawBufferPointer,
        with shardKey: [UInt8],
        into row: inout [UInt8]
    ) -> Bool {
        guard !contains(shardKey, in: UnsafeRawBufferPointer(old)) else { return false }
        row.removeAll(keepingCapacity: true)
        row.append(contentsOf: old.dropLast())
        row.append(UInt8(ascii: ","))
        row.append(contentsOf: shardKey)
        row.append(UInt8(ascii: "]"))
        return true
    }

    /// LevelDB syncs the log that it writes to, not the one before, whose table may still be in
    /// memory.
    private func synchroniseLogs() throws(PeerError) {
        var logs: [String] = []
        forEachName(in: directory) { if $0.hasSuffix(".log") { logs.append($0) } }
        for log in logs {
            let path = "\(directory)/\(log)"
            do throws(PeerError) {
                try synchronise(path, for: Self.system)
            } catch {
                // Its table has been written meanwhile, with fsync.
                guard access(path, F_OK) != 0 else { throw error }
            }
        }
        try synchronise(directory, for: Self.system)
    }
}
