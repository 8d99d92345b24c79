public import Synchronization

/// A cache that threads search without a lock; the sum of its objects' costs has a limit.
///
/// CLOCK chooses the object to evict: the hand skips an object once if a search used it since the last pass. A search
/// sets the flag of use only if it is clear, so threads that use one object do not all write to it.
///
/// *Concurrency*: any thread may call anything; `find` within a reading of the mark.
public final class SharedCache<Object: AnyObject & Sendable>: Sendable {
    /// The key of an object.
    @frozen public struct Key: Hashable, Sendable {
        /// The parts of the key.
        public let first, second: UInt64

        /// Creates a key of two numbers.
        @inlinable public init(_ first: UInt64, _ second: UInt64) {
            self.first = first
            self.second = second
        }

        /// A hash for tables.
        ///
        /// Keys are numbers of the store, so the hash need not resist attacks.
        @inlinable var hash: UInt64 {
            let mixed =
                (first ^ (second &* 0x9e37_79b9_7f4a_7c15)).multipliedFullWidth(
                    by: 0xd6e8_feb8_6659_fd93
                )
            return mixed.high ^ mixed.low
        }
    }

    /// An object in the cache.
    public final class Entry: Sendable {
        /// The key of the object.
        public let key: Key
        /// The object.
        public let object: Object
        let cost: Int
        @usableFromInline let wasUsed = Atomic<Bool>(false)

        init(_ key: Key, _ object: Object, cost: Int) {
            self.key = key
            self.object = object
            self.cost = cost
        }
    }

    private struct State {
        /// The entries, in the order of the hand.
        var entries: [Entry] = []
        var hand = 0
        var cost = 0
    }

    @usableFromInline let table: SharedTable<Entry>
    private let state = Lock(State())
    private let costMax: Int
    /// The mark under which threads read the cache.
    public let mark: ReadMark

    /// Creates a cache of objects that cost at most `costMax` together.
    public init(costMax: Int, readUnder mark: ReadMark) {
        self.costMax = costMax
        self.mark = mark
        table = SharedTable(readUnder: mark)
    }

    /// Finds an object, which stays alive until the reading ends.
    @inlinable
    @inline(__always)
    public func find(_ key: Key) -> Borrowed<Entry>? {
        guard let found = table.find(key.hash, where: { $0.key == key }) else { return nil }
        found.with { entry in
            if !entry.wasUsed.load(ordering: .relaxed) {
                entry.wasUsed.store(true, ordering: .relaxed)
            }
        }
        return found
    }

    /// Keeps an object, unless the key has one or the cost is above the limit.
    public func insert(_ object: Object, _ key: Key, cost: Int) {
        guard cost <= costMax else { return }
        state.withLock { state in
            guard !isThere(key) else { return }
            while state.cost + cost > costMax { evictOne(&state) }
            let entry = Entry(key, object, cost: cost)
            state.entries.append(entry)
            state.cost += cost
            table.insert(entry, key.hash)
        }
    }

    private func isThere(_ key: Key) -> Bool {
        Reading.begin(mark)
        defer { Reading.end() }
        return table.find(key.hash, where: { $0.key == key }) != nil
    }

    private func evictOne(_ state: inout State) {
        while true {
            if state.hand >= state.entries.count { state.hand = 0 }
            let entry = state.entries[state.hand]
            guard entry.wasUsed.load(ordering: .relaxed) else { break }
            entry.wasUsed.store(false, ordering: .relaxed)
            state.hand += 1
        }
        let last = state.entries.removeLast()
        var evicted = last
        if state.hand < state.entries.count {
            evicted = state.entries[state.hand]
            state.entries[state.hand] = last
        }
        state.cost -= evicted.cost
        table.remove(evicted, evicted.key.hash)
    }

    /// Removes the objects whose keys are chosen; running readings keep theirs until they end.
    ///
    /// *Cost*: a look at every object.
    public func removeAll(where isChosen: (Key) -> Bool) {
        state.withLock { state in
            guard state.entries.contains(where: { isChosen($0.key) }) else { return }
            for entry in state.entries where isChosen(entry.key) {
                state.cost -= entry.cost
                table.remove(entry, entry.key.hash)
            }
            state.entries.removeAll { isChosen($0.key) }
        }
    }

    /// Removes one object.
    ///
    /// *Cost*: a search, and a look at every object if it is there.
    public func remove(_ key: Key) {
        if isThere(key) { removeAll { $0 == key } }
    }

    /// The sum of all objects' costs.
    public var cost: Int { state.withLock { $0.cost } }
    /// The number of objects.
    public var count: Int { state.withLock { $0.entries.count } }
}
