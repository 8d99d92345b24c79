import CDAGStore
import DAGMultiformats
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

@Suite("A store through the C interface")
struct CStoreTests {
    @Test("blocks, entries, places and multihashes match the CAR")
    func content() throws {
        let store = try CStore()
        let car = CARBuilder.mixed(seed: 5)
        try store.add("a", car)
        let shard = unsafe try store.acquire("a")
        #expect(unsafe dagstore_shard_block_count(shard) == UInt64(car.blocks.count))
        #expect(unsafe dagstore_shard_root_count(shard) == car.roots.count)
        var entries: OpaquePointer?
        try expectOK(unsafe dagstore_entries_open(shard, &entries, nil))
        var walked = 0
        var entry = dagstore_entry_t()
        entry.size = UInt32(MemoryLayout<dagstore_entry_t>.size)
        while unsafe dagstore_entries_next(entries, &entry, nil) == DAGSTORE_OK {
            let cid = unsafe Array(
                UnsafeBufferPointer(start: entry.cid.data, count: entry.cid.size)
            )
            let expected = car.blocks[walked]
            #expect(cid == expected.cid.bytes)
            #expect(entry.block_size == UInt64(expected.data.count))
            // The first section of equal multihashes counts.
            let first = car.blocks.first { $0.cid.multihash == expected.cid.multihash }
            unsafe #expect(
                block(shard, cid).bytes
                    == (expected.cid.isIdentity ? expected.cid.digest : first?.data)
            )
            walked += 1
        }
        #expect(unsafe name(dagstore_entries_next(entries, &entry, nil)) == "done")
        unsafe dagstore_entries_close(entries)
        #expect(walked == car.blocks.count)
        #expect(try multihashes(store, from: nil) == car.blocks.map(\.cid.multihash.bytes))
        unsafe dagstore_shard_release(shard)
        store.close()
    }

    /// The multihashes of shard "a", with a new cursor after every third.
    private func multihashes(_ store: CStore, from start: String?) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var cursor = start
        while cursor != "" {
            var walk: OpaquePointer?
            try expectOK(
                unsafe dagstore_multihashes_open(store.handle, "a", cursor, &walk, nil)
            )
            var bytes = dagstore_bytes_t()
            for _ in 0..<3 {
                guard unsafe dagstore_multihashes_next(walk, &bytes, nil) == DAGSTORE_OK else {
                    break
                }
                found.append(
                    unsafe Array(UnsafeBufferPointer(start: bytes.data, count: bytes.size))
                )
            }
            cursor = unsafe String(cString: dagstore_multihashes_cursor(walk))
            unsafe dagstore_multihashes_close(walk)
        }
        return found
    }

    @Test("a block outlives its shard and its store")
    func blockOutlives() throws {
        let store = try CStore()
        let car = CARBuilder.uniform(sections: 10, blockSize: 100, seed: 1)
        try store.add("a", car)
        let cid = car.blocks[3].cid.bytes
        var found: OpaquePointer?
        try expectOK(unsafe dagstore_get(store.handle, cid, cid.count, 0, &found, nil))
        store.close()
        let bytes = unsafe dagstore_block_bytes(found)
        #expect(
            unsafe Array(UnsafeBufferPointer(start: bytes.data, count: bytes.size))
                == car.blocks[3].data
        )
        unsafe dagstore_block_release(found)
        #expect(unsafe dagstore_block_bytes(found).data == nil)
    }

    @Test("a closed store returns closed until its handle is given back, then invalidArgument")
    func closed() throws {
        let store = try CStore()
        try expectOK(unsafe dagstore_shutdown(store.handle, 0, nil))
        try expectOK(unsafe dagstore_shutdown(store.handle, 0, nil))
        var shard: OpaquePointer?
        #expect(unsafe name(dagstore_acquire(store.handle, "a", 0, &shard, nil)) == "closed")
        store.close()
        var error: OpaquePointer?
        #expect(
            unsafe name(dagstore_acquire(store.handle, "a", 0, &shard, &error)) == "invalidArgument"
        )
        #expect(unsafe String(cString: dagstore_error_message(error)).contains("dagstore_t"))
        unsafe dagstore_error_release(error)
        store.close()
    }

    @Test("a lease that is released during reads ends with the last read")
    func releaseBesideReads() throws {
        let store = try CStore()
        let car = CARBuilder.uniform(sections: 100, blockSize: 64, seed: 2)
        try store.add("a", car)
        for _ in 0..<50 {
            let shard = unsafe CHandle(try store.acquire("a"))
            DispatchQueue.concurrentPerform(iterations: 4) { thread in
                for number in 0..<20 {
                    if thread == 0, number == 10 { unsafe dagstore_shard_release(shard.value) }
                    let expected = car.blocks[number]
                    let found = unsafe block(shard.value!, expected.cid.bytes)
                    #expect(found.bytes == expected.data || found.status == "invalidArgument")
                }
            }
        }
        try expectOK(unsafe dagstore_destroy(store.handle, "a", nil))
        store.close()
    }

    @Test(
        "completions come once, in order, on another thread, and may close the store"
    )
    func completions() throws {
        let store = try CStore()
        let car = CARBuilder.uniform(sections: 10, blockSize: 64, seed: 3)
        let path = try store.folder.write(car.bytes, to: "a.car")
        let told = Told(store)
        try expectOK(
            unsafe dagstore_register_async(
                store.handle,
                "a",
                "file://\(path)",
                nil,
                { context, status, error in
                    let told = unsafe object(context, as: Told.self)
                    told.note(status)
                    // A blocking call, and another asynchronous one, in a callback.
                    var state: UInt32 = 0
                    _ = unsafe dagstore_state(told.store.handle, "a", &state, nil)
                    told.note(dagstore_status_t(state))
                    _ = unsafe dagstore_acquire_async(
                        told.store.handle,
                        "a",
                        .max,
                        { context, status, shard, error in
                            let told = unsafe object(context, as: Told.self)
                            told.note(status)
                            unsafe dagstore_shard_release(shard)
                            told.store.close()
                            told.bell.signal()
                        },
                        context,
                        nil
                    )
                },
                context(of: told),
                nil
            )
        )
        told.bell.wait()
        #expect(told.statuses == [0, dagstore_status_t(DAGSTORE_STATE_AVAILABLE), 0])
        // The store closes when the callback has returned, and gives its lock back.
        var again: OpaquePointer?
        var config = dagstore_config_t()
        let size = MemoryLayout<dagstore_config_t>.size
        unsafe try expectOK(dagstore_config_init(&config, size, nil))
        config.map_size = 1 << 32
        let place = store.folder.path(of: "store")
        while unsafe dagstore_open(place, &config, &again, nil) == DAGSTORE_CATALOG_LOCKED {}
        unsafe dagstore_close(again)
    }

    @Test("select_shards chooses the shards to read")
    func selection() throws {
        let asked = Count()
        let store = try CStore { config in
            unsafe config.select_context = context(of: asked)
            unsafe config.select_shards = { context, cid, size, keys, count, order in
                let asked = unsafe object(context, as: Count.self)
                asked.add(count)
                return 0
            }
        }
        let car = CARBuilder.uniform(sections: 3, blockSize: 64, seed: 4)
        try store.add("a", car)
        try store.add("b", car)
        let cid = car.blocks[0].cid.bytes
        var found: OpaquePointer?
        #expect(
            unsafe name(dagstore_get(store.handle, cid, cid.count, 0, &found, nil))
                == "blockNotFound"
        )
        #expect(asked.value == 2)
        store.close()
    }

    @Test("events wait in their queue, and closing the store ends the wait for one")
    func events() throws {
        let store = try CStore()
        var queue: OpaquePointer?
        try expectOK(unsafe dagstore_events_open(store.handle, 64, &queue, nil))
        var event = dagstore_event_t()
        event.size = UInt32(MemoryLayout<dagstore_event_t>.size)
        #expect(unsafe name(dagstore_events_next(queue, 0, &event, nil)) == "deadlineExceeded")
        try store.add("a", CARBuilder.uniform(sections: 3, blockSize: 64, seed: 4))
        var operations: [UInt32] = []
        while operations.last != UInt32(DAGSTORE_EVENT_MAKE_AVAILABLE) {
            try expectOK(unsafe dagstore_events_next(queue, .max, &event, nil))
            #expect(unsafe String(cString: event.key) == "a")
            operations.append(event.operation)
        }
        #expect(operations == [1, 2, 3])
        let waiting = unsafe CHandle(queue)
        let ended = DispatchSemaphore(value: 0)
        DispatchQueue(label: "waiter").async {
            var event = dagstore_event_t()
            event.size = UInt32(MemoryLayout<dagstore_event_t>.size)
            if unsafe dagstore_events_next(waiting.value, .max, &event, nil) == DAGSTORE_DONE {
                ended.signal()
            }
        }
        store.close()
        ended.wait()
        unsafe dagstore_events_close(queue)
    }

    @Test("log lines have the chosen level, and stop without a receiver")
    func log() throws {
        let lines = Lines()
        let level = Int32(DAGSTORE_LOG_WARNING)
        try expectOK(
            unsafe dagstore_log_set(
                level,
                { context, _, message in
                    unsafe object(context, as: Lines.self).add(
                        message.map { unsafe String(cString: $0) } ?? ""
                    )
                },
                context(of: lines),
                nil
            )
        )
        let store = try CStore()
        _ = unsafe dagstore_register(store.handle, "logged", "file:///nowhere/at-all", 0, nil)
        store.close()
        try expectOK(dagstore_log_set(0, nil, nil, nil))
        let found = lines.all.filter { $0.contains("logged") }
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("shard logged: A shard failed, code mountGone") == true)
        #expect(name(dagstore_log_set(9, nil, nil, nil)) == "invalidArgument")
    }

    @Test("a program receives the times of commits and jobs")
    func observe() throws {
        let lines = Lines()
        let store = try CStore { config in
            unsafe config.observe = { context, kind, _, success in
                let name = unsafe kind.map { unsafe String(cString: $0) } ?? ""
                unsafe object(context, as: Lines.self).add("\(name) \(success)")
            }
            unsafe config.observe_context = context(of: lines)
        }
        try store.add("a", CARBuilder.uniform(sections: 3, blockSize: 10, seed: 1))
        _ = unsafe dagstore_register(store.handle, "b", "file:///nowhere/at-all", 0, nil)
        store.close()
        #expect(lines.all.contains("commit true"))
        #expect(lines.all.contains("indexing false"))
        #expect(
            Set(lines.all).isSubset(of: [
                "commit true", "indexing true", "indexing false", "opening true", "merge true",
            ])
        )
    }
}

/// A handle that threads share.
@safe struct CHandle: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: a handle is a number.
    let value: OpaquePointer?
    init(_ value: OpaquePointer?) { unsafe self.value = value }
}

private final class Told: Sendable {
    let store: CStore
    let bell = DispatchSemaphore(value: 0)
    private let noted = Mutex<[dagstore_status_t]>([])

    init(_ store: CStore) { self.store = store }

    var statuses: [dagstore_status_t] { noted.withLock { $0 } }
    func note(_ status: dagstore_status_t) { noted.withLock { $0.append(status) } }
}

final class Count: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ number: Int = 1) { count.add(number, ordering: .relaxed) }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
