/// One thing in the catalogue that contradicts another.
package struct CatalogDamage: Equatable, Sendable {
    /// What is wrong.
    package enum Kind: String, Sendable, CaseIterable {
        /// A key leads to a shard that has no record.
        case keyWithoutRecord
        /// A key leads to a record that has another key.
        case keyOfAnotherShard
        /// A record whose key leads nowhere, or to another shard.
        case recordWithoutKey
        /// A record that cannot be read.
        case recordUnreadable
        /// A record names a generation that has no root page.
        case generationWithoutRoot
        /// Two records name one generation; the later one is reported.
        case generationNamedTwice
        /// A record names a generation that is on `pending`, and would be deleted at the next open.
        case generationNamedAndPending
        /// Rows of a generation that no record names and that is not on `pending`.
        case generationOrphaned
        /// Segments of a run of the inverse index that is not listed and that nobody is writing.
        case runOrphaned
        /// Work is pending for a shard that has no record.
        case pendingWithoutRecord
        /// A row of another table than `shards` that cannot be read.
        case rowUnreadable
        /// The counters are not what a recount gives.
        case countersWrong
    }

    /// What is wrong.
    package let kind: Kind
    /// The shard it concerns, if it is known.
    package let shard: UInt32?
    /// The shard's key, if it is known.
    package let key: String?
    /// The generation it concerns, if it concerns one.
    package let generation: UInt64?
    /// What was found, for people.
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
    /// Looks for rows that contradict each other, and changes nothing.
    ///
    /// - Parameter limit: How many findings are enough.
    /// - Returns: What was found, at most `limit`; nothing if the catalogue is whole.
    /// - Throws: `.corrupt` if the file is so damaged that a table cannot be walked; `.io`.
    ///
    /// *Cost*: every row of `keys`, `shards` and `pending`, and one of `roots`, `pages` and
    /// `locators` for each generation; `shards` once for every four million generations. Memory:
    /// about one megabyte and the findings.
    ///
    /// *Concurrency*: short read transactions, so that a writer is not held up; what it writes
    /// meanwhile may be reported as damage.
    package func damage(limit: Int) throws(CatalogError) -> [CatalogDamage] {
        precondition(limit >= 0, "a limit is negative")
        var scan = DamageScan(self, limit: limit)
        try scan.run()
        return scan.found
    }
}
