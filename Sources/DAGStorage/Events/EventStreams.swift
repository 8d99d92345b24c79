internal import ShardLifecycle
internal import SharedReads
internal import Synchronization

/// Something that happened to a shard.
public struct ShardEvent: Sendable, Equatable {
    /// The kinds of events.
    public enum Operation: String, Sendable, CaseIterable {
        /// The shard became known; also when an interrupted registration is taken up at open.
        case register
        /// Its bytes are being fetched and indexed.
        case initialize
        /// It can be read from now on.
        case makeAvailable
        /// It is known no longer.
        case destroy
        /// A caller asked for a lease, and got it, waits for it or was refused.
        case acquire
        /// It failed.
        case fail
        /// A lease ended.
        case release
        /// It is being fetched and indexed again after a failure.
        case recover
    }

    /// The event's number, counted from 1 since the store was opened; a reader that is too slow sees gaps.
    public let number: UInt64
    /// The kind of the event.
    public let operation: Operation
    /// To which shard.
    public let key: ShardKey
    /// Where the shard is after it; nil if it is known no longer.
    public let state: ShardStatus.State?
    /// The leases after it.
    public let references: Int
    /// Why it failed, if it has failed.
    public let error: DAGStoreError?
}

/// A failure of a shard.
public struct ShardFailure: Sendable, Equatable {
    /// Which shard.
    public let key: ShardKey
    /// Why.
    public let error: DAGStoreError
}

/// Takes events in, under a lock of the store; so it must not block, or call the store or a user's code.
package protocol EventSink: Sendable {
    /// Takes an event.
    ///
    /// - Returns: Whether no event was lost for it.
    func receive(_ event: ShardEvent) -> Bool
    /// Ends the sink: no event follows.
    func finish()
}

/// Hands events to their readers, without waiting for any.
///
/// Every reader has a buffer of its own; when it is full, the oldest element in it goes and is counted.
///
/// *Concurrency*: any thread. Without readers, an event costs a load and an addition.
final class EventStreams: Sendable {
    private struct Readers {
        var last = 0
        var events: [Int: AsyncStream<ShardEvent>.Continuation] = [:]
        var failures: [Int: AsyncStream<ShardFailure>.Continuation] = [:]
        var sinks: [Int: any EventSink] = [:]
        var isFinished = false
        /// Events of the store's own work after it was opened, for the first reader of each kind.
        var early: [ShardEvent] = []
        var isRecording = true
        var hasEventReader = false
        var hasFailureReader = false
    }

    /// The number of events that are kept for late readers.
    static let earlyMax = 1024

    private let readers = Lock(Readers())
    private let isRead = Atomic<Bool>(true)
    private let number = Atomic<UInt64>(0)
    private let dropped = Atomic<UInt64>(0)

    /// Whether there are readers.
    var isWatched: Bool { isRead.load(ordering: .relaxed) }

    /// Elements that slow readers have lost.
    var droppedCount: UInt64 { dropped.load(ordering: .relaxed) }

    /// A stream of what happens from now on.
    func events(bufferingNewest limit: Int) -> AsyncStream<ShardEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ShardEvent.self,
            bufferingPolicy: .bufferingNewest(limit)
        )
        add { readers, id in
            readers.events[id] = continuation
            if !readers.hasEventReader {
                for event in readers.early { count(continuation.yield(event)) }
            }
            readers.hasEventReader = true
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
        } orElse: {
            continuation.finish()
        }
        return stream
    }

    /// A stream of the failures from now on.
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
    /// - Returns: The number for `remove`; nil if the streams have ended, and so has the sink.
    func add(_ sink: any EventSink, isReader: Bool) -> Int? {
        var number: Int?
        add { readers, id in
            readers.sinks[id] = sink
            number = id
            guard isReader else { return }
            if !readers.hasEventReader {
                for event in readers.early where !sink.receive(event) {
                    dropped.add(1, ordering: .relaxed)
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
        guard isWatched else { return _ = number.add(1, ordering: .relaxed) }
        // The lock orders the numbers and the events alike. Handing an event over does not block.
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
            for continuation in readers.events.values { count(continuation.yield(event)) }
            for sink in readers.sinks.values where !sink.receive(event) {
                dropped.add(1, ordering: .relaxed)
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
                Array(readers.events.values), Array(readers.failures.values),
                Array(readers.sinks.values)
            )
        }
        for sink in sinks { sink.finish() }
        // A stream that ends calls `remove`, which takes the lock.
        for continuation in events { continuation.finish() }
        for continuation in failures { continuation.finish() }
    }
}

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
