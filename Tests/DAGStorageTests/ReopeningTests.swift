import DAGMounts
import Dispatch
import ShardLifecycle
import SharedReads
import Synchronization
import TestSupport
import Testing

@testable import DAGStorage

/// A shard whose policy has changed, as the loop handles it; see `PolicyTests` for the whole.
@Suite("Shards that close to be opened again")
struct ReopeningTests {
    @Test("the loop leaves a leased shard alone until its last lease has ended")
    func leased() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(CARBuilder.manyMixed(seed: 10).bytes))
        let lease = try await store.acquire("a")
        // A loop of the test's own, whose only shard is open.
        let loop = ShardLoop(store.engine)
        var lifecycle = ShardLifecycle(.available)
        _ = lifecycle.receive(.acquire, job: 1)
        _ = lifecycle.receive(.opened(job: 1), job: 1)
        let shard = LoopShard(lease.reader.key, lifecycle, lease.reader.record)
        let now = DispatchTime.now().uptimeNanoseconds
        let open = OpenShard(shard.key, lease.reader, after: nil, now: now)
        open.leases.open()
        open.leases.addLease()
        shard.open = open
        loop.active[shard.key] = shard
        loop.toReopen = [shard.key]
        loop.closeToReopen()
        let isOpen = open.leases.isOpen
        #expect(isOpen)
        #expect(loop.toReopen == [shard.key])
        // The thread that ends the last lease wakes the loop, so no sweep looks for that.
        let informs = open.informsOfLastLease.load(ordering: .relaxed)
        #expect(informs)
        #expect(loop.nextSweep() == nil)
        let isOpenAtReturn = open.leases.returnLease()
        #expect(isOpenAtReturn)
        loop.recountLeases(of: shard.key)
        #expect(loop.toReopen == [])
        let isOpenAtLast = open.leases.isOpen
        #expect(shard.open == nil && !isOpenAtLast)
        lease.release()
        await store.close()
    }
}
