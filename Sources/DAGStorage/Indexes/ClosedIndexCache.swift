internal import DAGCatalog
internal import SharedReads

/// The indexes of shards that are not open, kept for the next question, bounded by the memory they take.
///
/// *Concurrency*: any thread; `find` within a reading of the store's mark.
final class ClosedIndexCache: Sendable {
    private let cache: SharedCache<IndexReader>

    /// No readers yet.
    ///
    /// - Parameters:
    ///   - sizeMax: What they may take together, in bytes.
    ///   - mark: Under which they are read.
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

    /// Keeps a reader.
    func insert(_ reader: IndexReader) {
        cache.insert(reader, key(reader.record.number), cost: reader.memorySize)
    }

    /// Forgets the reader of a shard whose index changes or goes.
    func remove(_ number: UInt32) { cache.remove(key(number)) }

    /// Forgets all of them.
    func removeAll() { cache.removeAll { _ in true } }

    /// How many are kept, and the memory they take in bytes.
    var usage: (count: Int, bytes: Int) { (cache.count, cache.cost) }
}
