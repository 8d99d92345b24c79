internal import DAGCatalog
internal import ShardLifecycle

/// The changes that a turn commits, and what follows from each.
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

    /// Whether a shard has a change in the batch: the next event for it waits for the commit.
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
    /// The shard's bytes are not what was indexed.
    case lost(DAGStoreError)
    /// A passing state ends because of this.
    case ending(DAGStoreError)
    /// A registration is undone because of this.
    case undoing([Request], DAGStoreError)
    case none
}

extension LoopCause {
    /// The error in it, if there is one.
    var failure: DAGStoreError? {
        switch self {
        case .outcome(.failed(let error)), .lost(let error), .ending(let error),
            .undoing(_, let error):
            error
        case .outcome, .request, .none: nil
        }
    }
}
