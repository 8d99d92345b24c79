import DAGMounts
import TestSupport
import Testing

@testable import DAGStorage

/// Small CARs are indexed side by side before their shards are known, and are numbered as they were asked for.
@Suite("Prepared registrations")
struct PreparedRequestsTests {
    private static func ask(_ ticket: UInt64) throws -> Request {
        Request(kind: .initialize, key: try ShardKey("shard-\(ticket)"), ticket: ticket) { _ in }
    }

    /// The tickets that go on at a time.
    private static func tickets(
        _ asks: inout PreparedRequests,
        _ time: ContinuousClock.Instant
    ) -> [UInt64] {
        var tickets: [UInt64] = []
        while let (ask, _) = asks.next(at: time) { tickets.append(ask.ticket) }
        return tickets
    }

    @Test("they go on in the order of their asks, whatever the order in which they are done")
    func order() throws {
        var asks = PreparedRequests()
        let start = ContinuousClock.now
        for ticket in 0..<6 { asks.begin(try Self.ask(UInt64(ticket)), at: start) }
        #expect(asks.deadline == nil)
        asks.end(2, nil)
        asks.end(1, nil)
        #expect(Self.tickets(&asks, start) == [])
        asks.end(0, nil)
        #expect(Self.tickets(&asks, start) == [0, 1, 2])
        for ticket: UInt64 in [5, 4, 3] { asks.end(ticket, nil) }
        #expect(Self.tickets(&asks, start) == [3, 4, 5])
        #expect(asks.isEmpty)
    }

    @Test("one that does not answer holds the others until its place is lost")
    func patience() throws {
        var asks = PreparedRequests()
        let start = ContinuousClock.now
        for ticket in 0..<3 { asks.begin(try Self.ask(UInt64(ticket)), at: start) }
        asks.end(1, nil)
        asks.end(2, nil)
        #expect(Self.tickets(&asks, start) == [])
        let end = try #require(asks.deadline)
        #expect(Self.tickets(&asks, end) == [1, 2])
        #expect(!asks.isEmpty)
        asks.end(0, nil)
        #expect(Self.tickets(&asks, end) == [0])
        #expect(asks.isEmpty)
    }

    @Test("what ends after all were removed is not handed over")
    func removed() throws {
        var asks = PreparedRequests()
        for ticket in 0..<3 { asks.begin(try Self.ask(UInt64(ticket)), at: .now) }
        asks.end(1, nil)
        #expect(asks.removeAll().map(\.ticket).sorted() == [0, 1, 2])
        asks.end(0, nil)
        #expect(Self.tickets(&asks, .now) == [])
    }

    // A request whose index is not ready after half a second lets later ones go ahead. So on a busy machine one
    // attempt may be disturbed; an implementation that loses the order fails all of them.
    @Test("300 small CARs that are asked for at once are numbered in that order")
    func store() async throws {
        for _ in 0..<5 {
            if try await isInOrder() { return }
        }
        Issue.record("the order was lost five times")
    }

    private func isInOrder() async throws -> Bool {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(CARBuilder(blocks: [.raw([1])]).bytes)
        let keys = (0..<300).map { "shard-\(($0 * 7) % 300)" }
        let (replies, reply) = AsyncStream.makeStream(of: Bool.self)
        for key in keys {
            try store.register(
                ShardKey(key),
                from: mount.url,
                indexing: .now,
                existingTransient: nil,
                progress: nil
            ) { result in
                reply.yield((try? result.get()) != nil)
            }
        }
        var count = 0
        for await isRegistered in replies {
            #expect(isRegistered)
            count += 1
            if count == keys.count { break }
        }
        let found = store.keys
        #expect(found.sorted() == keys.sorted())
        await store.close()
        return found == keys
    }
}
