internal import DAGCatalog
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// The table of the open shards, and their leases.
///
/// The loop opens and closes shards. A user's thread takes and ends a lease without the loop and without a lock. The
/// thread finds the shard within a reading of the store's mark, and counts in its own stripe of the shard's gate.
///
/// *Concurrency*: any thread, except for the functions that name the loop.
final class OpenShards: Sendable {
    /// The distance of the open shards from the limits on idle ones.
    private enum Crowding: UInt8 {
        /// The loop closes no shard soon, so times of use may be inexact.
        case far
        /// The loop may soon close the shards used longest ago.
        case near
        /// The loop closes idle shards.
        case over
    }

    private let access: CatalogAccess
    private let loop: LoopInbox
    private let events: EventStreams
    private let away: AwayShards
    private let idleShardsMax: Int
    private let idleBytesMax: UInt64
    /// `Configuration.sourceCheckInterval` in nanoseconds.
    private let sourceCheckInterval: UInt64
    /// The mark under which threads read the tables.
    let mark: ReadMark
    private let byKey: SharedTable<OpenShard>
    private let byNumber: SharedTable<OpenShard>
    /// Payload bytes of all open shards.
    private let payloadBytes = Atomic<UInt64>(0)
    private let crowding = Atomic<UInt8>(Crowding.far.rawValue)
    /// The time of the loop's last turn, in nanoseconds since the machine was started.
    private let clock = Atomic<UInt64>(DispatchTime.now().uptimeNanoseconds)
    /// Whether a request to close idle shards waits for the loop.
    private let isTrimming = Atomic<Bool>(false)

    init(
        _ access: CatalogAccess,
        _ loop: LoopInbox,
        _ events: EventStreams,
        _ away: AwayShards,
        _ configuration: Configuration
    ) {
        self.access = access
        self.loop = loop
        self.events = events
        self.away = away
        idleShardsMax = configuration.idleShardsMax
        idleBytesMax = configuration.idleBytesMax ?? .max
        sourceCheckInterval = configuration.sourceCheckInterval.nanoseconds
        mark = access.mark
        byKey = SharedTable(readUnder: mark)
        byNumber = SharedTable(readUnder: mark)
    }

    // MARK: Finding

    /// The number of open shards.
    var count: Int { byKey.count }

    /// Returns an open shard; the caller is within a reading.
    @inline(__always)
    func find(_ number: UInt32) -> Borrowed<OpenShard>? {
        byNumber.find(number.tableHash, where: { $0.number == number })
    }

    @inline(__always)
    private func find(_ key: ShardKey) -> Borrowed<OpenShard>? {
        byKey.find(key.tableHash, where: { $0.key == key })
    }

    /// Calls `body` with the index of an open shard; the caller is within a reading.
    ///
    /// - Returns: The result of `body`; nil if the shard is closed.
    @inline(__always)
    func withIndex<R>(of number: UInt32, _ body: (IndexReader) throws -> R) throws -> R? {
        // While the shard grants leases, they read through its current index.
        try find(number)?.with { shard in
            guard shard.leases.isOpen else { return nil }
            return try shard.index.with(body)
        }
    }

    /// Returns the number of leases that this process has on a shard.
    func references(of key: ShardKey) -> Int {
        Reading.begin(mark)
        defer { Reading.end() }
        return find(key)?.with { $0.leaseCount } ?? 0
    }

    /// The number of leases on all shards.
    ///
    /// *Cost*: a look at every open shard.
    var leaseCount: Int {
        Reading.begin(mark)
        defer { Reading.end() }
        var count = 0
        byKey.forEach { count += $0.leaseCount }
        return count
    }

    /// The number of readable shards with leases; a failed shard may have leases from before.
    var leasedCount: Int {
        Reading.begin(mark)
        defer { Reading.end() }
        var count = 0
        byKey.forEach { if $0.leases.isOpen, $0.leaseCount > 0 { count += 1 } }
        return count
    }

    // MARK: Leases

    /// Takes a lease on an open shard.
    ///
    /// *Cost*: a search in a table and an addition; the first lease after an interval also looks at the file's state.
    /// Independent of the number of shards and blocks.
    ///
    /// - Returns: The lease; nil if the shard is closed.
    /// - Throws: `sourceChanged`, which the call also reports to the loop.
    func lease(_ key: ShardKey) throws -> Shard? {
        var isToCheck = false
        let lease: Shard?
        do {
            Reading.begin(mark)
            defer { Reading.end() }
            guard let shard = find(key) else { return nil }
            lease = shard.with { shard in
                guard addLease(to: shard) else { return nil }
                isToCheck = shard.isCheckDue(after: sourceCheckInterval)
                return Shard(shard, of: self, key: key)
            }
        }
        guard let lease else { return nil }
        if isToCheck {
            guard try checkSource(of: lease) else { return nil }
        }
        if events.areLeasesWatched {
            events.send(.acquire, key, .serving, references: references(of: key))
        }
        return lease
    }

    /// Calls `body` with a shard that is open and in memory, under a lease without an object.
    ///
    /// `body` may wait for the disk. Within a reading, such a wait would delay the whole store.
    ///
    /// - Returns: The result of `body`; nil if there is no such shard, or its file has changed.
    @inline(__always)
    func withLease<R>(on number: UInt32, _ body: (ShardReader) -> R?) -> R? {
        guard let shard = borrowLease(on: number) else { return nil }
        defer {
            Reading.begin(mark)
            shard.with { endLease(on: $0, isEvent: false) }
            Reading.end()
        }
        return shard.with { shard in
            if shard.isCheckOld(after: max(sourceCheckInterval, Self.checkInterval)) {
                // The caller then takes a lease, which reports the error, and the loop fails the shard.
                guard (try? shard.reader.checkSource()) != nil else { return nil }
                shard.recordCheck()
            }
            return shard.borrowedReader.with(body)
        }
    }

    @inline(__always)
    private func borrowLease(on number: UInt32) -> Borrowed<OpenShard>? {
        Reading.begin(mark)
        defer { Reading.end() }
        guard let shard = find(number), shard.with({ $0.reader.isInMemory && addLease(to: $0) })
        else { return nil }
        return shard
    }

    /// The time between two comparisons of a shard's file while threads read its blocks, in nanoseconds.
    private static let checkInterval: UInt64 = 1_000_000_000

    /// Counts a lease.
    ///
    /// - Returns: Whether it is granted.
    @inline(__always)
    private func addLease(to shard: OpenShard) -> Bool {
        switch shard.leases.takeLease() {
        case .granted: return true
        case .closed: return false
        case .refused:
            // The loop may have counted the attempt as a lease, and counts again when it gets this message.
            _ = loop.post(.recountLeases(shard.key))
            return false
        }
    }

    /// Compares the file of a shard with the indexed one; ends the lease if they differ.
    ///
    /// - Returns: Whether the file exists; if not, the loop looks for the bytes elsewhere at the next request.
    /// - Throws: `sourceChanged`, which the call also reports to the loop.
    private func checkSource(of lease: Shard) throws -> Bool {
        let reader = lease.reader
        do {
            try translating(for: reader.key) { try reader.checkSource() }
            lease.recordCheck()
            away.remove(reader.record.number)
            return true
        } catch {
            lease.release()
            _ = loop.post(.lost(reader.key, generation: reader.record.generation, error))
            guard error.code.isAway else { throw error }
            return false
        }
    }

    /// Grants a lease; on the loop's thread.
    func grantLease(on shard: OpenShard) -> Shard {
        shard.leases.addLease()
        return Shard(shard, of: self, key: shard.key)
    }

    /// Ends a lease; the caller is within a reading.
    ///
    /// - Parameters:
    ///   - shard: The leased shard.
    ///   - isEvent: Whether to send an event; false for a lease that the store took for itself.
    func endLease(on shard: OpenShard, isEvent: Bool = true) {
        let crowding = crowding.load(ordering: .relaxed)
        recordUse(of: shard, crowding)
        let isOpen = shard.leases.returnLease()
        if isEvent, events.areLeasesWatched {
            let left = shard.leaseCount
            let state: ShardStatus.State? =
                isOpen ? (left > 0 ? .serving : .available) : recordedState(of: shard.key)
            events.send(.release, shard.key, state, references: left)
        }
        guard isOpen else {
            // After the last lease, the loop removes a shard that is not open.
            if !loop.post(.recountLeases(shard.key)) { access.closeIfUnused() }
            return
        }
        if crowding == Crowding.over.rawValue { requestTrim() }
        // As the gate's, this load comes after the subtraction in the one order of both.
        if shard.informsOfLastLease.load(ordering: .sequentiallyConsistent), shard.leaseCount == 0 {
            _ = loop.post(.recountLeases(shard.key))
        }
    }

    /// Returns the state that the catalog has of a shard.
    private func recordedState(of key: ShardKey) -> ShardStatus.State? {
        let standing = try? access.using { try access.catalog.standing(of: key.text) }
        guard let standing else { return nil }
        return ShardStatus.State(standing, references: references(of: key))
    }

    /// Reports to the loop that a shard has other bytes than the indexed ones.
    func reportLoss(_ error: DAGStoreError, of reader: ShardReader) {
        _ = loop.post(.lost(reader.key, generation: reader.record.generation, error))
    }

    // MARK: Idle shards

    /// Stores when a shard was last used.
    ///
    /// Far from the limits, the call stores the time of the loop's last turn, so that threads seldom write the shared
    /// object.
    @inline(__always)
    private func recordUse(of shard: OpenShard, _ crowding: UInt8) {
        let isExact = crowding != Crowding.far.rawValue
        let now =
            isExact ? DispatchTime.now().uptimeNanoseconds : clock.load(ordering: .relaxed)
        let last = shard.lastUse.load(ordering: .relaxed)
        guard now > last, !isExact || now - last >= Self.usePrecision else { return }
        shard.lastUse.store(now, ordering: .relaxed)
    }

    /// The least time between two stored uses near the limits, in nanoseconds.
    ///
    /// Without it, 16 threads in one shard would all write its object.
    private static let usePrecision: UInt64 = 100_000

    /// Stores the time for threads that end leases, at most once a millisecond.
    ///
    /// The loop calls it each turn. Each store costs these threads a cache miss.
    func recordTime() {
        let now = DispatchTime.now().uptimeNanoseconds
        guard now > clock.load(ordering: .relaxed) + 1_000_000 else { return }
        clock.store(now, ordering: .relaxed)
    }

    /// Asks the loop to close idle shards, unless a request waits already.
    private func requestTrim() {
        guard !isTrimming.load(ordering: .relaxed),
            !isTrimming.exchange(true, ordering: .relaxed)
        else { return }
        _ = loop.post(.closeIdleShards)
    }

    /// Begins a trim, on the loop: the next lease that ends may request another one.
    func beginTrim() { isTrimming.store(false, ordering: .sequentiallyConsistent) }

    /// Ends a trim, on the loop.
    ///
    /// - Parameter closedCount: The number of shards that the trim closed.
    /// - Returns: Whether too many shards are still open, so that the loop looks again later.
    func endTrim(closedCount: Int) -> Bool {
        let isOver = crowding.load(ordering: .relaxed) == Crowding.over.rawValue
        // If all shards have leases, ending leases request no trim before the loop looks again.
        if isOver, closedCount == 0 { isTrimming.store(true, ordering: .relaxed) }
        return isOver
    }

    // MARK: Changes by the loop

    /// Adds a shard.
    func insert(_ shard: OpenShard) {
        byKey.insert(shard, shard.keyHash)
        byNumber.insert(shard, shard.number.tableHash)
        payloadBytes.add(shard.size, ordering: .relaxed)
    }

    /// Removes a shard, whose memory is freed after its readers have ended.
    func remove(_ shard: OpenShard) {
        byKey.remove(shard, shard.keyHash)
        guard byNumber.remove(shard, shard.number.tableHash) else { return }
        payloadBytes.subtract(shard.size, ordering: .relaxed)
        updateCrowding()
    }

    /// Removes all shards, because the store closes.
    func removeAll() {
        byKey.removeAll()
        byNumber.removeAll()
    }

    /// Compares the open shards with the limits.
    func updateCrowding() {
        let bytes = payloadBytes.load(ordering: .relaxed)
        let crowding: Crowding =
            if count > idleShardsMax || bytes > idleBytesMax {
                .over
            } else if count > idleShardsMax - idleShardsMax / 4
                || bytes > idleBytesMax - idleBytesMax / 4
            {
                .near
            } else {
                .far
            }
        self.crowding.store(crowding.rawValue, ordering: .relaxed)
        if crowding == .over { requestTrim() }
    }
}
