public import CDAGStore
internal import DAGMounts
internal import DAGStorage
internal import RemoteMounts

// Mounts and stores: see `dagstore.h`.

/// See `dagstore_mounts_new` in `dagstore.h`.
@c @implementation public func dagstore_mounts_new(
    _ out_mounts: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_mounts, "out_mounts")
        try place.fill(.mounts, MountsBox())
    }
}

/// See `dagstore_mounts_add` in `dagstore.h`.
@c @implementation public func dagstore_mounts_add(
    _ mounts: OpaquePointer!,
    _ scheme: UnsafePointer<CChar>!,
    _ vtable: UnsafePointer<dagstore_mount_vtable_t>!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let scheme = try readText(scheme, "scheme")
        let table = try readStruct(vtable, "vtable")
        // SAFETY: only compared with NULL.
        let hasAll =
            unsafe (table.stat != nil || table.stat_shard != nil)
            && (table.open != nil || table.open_shard != nil)
            && table.read_at != nil && table.close != nil
        guard hasAll else { throw Failure.argument("vtable lacks stat, open, read_at or close") }
        // SAFETY: only compared with NULL.
        let last = unsafe UInt32(
            table.open_shard == nil ? DAGSTORE_ACCESS_RANDOM : DAGSTORE_ACCESS_FILE
        )
        guard (UInt32(DAGSTORE_ACCESS_SEQUENTIAL)...last).contains(table.access) else {
            throw Failure.argument("access is \(table.access); it may be 1 to \(last)")
        }
        let hook = MountHook(table, Context(context))
        let isDone: Void? = try HandleTable.with(mounts, .mounts, as: MountsBox.self) {
            try $0.add(hook, scheme: scheme)
        }
        guard isDone != nil else { throw Failure.handle("dagstore_mounts_t") }
    }
}

/// See `dagstore_mounts_release` in `dagstore.h`.
@c @implementation public func dagstore_mounts_release(_ mounts: OpaquePointer!) {
    release(mounts, .mounts, as: MountsBox.self)
}

// MARK: Stores

/// See `dagstore_config_init` in `dagstore.h`.
@c @implementation public func dagstore_config_init(
    _ config: UnsafeMutablePointer<dagstore_config_t>!,
    _ size: Int,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        // SAFETY: rule 3 asks for NULL or a configuration, which starts with its size.
        guard let config = unsafe config else { throw Failure.argument("config is NULL") }
        guard size >= dagstore_config_t.firstSize, size <= Int(UInt32.max) else {
            throw Failure.argument("size is \(size); it must be sizeof(dagstore_config_t)")
        }
        unsafe config.pointee.size = UInt32(size)
        try StructPlace(config, "config").fill(Configuration().forC)
    }
}

/// See `dagstore_open` in `dagstore.h`.
@c @implementation public func dagstore_open(
    _ path: UnsafePointer<CChar>!,
    _ config: UnsafePointer<dagstore_config_t>!,
    _ out_store: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_store, "out_store")
        let path = try readPath(path, "path")
        var configuration = Configuration()
        var registry = MountRegistry.standard
        var remote = RemoteSettings(store: path)
        if let config = try readOptionalStruct(config, "config") {
            configuration = try Configuration(config)
            registry = try mountRegistry(config)
            try remote.read(config)
        }
        if configuration.observer == nil {
            configuration.observer = CObserver(nil, Context(nil))
        }
        do {
            try RemoteSchemes.add(to: &registry, remote)
            let store = try DAGStore.open(at: path, mounts: registry, configuration: configuration)
            try place.fill(.store, StoreBox(store))
            Log.write(.info) { "store opened: \(path)" }
        } catch {
            Log.write(.error) { "store not opened: \(error)" }
            throw error
        }
    }
}

extension RemoteSettings {
    /// Reads the settings of a configuration.
    ///
    /// - Throws: `INVALID_CONFIGURATION`.
    fileprivate mutating func read(_ config: dagstore_config_t) throws(Failure) {
        guard let policy = MountPolicy(forC: config.remote_policy) else {
            throw Failure(
                dagstore_status_t(DAGSTORE_INVALID_CONFIGURATION),
                "remote_policy is \(config.remote_policy); it may be 0 to 3"
            )
        }
        if policy != .automatic { self.policy = policy }
        allowsPrivate = config.flags & UInt32(DAGSTORE_OPEN_ALLOWS_PRIVATE) != 0
        if config.remote_cache_size > 0 { cacheSizeMax = config.remote_cache_size }
    }
}

/// The schemes of a configuration.
private func mountRegistry(_ config: dagstore_config_t) throws(Failure) -> MountRegistry {
    // SAFETY: a handle is a number; nothing reads memory through it.
    guard unsafe config.mounts != nil else { return .standard }
    let found = unsafe HandleTable.with(config.mounts, .mounts, as: MountsBox.self) { $0.current }
    guard let found else { throw .handle("dagstore_mounts_t") }
    return found
}

/// See `dagstore_shutdown` in `dagstore.h`.
@c @implementation public func dagstore_shutdown(
    _ store: OpaquePointer!,
    _ flags: UInt32,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        try checkFlags(flags, DAGSTORE_SHUTDOWN_CANCELLING)
        try withStore(store) { $0.close(cancellingJobs: flags != 0) }
    }
}

/// See `dagstore_close` in `dagstore.h`.
@c @implementation public func dagstore_close(_ store: OpaquePointer!) {
    let isOurs = HandleTable.with(store, .store, as: StoreBox.self) { $0.isOfThisProcess }
    // In a forked child there is no thread that could end anything, and the files are the parent's.
    if isOurs == false { return }
    release(store, .store, as: StoreBox.self) { $0.close(cancellingJobs: false) }
}

/// Calls `body` with a store.
///
/// - Throws: `INVALID_ARGUMENT` if the handle is no open store, `CLOSED` in a forked process, and the errors of
///   `body`.
@safe @inline(__always)
func withStore<R>(_ handle: OpaquePointer?, _ body: (StoreBox) throws -> R) throws -> R {
    let result = try HandleTable.with(handle, .store, as: StoreBox.self) { box in
        guard box.isOfThisProcess else { throw Failure.forked }
        return try body(box)
    }
    guard let result else { throw Failure.handle("dagstore_t") }
    return result
}

/// See `dagstore_compact` in `dagstore.h`.
@c @implementation public func dagstore_compact(
    _ path: UnsafePointer<CChar>!,
    _ map_size: UInt64,
    _ out_before: UnsafeMutablePointer<UInt64>!,
    _ out_after: UnsafeMutablePointer<UInt64>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let before = ValuePlace(orNULL: out_before, 0)
        let after = ValuePlace(orNULL: out_after, 0)
        let path = try readPath(path, "path")
        var configuration = Configuration()
        if map_size > 0 {
            guard map_size >= 1 << 20, map_size <= 1 << 47 else {
                throw Failure.argument("map_size is \(map_size); it may be 1 MiB to 128 TiB")
            }
            configuration.mapSize = Int(map_size)
        }
        let report = try DAGStore.compact(at: path, mapSize: configuration.mapSize)
        before.fill(report.bytesBefore)
        after.fill(report.bytesAfter)
    }
}

/// See `dagstore_collect_garbage` in `dagstore.h`.
@c @implementation public func dagstore_collect_garbage(
    _ store: OpaquePointer!,
    _ quota: UInt64,
    _ out_garbage: UnsafeMutablePointer<dagstore_garbage_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try StructPlace(out_garbage, "out_garbage")
        output.fill(try collectGarbage(of: store, downTo: quota).forC)
    }
}

/// See `dagstore_collect_garbage_with` in `dagstore.h`.
@c @implementation public func dagstore_collect_garbage_with(
    _ store: OpaquePointer!,
    _ quota: UInt64,
    _ collected: dagstore_collected_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_garbage: UnsafeMutablePointer<dagstore_garbage_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        // SAFETY: only compared with NULL; the function is the caller's, and stays for the call.
        let output = unsafe out_garbage == nil ? nil : try StructPlace(out_garbage, "out_garbage")
        let report = try collectGarbage(of: store, downTo: quota)
        if let collected = unsafe collected {
            let receiver = CollectionReceiver(collected, Context(context))
            for transient in report.transients { receiver.receive(transient) }
        }
        output?.fill(report.forC)
    }
}

@safe private func collectGarbage(of store: OpaquePointer?, downTo quota: UInt64) throws
    -> GarbageReport
{
    try withStore(store) { box in
        let store = box.store
        return try waitForTask { try await store.collectGarbage(downTo: quota) }
    }
}

extension GarbageReport {
    /// The counts for C callers.
    fileprivate var forC: dagstore_garbage_t {
        var garbage = dagstore_garbage_t()
        for transient in transients {
            switch transient.result {
            case .removed: garbage.removed += 1
            case .kept: garbage.kept += 1
            case .inUse, .awaited: garbage.in_use += 1
            case .failed: garbage.failed += 1
            }
        }
        garbage.removed_bytes = bytesRemoved
        return garbage
    }
}

/// See `dagstore_check` in `dagstore.h`.
@c @implementation public func dagstore_check(
    _ store: OpaquePointer!,
    _ flags: UInt32,
    _ out_check: UnsafeMutablePointer<dagstore_check_t>!,
    _ out_problems: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let problems = try HandlePlace(out_problems, nil)
        let output = try StructPlace(out_check, "out_check")
        try checkFlags(flags, DAGSTORE_CHECK_DEEP, DAGSTORE_CHECK_REPAIR)
        var options = CheckOptions()
        options.isDeep = flags & UInt32(DAGSTORE_CHECK_DEEP) != 0
        options.repairs = flags & UInt32(DAGSTORE_CHECK_REPAIR) != 0
        let report = try withStore(store) { [options] box in
            let store = box.store
            return try waitForTask { try await store.check(options) }
        }
        var check = dagstore_check_t()
        check.is_sound = report.isSound ? 1 : 0
        check.problems = UInt64(report.problems.count)
        check.shards = report.shards
        check.entries = report.entries
        check.blocks = report.blocks
        check.bytes = report.bytes
        check.skipped = report.skipped
        check.stale_entries = report.staleEntries
        check.failed = report.failed
        check.unread = report.unread
        check.unverified = report.unverified
        try problems.fill(.problems, ProblemsCursor(report.problems))
        output.fill(check)
    }
}

/// See `dagstore_problems_next` in `dagstore.h`.
@c @implementation public func dagstore_problems_next(
    _ problems: OpaquePointer!,
    _ out_problem: UnsafeMutablePointer<dagstore_problem_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    stepCursor(problems, .problems, as: ProblemsCursor.self, out_problem, out_error) { $0.next() }
}

/// See `dagstore_problems_close` in `dagstore.h`.
@c @implementation public func dagstore_problems_close(_ problems: OpaquePointer!) {
    release(problems, .problems, as: ProblemsCursor.self)
}
