internal import CDAGSystem
internal import Dispatch

/// Lets things go when the readers that may still see them have ended.
///
/// What is given here can no longer be reached: it was taken out of the table or reference that led to it. The
/// reclaimer issues one barrier for all that waits, finds the readings of each mark, and acts when these have ended.
/// Readings that begin later are not waited for: they cannot see it.
///
/// Actions of one mark run in the order in which they came, on a queue of the reclaimer's. A reader that hangs
/// holds up its own mark only.
///
/// *Concurrency*: any thread. There is one reclaimer in a process, because there is one record for each thread.
public enum Reclaimer {
    /// Something to do once; what it holds goes as soon as it is done, whoever still has the action.
    private final class Action: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: only the queue touches the body.
        private var body: (@Sendable () -> Void)?

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        func run() {
            body?()
            body = nil
        }
    }

    private struct Waiting {
        let mark: ReadMark
        let action: Action
    }

    private struct State {
        var new: [Waiting] = []
        var isScheduled = false
    }

    /// What waits for readings that were found.
    @safe private struct Item: @unchecked Sendable {
        // SAFETY: readings lie in records, which are never freed.
        let mark: ReadMark
        let action: Action
        var readings: [dagstore_reading]

        init(_ waiting: Waiting, _ readings: [dagstore_reading]) {
            mark = waiting.mark
            action = waiting.action
            unsafe self.readings = readings
        }

        /// Whether all readings have ended.
        mutating func isReady() -> Bool {
            // SAFETY: as above.
            unsafe readings.removeAll { unsafe dagstore_reading_is_over($0) }
            return unsafe readings.isEmpty
        }
    }

    private static let state = Lock(State())
    private static let queue = DispatchQueue(label: "dagstore.reclaimer", qos: .userInitiated)
    /// The longest pause between two looks at readings, in nanoseconds.
    private static let pauseMax = 10_000_000

    /// Runs `action` when all readings of `mark` that are under way have ended.
    public static func after(readersOf mark: ReadMark, _ action: @escaping @Sendable () -> Void) {
        let isFirst = state.withLock { state in
            state.new.append(Waiting(mark: mark, action: Action(action)))
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { queue.async { work([], pause: 1000) } }
    }

    /// Keeps `object` until all readings of `mark` that are under way have ended.
    public static func retire<Object: AnyObject & Sendable>(_ object: Object, _ mark: ReadMark) {
        after(readersOf: mark) { withExtendedLifetime(object) {} }
    }

    /// Waits until everything that was given here under `mark` is gone; blocks the thread.
    ///
    /// Must be called neither by a reader of the mark nor by an action.
    public static func drain(_ mark: ReadMark) {
        let bell = DispatchSemaphore(value: 0)
        after(readersOf: mark) { bell.signal() }
        bell.wait()
    }

    /// Waits until everything that was given here under `mark` is gone.
    public static func drained(_ mark: ReadMark) async {
        await withCheckedContinuation { continuation in
            after(readersOf: mark) { continuation.resume() }
        }
    }

    /// Whether a thread reads what `mark` names; a reading that begins during the call may be missed.
    ///
    /// *Cost*: a barrier on every running thread of the process, some microseconds.
    public static func isRead(_ mark: ReadMark) -> Bool {
        dagstore_readers_barrier()
        return dagstore_readers_find(mark.word, nil, 0) > 0
    }

    /// Looks at what waits, once; comes again after a pause if some of it has to wait on.
    private static func work(_ old: [Item], pause: Int) {
        let new = state.withLock { state in
            defer { state.new = [] }
            return state.new
        }
        let left = actOnReady(old + found(new))
        guard left.isEmpty else {
            // Most readings are over within a microsecond.
            let next = new.isEmpty ? min(2 * pause, pauseMax) : 1000
            queue.asyncAfter(deadline: .now() + .nanoseconds(next)) { work(left, pause: next) }
            return
        }
        let isDone = state.withLock { state in
            guard state.new.isEmpty else { return false }
            state.isScheduled = false
            return true
        }
        if !isDone { queue.async { work([], pause: 1000) } }
    }

    /// Finds the readings that new things wait for.
    private static func found(_ new: [Waiting]) -> [Item] {
        guard !new.isEmpty else { return [] }
        dagstore_readers_barrier()
        // SAFETY: readings lie in records, which are never freed.
        var readings: [ReadMark: [dagstore_reading]] = unsafe [:]
        for waiting in new where unsafe readings[waiting.mark] == nil {
            unsafe readings[waiting.mark] = unsafe self.readings(of: waiting.mark)
        }
        return new.map { unsafe Item($0, readings[$0.mark] ?? []) }
    }

    private static func readings(of mark: ReadMark) -> [dagstore_reading] {
        var capacity = 64
        while true {
            var total = 0
            let found = unsafe [dagstore_reading](unsafeUninitializedCapacity: capacity) {
                buffer,
                count in
                // SAFETY: the call writes at most `capacity` elements, from the first on.
                total = unsafe dagstore_readers_find(mark.word, buffer.baseAddress, capacity)
                count = min(total, capacity)
            }
            guard total > capacity else { return unsafe found }
            capacity = 2 * total
        }
    }

    /// Acts for everything whose readings have ended.
    ///
    /// - Returns: What has to wait on, in its order.
    private static func actOnReady(_ items: [Item]) -> [Item] {
        var left: [Item] = []
        var blocked: Set<ReadMark> = []
        for var item in items {
            if item.isReady(), !blocked.contains(item.mark) {
                item.action.run()
            } else {
                blocked.insert(item.mark)
                left.append(item)
            }
        }
        return left
    }
}
