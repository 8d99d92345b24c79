internal import SharedReads

/// The requests and bytes that mounts have read from other machines.
public struct Traffic: Sendable, Equatable {
    /// The number of requests sent, repeated ones included.
    public var requests: UInt64
    /// The number of bytes received.
    public var bytes: UInt64

    /// Creates numbers.
    public init(requests: UInt64 = 0, bytes: UInt64 = 0) {
        self.requests = requests
        self.bytes = bytes
    }

    /// Adds both numbers; a sum that is too large wraps around.
    public static func += (total: inout Traffic, part: Traffic) {
        total.requests &+= part.requests
        total.bytes &+= part.bytes
    }
}

/// A counter of the traffic of a shard, or of all shards of a scheme.
///
/// *Concurrency*: any thread. Each call takes a lock, which costs little beside a request.
public final class TrafficCounter: Sendable {
    private let state = Lock(Traffic())
    private let parent: TrafficCounter?

    /// Creates a counter at zero.
    ///
    /// - Parameter parent: A counter that counts the same traffic too, and that of others.
    public init(parent: TrafficCounter? = nil) { self.parent = parent }

    /// The traffic so far.
    public var traffic: Traffic { state.withLock { $0 } }

    /// Counts traffic, here and in the parent.
    public func count(_ part: Traffic) {
        state.withLock { $0 += part }
        parent?.count(part)
    }
}
