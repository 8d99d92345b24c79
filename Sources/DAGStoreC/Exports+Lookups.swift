public import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage

// Blocks of all shards: see `dagstore.h`.

/// See `dagstore_get` in `dagstore.h`.
@c @implementation public func dagstore_get(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ timeout_ms: UInt32,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let place = try HandlePlace(out_block, "out_block")
        let cid = try copyCID(cid, cid_size)
        let found = try withStore(store) { try $0.store.bytes(of: cid, patience(timeout_ms)) }
        guard let found else { return false }
        try place.fill(found)
        return true
    }
}

/// See `dagstore_get_selecting` in `dagstore.h`.
@c @implementation public func dagstore_get_selecting(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ timeout_ms: UInt32,
    _ select: dagstore_select_fn!,
    _ select_context: UnsafeMutableRawPointer!,
    _ out_block: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let place = try HandlePlace(out_block, "out_block")
        let cid = try copyCID(cid, cid_size)
        // SAFETY: the caller's function and its context, which the call keeps until it returns.
        let choose: ShardSelector =
            unsafe select.map { select in
                ShardSelection(select, Context(select_context)).choose
            } ?? { _, keys in keys }
        let found = try withStore(store) {
            try $0.store.bytes(of: cid, patience(timeout_ms), selecting: choose)
        }
        guard let found else { return false }
        try place.fill(found)
        return true
    }
}

/// See `dagstore_contains` in `dagstore.h`.
@c @implementation public func dagstore_contains(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_contains: UnsafeMutablePointer<Bool>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try ValuePlace(out_contains, false, "out_contains")
        let cid = try copyCID(cid, cid_size)
        place.fill(try withStore(store) { try $0.store.contains(cid) })
    }
}

/// See `dagstore_block_size` in `dagstore.h`.
@c @implementation public func dagstore_block_size(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_size: UnsafeMutablePointer<UInt64>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let place = try ValuePlace(out_size, 0, "out_size")
        let cid = try copyCID(cid, cid_size)
        guard let size = try withStore(store, { try $0.store.size(of: cid) }) else {
            return false
        }
        place.fill(size)
        return true
    }
}

/// See `dagstore_holders` in `dagstore.h`.
@c @implementation public func dagstore_holders(
    _ store: OpaquePointer!,
    _ multihash: UnsafePointer<UInt8>!,
    _ multihash_size: Int,
    _ buffer: UnsafeMutablePointer<CChar>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_count: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let count = try ValuePlace(out_count, 0, "out_count")
        let output = try CallerBuffer(buffer, capacity, out_size)
        let multihash = try copyMultihash(multihash, multihash_size)
        let keys = try withStore(store) { try $0.store.shards(containing: multihash) }
        count.fill(keys.count)
        var texts: [UInt8] = []
        for key in keys {
            texts.append(contentsOf: key.text.utf8)
            texts.append(0)
        }
        try texts.withView { view throws(Failure) in try output.fill(view) }
    }
}

/// See `dagstore_find` in `dagstore.h`.
@c @implementation public func dagstore_find(
    _ store: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ out_places: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_places, "out_places")
        let cid = try copyCID(cid, cid_size)
        let found = try withStore(store) { try $0.store.places(of: cid) }
        try place.fill(.places, PlacesCursor(found))
    }
}

/// See `dagstore_places_next` in `dagstore.h`.
@c @implementation public func dagstore_places_next(
    _ places: OpaquePointer!,
    _ out_place: UnsafeMutablePointer<dagstore_place_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    stepCursor(places, .places, as: PlacesCursor.self, out_place, out_error) { $0.next() }
}

/// See `dagstore_places_close` in `dagstore.h`.
@c @implementation public func dagstore_places_close(_ places: OpaquePointer!) {
    release(places, .places, as: PlacesCursor.self)
}

/// See `dagstore_multihashes_open` in `dagstore.h`.
@c @implementation public func dagstore_multihashes_open(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ cursor: UnsafePointer<CChar>!,
    _ out_multihashes: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_multihashes, "out_multihashes")
        let key = try readKey(key)
        let start = try readOptionalText(cursor, "cursor").map {
            guard let start = MultihashCursor($0) else {
                throw Failure.argument("cursor is not a text of dagstore_multihashes_cursor")
            }
            return start
        }
        let walk = try withStore(store) { try MultihashesCursor($0.store, key, from: start) }
        try place.fill(.multihashes, walk)
    }
}

/// See `dagstore_multihashes_next` in `dagstore.h`.
@c @implementation public func dagstore_multihashes_next(
    _ multihashes: OpaquePointer!,
    _ out_multihash: UnsafeMutablePointer<dagstore_bytes_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runStep(out_error) {
        let place = try ValuePlace(out_multihash, dagstore_bytes_t(), "out_multihash")
        return try step(multihashes) { place.fill($0.multihash) }
    }
}

/// See `dagstore_multihashes_next_section` in `dagstore.h`.
@c @implementation public func dagstore_multihashes_next_section(
    _ multihashes: OpaquePointer!,
    _ out_multihash: UnsafeMutablePointer<dagstore_bytes_t>!,
    _ out_offset: UnsafeMutablePointer<UInt64>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runStep(out_error) {
        let place = try ValuePlace(out_multihash, dagstore_bytes_t(), "out_multihash")
        let offset = ValuePlace(orNULL: out_offset, 0)
        return try step(multihashes) { found in
            place.fill(found.multihash)
            offset.fill(found.offset)
        }
    }
}

/// Steps a walk over multihashes.
///
/// - Returns: Whether there was one.
@safe private func step(
    _ handle: OpaquePointer?,
    _ body: (MultihashesCursor.Step) -> Void
) throws -> Bool {
    let found = try HandleTable.with(handle, .multihashes, as: MultihashesCursor.self) {
        try $0.next()
    }
    guard let found else { throw Failure.handle("dagstore_multihashes_t") }
    guard let found else { return false }
    body(found)
    return true
}

/// See `dagstore_multihashes_cursor` in `dagstore.h`.
@c @implementation public func dagstore_multihashes_cursor(_ multihashes: OpaquePointer!)
    -> UnsafePointer<CChar>!
{
    // SAFETY: the cursor keeps the text until the next step or call, as the header says.
    HandleTable.with(multihashes, .multihashes, as: MultihashesCursor.self) { unsafe $0.cursor() }
}

/// See `dagstore_multihashes_close` in `dagstore.h`.
@c @implementation public func dagstore_multihashes_close(_ multihashes: OpaquePointer!) {
    release(multihashes, .multihashes, as: MultihashesCursor.self)
}
