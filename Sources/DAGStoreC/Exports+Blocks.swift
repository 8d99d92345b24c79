public import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage

// Blocks of a shard: see `dagstore.h`.

/// See `dagstore_shard_contains` in `dagstore.h`.
@c @implementation public func dagstore_shard_contains(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_contains: UnsafeMutablePointer<Bool>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try ValuePlace(out_contains, false, "out_contains")
        let (bytes, layout) = try readCID(cid, cid_size)
        let isThere = try withShard(shard) {
            if layout.isIdentity { return true }
            return try $0.location(of: bytes, layout) != nil
        }
        place.fill(isThere)
    }
}

/// See `dagstore_shard_locate` in `dagstore.h`.
@c @implementation public func dagstore_shard_locate(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_location: UnsafeMutablePointer<dagstore_location_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let output = try StructPlace(out_location, "out_location")
        let (bytes, layout) = try readCID(cid, cid_size)
        guard let found = try withShard(shard, { try $0.location(of: bytes, layout) })
        else { return false }
        var location = dagstore_location_t()
        location.offset = found.offset
        location.block_offset = found.blockOffset
        location.block_size = found.size
        output.fill(location)
        return true
    }
}

/// See `dagstore_shard_get` in `dagstore.h`.
@c @implementation public func dagstore_shard_get(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let place = try HandlePlace(out_block, "out_block")
        let (bytes, layout) = try readCID(cid, cid_size)
        guard let found = try withShard(shard, { try $0.bytes(of: bytes, layout) })
        else { return false }
        try place.fill(found)
        return true
    }
}

/// See `dagstore_shard_read` in `dagstore.h`.
@c @implementation public func dagstore_shard_read(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        let (bytes, layout) = try readCID(cid, cid_size)
        return try withShard(shard) { shard in
            guard let found = try shard.bytes(of: bytes, layout) else { return false }
            do {
                try output.fill(found)
            } catch let error as DAGStoreError {
                shard.reportLoss()
                throw error
            }
            return true
        }
    }
}

/// See `dagstore_block_bytes` in `dagstore.h`.
@c @implementation public func dagstore_block_bytes(_ block: OpaquePointer!) -> dagstore_bytes_t {
    HandleTable.bytes(of: block, .block)?.forC ?? dagstore_bytes_t()
}

/// See `dagstore_block_verified` in `dagstore.h`.
@c @implementation public func dagstore_block_verified(
    _ block: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_block, "out_block")
        let (bytes, layout) = try readCID(cid, cid_size)
        let verified = try HandleTable.with(block, .block, as: AnyObject.self) { owner in
            guard let view = HandleTable.bytes(of: block, .block) else {
                throw Failure.handle("dagstore_block_t")
            }
            // SAFETY: owners of blocks are `Sendable`, which leaves no trace in the object.
            let owner = unsafe unsafeBitCast(owner, to: (any AnyObject & Sendable).self)
            return try BlockBytes(view: view, ownerOfBlock: owner).verified(as: bytes, layout)
        }
        guard let verified else { throw Failure.handle("dagstore_block_t") }
        try place.fill(verified)
    }
}

/// See `dagstore_block_release` in `dagstore.h`.
@c @implementation public func dagstore_block_release(_ block: OpaquePointer!) {
    release(block, .block, as: AnyObject.self)
}

/// See `dagstore_entries_open` in `dagstore.h`.
@c @implementation public func dagstore_entries_open(
    _ shard: OpaquePointer!,
    _ out_entries: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_entries, "out_entries")
        let cursor = try withShard(shard) { EntriesCursor($0) }
        try place.fill(.entries, cursor)
    }
}

/// See `dagstore_entries_next` in `dagstore.h`.
@c @implementation public func dagstore_entries_next(
    _ entries: OpaquePointer!,
    _ out_entry: UnsafeMutablePointer<dagstore_entry_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    stepCursor(entries, .entries, as: EntriesCursor.self, out_entry, out_error) { try $0.next() }
}

/// See `dagstore_entries_close` in `dagstore.h`.
@c @implementation public func dagstore_entries_close(_ entries: OpaquePointer!) {
    release(entries, .entries, as: EntriesCursor.self)
}
