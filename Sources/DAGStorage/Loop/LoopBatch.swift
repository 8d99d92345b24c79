internal import DAGCatalog
internal import ShardLifecycle

/// The changes that a turn commits, and the effects of each.
struct LoopBatch {
    /// One change, and the shard it is about.
    struct Item {
        let shard: LoopShard
        let before: LoopShard.Memory
        let pending: PendingWork?
        let effects: [ShardLifecycle.Effect]
        let cause: LoopCause
    }

    var changes: [CatalogChange] = []
    var items: [Item] = []
    private var keys: Set<ShardKey> = []

    /// Returns whether a shard has a change in the batch; its next event waits for the commit.
    func contains(_ key: ShardKey) -> Bool { !keys.isEmpty && keys.contains(key) }

    mutating func append(_ change: CatalogChange, _ item: Item) {
        changes.append(change)
        items.append(item)
        keys.insert(item.shard.key)
    }
}

/// The cause of an event.
enum LoopCause {
    case request(Request)
    case outcome(JobOutcome)
    /// The shard has other bytes than the indexed ones.
    case lost(DAGStoreError)
    /// The error ends a passing state.
    case ending(DAGStoreError)
    /// The error undoes a registration.
    case undoing([Request], DAGStoreError)
    case none
}

extension LoopCause {
    /// The error of the cause; nil if it has none.
    var failure: DAGStoreError? {
        switch self {
        case .outcome(.failed(let error)), .lost(let error), .ending(let error),
            .undoing(_, let error):
            error
        case .outcome, .request, .none: nil
        }
    }
}
