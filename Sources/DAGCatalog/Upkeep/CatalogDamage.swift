/// A contradiction between rows of the catalog.
package struct CatalogDamage: Equatable, Sendable {
    /// The kind of damage.
    package enum Kind: String, Sendable, CaseIterable {
        /// A key leads to a shard without a record.
        case keyWithoutRecord
        /// A key leads to the record of another key.
        case keyOfAnotherShard
        /// The key of a record leads nowhere, or to another shard.
        case recordWithoutKey
        /// A record is unreadable.
        case recordUnreadable
        /// A record names a generation without a root page.
        case generationWithoutRoot
        /// Two records name one generation; the report is about the later one.
        case generationNamedTwice
        /// A record names a generation that is on `pending`, so the next open would delete it.
        case generationNamedAndPending
        /// A generation is neither in a record nor on `pending`.
        case generationOrphaned
        /// A run of the inverse index is not listed, and no merge writes it.
        case runOrphaned
        /// A shard without a record waits for work.
        case pendingWithoutRecord
        /// A row of another table than `shards` is unreadable.
        case rowUnreadable
        /// The counters differ from a recount.
        case countersWrong
    }

    /// The kind of damage.
    package let kind: Kind
    /// The number of the shard, if it is known.
    package let shard: UInt32?
    /// The key of the shard, if it is known.
    package let key: String?
    /// The generation, if the damage is about one.
    package let generation: UInt64?
    /// A sentence for people.
    package let detail: String

    init(
        _ kind: Kind,
        shard: UInt32? = nil,
        key: String? = nil,
        generation: UInt64? = nil,
        _ detail: String
    ) {
        self.kind = kind
        self.shard = shard
        self.key = key
        self.generation = generation
        self.detail = detail
    }
}

extension Catalog {
    /// Finds rows that contradict each other, and changes nothing.
    ///
    /// - Parameter limit: The largest number of findings.
    /// - Returns: The findings; empty if the catalog is sound.
    /// - Throws: `.corrupt` if a table is too damaged to be walked; `.io`.
    ///
    /// *Cost*: reads every row of `keys`, `shards` and `pending`, and one row of `roots`, `pages` and `locators` for
    /// each generation. It reads `shards` once for every four million generations. Memory: about one megabyte, and
    /// the findings.
    ///
    /// *Concurrency*: reads in short transactions, so that writers do not wait. Writes during the call may appear as
    /// damage.
    package func damage(limit: Int) throws(CatalogError) -> [CatalogDamage] {
        precondition(limit >= 0, "a limit is negative")
        var scan = DamageScan(self, limit: limit)
        try scan.run()
        return scan.found
    }
}
