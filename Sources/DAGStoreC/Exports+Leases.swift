public import CDAGStore
internal import DAGStorage

// Leases: see `dagstore.h`.

/// See `dagstore_acquire` in `dagstore.h`.
@c @implementation public func dagstore_acquire(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ timeout_ms: UInt32,
    _ out_shard: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_shard, "out_shard")
        let key = try readKey(key)
        let shard = try withStore(store) { try $0.store.acquire(key, patience(timeout_ms)) }
        try place.fill(.shard, shard)
    }
}

/// See `dagstore_acquire_async` in `dagstore.h`.
@c @implementation public func dagstore_acquire_async(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ timeout_ms: UInt32,
    _ done: dagstore_acquired_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let acquisition = try Acquisition(done, Context(context))
        let key = try readKey(key)
        try withStore(store) { box in
            acquisition.begin(on: box) { ticket, reply in
                box.store.acquire(key, patience(timeout_ms), ticket: ticket, reply: reply)
            }
        }
    }
}

/// See `dagstore_shard_release` in `dagstore.h`.
@c @implementation public func dagstore_shard_release(_ shard: OpaquePointer!) {
    // The lease ends with the object, which the last call that uses it releases.
    release(shard, .shard, as: Shard.self)
}

/// Calls `body` with a lease.
///
/// - Throws: `INVALID_ARGUMENT` if the handle is no open lease, and the errors of `body`.
@safe @inline(__always)
func withShard<R>(_ handle: OpaquePointer?, _ body: (Shard) throws -> R) throws -> R {
    guard let result = try HandleTable.with(handle, .shard, as: Shard.self, body) else {
        throw Failure.handle("dagstore_shard_t")
    }
    return result
}

/// See `dagstore_shard_key` in `dagstore.h`.
@c @implementation public func dagstore_shard_key(
    _ shard: OpaquePointer!,
    _ buffer: UnsafeMutablePointer<CChar>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        try output.fill(withShard(shard) { $0.key.text })
    }
}

/// See `dagstore_shard_block_count` in `dagstore.h`.
@c @implementation public func dagstore_shard_block_count(_ shard: OpaquePointer!) -> UInt64 {
    HandleTable.with(shard, .shard, as: Shard.self) { $0.blockCount } ?? 0
}

/// See `dagstore_shard_root_count` in `dagstore.h`.
@c @implementation public func dagstore_shard_root_count(_ shard: OpaquePointer!) -> Int {
    HandleTable.with(shard, .shard, as: Shard.self) { $0.roots.count } ?? 0
}

/// See `dagstore_shard_root` in `dagstore.h`.
@c @implementation public func dagstore_shard_root(
    _ shard: OpaquePointer!,
    _ index: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        try output.fill(root: index, of: withShard(shard) { $0.roots })
    }
}
