import CDAGStore
import DAGMultiformats
import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

/// Results of _async calls, in the order of their completions.
private final class Results: Sendable {
    private let statuses = Mutex<[String]>([])
    let bell = DispatchSemaphore(value: 0)

    func add(_ status: dagstore_status_t) {
        statuses.withLock { $0.append(name(status)) }
        bell.signal()
    }

    /// Waits for `count` results, and returns all of them.
    func wait(_ count: Int) -> [String] {
        for _ in 0..<count { bell.wait() }
        return statuses.withLock { $0 }
    }
}

/// The receiver of a result without a lease.
private let receive: dagstore_done_fn = { context, status, _ in
    unsafe object(context, as: Results.self).add(status)
}

/// The receiver of a lease.
private let receiveLease: dagstore_acquired_fn = { context, status, shard, _ in
    unsafe dagstore_shard_release(shard)
    unsafe object(context, as: Results.self).add(status)
}

/// A mount whose source opens when the test says so.
private final class Gate: Sendable {
    let bytes: [UInt8]
    let opening = DispatchSemaphore(value: 0)
    let mayOpen = DispatchSemaphore(value: 0)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var table: dagstore_mount_vtable_t {
        var table = dagstore_mount_vtable_t()
        table.size = UInt32(MemoryLayout<dagstore_mount_vtable_t>.size)
        table.access = UInt32(DAGSTORE_ACCESS_RANDOM)
        unsafe table.stat = { context, _, out, _ in
            unsafe out?.pointee.bytes = UInt64(object(context, as: Gate.self).bytes.count)
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.open = { context, _, source, size, _ in
            let gate = unsafe object(context, as: Gate.self)
            gate.opening.signal()
            gate.mayOpen.wait()
            unsafe source?.pointee = context
            unsafe size?.pointee = UInt64(gate.bytes.count)
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.read_at = { _, source, offset, buffer, capacity, size, _ in
            let gate = unsafe object(source, as: Gate.self)
            let start = min(Int(offset), gate.bytes.count)
            let count = min(capacity, gate.bytes.count - start)
            for index in 0..<count { unsafe buffer?[index] = gate.bytes[start + index] }
            unsafe size?.pointee = count
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.close = { _, _ in }
        return table
    }

    /// A store that reads `gate://` through this mount.
    func openStore() throws -> CStore {
        var mounts: OpaquePointer?
        try expectOK(unsafe dagstore_mounts_new(&mounts, nil))
        defer { unsafe dagstore_mounts_release(mounts) }
        var table = table
        try expectOK(unsafe dagstore_mounts_add(mounts, "gate", &table, context(of: self), nil))
        return try CStore { config in unsafe config.mounts = unsafe mounts }
    }
}

@Suite("Calls without waiting, through the C interface")
struct CAsyncTests {
    private static let car = CARBuilder.uniform(sections: 10, blockSize: 64, seed: 3)

    @Test("initialize and destroy complete once")
    func initializeAndDestroy() throws {
        let store = try CStore()
        try store.add("a", Self.car, flags: DAGSTORE_REGISTER_LAZY)
        let results = Results()
        let place = unsafe context(of: results)
        try expectOK(unsafe dagstore_initialize_async(store.handle, "a", receive, place, nil))
        #expect(results.wait(1) == ["ok"])
        var state: UInt32 = 0
        try expectOK(unsafe dagstore_state(store.handle, "a", &state, nil))
        #expect(state == UInt32(DAGSTORE_STATE_AVAILABLE))
        let shard = unsafe try store.acquire("a")
        try expectOK(unsafe dagstore_destroy_async(store.handle, "a", receive, place, nil))
        #expect(results.wait(1) == ["ok", "shardInUse"])
        unsafe dagstore_shard_release(shard)
        try expectOK(unsafe dagstore_destroy_async(store.handle, "a", receive, place, nil))
        #expect(results.wait(1) == ["ok", "shardInUse", "ok"])
        try expectOK(unsafe dagstore_initialize_async(store.handle, "a", receive, place, nil))
        #expect(results.wait(1).last == "shardUnknown")
        #expect(
            unsafe name(dagstore_destroy_async(store.handle, "", receive, place, nil))
                == "invalidKey"
        )
        store.close()
    }

    @Test("a caller cancels its own waiting calls, and the work goes on")
    func cancel() throws {
        let gate = Gate(Self.car.bytes)
        let store = try gate.openStore()
        try expectOK(
            unsafe dagstore_register(
                store.handle,
                "a",
                "gate://1",
                UInt32(DAGSTORE_REGISTER_LAZY),
                nil
            )
        )
        let mine = Results()
        let other = Results()
        for results in [mine, other, mine] {
            try expectOK(
                unsafe dagstore_acquire_async(
                    store.handle,
                    "a",
                    .max,
                    receiveLease,
                    context(of: results),
                    nil
                )
            )
        }
        gate.opening.wait()
        var count = 0
        try expectOK(unsafe dagstore_cancel(store.handle, context(of: mine), &count, nil))
        #expect(count == 2)
        #expect(mine.wait(2) == ["cancelled", "cancelled"])
        try expectOK(unsafe dagstore_cancel(store.handle, context(of: mine), &count, nil))
        #expect(count == 0)
        // Indexing and the opening of the shard.
        gate.mayOpen.signal()
        gate.mayOpen.signal()
        #expect(other.wait(1) == ["ok"])
        store.close()
    }

    @Test("a released lease has ended when the call returns, also after a cold acquire")
    func releaseAtOnce() throws {
        let store = try CStore { $0.idle_shards_max = 0 }
        try store.add("a", Self.car)
        var info = dagstore_info_t()
        info.size = UInt32(MemoryLayout<dagstore_info_t>.size)
        for _ in 0..<500 {
            let shard = unsafe try store.acquire("a")
            unsafe dagstore_shard_release(shard)
            var statistics = dagstore_statistics_t()
            statistics.size = UInt32(MemoryLayout<dagstore_statistics_t>.size)
            try expectOK(unsafe dagstore_statistics(store.handle, &statistics, nil))
            try #require(statistics.leases == 0)
        }
        store.close()
    }

    @Test("events tell of granted and of refused leases, and what a recovery follows")
    func events() throws {
        let store = try CStore()
        var queue: OpaquePointer?
        try expectOK(unsafe dagstore_events_open(store.handle, 64, &queue, nil))
        let path = try store.folder.write([1, 2, 3], to: "a.car")
        try expectOK(
            unsafe dagstore_register(
                store.handle,
                "a",
                "file://\(path)",
                UInt32(DAGSTORE_REGISTER_LAZY),
                nil
            )
        )
        var shard: OpaquePointer?
        #expect(
            unsafe name(dagstore_acquire(store.handle, "a", .max, &shard, nil)) == "malformedCAR"
        )
        _ = try store.folder.write(Self.car.bytes, to: "a.car")
        try expectOK(unsafe dagstore_recover(store.handle, "a", nil))
        unsafe dagstore_shard_release(try store.acquire("a"))
        store.close()
        var lines: [String] = []
        var event = dagstore_event_t()
        event.size = UInt32(MemoryLayout<dagstore_event_t>.size)
        while unsafe dagstore_events_next(queue, .max, &event, nil) == DAGSTORE_OK {
            lines.append(
                "\(event.operation) \(event.state) \(event.references) \(name(event.error_status))"
            )
        }
        unsafe dagstore_events_close(queue)
        #expect(
            lines == [
                "1 1 0 ok", "2 2 0 ok", "6 6 0 malformedCAR", "5 6 0 malformedCAR",
                "8 5 0 malformedCAR", "3 3 0 ok", "5 4 1 ok", "7 3 0 ok",
            ]
        )
    }

    @Test("one call has a selector of its own")
    func selecting() throws {
        let asked = Count()
        let store = try CStore { config in
            unsafe config.select_shards = { _, _, _, _, _, _ in 0 }
        }
        try store.add("a", Self.car)
        try store.add("b", Self.car)
        let cid = Self.car.blocks[0].cid.bytes
        var found: OpaquePointer?
        let status = unsafe dagstore_get_selecting(
            store.handle,
            cid,
            cid.count,
            .max,
            { context, _, _, keys, count, order in
                unsafe object(context, as: Count.self).add(count)
                unsafe order?[0] = 1
                return 1
            },
            context(of: asked),
            &found,
            nil
        )
        #expect(name(status) == "ok")
        #expect(asked.value == 2)
        unsafe dagstore_block_release(found)
        #expect(
            unsafe name(
                dagstore_get_selecting(store.handle, cid, cid.count, 0, nil, nil, &found, nil)
            )
                == "ok"
        )
        unsafe dagstore_block_release(found)
        store.close()
    }

    @Test("a lazy registration tells its progress at the first use")
    func lazyProgress() throws {
        let store = try CStore()
        // Indexing reports after every 16 MiB.
        let blocks = (0..<5).map { CARBuilder.Block.raw([UInt8](repeating: $0, count: 7 << 20)) }
        let car = CARBuilder(roots: [blocks[0].cid], blocks: blocks)
        let path = try store.folder.write(car.bytes, to: "a.car")
        let told = Count()
        var options = dagstore_register_options_t()
        options.size = UInt32(MemoryLayout<dagstore_register_options_t>.size)
        options.flags = UInt32(DAGSTORE_REGISTER_LAZY)
        unsafe options.progress = { context, done, total, _ in
            unsafe object(context, as: Count.self).add(done <= total ? 1 : 1_000_000)
        }
        unsafe options.progress_context = context(of: told)
        try expectOK(
            unsafe dagstore_register_with(store.handle, "a", "file://\(path)", &options, nil)
        )
        #expect(told.value == 0)
        unsafe dagstore_shard_release(try store.acquire("a"))
        store.close()
        #expect((1..<1000).contains(told.value))
    }

    @Test("closing a store interrupts a read that hangs", .timeLimit(.minutes(5)))
    func interrupt() throws {
        let hanging = Hanging()
        var mounts: OpaquePointer?
        try expectOK(unsafe dagstore_mounts_new(&mounts, nil))
        var table = hanging.table
        try expectOK(unsafe dagstore_mounts_add(mounts, "slow", &table, context(of: hanging), nil))
        let store = try CStore { config in unsafe config.mounts = unsafe mounts }
        unsafe dagstore_mounts_release(mounts)
        let results = Results()
        try expectOK(
            unsafe dagstore_register_async(
                store.handle,
                "a",
                "slow://1",
                nil,
                receive,
                context(of: results),
                nil
            )
        )
        hanging.reading.wait()
        try expectOK(
            unsafe dagstore_shutdown(store.handle, UInt32(DAGSTORE_SHUTDOWN_CANCELLING), nil)
        )
        #expect(results.wait(1) == ["closed"])
        store.close()
        hanging.released.wait()
    }
}

/// A mount whose source hangs in its first read until it is interrupted.
private final class Hanging: Sendable {
    let reading = DispatchSemaphore(value: 0)
    let mayReturn = DispatchSemaphore(value: 0)
    let released = DispatchSemaphore(value: 0)

    var table: dagstore_mount_vtable_t {
        var table = dagstore_mount_vtable_t()
        table.size = UInt32(MemoryLayout<dagstore_mount_vtable_t>.size)
        table.access = UInt32(DAGSTORE_ACCESS_SEQUENTIAL)
        unsafe table.stat = { _, _, out, _ in
            unsafe out?.pointee.bytes = .max
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.open = { context, _, source, size, _ in
            unsafe source?.pointee = context
            unsafe size?.pointee = .max
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.read_at = { _, source, _, _, _, _, _ in
            let hanging = unsafe object(source, as: Hanging.self)
            hanging.reading.signal()
            hanging.mayReturn.wait()
            return dagstore_status_t(DAGSTORE_MOUNT_UNREACHABLE)
        }
        unsafe table.close = { _, _ in }
        unsafe table.interrupt = { context, _ in
            unsafe object(context, as: Hanging.self).mayReturn.signal()
        }
        unsafe table.release = { context in
            unsafe object(context, as: Hanging.self).released.signal()
        }
        return table
    }
}
