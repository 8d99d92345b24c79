internal import ShardLifecycle
internal import SharedReads
internal import Synchronization

/// An event in the life of a shard.
public struct ShardEvent: Sendable, Equatable {
    /// The kinds of events.
    public enum Operation: String, Sendable, CaseIterable {
        /// The shard was registered, or an opening of the store continued its interrupted registration.
        case register
        /// A job began to fetch and index the shard.
        case initialize
        /// The shard became readable.
        case makeAvailable
        /// The shard was destroyed.
        case destroy
        /// A lease began, or a caller that asked for one was refused; then the event has the error.
        case acquire
        /// The shard failed.
        case fail
        /// A lease ended.
        case release
        /// A job began to fetch and index the shard after a failure; the event has the error of that failure.
        case recover

        /// Whether the event is about a lease.
        public var isLease: Bool { self == .acquire || self == .release }
    }

    /// The event's number, counted from 1 since the store was opened; a reader that is too slow sees gaps.
    public let number: UInt64
    /// The kind of the event.
    public let operation: Operation
    /// The shard.
    public let key: ShardKey
    /// The state of the shard after the event; nil if the shard was destroyed.
    public let state: ShardStatus.State?
    /// The number of leases after the event.
    public let references: Int
    /// The error of a failure, of a refused caller, or of the failure that a recovery follows; nil for other events.
    public let error: DAGStoreError?
}

/// A failure of a shard.
public struct ShardFailure: Sendable, Equatable {
    /// The shard.
    public let key: ShardKey
    /// The reason.
    public let error: DAGStoreError
}

/// A receiver of events, called under a lock of the store.
///
/// It must not block, and must not call the store or a user's code.
package protocol EventSink: Sendable {
    /// Whether the sink gets `acquire` and `release`.
    var includesLeases: Bool { get }
    /// Receives an event.
    ///
    /// - Returns: Whether the sink kept all its events; false if it dropped one.
    func receive(_ event: ShardEvent) -> Bool
    /// Ends the sink: no event follows.
    func finish()
}

extension EventSink {
    /// Whether the sink gets `acquire` and `release`: it does.
    package var includesLeases: Bool { true }
}

/// Sends events to their readers, without waiting for a reader.
///
/// Every reader has a buffer of its own. A full buffer drops its oldest event, which is counted.
///
/// *Concurrency*: any thread. *Cost*: without readers, a load and an addition for each event.
final class EventStreams: Sendable {
    private struct Readers {
        var last = 0
        var events: [Int: EventReader] = [:]
        var failures: [Int: AsyncStream<ShardFailure>.Continuation] = [:]
        var sinks: [Int: any EventSink] = [:]
        var isFinished = false
        /// The events of the store's own work after its opening, for the first reader of each kind.
        var early: [ShardEvent] = []
        var isRecording = true
        var hasEventReader = false
        var hasFailureReader = false
    }

    /// A reader of events.
    private struct EventReader {
        let continuation: AsyncStream<ShardEvent>.Continuation
        let includesLeases: Bool
    }

    /// The largest number of early events.
    static let earlyMax = 1024

    private let readers = Lock(Readers())
    private let isRead = Atomic<Bool>(true)
    /// Whether a reader wants events of leases.
    private let areLeasesRead = Atomic<Bool>(true)
    private let number = Atomic<UInt64>(0)
    private let dropped = Atomic<UInt64>(0)

    /// Whether there are readers of events of leases.
    var areLeasesWatched: Bool { areLeasesRead.load(ordering: .relaxed) }

    /// The number of events that slow readers have lost.
    var droppedCount: UInt64 { dropped.load(ordering: .relaxed) }

    /// Returns a stream of the events from now on.
    func events(
        bufferingNewest limit: Int,
        includingLeases includesLeases: Bool
    ) -> AsyncStream<ShardEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ShardEvent.self,
            bufferingPolicy: .bufferingNewest(limit)
        )
        add { readers, id in
            readers.events[id] = EventReader(
                continuation: continuation,
                includesLeases: includesLeases
            )
            if !readers.hasEventReader {
                for event in readers.early where includesLeases || !event.operation.isLease {
                    count(continuation.yield(event))
                }
            }
            readers.hasEventReader = true
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
        } orElse: {
            continuation.finish()
        }
        return stream
    }

    /// Returns a stream of the failures from now on.
    func failures(bufferingNewest limit: Int) -> AsyncStream<ShardFailure> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ShardFailure.self,
            bufferingPolicy: .bufferingNewest(limit)
        )
        add { readers, id in
            readers.failures[id] = continuation
            if !readers.hasFailureReader {
                for event in readers.early where event.operation == .fail {
                    guard let error = event.error else { continue }
                    count(continuation.yield(ShardFailure(key: event.key, error: error)))
                }
            }
            readers.hasFailureReader = true
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
        } orElse: {
            continuation.finish()
        }
        return stream
    }

    /// Adds a sink, which receives the events from now on.
    ///
    /// - Parameters:
    ///   - sink: Receives the events.
    ///   - isReader: Whether the sink is a reader. The first reader also receives the early events.
    /// - Returns: The number for `remove`; nil if the streams have ended, and the call has ended the sink.
    func add(_ sink: any EventSink, isReader: Bool) -> Int? {
        var number: Int?
        add { readers, id in
            readers.sinks[id] = sink
            number = id
            guard isReader else { return }
            if !readers.hasEventReader {
                for event in readers.early where sink.includesLeases || !event.operation.isLease {
                    if !sink.receive(event) { dropped.add(1, ordering: .relaxed) }
                }
            }
            readers.hasEventReader = true
        } orElse: {
            sink.finish()
        }
        return number
    }

    private func add(_ body: (inout Readers, Int) -> Void, orElse finish: () -> Void) {
        let isOpen = readers.withLock { readers in
            guard !readers.isFinished else { return false }
            readers.last += 1
            body(&readers, readers.last)
            updateIsRead(readers)
            return true
        }
        if !isOpen { finish() }
    }

    /// Removes a reader or a sink.
    func remove(_ id: Int) {
        readers.withLock { readers in
            readers.sinks[id] = nil
            readers.events[id] = nil
            readers.failures[id] = nil
            updateIsRead(readers)
        }
    }

    private func updateIsRead(_ readers: Readers) {
        let isEmpty =
            readers.events.isEmpty && readers.failures.isEmpty && readers.sinks.isEmpty
            && !readers.isRecording
        isRead.store(!isEmpty, ordering: .relaxed)
        let areLeasesRead =
            readers.isRecording || readers.sinks.values.contains { $0.includesLeases }
            || readers.events.values.contains { $0.includesLeases }
        self.areLeasesRead.store(areLeasesRead, ordering: .relaxed)
    }

    /// Stops recording early events; the loop's callers do so with their first request.
    func stopRecording() {
        readers.withLock { readers in
            guard readers.isRecording else { return }
            readers.isRecording = false
            updateIsRead(readers)
        }
    }

    /// Sends an event to all readers.
    func send(
        _ operation: ShardEvent.Operation,
        _ key: ShardKey,
        _ state: ShardStatus.State?,
        references: Int,
        error: DAGStoreError? = nil
    ) {
        let isWatched = operation.isLease ? areLeasesWatched : isRead.load(ordering: .relaxed)
        guard isWatched else {
            return _ = number.add(1, ordering: .relaxed)
        }
        // Under the lock, so that the events have the order of their numbers. `yield` does not block.
        readers.withLock { readers in
            let event = ShardEvent(
                number: number.add(1, ordering: .relaxed).newValue,
                operation: operation,
                key: key,
                state: state,
                references: references,
                error: error
            )
            if readers.isRecording, readers.early.count < Self.earlyMax {
                readers.early.append(event)
            }
            for reader in readers.events.values where reader.includesLeases || !operation.isLease {
                count(reader.continuation.yield(event))
            }
            for sink in readers.sinks.values where sink.includesLeases || !operation.isLease {
                if !sink.receive(event) { dropped.add(1, ordering: .relaxed) }
            }
            guard operation == .fail, let error else { return }
            let failure = ShardFailure(key: key, error: error)
            for continuation in readers.failures.values { count(continuation.yield(failure)) }
        }
    }

    private func count<Element>(_ result: AsyncStream<Element>.Continuation.YieldResult) {
        if case .dropped = result { dropped.add(1, ordering: .relaxed) }
    }

    /// Ends all streams.
    func finish() {
        let (events, failures, sinks) = readers.withLock { readers in
            readers.isFinished = true
            return (
                readers.events.values.map(\.continuation), Array(readers.failures.values),
                Array(readers.sinks.values)
            )
        }
        for sink in sinks { sink.finish() }
        // A stream that ends calls `remove`, which takes the lock.
        for continuation in events { continuation.finish() }
        for continuation in failures { continuation.finish() }
    }
}

// Two types with the same cases: `ShardEvent.Operation` is public, and the lifecycle's module is internal to the
// package. A shared type would make that module a part of the public interface.
extension ShardEvent.Operation {
    init(_ operation: ShardLifecycle.Operation) {
        self =
            switch operation {
            case .register: .register
            case .initialize: .initialize
            case .makeAvailable: .makeAvailable
            case .destroy: .destroy
            case .acquire: .acquire
            case .fail: .fail
            case .release: .release
            case .recover: .recover
            }
    }
}
