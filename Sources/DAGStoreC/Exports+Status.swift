public import CDAGStore
internal import DAGStorage

// States, events and counts: see `dagstore.h`.

/// See `dagstore_state` in `dagstore.h`.
@c @implementation public func dagstore_state(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_state: UnsafeMutablePointer<UInt32>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try ValuePlace(out_state, 0, "out_state")
        let key = try readKey(key)
        let status = try withStore(store) { try $0.store.status(of: key) }
        place.fill(status?.state.forC ?? UInt32(DAGSTORE_STATE_NONE))
    }
}

/// See `dagstore_shards_open` in `dagstore.h`.
@c @implementation public func dagstore_shards_open(
    _ store: OpaquePointer!,
    _ key: UnsafePointer<CChar>!,
    _ out_shards: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_shards, "out_shards")
        let key = try readOptionalText(key, "key").map { try ShardKey($0) }
        let cursor = try withStore(store) { box in
            guard let key else {
                _ = try box.store.statistics()  // Throws if the store is closed.
                return ShardsCursor(box.store.statuses().makeIterator())
            }
            guard let status = try box.store.status(of: key) else {
                throw DAGStoreError(.shardUnknown, "no shard has this key", shard: key)
            }
            return ShardsCursor(status)
        }
        try place.fill(.shards, cursor)
    }
}

/// See `dagstore_shards_next` in `dagstore.h`.
@c @implementation public func dagstore_shards_next(
    _ shards: OpaquePointer!,
    _ out_info: UnsafeMutablePointer<dagstore_info_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    stepCursor(shards, .shards, as: ShardsCursor.self, out_info, out_error) { try $0.next() }
}

/// See `dagstore_shards_close` in `dagstore.h`.
@c @implementation public func dagstore_shards_close(_ shards: OpaquePointer!) {
    release(shards, .shards, as: ShardsCursor.self)
}

/// See `dagstore_events_open` in `dagstore.h`.
@c @implementation public func dagstore_events_open(
    _ store: OpaquePointer!,
    _ capacity: Int,
    _ out_events: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_events, "out_events")
        guard (1...(1 << 20)).contains(capacity) else {
            throw Failure.argument("capacity is \(capacity); it may be 1 to 1048576")
        }
        let box = try withStore(store) { try EventsBox($0.store, capacity: capacity) }
        try place.fill(.events, box)
    }
}

/// See `dagstore_events_next` in `dagstore.h`.
@c @implementation public func dagstore_events_next(
    _ events: OpaquePointer!,
    _ timeout_ms: UInt32,
    _ out_event: UnsafeMutablePointer<dagstore_event_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    stepCursor(events, .events, as: EventsBox.self, out_event, out_error) {
        try $0.next(timeout_ms)
    }
}

/// See `dagstore_events_close` in `dagstore.h`.
@c @implementation public func dagstore_events_close(_ events: OpaquePointer!) {
    release(events, .events, as: EventsBox.self) { $0.close() }
}

/// See `dagstore_statistics` in `dagstore.h`.
@c @implementation public func dagstore_statistics(
    _ store: OpaquePointer!,
    _ out_statistics: UnsafeMutablePointer<dagstore_statistics_t>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try StructPlace(out_statistics, "out_statistics")
        let found = try withStore(store) { try $0.store.statistics() }
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
        counts.remote_requests = found.traffic.requests
        counts.remote_bytes = found.traffic.bytes
        output.fill(counts)
    }
}

/// See `dagstore_scheme_traffic` in `dagstore.h`.
@c @implementation public func dagstore_scheme_traffic(
    _ store: OpaquePointer!,
    _ scheme: UnsafePointer<CChar>!,
    _ out_requests: UnsafeMutablePointer<UInt64>!,
    _ out_bytes: UnsafeMutablePointer<UInt64>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let requests = ValuePlace(orNULL: out_requests, 0)
        let bytes = ValuePlace(orNULL: out_bytes, 0)
        let scheme = try readText(scheme, "scheme")
        let found = try withStore(store) { try $0.store.traffic(ofScheme: scheme) }
        requests.fill(found.requests)
        bytes.fill(found.bytes)
    }
}
