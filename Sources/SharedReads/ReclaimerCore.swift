internal import CDAGSystem
internal import Dispatch

/// The reclaimer's list of actions, and the queue that decides when they run.
///
/// Actions run on other threads, because they may run a mount's code. Actions of one mark run one after the other.
///
/// *Concurrency*: any thread calls `add`; only the queue calls the rest.
@safe final class ReclaimerCore: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: `new` has a lock, and only the queue touches the rest.

    /// An action, which runs its body once and then frees it.
    private final class Action: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: one thread runs the action, and only that thread touches the body.
        private var body: (@Sendable () -> Void)?

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        func run() {
            body?()
            body = nil
        }
    }

    private struct Waiting: Sendable {
        let mark: ReadMark
        let action: Action
    }

    /// An action, and the readings that it waits for.
    @safe private struct Item {
        let mark: ReadMark
        let action: Action
        private var readings: [dagstore_reading]

        init(_ waiting: Waiting, _ readings: [dagstore_reading]) {
            mark = waiting.mark
            action = waiting.action
            // SAFETY: the readings point into records of threads, which are never freed.
            unsafe self.readings = readings
        }

        /// Returns whether all readings have ended.
        mutating func isReady() -> Bool {
            // SAFETY: the readings point into records of threads, which are never freed.
            unsafe readings.removeAll { unsafe dagstore_reading_is_over($0) }
            return unsafe readings.isEmpty
        }
    }

    private let new = Lock<[Waiting]>([])
    private let queue = DispatchQueue(label: "dagstore.reclaimer", qos: .userInitiated)
    private let actions = DispatchQueue(
        label: "dagstore.reclaimer.actions",
        qos: .userInitiated,
        attributes: .concurrent
    )
    private var items: [Item] = []
    /// The marks that have running actions.
    private var running: Set<ReadMark> = []
    /// Whether the queue will look again after a pause.
    private var isPausing = false
    /// The next pause between two looks at readings, in nanoseconds; most readings end within a microsecond.
    private var pause = pauseMin
    private static let pauseMin = 1000
    private static let pauseMax = 10_000_000

    /// Adds an action, to run after the end of all readings of `mark` that run now.
    func add(_ mark: ReadMark, _ body: @escaping @Sendable () -> Void) {
        let isFirst = new.withLock { new in
            new.append(Waiting(mark: mark, action: Action(body)))
            return new.count == 1
        }
        if isFirst { queue.async { self.checkItems() } }
    }

    /// Looks once at every waiting action.
    private func checkItems() {
        let added = new.withLock { new in
            defer { new = [] }
            return new
        }
        if !added.isEmpty {
            items += found(added)
            pause = Self.pauseMin
        }
        startReady()
        // When an action ends, the queue looks at the other actions of its mark.
        guard items.contains(where: { !running.contains($0.mark) }), !isPausing else { return }
        isPausing = true
        queue.asyncAfter(deadline: .now() + .nanoseconds(pause)) {
            self.isPausing = false
            self.pause = min(2 * self.pause, Self.pauseMax)
            self.checkItems()
        }
    }

    /// Finds the readings that new actions wait for.
    private func found(_ added: [Waiting]) -> [Item] {
        dagstore_readers_barrier()
        // SAFETY: the readings point into records of threads, which are never freed.
        var readings: [ReadMark: [dagstore_reading]] = unsafe [:]
        for waiting in added where unsafe readings[waiting.mark] == nil {
            unsafe readings[waiting.mark] = unsafe self.readings(of: waiting.mark)
        }
        return added.map { unsafe Item($0, readings[$0.mark] ?? []) }
    }

    private func readings(of mark: ReadMark) -> [dagstore_reading] {
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

    /// Starts the actions whose readings have ended.
    private func startReady() {
        var ready: [ReadMark: [Action]] = [:]
        var blocked = running
        var left: [Item] = []
        for var item in items {
            if !blocked.contains(item.mark), item.isReady() {
                ready[item.mark, default: []].append(item.action)
            } else {
                blocked.insert(item.mark)
                left.append(item)
            }
        }
        items = left
        for (mark, mine) in ready {
            running.insert(mark)
            actions.async {
                for action in mine { action.run() }
                self.queue.async {
                    self.running.remove(mark)
                    self.checkItems()
                }
            }
        }
    }
}
