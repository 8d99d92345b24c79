internal import SharedReads
internal import Synchronization

/// The shards whose sources were away at the last try, with the errors.
///
/// These shards keep their indexes, because a source may come back by itself.
///
/// *Concurrency*: any thread. *Cost*: one load while all sources are reachable.
final class AwayShards: Sendable {
    private let errors = Lock<[UInt32: DAGStoreError]>([:])
    private let count = Atomic<Int>(0)

    /// Returns the error of the last try to read a shard; nil if that try succeeded.
    func error(of number: UInt32) -> DAGStoreError? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        return errors.withLock { $0[number] }
    }

    /// Returns whether the last try to read a shard failed.
    func contains(_ number: UInt32) -> Bool { error(of: number) != nil }

    /// Stores the error of a try to read a shard.
    func insert(_ number: UInt32, _ error: DAGStoreError) {
        errors.withLock { errors in
            errors[number] = error
            count.store(errors.count, ordering: .relaxed)
        }
    }

    /// Removes a shard that was read, has another source, or is destroyed.
    func remove(_ number: UInt32) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        errors.withLock { errors in
            errors[number] = nil
            count.store(errors.count, ordering: .relaxed)
        }
    }
}
