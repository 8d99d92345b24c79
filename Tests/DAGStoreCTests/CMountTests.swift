import CDAGStore
import DAGMultiformats
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DAGStoreC

/// The mount of a C program: bytes by name, and counts of its calls.
private final class Supply: Sendable {
    let bytes: [UInt8]
    let stats = Count()
    let opened = Count()
    let closed = Count()
    let released = Count()
    /// Rings when the context is given back.
    let bell = DispatchSemaphore(value: 0)
    let reads = Count()
    /// The status that `open` returns instead of opening.
    let refusal = Atomic<dagstore_status_t>(0)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func release() {
        released.add()
        bell.signal()
    }

    func table(_ access: Int) -> dagstore_mount_vtable_t {
        var table = dagstore_mount_vtable_t()
        table.size = UInt32(MemoryLayout<dagstore_mount_vtable_t>.size)
        table.access = UInt32(access)
        unsafe table.stat = { context, url, out, error in
            let supply = unsafe object(context, as: Supply.self)
            supply.stats.add()
            unsafe out?.pointee.bytes = UInt64(supply.bytes.count)
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.open = { context, url, source, size, error in
            let supply = unsafe object(context, as: Supply.self)
            let refusal = supply.refusal.load(ordering: .relaxed)
            guard refusal == 0 else {
                unsafe error?.pointee = dagstore_error_new(refusal, "the vault is shut")
                return refusal
            }
            supply.opened.add()
            unsafe source?.pointee = context
            unsafe size?.pointee = UInt64(supply.bytes.count)
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.read_at = { context, source, offset, buffer, capacity, size, error in
            let supply = unsafe object(source, as: Supply.self)
            supply.reads.add()
            let start = min(Int(offset), supply.bytes.count)
            // At most 100 bytes at once: the library asks for the rest again.
            let count = min(capacity, supply.bytes.count - start, 100)
            for index in 0..<count { unsafe buffer?[index] = supply.bytes[start + index] }
            unsafe size?.pointee = count
            return dagstore_status_t(DAGSTORE_OK)
        }
        unsafe table.close = { context, _ in
            unsafe object(context, as: Supply.self).closed.add()
        }
        unsafe table.release = { context in unsafe object(context, as: Supply.self).release() }
        return table
    }
}

@Suite("Mounts of a C program")
struct CMountTests {
    /// A store that reads `vault://` through a supply.
    private static func open(_ supply: Supply, _ access: Int) throws -> CStore {
        var mounts: OpaquePointer?
        try expectOK(unsafe dagstore_mounts_new(&mounts, nil))
        defer { unsafe dagstore_mounts_release(mounts) }
        var table = supply.table(access)
        try expectOK(unsafe dagstore_mounts_add(mounts, "vault", &table, context(of: supply), nil))
        let again = unsafe dagstore_mounts_add(mounts, "vault", &table, context(of: supply), nil)
        #expect(name(again) == "invalidArgument")
        return try CStore { config in unsafe config.mounts = unsafe mounts }
    }

    @Test(
        "are read in place or copied, closed once, and given back once",
        arguments: [DAGSTORE_ACCESS_RANDOM, DAGSTORE_ACCESS_SEQUENTIAL]
    )
    func reading(access: Int) throws {
        let car = CARBuilder.uniform(sections: 20, blockSize: 333, seed: 6)
        let supply = Supply(car.bytes)
        let store = try Self.open(supply, access)
        try expectOK(unsafe dagstore_register(store.handle, "a", "vault://1", 0, nil))
        let shard = unsafe try store.acquire("a")
        for expected in car.blocks {
            unsafe #expect(block(shard, expected.cid.bytes).bytes == expected.data)
        }
        unsafe dagstore_shard_release(shard)
        #expect(supply.released.value == 0)
        store.close()
        supply.bell.wait()
        #expect(supply.opened.value > 0)
        #expect(supply.closed.value == supply.opened.value)
        #expect(supply.released.value == 1)
    }

    @Test(
        "keep the codes and messages of their errors",
        arguments: [
            (DAGSTORE_MOUNT_GONE, "mountGone"), (DAGSTORE_MOUNT_UNREACHABLE, "mountUnreachable"),
            (DAGSTORE_FETCH_FAILED, "fetchFailed"), (DAGSTORE_FETCH_TIMED_OUT, "fetchTimedOut"),
            (DAGSTORE_SOURCE_CHANGED, "sourceChanged"), (DAGSTORE_CLOSED, "mountUnreachable"),
            (-12345, "mountUnreachable"),
        ]
    )
    func errors(status: Int, expected: String) throws {
        let supply = Supply([])
        supply.refusal.store(dagstore_status_t(status), ordering: .relaxed)
        let store = try Self.open(supply, DAGSTORE_ACCESS_RANDOM)
        var error: OpaquePointer?
        let answer = unsafe dagstore_register(store.handle, "a", "vault://1", 0, &error)
        #expect(name(answer) == expected)
        #expect(unsafe String(cString: dagstore_error_message(error)).contains("the vault is shut"))
        unsafe dagstore_error_release(error)
        store.close()
    }

    @Test(
        "reading needs no thread of Swift's task pool",
        .timeLimit(.minutes(10)),
        arguments: [DAGSTORE_ACCESS_RANDOM, DAGSTORE_ACCESS_SEQUENTIAL, 0]
    )
    func blockedPool(access: Int) async throws {
        // In a process of its own: the task pool of this one is for the other tests.
        await #expect(processExitsWith: .success) { [access] in
            try await CMountTests.readWhilePoolIsBlocked(access)
        }
    }

    private static func readWhilePoolIsBlocked(_ access: Int) async throws {
        let car = CARBuilder.uniform(sections: 20, blockSize: 333, seed: 7)
        let supply = Supply(car.bytes)
        let store = try access == 0 ? CStore() : Self.open(supply, access)
        if access == 0 {
            try store.add("a", car)
        } else {
            try expectOK(unsafe dagstore_register(store.handle, "a", "vault://1", 0, nil))
        }
        let width = ProcessInfo.processInfo.activeProcessorCount
        let started = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        let answer = Mutex("nothing")
        let done = DispatchSemaphore(value: 0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<width * 2 {
                group.addTask {
                    started.signal()
                    Self.pause(on: ended)
                }
            }
            let thread = Thread {
                for _ in 0..<width { started.wait() }
                let found = (try? Self.readAll(store, car)) ?? "threw"
                answer.withLock { $0 = found }
                for _ in 0..<width * 2 { ended.signal() }
                done.signal()
            }
            thread.start()
            await group.waitForAll()
        }
        Self.pause(on: done)
        #expect(answer.withLock { $0 } == "read 20 blocks")
        store.close()
    }

    private static func pause(on bell: DispatchSemaphore) { bell.wait() }

    /// Acquires a shard that is not open yet, and reads all of it.
    private static func readAll(_ store: CStore, _ car: CARBuilder) throws -> String {
        let shard = unsafe try store.acquire("a", timeout: 20_000)
        defer { unsafe dagstore_shard_release(shard) }
        var count = 0
        for expected in car.blocks {
            let cid = expected.cid.bytes
            var isThere = false
            var location = dagstore_location_t()
            location.size = UInt32(MemoryLayout<dagstore_location_t>.size)
            try expectOK(unsafe dagstore_shard_contains(shard, cid, cid.count, &isThere, nil))
            try expectOK(unsafe dagstore_shard_locate(shard, cid, cid.count, &location, nil))
            if isThere, location.block_size == 333, unsafe Self.data(shard, cid) == expected.data {
                count += 1
            }
        }
        return "read \(count) blocks"
    }

    private static func data(_ shard: OpaquePointer, _ cid: [UInt8]) -> [UInt8]? {
        unsafe DAGStoreCTests.block(shard, cid).bytes
    }
}
