import DAGMounts
import SharedReads
import Synchronization
import TestSupport
import Testing

@testable import DAGStorage

@Suite("Throttle")
struct ThrottleTests {
    @Test("places are given in the order of arrival", arguments: [1, 3])
    func fairness(width: Int) async throws {
        let throttle = Throttle(width: width)
        let gate = Gate()
        let order = Mutex<[Int]>([])
        var tasks: [OwnedTask<Void>] = []
        for _ in 0..<width {
            tasks.append(
                OwnedTask {
                    try await throttle.run { try await gate.pass(heedingCancellation: false) }
                }
            )
        }
        await gate.waitForArrivals(width)
        for number in 0..<50 {
            tasks.append(
                OwnedTask { try await throttle.run { order.withLock { $0.append(number) } } }
            )
            await eventually { throttle.waitingCount == number + 1 }
        }
        gate.open()
        for task in tasks { try await task.value }
        let seen = order.withLock(\.self)
        // With one place nobody overtakes; with more, each gets its place in turn and may be slower then.
        #expect(width > 1 || seen == Array(0..<50))
        #expect(seen.sorted() == Array(0..<50))
        #expect(throttle.waitingCount == 0)
    }

    @Test("never more than its width run at once", arguments: [1, 2, 7])
    func width(width: Int) async throws {
        let throttle = Throttle(width: width)
        let running = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask { @Sendable in
                    try await throttle.run {
                        let now = running.add(1, ordering: .relaxed).newValue
                        most.max(now, ordering: .relaxed)
                        await Task.yield()
                        running.subtract(1, ordering: .relaxed)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(1...width ~= most.load(ordering: .relaxed))
    }

    @Test("who is cancelled while it waits takes no place, and the others keep their order")
    func cancellation() async throws {
        let throttle = Throttle(width: 1)
        let gate = Gate()
        let order = Mutex<[Int]>([])
        let first = OwnedTask {
            try await throttle.run { try await gate.pass(heedingCancellation: false) }
        }
        await gate.waitForArrivals(1)
        var tasks: [OwnedTask<Void>] = []
        for number in 0..<100 {
            tasks.append(
                OwnedTask { try await throttle.run { order.withLock { $0.append(number) } } }
            )
            await eventually { throttle.waitingCount == number + 1 }
        }
        for number in 0..<100 where number % 3 != 0 {
            tasks[number].cancel()
            let task = tasks[number]
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(throttle.waitingCount == 34)
        gate.open()
        try await first.value
        for number in 0..<100 where number % 3 == 0 { try await tasks[number].value }
        #expect(order.withLock(\.self) == (0..<100).filter { $0 % 3 == 0 })
        #expect(try await throttle.run { 1 } == 1)
    }

    @Test("a task that was cancelled before it came is refused")
    func cancelledBefore() async throws {
        let throttle = Throttle(width: 1)
        let gate = Gate()
        let task = OwnedTask {
            try? await gate.pass(heedingCancellation: true)
            return try await throttle.run { 1 }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await throttle.run { 2 } == 2)
    }

    @Test("a body that throws gives its place back")
    func throwing() async throws {
        let throttle = Throttle(width: 1)
        for _ in 0..<3 {
            await #expect(throws: DAGStoreError(.mountGone)) {
                try await throttle.run { throw DAGStoreError(.mountGone) }
            }
        }
        #expect(try await throttle.run { 1 } == 1)
    }
}

extension Throttle {
    /// The number of waiters.
    fileprivate var waitingCount: Int { state.withLock { $0.waiting.count } }
}
