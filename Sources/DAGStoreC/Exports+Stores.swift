public import CDAGStore
internal import DAGMounts
internal import DAGStorage

// Mounts and stores: see `dagstore.h`.

/// See `dagstore_mounts_new` in `dagstore.h`.
@c(dagstore_mounts_new) @implementation
public func dagstore_mounts_new(
    _ out_mounts: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_mounts, "out_mounts")
        unsafe place.pointee = try giveOut(.mounts, MountsBox())
    }
}

/// See `dagstore_mounts_add` in `dagstore.h`.
@c(dagstore_mounts_add) @implementation
public func dagstore_mounts_add(
    _ mounts: OpaquePointer!,
    _ scheme: UnsafePointer<CChar>!,
    _ vtable: UnsafePointer<dagstore_mount_vtable_t>!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let scheme = try unsafe text(scheme, "scheme")
        let table = try unsafe input(vtable, "vtable")
        guard unsafe table.stat != nil, unsafe table.open != nil, unsafe table.read_at != nil,
            unsafe table.close != nil
        else { throw Failure.argument("vtable lacks stat, open, read_at or close") }
        let accesses = [UInt32(DAGSTORE_ACCESS_SEQUENTIAL), UInt32(DAGSTORE_ACCESS_RANDOM)]
        guard accesses.contains(table.access) else {
            throw Failure.argument("access \(table.access)")
        }
        let hook = unsafe MountHook(table, Context(context))
        let isDone: Void? = try unsafe HandleTable.with(mounts, .mounts, as: MountsBox.self) {
            try $0.add(hook, scheme: scheme)
        }
        guard isDone != nil else { throw Failure.handle("dagstore_mounts_t") }
    }
}

/// See `dagstore_mounts_release` in `dagstore.h`.
@c(dagstore_mounts_release) @implementation
public func dagstore_mounts_release(_ mounts: OpaquePointer!) {
    unsafe release(mounts, .mounts, as: MountsBox.self)
}

// MARK: Stores

/// See `dagstore_config_init` in `dagstore.h`.
@c(dagstore_config_init) @implementation
public func dagstore_config_init(
    _ config: UnsafeMutablePointer<dagstore_config_t>!,
    _ size: Int,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        guard let config = unsafe config else { throw Failure.argument("config is NULL") }
        guard unsafe size >= dagstore_config_t.firstSize, size <= Int(UInt32.max) else {
            throw Failure.argument("a configuration of \(size) bytes")
        }
        // SAFETY: the caller says that it has `size` bytes.
        let raw = UnsafeMutableRawPointer(config)
        unsafe raw.storeBytes(of: UInt32(size), as: UInt32.self)
        unsafe try Output(config, "config").fill(Configuration().forC)
    }
}

/// See `dagstore_open` in `dagstore.h`.
@c(dagstore_open) @implementation
public func dagstore_open(
    _ path: UnsafePointer<CChar>!,
    _ config: UnsafePointer<dagstore_config_t>!,
    _ out_store: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_store, "out_store")
        let path = try unsafe filePath(path, "path")
        var configuration = Configuration()
        var registry = MountRegistry.standard
        if let config = unsafe config {
            let config = try unsafe input(config, "config")
            configuration = try unsafe Configuration(config)
            if unsafe config.mounts != nil {
                let found = unsafe HandleTable.with(config.mounts, .mounts, as: MountsBox.self) {
                    $0.current
                }
                guard let found else { throw Failure.handle("dagstore_mounts_t") }
                registry = found
            }
        }
        do {
            let store = try DAGStore.open(
                at: path,
                mounts: registry,
                configuration: configuration
            )
            unsafe place.pointee = try giveOut(.store, StoreBox(store))
            Log.tell(.info) { "store opened: \(path)" }
        } catch {
            Log.tell(.error) { "store not opened: \(error)" }
            throw error
        }
    }
}

/// See `dagstore_shutdown` in `dagstore.h`.
@c(dagstore_shutdown) @implementation
public func dagstore_shutdown(
    _ store: OpaquePointer!,
    _ flags: UInt32,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        try checkFlags(flags, DAGSTORE_SHUTDOWN_CANCELLING)
        try unsafe withStore(store) { $0.close(cancellingJobs: flags != 0) }
    }
}

/// See `dagstore_close` in `dagstore.h`.
@c(dagstore_close) @implementation
public func dagstore_close(_ store: OpaquePointer!) {
    let isOurs = unsafe HandleTable.with(store, .store, as: StoreBox.self) { $0.isOfThisProcess }
    // In a forked child there is no thread that could end anything, and the files are the parent's.
    if isOurs == false { return }
    unsafe release(store, .store, as: StoreBox.self) { $0.close(cancellingJobs: false) }
}

/// Calls `body` with a store.
///
/// - Throws: `INVALID_ARGUMENT` if the handle is none, and what `body` throws.
@inline(__always)
func withStore<R>(_ handle: OpaquePointer?, _ body: (StoreBox) throws -> R) throws -> R {
    let result = try unsafe HandleTable.with(handle, .store, as: StoreBox.self) { box in
        guard box.isOfThisProcess else { throw Failure.forked }
        return try body(box)
    }
    guard let result else { throw Failure.handle("dagstore_t") }
    return result
}

/// See `dagstore_compact` in `dagstore.h`.
@c(dagstore_compact) @implementation
public func dagstore_compact(
    _ path: UnsafePointer<CChar>!,
    _ map_size: UInt64,
    _ out_before: UnsafeMutablePointer<UInt64>!,
    _ out_after: UnsafeMutablePointer<UInt64>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        // SAFETY: the header asks for NULL or places for one number.
        if let out_before = unsafe out_before { unsafe out_before.pointee = 0 }
        if let out_after = unsafe out_after { unsafe out_after.pointee = 0 }
        let path = try unsafe filePath(path, "path")
        var configuration = Configuration()
        if map_size > 0 {
            guard map_size >= 1 << 20, map_size <= 1 << 47 else {
                throw Failure.argument("a map of \(map_size) bytes")
            }
            configuration.mapSize = Int(map_size)
        }
        let report = try DAGStore.compact(at: path, mapSize: configuration.mapSize)
        if let out_before = unsafe out_before { unsafe out_before.pointee = report.bytesBefore }
        if let out_after = unsafe out_after { unsafe out_after.pointee = report.bytesAfter }
    }
}

/// See `dagstore_statistics` in `dagstore.h`.
@c(dagstore_statistics) @implementation
public func dagstore_statistics(
    _ store: OpaquePointer!,
    _ out_statistics: UnsafeMutablePointer<dagstore_statistics_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let output = try unsafe Output(out_statistics, "out_statistics")
        let found = try unsafe withStore(store) { try $0.store.statistics() }
        var counts = dagstore_statistics_t()
        counts.inverse_runs = UInt32(clamping: found.inverse.readAmplification)
        counts.shards = found.shards
        counts.available = found.available
        counts.failed = found.failed
        counts.blocks = found.blocks
        counts.payload_bytes = found.payloadBytes
        counts.index_bytes = found.indexBytes
        counts.catalog_file_bytes = found.catalogFileBytes
        counts.catalog_used_bytes = found.catalogUsedBytes
        counts.map_size = found.mapSize
        counts.leases = UInt64(found.leases)
        counts.open_shards = UInt64(found.openShards)
        counts.events_dropped = found.eventsDropped
        counts.transients = UInt64(found.transients)
        counts.transient_bytes = found.transientBytes
        counts.page_cache_hits = found.pageCacheHits
        counts.page_cache_misses = found.pageCacheMisses
        counts.page_cache_bytes = UInt64(found.pageCacheBytes)
        counts.inverse_entries = found.inverse.entries
        counts.inverse_bytes = found.inverse.bytes
        counts.inverse_entries_added = found.inverse.entriesAdded
        counts.inverse_entries_written = found.inverse.entriesWritten
        counts.catalog_free_bytes = found.catalogFreeBytes
        output.fill(counts)
    }
}

/// See `dagstore_collect_garbage` in `dagstore.h`.
@c(dagstore_collect_garbage) @implementation
public func dagstore_collect_garbage(
    _ store: OpaquePointer!,
    _ quota: UInt64,
    _ out_garbage: UnsafeMutablePointer<dagstore_garbage_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let output = try unsafe Output(out_garbage, "out_garbage")
        let report = try unsafe withStore(store) { box in
            let store = box.store
            return try awaiting { try await store.collectGarbage(downTo: quota) }
        }
        var garbage = dagstore_garbage_t()
        for transient in report.transients {
            switch transient.result {
            case .removed: garbage.removed += 1
            case .kept: garbage.kept += 1
            case .inUse, .awaited: garbage.in_use += 1
            case .failed: garbage.failed += 1
            }
        }
        garbage.removed_bytes = report.bytesRemoved
        output.fill(garbage)
    }
}

/// See `dagstore_check` in `dagstore.h`.
@c(dagstore_check) @implementation
public func dagstore_check(
    _ store: OpaquePointer!,
    _ flags: UInt32,
    _ out_check: UnsafeMutablePointer<dagstore_check_t>!,
    _ out_problems: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        // SAFETY: the header asks for NULL or a place for one handle.
        if let out_problems = unsafe out_problems { unsafe out_problems.pointee = nil }
        let output = try unsafe Output(out_check, "out_check")
        try checkFlags(flags, DAGSTORE_CHECK_DEEP, DAGSTORE_CHECK_REPAIR)
        var options = CheckOptions()
        options.isDeep = flags & UInt32(DAGSTORE_CHECK_DEEP) != 0
        options.repairs = flags & UInt32(DAGSTORE_CHECK_REPAIR) != 0
        let report = try unsafe withStore(store) { [options] box in
            let store = box.store
            return try awaiting { try await store.check(options) }
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
        if let out_problems = unsafe out_problems {
            unsafe out_problems.pointee = try giveOut(.problems, ProblemsCursor(report.problems))
        }
        output.fill(check)
    }
}
