internal import DAGMounts
internal import SharedReads

/// The counters of the traffic of shards, in this process.
///
/// It has a counter for each shard whose mount this process has used and cannot map, until the shard is destroyed, and
/// one for each scheme of these mounts.
///
/// *Concurrency*: any thread.
final class ShardTraffic: Sendable {
    private struct State {
        var shards: [UInt32: (scheme: String, counter: TrafficCounter)] = [:]
        var schemes: [String: TrafficCounter] = [:]
    }

    private let state = Lock(State())

    /// Returns the counter of a shard whose mount has a scheme.
    ///
    /// After a change of the scheme the shard's counter begins again.
    func counter(of number: UInt32, _ scheme: String) -> TrafficCounter {
        state.withLock { state in
            if let known = state.shards[number], known.scheme == scheme { return known.counter }
            let total = state.schemes[scheme] ?? TrafficCounter()
            state.schemes[scheme] = total
            let counter = TrafficCounter(parent: total)
            state.shards[number] = (scheme, counter)
            return counter
        }
    }

    /// Returns the traffic of a shard; nil if this process has not used its mount.
    func traffic(of number: UInt32) -> Traffic? {
        state.withLock { $0.shards[number]?.counter }?.traffic
    }

    /// The traffic of all shards, those of destroyed shards included, by the schemes of their mounts.
    var schemes: [String: Traffic] {
        state.withLock { $0.schemes }.mapValues(\.traffic)
    }

    /// Forgets a destroyed shard; the traffic of its scheme stays.
    func remove(_ number: UInt32) { state.withLock { $0.shards[number] = nil } }
}
