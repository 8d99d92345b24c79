internal import ShardIndex
internal import SharedReads

/// A cache of decoded index pages, bounded in bytes.
///
/// Searches take no lock. The CLOCK algorithm chooses the page to remove.
///
/// *Concurrency*: any thread.
final class PageCache: Sendable {
    private let cache: SharedCache<DecodedPage>
    private let hits = StripedCount()
    private let misses = StripedCount()

    /// Creates a cache of about `sizeMax` bytes.
    ///
    /// - Parameters:
    ///   - sizeMax: The size of all pages, in bytes.
    ///   - mark: The mark under which threads read pages.
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
    ///   - generation: The index.
    ///   - decode: Decodes the page; runs without a lock.
    ///   - body: Receives the page.
    /// - Returns: The result of `body`.
    /// - Throws: The errors of `decode` and `body`.
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

    /// Removes the pages of a generation that is about to be deleted.
    func remove(generation: UInt64) { cache.removeAll { $0.first == generation } }

    /// The hits and misses so far, and the size of the pages in bytes.
    var usage: (hits: UInt64, misses: UInt64, bytes: Int) {
        (UInt64(hits.sum), UInt64(misses.sum), cache.cost)
    }
}
