internal import DAGCatalog
internal import SharedReads

/// A cache of the `IndexReader`s of closed shards; the reader of an open shard belongs to its `ShardReader`.
///
/// `ShardIndexes` alone uses it. The memory of its readers is bounded.
///
/// *Concurrency*: any thread; `find` within a reading of the store's mark.
final class ClosedIndexCache: Sendable {
    private let cache: SharedCache<IndexReader>

    /// Creates a cache without readers.
    ///
    /// - Parameters:
    ///   - sizeMax: The memory that all readers may take together, in bytes.
    ///   - mark: The mark under which threads read the cache.
    init(sizeMax: Int, readUnder mark: ReadMark) {
        cache = SharedCache(costMax: sizeMax, readUnder: mark)
    }

    private func key(_ number: UInt32) -> SharedCache<IndexReader>.Key {
        SharedCache.Key(UInt64(number), 0)
    }

    /// Calls `body` with the reader of a shard, if there is one.
    @inline(__always)
    func find<R>(_ number: UInt32, _ body: (IndexReader) throws -> R) rethrows -> R? {
        guard let entry = cache.find(key(number)) else { return nil }
        return try entry.with { try body($0.object) }
    }

    /// Adds a reader.
    func insert(_ reader: IndexReader) {
        cache.insert(reader, key(reader.record.number), cost: reader.memorySize)
    }

    /// Removes the reader of a shard whose index changes or is deleted.
    func remove(_ number: UInt32) { cache.remove(key(number)) }

    /// Removes all readers.
    func removeAll() { cache.removeAll { _ in true } }

    /// The number of readers, and the memory that they take, in bytes.
    var usage: (count: Int, bytes: Int) { (cache.count, cache.cost) }
}
