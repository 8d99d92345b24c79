#if Cluster
    public import DAGStorage
    internal import PostgreSQL

    extension Cluster {
        /// A change of a shard.
        public struct Event: Sendable, Equatable {
            /// The kinds of changes.
            public enum Kind: String, Sendable, CaseIterable {
                /// The cluster has a new shard, or indexes one again.
                case registered
                /// The shard has its index, or a new one.
                case available
                /// No node could index the shard.
                case failed
                /// The shard has another mount.
                case relocated
                /// The shard is gone.
                case destroyed
            }

            /// The kind.
            public let kind: Kind
            /// The shard.
            public let key: ShardKey
        }

        /// Returns the changes of all shards from now on.
        ///
        /// - Parameter interval: The time between two looks at the database.
        /// - Returns: The changes since this call, which looks once.
        /// - Throws: As all calls.
        public func events(every interval: Duration = .seconds(10)) async throws -> Events {
            Events(database: database, interval: interval, known: try await database.shardMarks())
        }

        /// The changes of shards.
        ///
        /// Each look compares all shards with those of the look before. So changes that follow each other between two
        /// looks are one event, of the last state. The next look waits until the caller has all events of the last.
        ///
        /// *Errors*: `catalogCorrupt`, `invalidConfiguration`; `CancellationError` if the task is canceled. While the
        /// database is away, the sequence waits.
        ///
        /// *Cost*: each look reads about 100 bytes a shard from the database, and an iterator keeps as many in memory.
        public struct Events: AsyncSequence, Sendable {
            /// A change.
            public typealias Element = Event

            let database: ClusterDatabase
            let interval: Duration
            let known: [UInt32: ShardMark]

            /// Begins with the changes since the sequence was made.
            public func makeAsyncIterator() -> Iterator {
                Iterator(database: database, interval: interval, known: known)
            }

            /// The place in the changes.
            public struct Iterator: AsyncIteratorProtocol {
                let database: ClusterDatabase
                let interval: Duration
                var known: [UInt32: ShardMark]
                var waiting: ArraySlice<Event> = []

                /// Returns the next change, in the order of registration within a look.
                ///
                /// - Returns: The change; never nil.
                /// - Throws: As the sequence.
                public mutating func next() async throws -> Event? {
                    while true {
                        if let event = waiting.popFirst() { return event }
                        try await Task.sleep(for: interval)
                        do {
                            let present = try await database.shardMarks()
                            waiting = Cluster.events(from: known, to: present)[...]
                            known = present
                        } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                            continue
                        }
                    }
                }
            }
        }

        /// Returns what has changed between two looks.
        static func events(
            from earlier: [UInt32: ShardMark],
            to later: [UInt32: ShardMark]
        ) -> [Event] {
            let numbers = Set(earlier.keys).union(later.keys).sorted()
            return numbers.compactMap { number in
                guard let present = later[number] else {
                    return earlier[number].map { Event(kind: .destroyed, key: $0.key) }
                }
                let known = earlier[number]
                guard present != known else { return nil }
                let kind: Event.Kind =
                    switch present.state {
                    case .registered: .registered
                    case .failed: .failed
                    case .available:
                        known?.state == .available && known?.mountURL != present.mountURL
                            ? .relocated : .available
                    }
                return Event(kind: kind, key: present.key)
            }
        }
    }

    /// What tells whether a shard has changed.
    struct ShardMark: Sendable, Equatable {
        let key: ShardKey
        let mountURL: String
        let state: ClusterShard.State
        let epoch: Int64
    }

    extension ClusterDatabase {
        /// The shards of one transaction of a look.
        private static let markPageSize: Int64 = 10_000

        /// Returns the marks of all shards, by their numbers.
        ///
        /// - Throws: `catalogUnreachable`, `catalogCorrupt`.
        func shardMarks() async throws -> [UInt32: ShardMark] {
            var marks: [UInt32: ShardMark] = [:]
            var last: Int64 = -1
            while true {
                try Task.checkCancellation()
                let page = try await markPage(after: last)
                for (number, mark) in page { marks[number] = mark }
                guard page.count == Int(Self.markPageSize), let end = page.last else {
                    return marks
                }
                last = Int64(end.number)
            }
        }

        private func markPage(
            after last: Int64
        ) async throws -> [(number: UInt32, mark: ShardMark)] {
            try await run(.repeatableRead) { transaction in
                let rows = try transaction.run(
                    """
                    SELECT number, key, mount, state, epoch FROM dagstore_shards
                    WHERE number > $1 ORDER BY number LIMIT $2
                    """,
                    .integer(last),
                    .integer(Self.markPageSize)
                )
                return try (0..<rows.count).map { row in
                    guard let key = try? ShardKey(rows.text(row, 1)),
                        let state = ClusterShard.State(rawValue: try rows.integer(row, 3))
                    else {
                        throw DAGStoreError(.catalogCorrupt, "the database has an impossible shard")
                    }
                    let mark = ShardMark(
                        key: key,
                        mountURL: try rows.text(row, 2),
                        state: state,
                        epoch: try rows.integer(row, 4)
                    )
                    return (UInt32(try rows.count(row, 0, 0...ClusterShard.numberMax)), mark)
                }
            }
        }
    }
#endif
