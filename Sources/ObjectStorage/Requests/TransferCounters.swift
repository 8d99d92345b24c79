internal import SharedReads

/// The requests and bytes of a client, a mount or a shard.
///
/// *Concurrency*: any thread. Each call takes a lock, which costs little beside a request.
package final class TransferCounters: Sendable {
    /// The numbers at one moment.
    package struct Values: Hashable, Sendable {
        /// The requests sent, with repeated and redirected ones.
        package var requests: UInt64 = 0
        /// The requests that repeated an earlier one.
        package var retries: UInt64 = 0
        /// The redirects followed.
        package var redirects: UInt64 = 0
        /// The requests that failed.
        package var failures: UInt64 = 0
        /// The bytes of bodies received.
        package var bytes: UInt64 = 0

        /// Creates zeros.
        package init() {}
    }

    private let state = Lock(Values())
    private let parent: TransferCounters?
    private let report: (@Sendable (Values) -> Void)?

    /// Creates counters.
    ///
    /// - Parameters:
    ///   - parent: Counters that count the same events too, and those of others.
    ///   - report: Receives each addition.
    package init(
        parent: TransferCounters? = nil,
        report: (@Sendable (Values) -> Void)? = nil
    ) {
        self.parent = parent
        self.report = report
    }

    /// The numbers now.
    package var values: Values { state.withLock { $0 } }

    /// Adds to the numbers, here and in the parent.
    package func count(_ add: (inout Values) -> Void) {
        state.withLock { add(&$0) }
        parent?.count(add)
        guard let report else { return }
        var part = Values()
        add(&part)
        report(part)
    }
}
