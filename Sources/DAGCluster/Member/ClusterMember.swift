#if Cluster
    internal import DAGHashing
    internal import DAGMounts
    package import DAGStorage
    internal import SharedReads

    /// A node's part in a cluster: signs of life, copies of shards, and jobs.
    ///
    /// The node's store serves its shards whatever the database does. Only this object asks the database.
    ///
    /// *Concurrency*: `run` is called once; any thread may call the rest.
    package final class ClusterMember: Sendable {
        /// An event for the log.
        package struct Notice: Sendable {
            /// The importance of an event.
            package enum Level: Sendable { case debug, info, warning, error }
            /// The importance.
            package let level: Level
            /// The sentence.
            package let message: String
            /// The shard, if it is about one.
            package let shard: ShardKey?
        }

        let database: ClusterDatabase
        let store: DAGStore
        let times: ClusterTimes
        /// The node.
        package let profile: NodeProfile
        private let cluster: [UInt8]
        private let notify: @Sendable (Notice) -> Void
        private let connection = Lock(Connection())
        /// The keys whose shards a task changes.
        let busyKeys = BusyKeys()

        /// The node's connection with the cluster.
        private struct Connection {
            var isAway = false
            var incarnation: Int64 = 0
            var facts: ClusterFacts?
            var blobs: Blobs?
            /// The time from which on each sign of life arrived.
            var connectedSince: ContinuousClock.Instant?
        }

        /// Creates a member; it joins in `run`.
        ///
        /// - Parameters:
        ///   - profile: The node.
        ///   - cluster: The number of the cluster to which the node's store belongs.
        ///   - database: The catalog.
        ///   - store: The node's store, open for writing.
        ///   - times: The intervals.
        ///   - notify: Receives what happens.
        package init(
            _ profile: NodeProfile,
            of cluster: [UInt8],
            in database: ClusterDatabase,
            store: DAGStore,
            times: ClusterTimes = ClusterTimes(),
            notify: @escaping @Sendable (Notice) -> Void = { _ in }
        ) {
            self.profile = profile
            self.cluster = cluster
            self.database = database
            self.store = store
            self.times = times
            self.notify = notify
        }

        /// The number of times that a process joined with the node's number; 0 before this one has.
        package var incarnation: Int64 { connection.withLock { $0.incarnation } }

        /// The facts of the cluster; nil before this process has joined.
        var facts: ClusterFacts? { connection.withLock { $0.facts } }

        /// The blobs of the cluster.
        ///
        /// - Throws: `catalogUnreachable` before this process has joined.
        var blobs: Blobs {
            get throws {
                guard let blobs = connection.withLock({ $0.blobs }) else {
                    throw DAGStoreError(.catalogUnreachable, "the node has not joined the cluster")
                }
                return blobs
            }
        }

        /// Whether this node can tell a dead node from one that the database did not hear.
        ///
        /// After a pause of the database all nodes look silent, until they had time for a sign of life.
        var isJudge: Bool {
            let since = connection.withLock { $0.connectedSince }
            return since.map { .now - $0 >= times.deadAfter } ?? false
        }

        /// Joins the cluster, and works in it until the task is canceled.
        ///
        /// - Throws: `invalidArgument` if the database has another cluster, or the cluster another key of hashes than
        ///   the store; `catalogTooNew`; `invalidConfiguration` if another process joins with the node's number, or
        ///   this build cannot reach the bytes of the cluster.
        package func run() async throws {
            try await join()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.beatForever() }
                group.addTask {
                    try await self.waitForPlace()
                    await self.work()
                }
                defer { group.cancelAll() }
                // Only the signs of life and a wrong place end with an error.
                while try await group.next() != nil {}
            }
        }

        /// Joins, again and again while the database is away.
        package func join() async throws {
            while true {
                do {
                    let facts = try await database.facts()
                    try check(facts)
                    let blobs = try Blobs(facts, in: database)
                    connection.withLock { connection in
                        connection.facts = facts
                        connection.blobs = blobs
                    }
                    let incarnation = try await database.join(profile)
                    connection.withLock { $0.incarnation = incarnation }
                    reportReturn()
                    say(.info, "joined the cluster \(cluster.hexadecimal)")
                    return
                } catch let error as DAGStoreError {
                    // Waiting does not mend a wrong store, password or version.
                    guard
                        ![.invalidArgument, .invalidConfiguration, .catalogTooNew]
                            .contains(error.code)
                    else { throw error }
                    report(error)
                    try await Task.sleep(for: times.poll)
                }
            }
        }

        /// Checks that the bytes of the cluster can be reached.
        ///
        /// - Throws: `invalidConfiguration` if they lie at another place: the node would find all of them damaged; the
        ///   errors of an object store.
        func checkPlace() async throws {
            if let fault = try await blobs.bytes.placeFault() { throw fault }
        }

        /// Waits until the bytes of the cluster can be reached; the node serves what it holds meanwhile.
        ///
        /// - Throws: `invalidConfiguration` if they lie at another place.
        private func waitForPlace() async throws {
            var isNew = true
            while true {
                let fault: DAGStoreError?
                do {
                    fault = try await blobs.bytes.placeFault()
                } catch let error as DAGStoreError {
                    if isNew { say(.warning, "the bytes of the cluster are away: \(error)") }
                    isNew = false
                    await postponeWanted(error)
                    try await Task.sleep(for: times.poll)
                    continue
                }
                guard let fault else { return }
                throw fault
            }
        }

        /// Says in the node's placements why it makes no copies now, so that they do not count as on their way.
        func postponeWanted(_ error: DAGStoreError) async {
            do {
                try await database.postponeWanted(on: profile.id, error, retryAfter: times.poll)
            } catch {
                // The signs of life report a database that is away.
            }
        }

        /// Does all work that needs the bytes of the cluster, until the task is canceled.
        private func work() async {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await self.repeating("placements") { try await self.makePlacements() }
                }
                group.addTask { await self.repeating("indexing") { try await self.indexShard() } }
                group.addTask { await self.repeating("mending") { try await self.mend() } }
                group.addTask { await self.compareForever() }
                group.addTask { await self.repeating("placing") { try await self.placeShards() } }
                group.addTask { await self.repeating("merging") { try await self.mergeRuns() } }
                group.addTask { await self.repeating("sweeping") { try await self.sweep() } }
            }
        }

        /// Checks that the node's store belongs to the cluster.
        private func check(_ facts: ClusterFacts) throws {
            guard facts.id == cluster else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the database has the cluster \(facts.id.hexadecimal), and the node's store belongs "
                        + "to \(cluster.hexadecimal)"
                )
            }
            guard store.hashKey.bytes == facts.hashKey else {
                throw DAGStoreError(
                    .invalidArgument,
                    "the store was made with another hash key than the cluster's",
                    advice: "give the node an empty folder with --store"
                )
            }
        }

        /// Gives signs of life.
        ///
        /// - Throws: `invalidConfiguration` if another process joined with the node's number.
        func beatForever() async throws {
            while !Task.isCancelled {
                var isMember = true
                do {
                    isMember = try await database.beat(profile.id, incarnation, within: times.beat)
                    reportReturn()
                } catch let error as DAGStoreError {
                    // The node goes on serving, whatever the database says: it may be a replica for a while.
                    connection.withLock { $0.connectedSince = nil }
                    report(error)
                }
                guard isMember else {
                    let nodes = try? await database.nodes()
                    if let nodes, !nodes.contains(where: { $0.id == profile.id }) {
                        throw DAGStoreError(
                            .invalidConfiguration,
                            "an operator removed this node from the cluster with 'cluster forget'",
                            advice: "start the node again: it then joins as a new one"
                        )
                    }
                    throw DAGStoreError(
                        .invalidConfiguration,
                        "another process joined the cluster with this node's number",
                        advice: "give each node a store of its own; remove the file "
                            + "\(NodeNumber.fileName) from a store that is a copy"
                    )
                }
                do {
                    try await Task.sleep(for: times.beat)
                } catch {
                    return
                }
            }
        }

        /// Compares the store with the placements, at once and then again and again.
        private func compareForever() async {
            while !Task.isCancelled {
                do {
                    try await comparePlacements()
                } catch {
                    say(.debug, "the placements were not compared: \(error)")
                }
                try? await Task.sleep(for: times.compare)
            }
        }

        /// Mends what is damaged, and follows shards that get another mount.
        ///
        /// - Returns: Whether there was anything to do.
        /// - Throws: `JobLost`; `catalogUnreachable`.
        private func mend() async throws -> Bool {
            let hasMended = try await mendBundle()
            let hasRebuilt = try await rebuildRuns()
            let hasCompared = try await compareMove()
            let hasFollowed = try await followMoves()
            return hasMended || hasRebuilt || hasCompared || hasFollowed
        }

        /// Calls a step until the task is canceled, with a pause after a step that found nothing to do.
        private func repeating(_ name: String, _ step: () async throws -> Bool) async {
            while !Task.isCancelled {
                do {
                    if try await step() { continue }
                } catch is CancellationError {
                    return
                } catch is JobLost {
                    say(.info, "\(name): another node has the job")
                } catch let error as DAGStoreError where error.code == .catalogUnreachable {
                    report(error)
                } catch {
                    say(.warning, "\(name): \(error)")
                }
                try? await Task.sleep(for: times.poll)
            }
        }

        // MARK: Leaving

        /// Takes no more shards, and waits until others hold each of the node's.
        ///
        /// `run` goes on meanwhile. Shards that no other node could hold do not count.
        ///
        /// - Throws: `catalogUnreachable`.
        package func drain() async throws {
            // A process that has not joined is no node.
            let incarnation = incarnation
            guard incarnation > 0,
                try await database.setState(.leaving, of: profile.id, incarnation)
            else { return }
            while try await database.undrainedCount(of: profile.id, deadAfter: times.deadAfter) > 0
            {
                try await Task.sleep(for: times.poll)
            }
        }

        /// Tells the cluster that the node has ended, so that its placements move at once.
        ///
        /// - Throws: `catalogUnreachable`.
        package func leave() async throws {
            try await database.leave(profile.id, incarnation)
        }

        // MARK: Notices

        func say(_ level: Notice.Level, _ message: String, _ shard: ShardKey? = nil) {
            notify(Notice(level: level, message: message, shard: shard))
        }

        /// Reports once that the database, or the store of the bytes, is away.
        private func report(_ error: DAGStoreError) {
            let isNew = connection.withLock { connection in
                defer { connection.isAway = true }
                return !connection.isAway
            }
            if isNew {
                say(.warning, "the cluster is away; the node serves what it holds: \(error)")
            }
        }

        /// Reports that the cluster is back, if it was away.
        private func reportReturn() {
            let wasAway = connection.withLock { connection in
                defer { connection.isAway = false }
                connection.connectedSince = connection.connectedSince ?? .now
                return connection.isAway
            }
            if wasAway { say(.info, "the cluster is back") }
        }
    }
#endif
