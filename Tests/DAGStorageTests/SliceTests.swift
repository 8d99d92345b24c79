import DAGMounts
import DAGMultiformats
import SharedReads
import TestSupport
import Testing

@testable import DAGStorage

/// Parts of blocks, deadlines, and leases that were released.
@Suite("Slices, deadlines and released leases")
struct SliceTests {
    private static let builder = CARBuilder.uniform(sections: 40, blockSize: 5000, seed: 7)

    /// A remote mount that counts the bytes that are read, and the sources that are open.
    private struct CountingMount: Mount {
        /// What all mounts of a test share.
        final class Counts: Sendable {
            let bytes: [UInt8]
            let gate = Gate()
            let read = Lock(0)
            let open = Lock(0)
            let opened = Lock(0)
            let hangsInOpen = Lock(false)
            let hangsInRead = Lock(false)

            init(_ bytes: [UInt8]) { self.bytes = bytes }
        }

        private final class Source: RandomSource {
            let counts: Counts
            private let isClosed = Lock(false)
            var size: UInt64 { UInt64(counts.bytes.count) }

            init(_ counts: Counts) {
                self.counts = counts
                counts.open.withLock { $0 += 1 }
            }

            func read(at offset: UInt64, size: Int) async throws -> [UInt8] {
                if counts.hangsInRead.withLock({ $0 }) {
                    try await counts.gate.pass(heedingCancellation: true)
                }
                counts.read.withLock { $0 += size }
                return Array(counts.bytes[Int(offset)..<Int(offset) + size])
            }

            func close() {
                let isFirst = isClosed.withLock { isClosed in
                    defer { isClosed = true }
                    return !isClosed
                }
                if isFirst { counts.open.withLock { $0 -= 1 } }
            }
        }

        let url: MountURL
        let counts: Counts
        var access: MountAccess { .random }

        init(_ bytes: [UInt8]) throws {
            url = try MountURL("counting://bytes")
            counts = Counts(bytes)
        }

        private init(_ url: MountURL, _ counts: Counts) {
            self.url = url
            self.counts = counts
        }

        func resolving(_ url: MountURL) throws -> CountingMount { CountingMount(url, counts) }

        func stat() async throws -> MountStat { MountStat(size: UInt64(counts.bytes.count)) }

        func open() async throws -> MountSource {
            counts.opened.withLock { $0 += 1 }
            if counts.hangsInOpen.withLock({ $0 }) {
                try await counts.gate.pass(heedingCancellation: false)
            }
            return .random(Source(counts))
        }
    }

    /// Where the bytes of a shard are.
    enum Place: CaseIterable, Sendable { case mapped, file, remote }

    @Test("a slice has the bytes of its range, cut at the block's end", arguments: Place.allCases)
    func slices(place: Place) async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        let store = try folder.open([remote]) {
            $0.mapping = place == .file ? .never : .whenPossible
        }
        if place == .remote {
            try await store.register(ShardKey("a"), from: remote)
        } else {
            try await store.register("a", folder.mount(Self.builder.bytes))
        }
        let shard = try await store.acquire("a")
        for block in Self.builder.blocks.prefix(5) {
            for range: Range<UInt64> in [
                0..<1, 4096..<4200, 0..<5000, 4990..<9000, 5000..<6000, 7..<7,
            ] {
                let expected = range.clamped(to: 0..<UInt64(block.data.count))
                for slice in [
                    try await shard.slice(of: block.cid, in: range),
                    try await store.slice(of: block.cid, in: range),
                ] {
                    let slice = try #require(slice)
                    #expect(slice.range == expected)
                    #expect(slice.blockSize == UInt64(block.data.count))
                    let bytes = Array(
                        block.data[Int(expected.lowerBound)..<Int(expected.upperBound)]
                    )
                    #expect(try slice.copiedBytes == bytes)
                    #expect(slice.bytes.byteCount == bytes.count)
                }
            }
        }
        let absent = CARBuilder.Block.raw([1, 2, 3]).cid
        #expect(try await shard.slice(of: absent, in: 0..<1) == nil)
        #expect(try await store.slice(of: absent, in: 0..<1) == nil)
        let first = Self.builder.blocks[0]
        if place == .remote {
            #expect(throws: DAGStoreError(.mountUnreachable)) {
                try shard.sliceIfLocal(of: first.cid, in: 3..<9)
            }
        } else {
            let slice = try shard.sliceIfLocal(of: first.cid, in: 3..<9)
            #expect(try slice?.copiedBytes == Array(first.data[3..<9]))
        }
        let identity = CARBuilder.Block.identity([5, 6, 7]).cid
        #expect(try await shard.slice(of: identity, in: 1..<9)?.copiedBytes == [6, 7])
        #expect(try await store.slice(of: identity, in: 1..<9)?.copiedBytes == [6, 7])
        shard.release()
        await store.close()
    }

    @Test("a slice of a remote block reads its bytes and no more")
    func remoteBytes() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        let store = try folder.open([remote])
        try await store.register(ShardKey("a"), from: remote)
        let shard = try await store.acquire("a")
        let before = remote.counts.read.withLock { $0 }
        _ = try await shard.slice(of: Self.builder.blocks[3].cid, in: 100..<300)
        #expect(remote.counts.read.withLock { $0 } == before + 200)
        shard.release()
        await store.close()
    }

    @Test("a deadline ends the wait of a caller, and what it waited for goes on")
    func deadlines() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        remote.counts.hangsInOpen.withLock { $0 = true }
        let store = try folder.open([remote])
        func soon() -> ContinuousClock.Instant { .now + .milliseconds(20) }
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            try await store.register(ShardKey("a"), from: remote, deadline: soon())
        }
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            try await store.initialize(ShardKey("a"), deadline: soon())
        }
        remote.counts.hangsInOpen.withLock { $0 = false }
        remote.counts.gate.open()
        let shard = try await store.acquire("a")
        #expect(shard.blockCount == 40)
        shard.release()
        await store.close()
    }

    @Test("a deadline ends a read from afar")
    func readDeadline() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        let store = try folder.open([remote])
        try await store.register(ShardKey("a"), from: remote)
        let shard = try await store.acquire("a")
        remote.counts.hangsInRead.withLock { $0 = true }
        let cid = Self.builder.blocks[0].cid
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            try await store.block(for: cid, deadline: .now + .milliseconds(20))
        }
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            try await shard.slice(of: cid, in: 0..<10, deadline: .now + .milliseconds(20))
        }
        remote.counts.gate.open()
        #expect(try await store.block(for: cid, deadline: .now + .seconds(600))?.size == 5000)
        shard.release()
        await store.close()
    }

    @Test("a walk waits for a block from afar no longer than its patience")
    func walkPatience() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        let store = try folder.open([remote])
        try await store.register(ShardKey("a"), from: remote)
        let request = DAGRequest(root: Self.builder.blocks[0].cid)
        for hangsInOpen in [false, true] {
            remote.counts.hangsInRead.withLock { $0 = true }
            remote.counts.hangsInOpen.withLock { $0 = hangsInOpen }
            var blocks = store.walk(
                request,
                verifying: false,
                patience: .milliseconds(20),
                elsewhere: nil
            ).makeAsyncIterator()
            await #expect(throws: DAGStoreError(.deadlineExceeded)) { try await blocks.next() }
        }
        remote.counts.gate.open()
        await store.close(cancellingJobs: true)
    }

    @Test("after the deadline no further shard is opened for a block")
    func deadlineEndsAsking() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        var store = try folder.open([remote])
        for key in ["a", "b", "c", "d"] {
            try await store.register(ShardKey(key), from: remote)
        }
        await store.close()
        store = try folder.open([remote])
        remote.counts.hangsInOpen.withLock { $0 = true }
        let before = remote.counts.opened.withLock { $0 }
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            let cid = Self.builder.blocks[0].cid
            return try await store.block(for: cid, deadline: .now + .milliseconds(50))
        }
        #expect(remote.counts.opened.withLock { $0 } == before + 1)
        remote.counts.gate.open()
        await store.close(cancellingJobs: true)
    }

    @Test("deadlines come in their order, whatever the order in which they were added")
    func deadlineOrder() {
        var deadlines = Deadlines()
        let start = ContinuousClock.now
        var generator = SplitMix64(seed: 9)
        let times = (0..<500).map { UInt64($0) }.shuffled(using: &generator)
        for time in times { deadlines.insert(start + .seconds(Int(time)), time) }
        #expect(deadlines.first == start)
        #expect(deadlines.removeFirst(before: start - .seconds(1)) == nil)
        var taken: [UInt64] = []
        while let ticket = deadlines.removeFirst(before: start + .seconds(600)) {
            taken.append(ticket)
        }
        #expect(taken == Array(0..<500))
        #expect(deadlines.first == nil)
    }

    @Test("a recovery and a small local registration keep their deadlines")
    func recoveryDeadline() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount([1, 2, 3])
        let store = try folder.open([remote])
        await #expect(throws: DAGStoreError.self) {
            try await store.register(ShardKey("a"), from: remote)
        }
        remote.counts.hangsInOpen.withLock { $0 = true }
        await #expect(throws: DAGStoreError(.deadlineExceeded)) {
            try await store.recover(ShardKey("a"), deadline: .now + .milliseconds(20))
        }
        #expect(try store.status(of: ShardKey("a"))?.state == .recovering)
        remote.counts.gate.open()
        let mount = try folder.mount(Self.builder.bytes)
        let status = try await store.register(
            ShardKey("b"),
            from: mount,
            deadline: .now + .seconds(600)
        )
        #expect(status.state == .available)
        await store.close(cancellingJobs: true)
    }

    @Test("a source that opens after its job was cancelled is closed")
    func lateSource() async throws {
        let folder = try StoreFolder()
        let remote = try CountingMount(Self.builder.bytes)
        remote.counts.hangsInOpen.withLock { $0 = true }
        let store = try folder.open([remote])
        try await store.register(ShardKey("a"), from: remote, indexing: .inBackground)
        await eventually { remote.counts.opened.withLock { $0 } == 1 }
        try await store.destroy(ShardKey("a"))
        remote.counts.gate.open()
        await store.close()
        await eventually { remote.counts.open.withLock { $0 } == 0 }
    }

    @Test("a released lease answers with errors, and keeps its key")
    func released() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let name = "a key that is longer than sixteen bytes"
        try await store.register(name, folder.mount(Self.builder.bytes))
        let shard = try await store.acquire(ShardKey(name))
        let cid = Self.builder.blocks[0].cid
        let block = try #require(try shard.blockIfLocal(for: cid))
        shard.release()
        shard.release()
        #expect(shard.key.text == name)
        #expect(shard.blockCount == 0)
        #expect(shard.roots == [])
        let closed = DAGStoreError(.closed)
        #expect(throws: closed) { try shard.contains(cid) }
        #expect(throws: closed) { try shard.contains(CARBuilder.Block.identity([1]).cid) }
        #expect(throws: closed) { try shard.location(of: cid) }
        #expect(throws: closed) { try shard.blockIfLocal(for: cid) }
        #expect(throws: closed) { try shard.blocksIfLocal(for: [cid]) }
        #expect(throws: closed) { try shard.verifiedBlockIfLocal(for: cid) }
        #expect(throws: closed) { try shard.prefetch([cid]) }
        #expect(throws: closed) { try shard.prefetch([]) }
        await #expect(throws: closed) { try await shard.block(for: cid) }
        await #expect(throws: closed) { try await shard.slice(of: cid, in: 0..<1) }
        #expect(throws: closed) { try shard.sliceIfLocal(of: cid, in: 0..<1) }
        await #expect(throws: closed) { for try await _ in shard.cids {} }
        #expect(try block.copiedBytes == Self.builder.blocks[0].data)
        try await store.destroy(name)
        #expect(shard.key.text == name)
        await store.close()
        #expect(throws: closed) { try shard.contains(cid) }
    }

    @Test("a prefetch finds the blocks of open shards")
    func prefetch() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Self.builder.bytes))
        let cids = Self.builder.blocks.map(\.cid)
        let shard = try await store.acquire("a")
        #expect(try store.prefetch(cids + [CARBuilder.Block.raw([9]).cid]) == cids.count)
        try shard.prefetch(cids)
        shard.release()
        await store.close()
        #expect(throws: DAGStoreError(.closed)) { try store.prefetch(cids) }
        #expect(throws: DAGStoreError(.closed)) { try store.prefetch([]) }
    }
}
