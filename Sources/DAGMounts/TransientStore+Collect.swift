internal import DAGFailpoints
internal import SharedReads
internal import Synchronization
internal import SystemPackage

extension TransientStore {
    /// What became of one copy in a collection.
    package struct Collected: Equatable, Sendable {
        /// What became of it.
        package enum Outcome: Equatable, Sendable {
            /// It was removed.
            case removed
            /// Somebody reads it.
            case inUse
            /// The caller wants it kept.
            case protected
            /// It may go, and there was no need.
            case kept
            /// It could not be removed.
            case failed(MountError)
        }

        /// Which copy.
        package let name: TransientName
        /// Its size.
        package let bytes: UInt64
        /// What became of it.
        package let outcome: Outcome

        /// What became of the copy `name`.
        package init(name: TransientName, bytes: UInt64, outcome: Outcome) {
            self.name = name
            self.bytes = bytes
            self.outcome = outcome
        }
    }

    /// Removes the copy of `name`, also one that is pinned: readers keep the file they have open.
    ///
    /// A fetch of the name under way fails with `CancellationError` instead of bringing the copy back.
    ///
    /// *Cost*: two or three system calls, on the caller's thread.
    ///
    /// - Returns: The bytes that were freed, or nil if there was no copy.
    /// - Throws: `.unreachable`; the copy is still registered then.
    package func remove(_ name: TransientName) throws(MountError) -> UInt64? {
        try prepare()
        return try withTable { table throws(MountError) -> UInt64? in
            guard !table.isClosed else { return nil }
            let path = path(of: name)
            if table.revokeWriter(of: name) {
                try unlink(partialPath(of: name), in: &table)
            }
            let size = try? FileIdentity(ofLinkAt: path).size
            let wasThere = try unlink(path, in: &table)
            table.forget(name)
            Failpoint.copyRemoved.pass()
            return wasThere ? size ?? 0 : nil
        }
    }

    /// Removes copies until those that are left have at most `quota` bytes.
    ///
    /// The copies that were not used for longest go first.
    ///
    /// *Cost*: O(n log n), and a system call a copy; the calling thread blocks.
    ///
    /// - Parameters:
    ///   - quota: The bytes to go down to; nil removes all that may go.
    ///   - isProtected: Whether a copy must stay; called without any lock.
    /// - Returns: What became of every copy, in the order in which they were looked at.
    package func collect(
        downTo quota: UInt64?,
        isProtected: (TransientName) -> Bool
    ) -> [Collected] {
        // A folder that cannot be opened has nothing to remove.
        try? prepare()
        let entries = withTable { $0.leastRecentlyUsed }
        return entries.map { entry in
            let transient = entry.transient
            let outcome: Collected.Outcome =
                isProtected(transient.name)
                ? .protected : collect(transient, downTo: quota ?? 0)
            return Collected(name: transient.name, bytes: transient.size, outcome: outcome)
        }
    }

    private func collect(_ transient: Transient, downTo quota: UInt64) -> Collected.Outcome {
        withTable { table in
            guard table.holds(transient), let entry = table.files[transient.name] else {
                return .removed
            }
            guard entry.pins == 0, !table.isClosed else { return .inUse }
            guard table.bytes > quota else { return .kept }
            do throws(MountError) {
                try evict(entry, from: &table)
                return .removed
            } catch {
                return .failed(error)
            }
        }
    }

    /// Makes room for `size` bytes and reserves them for a fetch.
    ///
    /// Above the high watermark copies that nobody has pinned are evicted down to the low one, those
    /// that were not used for longest first; nothing is evicted if that would not be enough.
    ///
    /// *Cost*: O(n log n) and a system call for each copy that goes; the calling thread blocks.
    ///
    /// - Throws: `.quota` if there is no room.
    func reserve(
        _ size: UInt64,
        for number: TransientTable.FetchNumber
    ) throws(MountError) {
        try withTable { table throws(MountError) in
            // Without a quota a size may still be one that no disk has.
            let most = UInt64(Int64.max)
            let used = table.bytes + table.reserved
            guard size <= most, used <= most - size else { throw Self.noRoom(size, most, used) }
            if let quota = options.quota { try makeRoom(size, quota: quota, in: &table) }
            table.reserve(size, for: number)
        }
    }

    private func makeRoom(
        _ size: UInt64,
        quota: UInt64,
        in table: inout TransientTable
    ) throws(MountError) {
        func used() -> UInt64 { table.bytes + table.reserved }
        func fits(_ limit: UInt64) -> Bool { size <= limit && used() <= limit - size }
        guard !table.isClosed, !fits(Self.share(options.highWatermark, of: quota)) else { return }
        let evictable = table.leastRecentlyUsed.filter { $0.pins == 0 }
        let most = evictable.reduce(0) { $0 + $1.transient.size }
        guard size <= quota, used() - most <= quota - size else {
            throw Self.noRoom(size, quota, used())
        }
        let goal = Self.share(options.lowWatermark, of: quota)
        for entry in evictable where !fits(goal) {
            // A copy that cannot be removed keeps its room; another one goes instead.
            try? evict(entry, from: &table)
        }
        guard fits(quota) else { throw Self.noRoom(size, quota, used()) }
    }

    private func evict(
        _ entry: TransientTable.Entry,
        from table: inout TransientTable
    ) throws(MountError) {
        try unlink(entry.transient.path, in: &table)
        table.forget(entry.transient.name)
        Failpoint.copyRemoved.pass()
    }

    private static func share(_ share: Double, of quota: UInt64) -> UInt64 {
        UInt64(exactly: (Double(quota) * share).rounded(.down)).map { min($0, quota) } ?? quota
    }

    private static func noRoom(_ size: UInt64, _ quota: UInt64, _ used: UInt64) -> MountError {
        MountError(.quota, "no room for \(size) bytes: \(used) of \(quota) are taken")
    }
}
