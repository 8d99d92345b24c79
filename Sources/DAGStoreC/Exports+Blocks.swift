public import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage

// Blocks of a shard, and of all shards: see `dagstore.h`.

/// Calls `body` with a lease.
///
/// - Throws: `INVALID_ARGUMENT` if the handle is none, and what `body` throws.
@inline(__always)
private func withShard<R>(_ handle: OpaquePointer?, _ body: (Shard) throws -> R) throws -> R {
    guard let result = try unsafe HandleTable.with(handle, .shard, as: Shard.self, body) else {
        throw Failure.handle("dagstore_shard_t")
    }
    return result
}

/// That a block is not there.
private struct BlockMissing: Error {}

/// Runs the body of a function that looks for a block: an error for one that is missing is made only for callers who
/// want it.
@inline(__always)
private func finding(
    _ place: UnsafeMutablePointer<OpaquePointer?>?,
    _ body: () throws -> Bool
) -> dagstore_status_t {
    // SAFETY: the header asks for NULL or a place for one handle.
    if let place = unsafe place { unsafe place.pointee = nil }
    do {
        if try body() { return dagstore_status_t(DAGSTORE_OK) }
        guard unsafe place != nil else { return dagstore_status_t(DAGSTORE_BLOCK_NOT_FOUND) }
        return unsafe fail(
            Failure(dagstore_status_t(DAGSTORE_BLOCK_NOT_FOUND), "the block is not here"),
            place
        )
    } catch {
        return unsafe fail(error, place)
    }
}

/// Gives out a block.
@inline(__always)
private func giveOut(_ bytes: BlockBytes) throws(Failure) -> OpaquePointer {
    try unsafe giveOut(.block, bytes.owner, bytes: bytes.view.buffer)
}

/// See `dagstore_shard_key` in `dagstore.h`.
@c(dagstore_shard_key) @implementation
public func dagstore_shard_key(
    _ shard: OpaquePointer!,
    _ buffer: UnsafeMutablePointer<CChar>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let room = try unsafe Room(buffer, capacity, out_size)
        try unsafe room.fill(try withShard(shard) { $0.key.text })
    }
}

/// See `dagstore_shard_block_count` in `dagstore.h`.
@c(dagstore_shard_block_count) @implementation
public func dagstore_shard_block_count(_ shard: OpaquePointer!) -> UInt64 {
    unsafe HandleTable.with(shard, .shard, as: Shard.self) { $0.blockCount } ?? 0
}

/// See `dagstore_shard_root_count` in `dagstore.h`.
@c(dagstore_shard_root_count) @implementation
public func dagstore_shard_root_count(_ shard: OpaquePointer!) -> Int {
    unsafe HandleTable.with(shard, .shard, as: Shard.self) { $0.roots.count } ?? 0
}

/// See `dagstore_shard_root` in `dagstore.h`.
@c(dagstore_shard_root) @implementation
public func dagstore_shard_root(
    _ shard: OpaquePointer!,
    _ index: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let room = try unsafe Room(buffer, capacity, out_size)
        try unsafe fill(room, root: index, of: try withShard(shard) { $0.roots })
    }
}

/// Copies a root out.
func fill(_ room: Room, root index: Int, of roots: [CID]) throws(Failure) {
    guard roots.indices.contains(index) else {
        throw .argument("root \(index) of \(roots.count)")
    }
    try roots[index].bytes.withView { view throws(Failure) in try room.fill(view) }
}

// MARK: One shard

/// See `dagstore_shard_contains` in `dagstore.h`.
@c(dagstore_shard_contains) @implementation
public func dagstore_shard_contains(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_contains: UnsafeMutablePointer<Bool>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe cleared(out_contains, false, "out_contains")
        let (bytes, layout) = try unsafe binaryCID(cid, cid_size)
        let isThere = try unsafe withShard(shard) {
            if layout.isIdentity { return true }
            return try $0.location(of: bytes, layout) != nil
        }
        unsafe place.pointee = isThere
    }
}

/// See `dagstore_shard_locate` in `dagstore.h`.
@c(dagstore_shard_locate) @implementation
public func dagstore_shard_locate(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_location: UnsafeMutablePointer<dagstore_location_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe finding(out_error) {
        let output = try unsafe Output(out_location, "out_location")
        let (bytes, layout) = try unsafe binaryCID(cid, cid_size)
        guard let found = try unsafe withShard(shard, { try $0.location(of: bytes, layout) })
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
@c(dagstore_shard_get) @implementation
public func dagstore_shard_get(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe finding(out_error) {
        let place = try unsafe emptied(out_block, "out_block")
        let (bytes, layout) = try unsafe binaryCID(cid, cid_size)
        guard let found = try unsafe withShard(shard, { try $0.bytes(of: bytes, layout) })
        else { return false }
        unsafe place.pointee = try giveOut(found)
        return true
    }
}

/// See `dagstore_shard_read` in `dagstore.h`.
@c(dagstore_shard_read) @implementation
public func dagstore_shard_read(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe finding(out_error) {
        let room = try unsafe Room(buffer, capacity, out_size)
        let (bytes, layout) = try unsafe binaryCID(cid, cid_size)
        guard let found = try unsafe withShard(shard, { try $0.bytes(of: bytes, layout) })
        else { return false }
        let target = try unsafe room.take(found.view.count)
        guard found.isMapped else {
            unsafe target.copyMemory(from: found.view.buffer)
            return true
        }
        guard unsafe GuardedCopy.copy(found.view, into: target) else {
            room.forget()
            throw BlockBytes.areGone
        }
        return true
    }
}

/// See `dagstore_block_bytes` in `dagstore.h`.
@c(dagstore_block_bytes) @implementation
public func dagstore_block_bytes(_ block: OpaquePointer!) -> dagstore_bytes_t {
    guard let bytes = unsafe HandleTable.bytes(of: block, .block) else {
        return unsafe dagstore_bytes_t(data: nil, size: 0)
    }
    return unsafe ByteView(bytes).forC
}

/// See `dagstore_block_verified` in `dagstore.h`.
@c(dagstore_block_verified) @implementation
public func dagstore_block_verified(
    _ block: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_block, "out_block")
        let (bytes, layout) = try unsafe binaryCID(cid, cid_size)
        let verified = try unsafe HandleTable.with(block, .block, as: AnyObject.self) { owner in
            guard let view = unsafe HandleTable.bytes(of: block, .block) else {
                throw Failure.handle("dagstore_block_t")
            }
            // SAFETY: owners of blocks are `Sendable`, which leaves no trace in the object.
            let owner = unsafe unsafeBitCast(owner, to: (any AnyObject & Sendable).self)
            return try unsafe BlockBytes(view: ByteView(view), ownerOfBlock: owner)
                .verified(as: bytes, layout)
        }
        guard let verified else { throw Failure.handle("dagstore_block_t") }
        unsafe place.pointee = try giveOut(verified)
    }
}

/// See `dagstore_block_release` in `dagstore.h`.
@c(dagstore_block_release) @implementation
public func dagstore_block_release(_ block: OpaquePointer!) {
    unsafe release(block, .block, as: AnyObject.self)
}

/// See `dagstore_entries_open` in `dagstore.h`.
@c(dagstore_entries_open) @implementation
public func dagstore_entries_open(
    _ shard: OpaquePointer!,
    _ out_entries: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_entries, "out_entries")
        let cursor = try unsafe withShard(shard) { EntriesCursor($0) }
        unsafe place.pointee = try giveOut(.entries, cursor)
    }
}

/// See `dagstore_entries_next` in `dagstore.h`.
@c(dagstore_entries_next) @implementation
public func dagstore_entries_next(
    _ entries: OpaquePointer!,
    _ out_entry: UnsafeMutablePointer<dagstore_entry_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe step(entries, .entries, as: EntriesCursor.self, out_entry, out_error) {
        try unsafe $0.next()
    }
}

/// See `dagstore_entries_close` in `dagstore.h`.
@c(dagstore_entries_close) @implementation
public func dagstore_entries_close(_ entries: OpaquePointer!) {
    unsafe release(entries, .entries, as: EntriesCursor.self)
}

// MARK: All shards

/// See `dagstore_get` in `dagstore.h`.
@c(dagstore_get) @implementation
public func dagstore_get(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ timeout_ms: UInt32,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe finding(out_error) {
        let place = try unsafe emptied(out_block, "out_block")
        let cid = try unsafe ownedCID(cid, cid_size)
        let found = try unsafe withStore(store) {
            try $0.store.bytes(of: cid, patience(timeout_ms))
        }
        guard let found else { return false }
        unsafe place.pointee = try giveOut(found)
        return true
    }
}

/// A CID that outlives the call.
private func ownedCID(_ start: UnsafePointer<UInt8>?, _ size: Int) throws(Failure) -> CID {
    let (bytes, layout) = try unsafe binaryCID(start, size)
    return CID(bytes: bytes.copied, layout: layout)
}

/// See `dagstore_contains` in `dagstore.h`.
@c(dagstore_contains) @implementation
public func dagstore_contains(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_contains: UnsafeMutablePointer<Bool>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe cleared(out_contains, false, "out_contains")
        let cid = try unsafe ownedCID(cid, cid_size)
        unsafe place.pointee = try withStore(store) { try $0.store.contains(cid) }
    }
}

/// See `dagstore_block_size` in `dagstore.h`.
@c(dagstore_block_size) @implementation
public func dagstore_block_size(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_size: UnsafeMutablePointer<UInt64>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe finding(out_error) {
        let place = try unsafe cleared(out_size, 0, "out_size")
        let cid = try unsafe ownedCID(cid, cid_size)
        guard let size = try unsafe withStore(store, { try $0.store.size(of: cid) }) else {
            return false
        }
        unsafe place.pointee = size
        return true
    }
}

/// See `dagstore_find` in `dagstore.h`.
@c(dagstore_find) @implementation
public func dagstore_find(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_places: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_places, "out_places")
        let cid = try unsafe ownedCID(cid, cid_size)
        let found = try unsafe withStore(store) { try $0.store.places(of: cid) }
        unsafe place.pointee = try giveOut(.places, PlacesCursor(found))
    }
}

/// See `dagstore_places_next` in `dagstore.h`.
@c(dagstore_places_next) @implementation
public func dagstore_places_next(
    _ places: OpaquePointer!,
    _ out_place: UnsafeMutablePointer<dagstore_place_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe step(places, .places, as: PlacesCursor.self, out_place, out_error) { unsafe $0.next() }
}

/// See `dagstore_places_close` in `dagstore.h`.
@c(dagstore_places_close) @implementation
public func dagstore_places_close(_ places: OpaquePointer!) {
    unsafe release(places, .places, as: PlacesCursor.self)
}

/// See `dagstore_problems_next` in `dagstore.h`.
@c(dagstore_problems_next) @implementation
public func dagstore_problems_next(
    _ problems: OpaquePointer!,
    _ out_problem: UnsafeMutablePointer<dagstore_problem_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe step(problems, .problems, as: ProblemsCursor.self, out_problem, out_error) {
        unsafe $0.next()
    }
}

/// See `dagstore_problems_close` in `dagstore.h`.
@c(dagstore_problems_close) @implementation
public func dagstore_problems_close(_ problems: OpaquePointer!) {
    unsafe release(problems, .problems, as: ProblemsCursor.self)
}

/// See `dagstore_multihashes_open` in `dagstore.h`.
@c(dagstore_multihashes_open) @implementation
public func dagstore_multihashes_open(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ cursor: UnsafePointer<CChar>!,
    _ out_multihashes: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe answering(out_error) {
        let place = try unsafe emptied(out_multihashes, "out_multihashes")
        let key = try unsafe shardKey(key)
        var start: MultihashCursor?
        if unsafe cursor != nil {
            start = MultihashCursor(try unsafe text(cursor, "cursor"))
            guard start != nil else { throw Failure.argument("a cursor that is none") }
        }
        let walk = try unsafe withStore(store) { try MultihashesCursor($0.store, key, from: start) }
        unsafe place.pointee = try giveOut(.multihashes, walk)
    }
}

/// See `dagstore_multihashes_next` in `dagstore.h`.
@c(dagstore_multihashes_next) @implementation
public func dagstore_multihashes_next(
    _ multihashes: OpaquePointer!,
    _ out_multihash: UnsafeMutablePointer<dagstore_bytes_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    unsafe stepping(out_error) {
        let empty = unsafe dagstore_bytes_t(data: nil, size: 0)
        let place = try unsafe cleared(out_multihash, empty, "out_multihash")
        let found = try unsafe HandleTable.with(
            multihashes,
            .multihashes,
            as: MultihashesCursor.self
        ) { try unsafe $0.next() }
        guard let found = unsafe found else { throw Failure.handle("dagstore_multihashes_t") }
        guard let found = unsafe found else { return false }
        unsafe place.pointee = found
        return true
    }
}

/// See `dagstore_multihashes_cursor` in `dagstore.h`.
@c(dagstore_multihashes_cursor) @implementation
public func dagstore_multihashes_cursor(_ multihashes: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe HandleTable.with(multihashes, .multihashes, as: MultihashesCursor.self) {
        unsafe $0.cursor()
    }
}

/// See `dagstore_multihashes_close` in `dagstore.h`.
@c(dagstore_multihashes_close) @implementation
public func dagstore_multihashes_close(_ multihashes: OpaquePointer!) {
    unsafe release(multihashes, .multihashes, as: MultihashesCursor.self)
}
