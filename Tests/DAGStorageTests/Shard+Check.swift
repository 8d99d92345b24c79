import ShardIndex

@testable import DAGStorage

extension Shard {
    /// Returns the faults of the shard's index; empty if it is sound.
    func checkIndex() -> [String] {
        let index = reader.index
        var check = IndexCheck(root: index.root, segments: index.segments, hash: index.hash)
        check.run { try index.page($0) }
        return check.problems
    }
}
