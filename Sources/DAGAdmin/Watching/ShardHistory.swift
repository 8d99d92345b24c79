#if Node
    internal import DAGStorage
    internal import SharedReads

    /// The latest events of shards, without leases, since the node began.
    ///
    /// *Memory*: at most 4,096 shards with 50 events each; the shards whose last event is oldest go first.
    ///
    /// *Concurrency*: any thread.
    final class ShardHistory: Sendable {
        /// An event and its time.
        struct Entry: Sendable {
            /// In milliseconds since 1970.
            let time: UInt64
            let event: ShardEvent
        }

        /// The most events of a shard.
        static let entriesMax = 50
        /// The most shards.
        static let shardsMax = 4096

        private struct State {
            var entries: [ShardKey: [Entry]] = [:]
            /// The keys in the order of their last events; a key may stand there twice, and the last place counts.
            var order: [(key: ShardKey, number: UInt64)] = []
        }

        private let state = Lock(State())

        /// Adds an event.
        func add(_ event: ShardEvent, at time: UInt64) {
            state.withLock { state in
                var entries = state.entries[event.key] ?? []
                if entries.count == Self.entriesMax { entries.removeFirst() }
                entries.append(Entry(time: time, event: event))
                state.entries[event.key] = entries
                state.order.append((event.key, event.number))
                if state.entries.count > Self.shardsMax { Self.removeOldest(&state) }
                guard state.order.count > 4 * Self.shardsMax else { return }
                let last = state.entries
                state.order.removeAll { last[$0.key]?.last?.event.number != $0.number }
            }
        }

        private static func removeOldest(_ state: inout State) {
            let entries = state.entries
            let place = state.order.firstIndex { place in
                entries[place.key]?.last?.event.number == place.number
            }
            guard let place else { return }
            state.entries[state.order[place].key] = nil
            state.order.removeFirst(place + 1)
        }

        /// Returns the events of a shard, the latest first.
        func entries(of key: ShardKey) -> [Entry] {
            state.withLock { Array(($0.entries[key] ?? []).reversed()) }
        }
    }
#endif
