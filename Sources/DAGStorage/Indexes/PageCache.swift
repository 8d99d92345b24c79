internal import ShardIndex
internal import SharedReads

/// Decoded index pages, bounded in bytes.
///
/// A page is decoded once and found without a lock; which one goes is CLOCK's choice.
///
/// *Concurrency*: any thread.
final class PageCache: Sendable {
    private let cache: SharedCache<DecodedPage>
    private let hits = StripedCount()
    private let misses = StripedCount()

    /// A cache of at most about `sizeMax` bytes.
    ///
    /// - Parameters:
    ///   - sizeMax: The bytes.
    ///   - mark: Under which pages are read.
    init(sizeMax: Int, readUnder mark: ReadMark) {
        cache = SharedCache(costMax: sizeMax, readUnder: mark)
    }

    private func key(_ generation: UInt64, _ page: Int) -> SharedCache<DecodedPage>.Key {
        SharedCache.Key(generation, UInt64(page))
    }

    /// Calls `body` with a page, from the cache or from `decode`.
    ///
    /// - Parameters:
    ///   - number: The page's number.
    ///   - generation: Of which index.
    ///   - decode: Decodes the page; runs without a lock.
    ///   - body: Receives the page.
    /// - Returns: What `body` returns.
    /// - Throws: What `decode` or `body` throws.
    @inline(__always)
    func withPage<R>(
        _ number: Int,
        of generation: UInt64,
        decode: () throws -> DecodedPage,
        _ body: (DecodedPage) throws -> R
    ) throws -> R {
        Reading.begin(cache.mark)
        if let entry = cache.find(key(generation, number)) {
            defer { Reading.end() }
            hits.add(1)
            return try entry.with { try body($0.object) }
        }
        Reading.end()
        misses.add(1)
        let page = try decode()
        cache.insert(page, key(generation, number), cost: page.cost)
        return try body(page)
    }

    /// Forgets the pages of a generation that is about to be deleted.
    func remove(generation: UInt64) { cache.removeAll { $0.first == generation } }

    /// Hits, misses and bytes so far.
    var usage: (hits: UInt64, misses: UInt64, bytes: Int) {
        (UInt64(hits.sum), UInt64(misses.sum), cache.cost)
    }
}
