internal import CDAGStore
internal import DAGStorage
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The process's one receiver of log lines.
///
/// *Concurrency*: any thread. A queue of its own delivers the lines, so that no caller waits for the receiver.
enum Log {
    enum Level: Int32 {
        case error = 1
        case warning, info, debug
    }

    // SAFETY: the caller's function, called only with the context that was set with it.
    @safe private struct State {
        var callback: dagstore_log_fn?
        var context = Context(nil)
        /// The stores that are open, and their sinks.
        var stores: [ObjectIdentifier: (known: KnownStore, sink: Int?)] = [:]
    }

    /// A store that its `StoreBox` retains: the box removes it from `stores` before it releases it.
    ///
    /// A weak reference would allocate memory that only the store points to, which leak checkers report.
    private struct KnownStore {
        unowned let store: DAGStore
    }

    private static let waitingMax = 1024
    private static let level = Atomic<Int32>(0)
    private static let waiting = Atomic<Int>(0)
    private static let state = Lock(State())
    private static let queue = DispatchQueue(label: "dagstore.log")

    /// Whether the receiver wants lines of a level.
    static func isEnabled(_ level: Level) -> Bool {
        level.rawValue <= self.level.load(ordering: .relaxed)
    }

    /// Sets the receiver of lines from now on.
    ///
    /// Earlier lines go to the earlier receiver, unless the call is made in a callback.
    @safe static func setReceiver(_ callback: dagstore_log_fn?, _ context: Context, level: Int32) {
        if !isInCallback { queue.sync {} }
        state.withLock { state in
            // SAFETY: only compared with NULL and kept.
            unsafe self.level.store(callback == nil ? 0 : level, ordering: .relaxed)
            unsafe state.callback = callback
            state.context = context
            for key in state.stores.keys { connect(key, &state) }
        }
        if !isInCallback { queue.sync {} }
    }

    /// Delivers a line, if the receiver wants its level; drops it while 1,024 lines wait.
    static func write(_ level: Level, _ message: @escaping @Sendable () -> String) {
        guard isEnabled(level) else { return }
        guard waiting.add(1, ordering: .relaxed).newValue <= waitingMax else {
            waiting.subtract(1, ordering: .relaxed)
            return
        }
        queue.async {
            waiting.subtract(1, ordering: .relaxed)
            // SAFETY: the caller's function, with the context that was set with it; the text stays for the call.
            let (callback, context) = unsafe state.withLock { unsafe ($0.callback, $0.context) }
            guard let callback = unsafe callback, isEnabled(level) else { return }
            let text = CText(message())
            runCallback { unsafe callback(context.pointer, level.rawValue, text.start) }
        }
    }

    // MARK: Stores

    /// Starts to log the events of a store.
    static func add(_ store: DAGStore) {
        state.withLock { state in
            let key = ObjectIdentifier(store)
            state.stores[key] = (KnownStore(store: store), nil)
            connect(key, &state)
        }
    }

    /// Stops to log the events of a store.
    static func remove(_ store: DAGStore) {
        let sink = state.withLock { $0.stores.removeValue(forKey: ObjectIdentifier(store))?.sink }
        if let sink { store.removeSink(sink) }
    }

    private static func connect(_ key: ObjectIdentifier, _ state: inout State) {
        guard let (known, sink) = state.stores[key] else { return }
        let store = known.store
        // Another level may want events of leases.
        if let sink { store.removeSink(sink) }
        let next = LogSink(includesLeases: isEnabled(.debug))
        state.stores[key]?.sink =
            isEnabled(.info) ? store.addSink(next, isReader: false) : nil
    }
}

/// Writes a line for each event; the store's observer writes those of failures.
private final class LogSink: EventSink {
    let includesLeases: Bool

    init(includesLeases: Bool) { self.includesLeases = includesLeases }

    func receive(_ event: ShardEvent) -> Bool {
        guard event.operation != .fail else { return true }
        let level: Log.Level =
            switch event.operation {
            case .register, .initialize, .makeAvailable, .destroy, .recover, .fail: .info
            case .acquire, .release: .debug
            }
        Log.write(level) {
            let what = "shard \(event.key): \(event.operation.rawValue)"
            let state = event.state.map { ", \($0.rawValue)" } ?? ""
            let error = event.error.map { ": \($0.code.name): \($0.message)" } ?? ""
            return what + state + error
        }
        return true
    }

    func finish() {}
}
