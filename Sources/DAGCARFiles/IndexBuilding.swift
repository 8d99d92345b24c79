package import DAGHashing
package import ShardIndex

/// How an index is built.
package struct IndexBuilding {
    /// The store's keyed hash.
    package let hash: KeyedHash
    /// How pages choose their encodings.
    package let policy: PagePolicy
    /// Memory for sorting, in bytes.
    package let sortBudget: Int
    /// Where the pieces go.
    package let sink: any IndexSink
    /// Told now and then.
    package var progress: ((IndexingProgress) -> Void)?
    /// Throws if the index is not wanted any more.
    package var checkCancelled: () throws -> Void = {}

    package init(
        hash: KeyedHash,
        policy: PagePolicy,
        sortBudget: Int,
        sink: any IndexSink,
        progress: ((IndexingProgress) -> Void)? = nil,
        checkCancelled: @escaping () throws -> Void = {}
    ) {
        self.hash = hash
        self.policy = policy
        self.sortBudget = sortBudget
        self.sink = sink
        self.progress = progress
        self.checkCancelled = checkCancelled
    }
}
