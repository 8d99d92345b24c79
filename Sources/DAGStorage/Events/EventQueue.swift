package import Dispatch
internal import SharedReads

/// A queue of events for a thread that polls or blocks; a full queue drops its oldest event.
///
/// *Concurrency*: any thread.
package final class EventQueue: EventSink {
    /// The result of `next`.
    package enum Next: Sendable {
        case event(ShardEvent)
        /// No event came.
        case nothing
        /// The queue is empty, and no event follows.
        case end
    }

    private struct State {
        var events = FIFOQueue<ShardEvent>()
        var isFinished = false
        /// The number of threads that wait at the bell and have no signal on the way.
        var waiting = 0
    }

    private let capacity: Int
    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)

    /// Creates a queue that keeps `capacity` events.
    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    package func receive(_ event: ShardEvent) -> Bool {
        let (isWhole, wakes) = state.withLock { state in
            guard !state.isFinished else { return (true, false) }
            state.events.append(event)
            let isWhole = state.events.count <= capacity
            if !isWhole { state.events.popFirst() }
            guard state.waiting > 0 else { return (isWhole, false) }
            state.waiting -= 1
            return (isWhole, true)
        }
        if wakes { bell.signal() }
        return isWhole
    }

    package func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = 0 }
            return state.waiting
        }
        for _ in 0..<waiting { bell.signal() }
    }

    /// Takes the next event from the queue; blocks the thread until there is one.
    ///
    /// - Parameter deadline: The time when the thread stops waiting; nil for no limit.
    /// - Returns: The event; `.nothing` after the deadline; `.end` after the last event.
    package func next(until deadline: DispatchTime?) -> Next {
        while true {
            let found = state.withLock { state -> Next in
                if let event = state.events.popFirst() { return .event(event) }
                if state.isFinished { return .end }
                state.waiting += 1
                return .nothing
            }
            guard case .nothing = found else { return found }
            guard bell.wait(timeout: deadline ?? .distantFuture) == .timedOut else { continue }
            let isWoken = state.withLock { state in
                guard state.waiting > 0 else { return true }
                state.waiting -= 1
                return false
            }
            // A signal came between the timeout and the lock: it is for this thread.
            guard isWoken else { return .nothing }
            bell.wait()
        }
    }
}

extension DAGStore {
    /// Adds a sink, which receives the events from now on.
    ///
    /// - Parameters:
    ///   - sink: Receives the events.
    ///   - isReader: Whether the sink is a reader. The first reader also receives the early events.
    /// - Returns: The number for `removeSink`; nil if the store is closed.
    package func addSink(_ sink: any EventSink, isReader: Bool) -> Int? {
        engine.events.add(sink, isReader: isReader)
    }

    /// Removes a sink.
    package func removeSink(_ number: Int) { engine.events.remove(number) }
}
