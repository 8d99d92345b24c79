package import Dispatch
internal import SharedReads

/// Events for a thread that polls or blocks; when it is full, the oldest goes.
///
/// *Concurrency*: any thread.
package final class EventQueue: EventSink {
    /// The result of a look into the queue.
    package enum Next: Sendable {
        case event(ShardEvent)
        /// There is none yet.
        case nothing
        /// There is none and there will be none.
        case end
    }

    private struct State {
        var events = FIFOQueue<ShardEvent>()
        var isFinished = false
        /// Threads that wait and were not woken.
        var waiting = 0
    }

    private let capacity: Int
    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)

    /// A queue that keeps `capacity` events.
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

    /// The next event.
    ///
    /// - Parameter deadline: How long to wait for one; nil without an end.
    /// - Returns: It, or that there is none.
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
            // A signal came between the timeout and here: it is this thread's.
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
