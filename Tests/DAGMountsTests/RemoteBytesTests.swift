import DAGBytes
import DAGMounts
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Remote bytes")
struct RemoteBytesTests {
    /// Threads that may block.
    static let threads = JobPool(label: "remote bytes", width: 8)

    @Test("a blocking thread and a task read the same ranges", arguments: [0, 1, 10_000])
    func ranges(size: Int) async throws {
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let remote = RemoteBytes(MemoryRandomSource(bytes), name: "r")
        #expect(remote.size == UInt64(size))
        for _ in 0..<50 {
            let offset = Int.random(in: 0...size + 10, using: &generator)
            let count = Int.random(in: 0...100, using: &generator)
            let expected = Array(bytes.dropFirst(offset).prefix(count))
            let blocking = try await Self.threads.run { try remote.copy(at: offset, size: count) }
            #expect(blocking == expected)
            let found: [UInt8] = try await remote.read(at: UInt64(offset), size: count)
            #expect(found == expected)
        }
        let last: [UInt8] = try await remote.read(at: .max, size: 10)
        #expect(last == [])
        try remote.checkUnchanged()
    }

    @Test("a window slides over remote bytes as over a file")
    func window() async throws {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let remote = RemoteBytes(MemoryRandomSource(bytes), name: "r")
        let found = try await Self.threads.run {
            let window = FileWindow(on: remote, capacity: 100)
            try window.read(at: 4990, size: 100)
            return window.bytes.copied
        }
        #expect(found == Array(bytes[4990...]))
        let checksum = try await Self.threads.run { try ContentChecksum.of(remote) }
        #expect(checksum == bytes.withView { ContentChecksum.of($0) })
    }

    @Test("fewer or more bytes than were asked for are an error", arguments: [-1, 1, -1000])
    func shortRead(change: Int) async throws {
        let source = MemoryRandomSource([UInt8](repeating: 1, count: 1000), lengthChange: change)
        let remote = RemoteBytes(source, name: "r")
        await #expect(throws: MountError(.shortRead, "")) {
            try await Self.threads.run { try remote.copy(at: 5, size: 10) }
        }
        await #expect(throws: MountError(.shortRead, "")) {
            let _: [UInt8] = try await remote.read(at: 5, size: 10)
        }
    }

    @Test("a source's error keeps its code, and any other is unreachable")
    func errors() async throws {
        struct Odd: Error {}
        let cases: [(error: any Error, code: MountError.Code)] = [
            (MountError(.timedOut, "t"), .timedOut), (MountError(.gone, "g"), .gone),
            (CancellationError(), .cancelled), (Odd(), .unreachable),
        ]
        for (error, code) in cases {
            let remote = RemoteBytes(MemoryRandomSource([1]) { _ in throw error }, name: "r")
            await #expect(throws: MountError(code, "")) {
                try await Self.threads.run { try remote.copy(at: 0, size: 1) }
            }
        }
    }

    // A mount that never returns must not keep a store from closing.
    @Test(
        "cancelling frees blocked readers though the source hangs, and refuses later ones",
        .timeLimit(.minutes(10)),
        arguments: [true, false]
    )
    func cancel(heedsCancellation: Bool) async throws {
        let gate = Gate()
        let source = MemoryRandomSource([1, 2, 3]) { _ in
            try await gate.pass(heedingCancellation: heedsCancellation)
        }
        let remote = RemoteBytes(source, name: "r")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    await #expect(throws: MountError(.cancelled, "")) {
                        try await Self.threads.run { try remote.copy(at: 0, size: 2) }
                    }
                }
                group.addTask {
                    await #expect(throws: MountError(.cancelled, "")) {
                        let _: [UInt8] = try await remote.read(at: 0, size: 2)
                    }
                }
            }
            await gate.waitForArrivals(8)
            remote.cancel()
        }
        await #expect(throws: MountError(.cancelled, "")) {
            let _: [UInt8] = try await remote.read(at: 0, size: 2)
        }
        gate.open()
    }

    @Test(
        "a task that is cancelled waits no longer, and the others do",
        .timeLimit(.minutes(10))
    )
    func taskCancellation() async throws {
        let gate = Gate()
        let source = MemoryRandomSource([1, 2, 3]) { _ in
            try await gate.pass(heedingCancellation: false)
        }
        let remote = RemoteBytes(source, name: "r")
        let cancelled = OwnedTask { () -> [UInt8] in try await remote.read(at: 0, size: 2) }
        let other = OwnedTask { () -> [UInt8] in try await remote.read(at: 1, size: 2) }
        await gate.waitForArrivals(2)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        gate.open()
        #expect(try await other.value == [2, 3])
    }

    @Test("the source is closed after its last reader", .timeLimit(.minutes(10)))
    func close() async throws {
        let source = MemoryRandomSource([1])
        var remote: RemoteBytes? = RemoteBytes(source, name: "r")
        let found: [UInt8]? = try await remote?.read(at: 0, size: 1)
        #expect(found == [1])
        #expect(source.closeCount == 0)
        remote = nil
        // Another thread closes the source.
        while source.closeCount == 0 { await Task.yield() }
        #expect(source.closeCount == 1)
    }

    @Test("the end of its owner cancels a task", .timeLimit(.minutes(10)))
    func owner() async throws {
        let gate = Gate()
        let ended = Gate()
        var task: OwnedTask<Void>? = OwnedTask {
            try? await gate.pass(heedingCancellation: true)
            ended.open()
        }
        await gate.waitForArrivals(1)
        #expect(task != nil)
        task = nil
        try await ended.pass(heedingCancellation: false)
    }
}

@Suite("Job pools")
struct JobPoolTests {
    @Test("a job that has lent its place may wait for others, however few threads there are")
    func lending() async throws {
        let pool = JobPool(label: "test", width: 1)
        let order = Mutex<[Int]>([])
        let running = Atomic(0)
        let most = Atomic(0)
        try await pool.run {
            let bell = DispatchSemaphore(value: 0)
            for number in 0..<3 {
                pool.submit {
                    order.withLock { $0.append(number) }
                    bell.signal()
                }
            }
            pool.lendingPlace {
                for _ in 0..<3 { bell.wait() }
                pool.submit { bell.signal() }
                bell.wait()
            }
            order.withLock { $0.append(3) }
        }
        #expect(order.withLock(\.self) == [0, 1, 2, 3])
        // The place is one again.
        for _ in 0..<200 {
            pool.submit {
                let now = running.add(1, ordering: .relaxed).newValue
                most.max(now, ordering: .relaxed)
                running.subtract(1, ordering: .relaxed)
            }
        }
        try await pool.run {}
        #expect(most.load(ordering: .relaxed) == 1)
    }

    @Test("jobs that hang are passed by others, on as many more threads as there may be")
    func spares() async throws {
        let pool = JobPool(label: "test.spares", width: 2, sparesMax: 3)
        let gate = DispatchSemaphore(value: 0)
        for _ in 0..<4 { pool.submit { gate.wait() } }
        // The fifth finds the last spare thread.
        #expect(try await pool.run { 1 } == 1)
        #expect(try threadCount(named: "test.spares") > 2)
        for _ in 0..<4 { gate.signal() }
        #expect(try await pool.run { 2 } == 2)
        try await eventually { try threadCount(named: "test.spares") <= 2 }
    }

    /// The number of this process's threads with a name.
    private func threadCount(named name: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { thread in
            // A thread may end meanwhile.
            let path = "/proc/self/task/\(thread)/comm"
            return (try? String(contentsOfFile: path, encoding: .utf8)) == name + "\n"
        }
    }

    @Test("jobs of a pool of one run in the order in which they came", arguments: [1, 2, 3, 1000])
    func order(count: Int) async throws {
        let pool = JobPool(label: "order", width: 1)
        let begun = DispatchSemaphore(value: 0)
        let seen = Seen()
        // All others come while this one holds the only thread.
        pool.submit { begun.wait() }
        for number in 0..<count { pool.submit { seen.append(number) } }
        begun.signal()
        let last = try await pool.run { seen.numbers }
        #expect(last == Array(0..<count))
    }

    @Test("no more jobs run at once than the pool is wide, and it comes back to rest")
    func width() async throws {
        let pool = JobPool(label: "width", width: 3)
        let seen = Seen()
        for _ in 0..<3 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask { try await pool.run { seen.while { seen.append(number) } } }
                }
                try await group.waitForAll()
            }
        }
        #expect(seen.numbers.count == 300)
        #expect((1...3).contains(seen.mostAtOnce))
    }

    @Test("pools whose threads are all blocked leave Dispatch its own")
    func manyBlocked() async throws {
        let isReleased = DispatchSemaphore(value: 0)
        let pools = (0..<300).map { _ in JobPool(label: "blocked", width: 1) }
        let seen = Seen()
        for (number, pool) in pools.enumerated() {
            pool.submit {
                seen.append(number)
                isReleased.wait()
            }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "beside").async { continuation.resume() }
        }
        #expect(try await JobPool(label: "beside", width: 1).run { true })
        for _ in pools { isReleased.signal() }
        for pool in pools { try await pool.run {} }
        #expect(Set(seen.numbers) == Set(0..<300))
    }

    @Test("jobs that wait when the pool is gone still run")
    func orphans() async throws {
        let begun = DispatchSemaphore(value: 0)
        let seen = Seen()
        await withCheckedContinuation { continuation in
            let pool = JobPool(label: "orphans", width: 1)
            pool.submit { begun.wait() }
            for number in 0..<10 { pool.submit { seen.append(number) } }
            pool.submit { continuation.resume() }
            begun.signal()
        }
        #expect(seen.numbers == Array(0..<10))
    }

    @Test("the error of a job reaches its waiter")
    func failure() async throws {
        let pool = JobPool(label: "failure", width: 1)
        await #expect(throws: MountError(.full, "")) {
            try await pool.run { throw MountError(.full, "asked to") }
        }
    }
}

extension ByteSource {
    /// Reads and copies, as many bytes as there are.
    fileprivate func copy(at offset: Int, size: Int) throws -> [UInt8] {
        let window = FileWindow(on: self, capacity: max(1, size))
        try window.read(at: UInt64(offset), size: size)
        return window.bytes.copied
    }
}
