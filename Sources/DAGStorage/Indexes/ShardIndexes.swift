internal import DAGCatalog
internal import SharedReads

/// The indexes of all shards, open or closed: finds the `IndexReader` of a shard's number, and deletes indexes.
///
/// An index lives at least as long as its readers.
///
/// *Concurrency*: any thread.
final class ShardIndexes: Sendable {
    /// The most memory for indexes of shards that are not open, in bytes.
    private static let readersSizeMax = 64 << 20

    private let access: CatalogAccess
    private let catalog: Catalog
    private let openShards: OpenShards
    private let deleter: GenerationDeleter
    let cache: PageCache
    private let readers: ClosedIndexCache
    private let pins: GenerationPins

    init(
        _ access: CatalogAccess,
        _ openShards: OpenShards,
        _ deleter: GenerationDeleter,
        pageCacheSize: Int
    ) {
        self.access = access
        catalog = access.catalog
        self.openShards = openShards
        self.deleter = deleter
        cache = PageCache(sizeMax: pageCacheSize, readUnder: access.mark)
        readers = ClosedIndexCache(sizeMax: Self.readersSizeMax, readUnder: access.mark)
        pins = GenerationPins { deleter.deleteIndexLater($0) }
    }

    // MARK: Reading

    /// Calls `body` with the index of a shard, which stays at least until `body` returns.
    ///
    /// The caller is within a reading.
    ///
    /// *Cost*: a search in a table if the shard is open or in the cache; else reads its record and root page.
    ///
    /// - Returns: The result of `body`; nil if there is no index, or the shard is gone.
    func withIndex<R>(of number: UInt32, _ body: (IndexReader) throws -> R) throws -> R? {
        if let result = try openShards.withIndex(of: number, body) { return result }
        // Only the record shows the changes of another process.
        if !catalog.isReadOnly, let result = try readers.find(number, body) { return result }
        while let record = try catalog.record(number), record.generation != 0 {
            if let result = try withIndex(of: record, body) { return result }
        }
        return nil
    }

    /// Calls `body` with the index that a record names, which stays at least until `body` returns.
    ///
    /// The caller is within a reading.
    ///
    /// - Returns: The result of `body`; nil if the shard has another index now, or is gone.
    func withIndex<R>(of record: ShardRecord, _ body: (IndexReader) throws -> R) throws -> R? {
        let known = try readers.find(record.number) { reader in
            try reader.record.generation == record.generation ? body(reader) : nil
        }
        if let known, let known { return known }
        // The loop may discard the index at any moment, so this thread reads the record again after pinning.
        let pin = pin(record)
        guard try isCurrent(record) else { return nil }
        let reader = try IndexReader(record, catalog: catalog, cache: cache, pin: pin)
        if catalog.isReadOnly { readers.remove(record.number) }
        readers.insert(reader)
        // The loop may have discarded the index before `insert`, so that its removal found nothing.
        if try !isCurrent(record) { readers.remove(record.number) }
        return try body(reader)
    }

    /// Calls `body` with the index of a shard, retained, so that `body` can run for long.
    ///
    /// - Returns: As `withIndex(of:_:)`.
    func withLastingIndex<R>(
        of number: UInt32,
        _ body: (IndexReader) throws -> R
    ) throws -> R? {
        guard let reader = try retained({ try withIndex(of: number) { $0 } }) else { return nil }
        return try withExtendedLifetime(reader) { try body(reader) }
    }

    /// Calls `body` with the index that a record names, retained, so that `body` can run for long.
    ///
    /// - Returns: As `withIndex(of:_:)`.
    func withLastingIndex<R>(
        of record: ShardRecord,
        _ body: (IndexReader) throws -> R
    ) throws -> R? {
        guard let reader = try retained({ try withIndex(of: record) { $0 } }) else { return nil }
        return try withExtendedLifetime(reader) { try body(reader) }
    }

    private func retained(_ find: () throws -> IndexReader?) throws -> IndexReader? {
        Reading.begin(access.mark)
        defer { Reading.end() }
        return try find()
    }

    private func isCurrent(_ record: ShardRecord) throws -> Bool {
        try catalog.record(record.number)?.generation == record.generation
    }

    /// Pins the index that a record names; returns nil in a read-only store, which deletes no index.
    func pin(_ record: ShardRecord) -> GenerationPin? {
        catalog.isReadOnly ? nil : pins.pin(record.generation)
    }

    // MARK: Deleting

    /// Removes the reader of a shard whose index changes or is deleted.
    func removeReader(of number: UInt32) { readers.remove(number) }

    /// Removes all readers, because the store closes.
    func removeReaders() { readers.removeAll() }

    /// Deletes an index without a record, now or after its last reader; blocks the thread.
    ///
    /// If the deletion fails, the index stays on `pending`, and the next open deletes it.
    ///
    /// - Parameters:
    ///   - generation: The index.
    ///   - number: The shard that had the index.
    func discard(_ generation: UInt64, of number: UInt32) {
        readers.remove(number)
        cache.remove(generation: generation)
        // Threads that read it without a lease end before it is deleted.
        Reclaimer.drain(access.mark)
        guard pins.isUnread(generation) else { return }
        try? deleter.deleteIndex(generation)
    }
}
