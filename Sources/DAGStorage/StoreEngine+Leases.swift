internal import Catalog
internal import Dispatch
internal import SharedReads
internal import Synchronization

/// How near the limits on idle shards the open ones are.
enum Crowding: UInt8 {
    /// It does not matter which shard was used last.
    case far
    /// Which one was used last may soon decide which are closed.
    case near
    /// Idle ones are to be closed.
    case over
}

/// Leases of open shards, on their users' threads.
///
/// A lease is granted and ends without the loop, without a lock, and without a write to memory that another thread
/// looks at: a reading of the store's mark finds the entry, and the thread's own stripe of the entry's gate counts.
extension StoreEngine {
    /// A lease on a shard that is open, if it is.
    ///
    /// *Cost*: a search in a table and an addition; the first lease for some time looks at the file's state besides.
    /// It does not depend on the number of shards or blocks.
    ///
    /// - Throws: `mountGone`, `mountUnreachable` or `sourceChanged` with the news on its way to the loop.
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
        if isToCheck { try checkSource(of: shard) }
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
            // The loop may have counted the attempt as a lease.
            _ = loop.post(.settle(entry.key))
            return false
        }
    }

    /// Compares the file of a shard with what was indexed; ends the lease if it is another.
    ///
    /// - Throws: `mountGone`, `mountUnreachable` or `sourceChanged` with the news on its way to the loop.
    private func checkSource(of shard: Shard) throws {
        let core = shard.core
        do {
            try translatingFor(core.key) { try core.checkSource() }
            shard.noteCheck()
        } catch {
            shard.release()
            _ = loop.post(.lost(core.key, generation: core.record.generation, error))
            throw error
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
    ///   - isEvent: Whether it is told as an event: not if nobody asked for the lease.
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

    /// Notes when a shard was last used: as exactly as it matters, so that the entry is seldom written.
    @inline(__always)
    func noteUse(of entry: ShardEntry, _ crowding: UInt8) {
        let isExact = crowding != Crowding.far.rawValue
        let now =
            isExact ? DispatchTime.now().uptimeNanoseconds : clock.load(ordering: .relaxed)
        guard entry.lastUse.load(ordering: .relaxed) < now else { return }
        entry.lastUse.store(now, ordering: .relaxed)
    }

    /// Has the loop close idle shards, unless it was asked and has not done so yet.
    func askForTrim() {
        guard !isTrimming.load(ordering: .relaxed),
            !isTrimming.exchange(true, ordering: .relaxed)
        else { return }
        _ = loop.post(.trim)
    }

    /// Looks how near the limits the open shards are; called by the loop when one comes or goes.
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
