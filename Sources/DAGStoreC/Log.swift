internal import CDAGStore
internal import DAGStorage
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The process's one receiver of log lines.
///
/// *Concurrency*: any thread. Lines are handed over on a queue of their own, so that nobody waits for the receiver.
enum Log {
    enum Level: Int32 {
        case error = 1
        case warning, info, debug
    }

    // SAFETY: callback and context go together, and are only handed back to the caller's own function.
    @safe private struct State {
        var callback: dagstore_log_fn?
        var context = unsafe Context(nil)
        /// The stores that are open, and their sinks.
        var stores: [ObjectIdentifier: (known: KnownStore, sink: Int?)] = [:]
    }

    /// A store that its box holds: the box takes it off this list before it lets go.
    ///
    /// A weak reference would need memory of its own that only the store knows, where leak checkers cannot see it.
    private struct KnownStore {
        unowned let store: DAGStore
    }

    private static let waitingMax = 1024
    private static let level = Atomic<Int32>(0)
    private static let waiting = Atomic<Int>(0)
    private static let state = Lock(State())
    private static let queue = DispatchQueue(label: "dagstore.log")

    /// Whether lines of a level are wanted.
    static func wants(_ level: Level) -> Bool {
        level.rawValue <= self.level.load(ordering: .relaxed)
    }

    /// Says who receives lines from now on.
    ///
    /// Lines that were told before go to the receiver before, unless the call is made in a callback.
    static func set(_ level: Int32, _ callback: dagstore_log_fn?, _ context: Context) {
        if !isInCallback { queue.sync {} }
        state.withLock { state in
            unsafe self.level.store(callback == nil ? 0 : level, ordering: .relaxed)
            unsafe state.callback = unsafe callback
            state.context = context
            for key in state.stores.keys { connect(key, &state) }
        }
        if !isInCallback { queue.sync {} }
    }

    /// Hands a line over, unless nobody wants it.
    static func tell(_ level: Level, _ message: @escaping @Sendable () -> String) {
        guard wants(level) else { return }
        guard waiting.add(1, ordering: .relaxed).newValue <= waitingMax else {
            waiting.subtract(1, ordering: .relaxed)
            return
        }
        queue.async {
            waiting.subtract(1, ordering: .relaxed)
            let (callback, context) = unsafe state.withLock { unsafe ($0.callback, $0.context) }
            guard let callback = unsafe callback, wants(level) else { return }
            let text = CText(message())
            // SAFETY: the text stays for the call, and the header says what the context is.
            callingBack { unsafe callback(context.pointer, level.rawValue, text.start) }
        }
    }

    // MARK: Stores

    /// Listens to a store from now on.
    static func add(_ store: DAGStore) {
        state.withLock { state in
            let key = ObjectIdentifier(store)
            state.stores[key] = (KnownStore(store: store), nil)
            connect(key, &state)
        }
    }

    /// Listens to a store no more.
    static func remove(_ store: DAGStore) {
        let sink = state.withLock { $0.stores.removeValue(forKey: ObjectIdentifier(store))?.sink }
        if let sink { store.removeSink(sink) }
    }

    private static func connect(_ key: ObjectIdentifier, _ state: inout State) {
        guard let (known, sink) = state.stores[key] else { return }
        let store = known.store
        switch (wants(.warning), sink) {
        case (true, nil):
            state.stores[key]?.sink = store.addSink(LogSink(), isReader: false)
        case (false, let sink?):
            store.removeSink(sink)
            state.stores[key]?.sink = nil
        default: break
        }
    }
}

/// Turns events into lines.
private final class LogSink: EventSink {
    func take(_ event: ShardEvent) -> Bool {
        let level: Log.Level =
            switch event.operation {
            case .fail: .warning
            case .register, .initialize, .makeAvailable, .destroy, .recover: .info
            case .acquire, .release: .debug
            }
        Log.tell(level) {
            let what = "shard \(event.key): \(event.operation.rawValue)"
            let state = event.state.map { ", \($0.rawValue)" } ?? ""
            let error = event.error.map { ": \($0.code.name): \($0.message)" } ?? ""
            return what + state + error
        }
        return true
    }

    func finish() {}
}
