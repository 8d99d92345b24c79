internal import SharedReads
internal import Synchronization

/// The shards whose sources were away when they were last needed, and why.
///
/// They stay indexed: a source may come back by itself.
///
/// *Concurrency*: any thread. While no shard is away, a question costs one load.
final class AwayShards: Sendable {
    private let errors = Lock<[UInt32: DAGStoreError]>([:])
    private let count = Atomic<Int>(0)

    /// Returns why a shard could not be read; nil if it was read when that was last tried.
    func error(of number: UInt32) -> DAGStoreError? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        return errors.withLock { $0[number] }
    }

    /// Whether a shard could not be read when that was last tried.
    func contains(_ number: UInt32) -> Bool { error(of: number) != nil }

    /// Stores why a shard cannot be read.
    func insert(_ number: UInt32, _ error: DAGStoreError) {
        errors.withLock { errors in
            errors[number] = error
            count.store(errors.count, ordering: .relaxed)
        }
    }

    /// Removes a shard, because it was read, has another source, or is gone.
    func remove(_ number: UInt32) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        errors.withLock { errors in
            errors[number] = nil
            count.store(errors.count, ordering: .relaxed)
        }
    }
}
