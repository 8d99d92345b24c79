internal import DAGCatalog
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// How near the open shards are to the limits on idle ones.
enum Crowding: UInt8 {
    /// The loop closes none soon, so the times of use may be inexact.
    case far
    /// The loop may soon close the shards used longest ago.
    case near
    /// The loop closes idle shards.
    case over
}

/// Leases of open shards, on their users' threads.
///
/// A thread takes and ends a lease without the loop and without a lock. It finds the entry within a reading of the
/// store's mark, and counts in its own stripe of the entry's gate: no other thread reads what it writes.
extension StoreEngine {
    /// A lease on a shard that is open, if it is.
    ///
    /// *Cost*: a search in a table and an addition; the first lease for some time looks at the file's state besides.
    /// It does not depend on the number of shards or blocks.
    ///
    /// - Throws: `sourceChanged` with the news on its way to the loop.
    func warmShard(_ key: ShardKey) throws -> Shard? {
        var isToCheck = false
        let shard: Shard?
        do {
            Reading.begin(mark)
            defer { Reading.end() }
            guard let entry = entries.find(key.tableHash, where: { $0.key == key }) else {
                return nil
            }
            shard = entry.with { entry in
                guard take(entry) else { return nil }
                isToCheck = entry.isCheckDue(after: sourceCheckInterval)
                return Shard(entry, of: self)
            }
        }
        guard let shard else { return nil }
        if isToCheck {
            guard try checkSource(of: shard) else { return nil }
        }
        if events.isWatched {
            events.tell(.acquire, key, .serving, references: references(of: key))
        }
        return shard
    }

    /// Takes a lease.
    ///
    /// - Returns: Whether one is granted.
    @inline(__always)
    func take(_ entry: ShardEntry) -> Bool {
        switch entry.leases.take() {
        case .granted: return true
        case .closed: return false
        case .refused:
            // The loop may have counted the attempt as a lease, and counts again when it gets this letter.
            _ = loop.post(.settle(entry.key))
            return false
        }
    }

    /// Compares the file of a shard with what was indexed; ends the lease if it is another.
    ///
    /// - Returns: Whether it is there; if not, the loop looks for the bytes elsewhere when it is asked next.
    /// - Throws: `sourceChanged` with the news on its way to the loop.
    private func checkSource(of shard: Shard) throws -> Bool {
        let core = shard.core
        do {
            try translatingFor(core.key) { try core.checkSource() }
            shard.noteCheck()
            noteAway(core.record.number, nil)
            return true
        } catch {
            shard.release()
            _ = loop.post(.lost(core.key, generation: core.record.generation, error))
            guard error.code.isAway else { throw error }
            return false
        }
    }

    /// A lease that the loop grants on an open shard.
    func grant(_ entry: ShardEntry) -> Shard {
        entry.leases.add()
        return Shard(entry, of: self)
    }

    /// Ends a lease; within a reading.
    ///
    /// - Parameters:
    ///   - entry: What the lease is on.
    ///   - isEvent: Whether readers of events hear of it; a lease that the store took for itself is no event.
    func endLease(_ entry: ShardEntry, isEvent: Bool = true) {
        let crowding = crowding.load(ordering: .relaxed)
        noteUse(of: entry, crowding)
        let isOpen = entry.leases.giveBack()
        if isEvent, events.isWatched {
            let left = entry.leaseCount
            let state: ShardStatus.State? =
                isOpen ? (left > 0 ? .serving : .available) : state(of: entry.key)
            events.tell(.release, entry.key, state, references: left)
        }
        guard isOpen else {
            // A shard that is not open goes with its last lease, which the loop has to hear of.
            if !loop.post(.settle(entry.key)) { closeCatalogIfUnused() }
            return
        }
        if crowding == Crowding.over.rawValue { askForTrim() }
    }

    /// Stores when a shard was last used.
    ///
    /// Far from the limits the time is that of the loop's last turn, so that threads seldom write the entry they share.
    @inline(__always)
    func noteUse(of entry: ShardEntry, _ crowding: UInt8) {
        let isExact = crowding != Crowding.far.rawValue
        let now =
            isExact ? DispatchTime.now().uptimeNanoseconds : clock.load(ordering: .relaxed)
        let last = entry.lastUse.load(ordering: .relaxed)
        guard now > last, !isExact || now - last >= Self.usePrecision else { return }
        entry.lastUse.store(now, ordering: .relaxed)
    }

    /// Near the limits, how much later a use must be to be stored, in nanoseconds: 16 threads in one shard would otherwise
    /// all write its entry.
    private static let usePrecision: UInt64 = 100_000

    /// Has the loop close idle shards, unless it was asked and has not done so yet.
    func askForTrim() {
        guard !isTrimming.load(ordering: .relaxed),
            !isTrimming.exchange(true, ordering: .relaxed)
        else { return }
        _ = loop.post(.trim)
    }

    /// Compares the open shards with the limits; the loop calls it when it opens or closes one.
    func noteCrowding() {
        let bytes = openBytes.load(ordering: .relaxed)
        let bytesMax = configuration.idleBytesMax ?? .max
        let count = entries.count
        let countMax = configuration.idleShardsMax
        let crowding: Crowding =
            if count > countMax || bytes > bytesMax {
                .over
            } else if count > countMax - countMax / 4 || bytes > bytesMax - bytesMax / 4 {
                .near
            } else {
                .far
            }
        self.crowding.store(crowding.rawValue, ordering: .relaxed)
        if crowding == .over { askForTrim() }
    }

    /// The leases that this process has on a shard.
    func references(of key: ShardKey) -> Int {
        Reading.begin(mark)
        defer { Reading.end() }
        let entry = entries.find(key.tableHash, where: { $0.key == key })
        return entry?.with { $0.leaseCount } ?? 0
    }

    /// The leases on all shards.
    ///
    /// *Cost*: a look at every open shard.
    var leaseCount: Int {
        Reading.begin(mark)
        defer { Reading.end() }
        var count = 0
        entries.forEach { count += $0.leaseCount }
        return count
    }

    private func state(of key: ShardKey) -> ShardStatus.State? {
        guard let status = try? using({ try status(of: key) }) else { return nil }
        return status.state
    }
}
