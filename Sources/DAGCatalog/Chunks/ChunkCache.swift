package import DAGBytes
internal import DAGLMDB
internal import SharedReads
package import SystemPackage

/// The place of a chunk in a cluster's inverse index.
package struct ChunkKey: Hashable, Sendable {
    /// The partition; -1 for the run of one shard.
    package let part: Int16
    /// The number of the run.
    package let number: UInt64
    /// The number of the chunk.
    package let chunk: UInt32

    /// Creates a place.
    package init(part: Int16, number: UInt64, chunk: UInt32) {
        self.part = part
        self.number = number
        self.chunk = chunk
    }

    /// ```
    /// 0  u16 partition + 1    2  u64 number    10  u32 chunk        most significant byte first
    /// ```
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(14)
        bytes.append(littleEndian: UInt16(bitPattern: part &+ 1).byteSwapped)
        bytes.append(littleEndian: number.byteSwapped)
        bytes.append(littleEndian: chunk.byteSwapped)
        return bytes
    }

    /// The least place of a run.
    static func first(ofPart part: Int16, _ number: UInt64) -> [UInt8] {
        ChunkKey(part: part, number: number, chunk: 0).bytes
    }
}

/// Chunks of a cluster's inverse index on this machine, in an LMDB environment of their own.
///
/// A chunk never changes, so a cached one is never stale. A crash of the machine may destroy the cache: a program that
/// cannot open it removes its folder and makes a new one.
///
/// *Concurrency*: any thread; writers wait for each other.
package final class ChunkCache: Sendable {
    private static let table = "chunks"
    /// The part of the cache that goes when it is full, as a divisor.
    private static let evictedShare: UInt64 = 8

    private let environment: Environment
    private let chunks: Table
    private let sizeMax: UInt64
    private let pageSize: Int

    /// Opens a cache; makes it if there is none.
    ///
    /// - Parameters:
    ///   - directory: A folder of the cache's own, which exists.
    ///   - sizeMax: The bytes that it keeps; the file may have a quarter more.
    /// - Throws: `.corrupt` and others, after which the caller may remove the folder.
    package init(at directory: FilePath, sizeMax: UInt64) throws(CatalogError) {
        self.sizeMax = max(sizeMax, 4 << 20)
        do {
            environment = try Environment.open(
                at: directory.string,
                options: Environment.Options(
                    tables: [Self.table],
                    checksPages: true,
                    mapSize: Int(clamping: self.sizeMax + self.sizeMax / 4 + (16 << 20)),
                    durability: .relaxed
                )
            )
            pageSize = try environment.usage().pageSize
        } catch {
            throw CatalogError(error)
        }
        chunks = environment.table(Self.table)
    }

    /// Closes the cache; no call may run or follow.
    package func close() { environment.close() }

    /// Calls `body` with a chunk, inside a read transaction.
    ///
    /// - Returns: The result of `body`; nil if the cache lacks the chunk.
    /// - Throws: `.corrupt`, `.tooManyReaders`.
    package func withChunk<R>(
        _ key: ChunkKey,
        _ body: (ByteView) -> R
    ) throws(CatalogError) -> R? {
        do {
            return try environment.read { (reader) throws(LMDBError) in
                try key.bytes.withView { key throws(LMDBError) in
                    try reader.get(chunks, key).map(body)
                }
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// Calls `body` with those of some chunks that the cache has, inside one read transaction.
    ///
    /// - Parameters:
    ///   - keys: The places of the chunks.
    ///   - body: Receives the index of a key, and its chunk.
    /// - Throws: `.corrupt`, `.tooManyReaders`.
    package func forEachChunk(
        of keys: [ChunkKey],
        _ body: (_ index: Int, ByteView) -> Void
    ) throws(CatalogError) {
        do {
            try environment.read { (reader) throws(LMDBError) in
                for (index, key) in keys.enumerated() {
                    try key.bytes.withView { key throws(LMDBError) in
                        if let bytes = try reader.get(chunks, key) { body(index, bytes) }
                    }
                }
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// Adds chunks, and removes others if there is no room: those of the oldest runs of single shards first.
    ///
    /// *Cost*: a transaction, which waits for no disk.
    ///
    /// - Throws: `.full`, `.corrupt`.
    package func add(_ added: [(key: ChunkKey, bytes: [UInt8])]) throws(CatalogError) {
        do {
            try environment.write { (writer) throws(LMDBError) in
                var size = UInt64(try writer.statistics(of: chunks).size)
                let coming = added.reduce(0) { $0 + UInt64($1.bytes.count + pageSize) }
                while size > 0, size + coming > sizeMax {
                    let before = size
                    try evict(writer, atLeast: max(coming, sizeMax / Self.evictedShare))
                    size = UInt64(try writer.statistics(of: chunks).size)
                    guard size < before else { break }
                }
                guard size + coming <= sizeMax else { return }
                for (key, bytes) in added { try writer.put(chunks, key.bytes, bytes) }
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// Removes the first rows until they had some size.
    private func evict(
        _ writer: borrowing WriteTransaction,
        atLeast size: UInt64
    ) throws(LMDBError) {
        try writer.withCursor(chunks) { (cursor) throws(LMDBError) in
            var left = size
            var row = try cursor.first()
            while let (_, bytes) = row, left > 0 {
                left -= min(left, UInt64(bytes.count + pageSize))
                try cursor.deleteCurrent()
                row = try cursor.next()
            }
        }
    }

    /// Removes the chunks of a run.
    ///
    /// - Throws: `.full`, `.corrupt`.
    package func removeRun(part: Int16, number: UInt64) throws(CatalogError) {
        do {
            try environment.write { (writer) throws(LMDBError) in
                try ChunkKey.first(ofPart: part, number).withView { lower throws(LMDBError) in
                    try ChunkKey.first(ofPart: part, number + 1).withView {
                        upper throws(LMDBError) in
                        _ = try writer.deleteRange(chunks, from: lower, below: upper, limit: .max)
                    }
                }
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// The size of the rows in bytes, and their number.
    ///
    /// - Throws: `.corrupt`, `.tooManyReaders`.
    package func usage() throws(CatalogError) -> (size: UInt64, count: Int) {
        do {
            return try environment.read { (reader) throws(LMDBError) in
                let statistics = try reader.statistics(of: chunks)
                return (UInt64(statistics.size), statistics.entries)
            }
        } catch {
            throw CatalogError(error)
        }
    }
}
