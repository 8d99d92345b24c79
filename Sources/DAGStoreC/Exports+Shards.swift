public import CDAGStore
internal import DAGCARFiles
internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

// The life of a shard: see `dagstore.h`.

/// The arguments of a registration.
private struct Registration {
    let key: ShardKey
    let url: MountURL
    var indexing = Indexing.now
    var existingTransient: FilePath?
    var policy = MountPolicy.automatic
    var progress: (@Sendable (IndexingProgress) -> Void)?

    @safe init(_ key: UnsafePointer<CChar>?, _ url: UnsafePointer<CChar>?) throws {
        self.key = try readKey(key)
        self.url = try MountURL(readText(url, "mount_url"))
    }

    mutating func read(_ flags: UInt32) throws(Failure) {
        try checkFlags(flags, DAGSTORE_REGISTER_LAZY, DAGSTORE_REGISTER_BACKGROUND)
        switch flags {
        case 0: indexing = .now
        case UInt32(DAGSTORE_REGISTER_LAZY): indexing = .onFirstUse
        case UInt32(DAGSTORE_REGISTER_BACKGROUND): indexing = .inBackground
        default: throw .argument("flags ask for LAZY and BACKGROUND; set one of them")
        }
    }

    @safe mutating func read(
        _ options: UnsafePointer<dagstore_register_options_t>?
    ) throws(Failure) {
        guard let options = try readOptionalStruct(options, "options") else { return }
        try read(options.flags)
        policy = try readPolicy(options.policy)
        guard options.reserved == 0 else { throw .argument("reserved is not zero") }
        // SAFETY: a text of the caller's or NULL, and a function with its context, which are kept for it.
        if let path = unsafe options.existing_transient {
            existingTransient = try readPath(path, "existing_transient")
        }
        guard let report = unsafe options.progress else { return }
        let receiver = unsafe ProgressReceiver(report, Context(options.progress_context))
        progress = { receiver.report($0) }
    }

    func start(
        _ store: DAGStore,
        ticket: UInt64 = DAGStore.newTicket(),
        _ reply: @escaping DAGStore.Reply<Void>
    ) throws {
        try store.register(
            key,
            from: url,
            indexing: indexing,
            policy: policy,
            existingTransient: existingTransient,
            progress: progress,
            ticket: ticket,
            reply: reply
        )
    }
}

/// Reads a policy.
///
/// - Throws: `INVALID_ARGUMENT` for an unknown number.
private func readPolicy(_ number: UInt32) throws(Failure) -> MountPolicy {
    guard let policy = MountPolicy(forC: number) else {
        throw .argument("policy is \(number); it may be 0 to 3")
    }
    return policy
}

/// Blocks until the store has replied.
private func waitForReply<Success: Sendable>(
    _ start: (@escaping DAGStore.Reply<Success>) throws -> Void
) throws -> Success {
    let outcome = FirstAnswer<Success, any Error>()
    try start { outcome.deliver($0.mapError { $0 }) }
    return try outcome.wait()
}

/// See `dagstore_register` in `dagstore.h`.
@c @implementation public func dagstore_register(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ flags: UInt32,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        var registration = try Registration(key, mount_url)
        try registration.read(flags)
        try withStore(store) { [registration] box in
            try waitForReply { try registration.start(box.store, $0) }
        }
    }
}

/// See `dagstore_register_with` in `dagstore.h`.
@c @implementation public func dagstore_register_with(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ options: UnsafePointer<dagstore_register_options_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        var registration = try Registration(key, mount_url)
        try registration.read(options)
        try withStore(store) { [registration] box in
            try waitForReply { try registration.start(box.store, $0) }
        }
    }
}

/// See `dagstore_register_async` in `dagstore.h`.
@c @implementation public func dagstore_register_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ options: UnsafePointer<dagstore_register_options_t>!,
    _ done: dagstore_done_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let completion = try Completion(done, Context(context))
        var registration = try Registration(key, mount_url)
        try registration.read(options)
        try withStore(store) { [registration] box in
            try completion.begin(on: box) {
                try registration.start(box.store, ticket: $0, $1)
            }
        }
    }
}

/// See `dagstore_initialize` in `dagstore.h`.
@c @implementation public func dagstore_initialize(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let key = try readKey(key)
        try withStore(store) { box in
            try waitForReply { box.store.initialize(key, reply: $0) }
        }
    }
}

/// See `dagstore_initialize_async` in `dagstore.h`.
@c @implementation public func dagstore_initialize_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ done: dagstore_done_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let completion = try Completion(done, Context(context))
        let key = try readKey(key)
        try withStore(store) { box in
            completion.begin(on: box) { box.store.initialize(key, ticket: $0, reply: $1) }
        }
    }
}

/// See `dagstore_cancel` in `dagstore.h`.
@c @implementation public func dagstore_cancel(
    _ store: OpaquePointer!,
    _ context: UnsafeMutableRawPointer!,
    _ out_count: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let count = ValuePlace(orNULL: out_count, 0)
        try withStore(store) { box in
            let tickets = box.calls.tickets(of: Context(context))
            for ticket in tickets { box.store.cancel(ticket) }
            count.fill(tickets.count)
        }
    }
}

/// See `dagstore_recover` in `dagstore.h`.
@c @implementation public func dagstore_recover(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let key = try readKey(key)
        try withStore(store) { box in try waitForReply { box.store.recover(key, reply: $0) } }
    }
}

/// See `dagstore_recover_async` in `dagstore.h`.
@c @implementation public func dagstore_recover_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ done: dagstore_done_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let completion = try Completion(done, Context(context))
        let key = try readKey(key)
        try withStore(store) { box in
            completion.begin(on: box) { box.store.recover(key, ticket: $0, reply: $1) }
        }
    }
}

/// See `dagstore_relocate` in `dagstore.h`.
@c @implementation public func dagstore_relocate(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ mount_url: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let key = try readKey(key)
        let url = try MountURL(readText(mount_url, "mount_url"))
        try withStore(store) { box in
            let store = box.store
            _ = try waitForTask { try await store.relocate(key, to: url) }
        }
    }
}

/// See `dagstore_set_policy` in `dagstore.h`.
@c @implementation public func dagstore_set_policy(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ policy: UInt32,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let key = try readKey(key)
        let policy = try readPolicy(policy)
        try withStore(store) { box in
            let store = box.store
            _ = try waitForTask { try await store.setPolicy(of: key, to: policy) }
        }
    }
}

/// See `dagstore_destroy` in `dagstore.h`.
@c @implementation public func dagstore_destroy(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let key = try readKey(key)
        try withStore(store) { box in try waitForReply { box.store.destroy(key, reply: $0) } }
    }
}

/// See `dagstore_destroy_async` in `dagstore.h`.
@c @implementation public func dagstore_destroy_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ done: dagstore_done_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let completion = try Completion(done, Context(context))
        let key = try readKey(key)
        try withStore(store) { box in
            completion.begin(on: box) { box.store.destroy(key, ticket: $0, reply: $1) }
        }
    }
}
