public import CDAGStore
internal import DAGCARFiles
internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

// The life of a shard, and leases: see `dagstore.h`.

/// What a registration says.
private struct Registration {
    let key: ShardKey
    let url: MountURL
    var indexing = Indexing.now
    var existingTransient: FilePath?
    var progress: (@Sendable (IndexingProgress) -> Void)?

    init(_ key: UnsafePointer<CChar>?, _ url: UnsafePointer<CChar>?) throws {
        self.key = try unsafe shardKey(key)
        self.url = try MountURL(unsafe text(url, "mount_url"))
    }

    mutating func read(_ flags: UInt32) throws(Failure) {
        try checkFlags(flags, DAGSTORE_REGISTER_LAZY, DAGSTORE_REGISTER_BACKGROUND)
        switch flags {
        case 0: indexing = .now
        case UInt32(DAGSTORE_REGISTER_LAZY): indexing = .onFirstUse
        case UInt32(DAGSTORE_REGISTER_BACKGROUND): indexing = .inBackground
        default: throw .argument("lazily and in the background")
        }
    }

    mutating func read(_ options: UnsafePointer<dagstore_register_options_t>?) throws(Failure) {
        guard unsafe options != nil else { return }
        let options = try unsafe input(options, "options")
        try unsafe read(options.flags)
        if let path = unsafe options.existing_transient {
            existingTransient = try unsafe filePath(path, "existing_transient")
        }
        guard let report = unsafe options.progress else { return }
        let receiver = unsafe ProgressReceiver(report, Context(options.progress_context))
        progress = { receiver.tell($0) }
    }

    func start(_ store: DAGStore, _ reply: @escaping DAGStore.Reply<Void>) throws {
        try store.register(
            key,
            from: url,
            indexing: indexing,
            existingTransient: existingTransient,
            progress: progress,
            reply: reply
        )
    }
}

/// Tells a caller how far indexing is.
@safe private struct ProgressReceiver: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on a thread of the library.
    private let report: dagstore_progress_fn
    private let context: Context

    init(_ report: @escaping dagstore_progress_fn, _ context: Context) {
        unsafe self.report = report
        self.context = context
    }

    func tell(_ progress: IndexingProgress) {
        callingBack {
            unsafe report(
                context.pointer,
                progress.bytesDone,
                progress.bytesTotal,
                progress.sections
            )
        }
    }
}

/// Tells a caller the outcome of an operation without a result.
@safe private struct Completion: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on the store's thread.
    private let done: dagstore_done_fn
    private let context: Context

    init(_ done: dagstore_done_fn?, _ context: Context) throws(Failure) {
        guard let done = unsafe done else { throw .argument("done is NULL") }
        unsafe self.done = done
        self.context = context
    }

    /// What the store replies to.
    func reply(on box: StoreBox) -> DAGStore.Reply<Void> {
        { result in
            box.complete {
                switch result {
                case .success: unsafe done(context.pointer, dagstore_status_t(DAGSTORE_OK), nil)
                case .failure(let error):
                    var handle: OpaquePointer?
                    let status = unsafe fail(error, &handle)
                    unsafe done(context.pointer, status, handle)
                    // The callback may have released it by mistake, which is forgiven.
                    unsafe HandleTable.remove(handle, .error, as: ErrorBox.self)
                }
            }
        }
    }
}

/// Blocks until the store has replied.
private func replied<Success: Sendable>(
    _ start: (@escaping DAGStore.Reply<Success>) throws -> Void
) throws -> Success {
    let outcome = Outcome<Success>()
    try start { outcome.set($0.mapError { $0 }) }
    return try outcome.wait()
}

/// See `dagstore_register` in `dagstore.h`.
@c(dagstore_register) @implementation
public func dagstore_register(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ flags: UInt32,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        var registration = try unsafe Registration(key, mount_url)
        try registration.read(flags)
        try unsafe withStore(store) { [registration] box in
            try replied { try registration.start(box.store, $0) }
        }
    }
}

/// See `dagstore_register_with` in `dagstore.h`.
@c(dagstore_register_with) @implementation
public func dagstore_register_with(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ options: UnsafePointer<dagstore_register_options_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        var registration = try unsafe Registration(key, mount_url)
        try unsafe registration.read(options)
        try unsafe withStore(store) { [registration] box in
            try replied { try registration.start(box.store, $0) }
        }
    }
}

/// See `dagstore_register_async` in `dagstore.h`.
@c(dagstore_register_async) @implementation
public func dagstore_register_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ options: UnsafePointer<dagstore_register_options_t>!,
    _ done: dagstore_done_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let completion = try unsafe Completion(done, Context(context))
        var registration = try unsafe Registration(key, mount_url)
        try unsafe registration.read(options)
        try unsafe withStore(store) { [registration] box in
            try registration.start(box.store, completion.reply(on: box))
        }
    }
}

/// See `dagstore_initialize` in `dagstore.h`.
@c(dagstore_initialize) @implementation
public func dagstore_initialize(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let key = try unsafe shardKey(key)
        try unsafe withStore(store) { box in
            try replied { box.store.initialize(key, reply: $0) }
        }
    }
}

/// See `dagstore_recover` in `dagstore.h`.
@c(dagstore_recover) @implementation
public func dagstore_recover(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let key = try unsafe shardKey(key)
        try unsafe withStore(store) { box in try replied { box.store.recover(key, reply: $0) } }
    }
}

/// See `dagstore_relocate` in `dagstore.h`.
@c(dagstore_relocate) @implementation
public func dagstore_relocate(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let key = try unsafe shardKey(key)
        let url = try MountURL(unsafe text(mount_url, "mount_url"))
        try unsafe withStore(store) { box in
            let store = box.store
            _ = try awaiting { try await store.relocate(key, to: url) }
        }
    }
}

/// See `dagstore_recover_async` in `dagstore.h`.
@c(dagstore_recover_async) @implementation
public func dagstore_recover_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ done: dagstore_done_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let completion = try unsafe Completion(done, Context(context))
        let key = try unsafe shardKey(key)
        try unsafe withStore(store) { $0.store.recover(key, reply: completion.reply(on: $0)) }
    }
}

/// See `dagstore_destroy` in `dagstore.h`.
@c(dagstore_destroy) @implementation
public func dagstore_destroy(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let key = try unsafe shardKey(key)
        try unsafe withStore(store) { box in try replied { box.store.destroy(key, reply: $0) } }
    }
}

// MARK: Leases

/// See `dagstore_acquire` in `dagstore.h`.
@c(dagstore_acquire) @implementation
public func dagstore_acquire(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ timeout_ms: UInt32,
    _ out_shard: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_shard, "out_shard")
        let key = try unsafe shardKey(key)
        let shard = try unsafe withStore(store) { try $0.store.acquire(key, patience(timeout_ms)) }
        unsafe place.pointee = try giveOut(.shard, shard)
    }
}

/// Tells a caller that it has a lease, or why not.
@safe private struct Acquisition: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on the store's thread.
    private let done: dagstore_acquired_fn
    private let context: Context

    init(_ done: dagstore_acquired_fn?, _ context: Context) throws(Failure) {
        guard let done = unsafe done else { throw .argument("done is NULL") }
        unsafe self.done = done
        self.context = context
    }

    func tell(_ result: Result<Shard, DAGStoreError>) {
        var error: OpaquePointer?
        do {
            let shard = try unsafe giveOut(.shard, try result.get())
            unsafe done(context.pointer, dagstore_status_t(DAGSTORE_OK), shard, nil)
        } catch let failure {
            let status = unsafe fail(failure, &error)
            unsafe done(context.pointer, status, nil, error)
            unsafe HandleTable.remove(error, .error, as: ErrorBox.self)
        }
    }
}

/// See `dagstore_acquire_async` in `dagstore.h`.
@c(dagstore_acquire_async) @implementation
public func dagstore_acquire_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ timeout_ms: UInt32,
    _ done: dagstore_acquired_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let acquisition = try unsafe Acquisition(done, Context(context))
        let key = try unsafe shardKey(key)
        try unsafe withStore(store) { box in
            box.store.acquire(key, patience(timeout_ms)) { result in
                box.complete { acquisition.tell(result) }
            }
        }
    }
}

/// See `dagstore_shard_release` in `dagstore.h`.
@c(dagstore_shard_release) @implementation
public func dagstore_shard_release(_ shard: OpaquePointer!) {
    // The lease ends with the object, and that goes with the last call that uses it.
    unsafe release(shard, .shard, as: Shard.self)
}

// MARK: What is known

/// See `dagstore_state` in `dagstore.h`.
@c(dagstore_state) @implementation
public func dagstore_state(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_state: UnsafeMutablePointer<UInt32>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe cleared(out_state, 0, "out_state")
        let key = try unsafe shardKey(key)
        let status = try unsafe withStore(store) { try $0.store.status(of: key) }
        unsafe place.pointee = status?.state.forC ?? UInt32(DAGSTORE_STATE_NONE)
    }
}

/// See `dagstore_shards_open` in `dagstore.h`.
@c(dagstore_shards_open) @implementation
public func dagstore_shards_open(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_shards: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_shards, "out_shards")
        let key = try unsafe key.map { try unsafe shardKey($0) }
        let cursor = try unsafe withStore(store) { box in
            guard let key else {
                _ = try box.store.statistics()  // Says that the store is closed, if it is.
                return ShardsCursor(box.store.statuses().makeIterator())
            }
            guard let status = try box.store.status(of: key) else {
                throw DAGStoreError(.shardUnknown, "there is no such shard", shard: key)
            }
            return ShardsCursor(status)
        }
        unsafe place.pointee = try giveOut(.shards, cursor)
    }
}

/// See `dagstore_shards_next` in `dagstore.h`.
@c(dagstore_shards_next) @implementation
public func dagstore_shards_next(
    _ shards: OpaquePointer!,
    _ out_info: UnsafeMutablePointer<dagstore_info_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe step(shards, .shards, as: ShardsCursor.self, out_info, out_error) {
        try unsafe $0.next()
    }
}

/// See `dagstore_shards_close` in `dagstore.h`.
@c(dagstore_shards_close) @implementation
public func dagstore_shards_close(_ shards: OpaquePointer!) {
    unsafe release(shards, .shards, as: ShardsCursor.self)
}

/// Steps a cursor: `next` gives its next value, or nil at the end.
func step<Cursor: AnyObject, Value: SizedStruct>(
    _ handle: OpaquePointer?,
    _ kind: HandleKind,
    as type: Cursor.Type,
    _ place: UnsafeMutablePointer<Value>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?,
    _ next: (Cursor) throws -> Value?
) -> dagstore_status_t {
    unsafe stepping(error) {
        let output = try unsafe Output(place, "the place for the result")
        guard let found = try unsafe HandleTable.with(handle, kind, as: type, next) else {
            throw Failure.handle("cursor of \(kind)")
        }
        guard let found else { return false }
        output.fill(found)
        return true
    }
}

/// See `dagstore_events_open` in `dagstore.h`.
@c(dagstore_events_open) @implementation
public func dagstore_events_open(
    _ store: OpaquePointer!,
    _ capacity: Int,
    _ out_events: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_events, "out_events")
        guard (1...(1 << 20)).contains(capacity) else {
            throw Failure.argument("a queue of \(capacity) events")
        }
        let box = try unsafe withStore(store) { try EventsBox($0.store, capacity: capacity) }
        unsafe place.pointee = try giveOut(.events, box)
    }
}

/// See `dagstore_events_next` in `dagstore.h`.
@c(dagstore_events_next) @implementation
public func dagstore_events_next(
    _ events: OpaquePointer!,
    _ timeout_ms: UInt32,
    _ out_event: UnsafeMutablePointer<dagstore_event_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe step(events, .events, as: EventsBox.self, out_event, out_error) {
        try unsafe $0.next(timeout_ms)
    }
}

/// See `dagstore_events_close` in `dagstore.h`.
@c(dagstore_events_close) @implementation
public func dagstore_events_close(_ events: OpaquePointer!) {
    unsafe release(events, .events, as: EventsBox.self) { $0.close() }
}
