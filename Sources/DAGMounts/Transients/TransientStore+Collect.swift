internal import DAGFailpoints
internal import SharedReads
internal import Synchronization
internal import SystemPackage

extension TransientStore {
    /// The result of a collection for one transient.
    package struct Collected: Equatable, Sendable {
        /// The result.
        package enum Outcome: Equatable, Sendable {
            /// The transient was removed.
            case removed
            /// A reader uses the transient.
            case inUse
            /// The caller protects the transient.
            case protected
            /// The transient may go, but the quota has room for it.
            case kept
            /// The transient could not be removed.
            case failed(MountError)
        }

        /// The name of the transient.
        package let name: TransientName
        /// The size of the transient in bytes.
        package let bytes: UInt64
        /// The result.
        package let outcome: Outcome

        /// Creates the result of a transient.
        package init(name: TransientName, bytes: UInt64, outcome: Outcome) {
            self.name = name
            self.bytes = bytes
            self.outcome = outcome
        }
    }

    /// Removes the transient of `name`, even if it is pinned; readers keep their open file.
    ///
    /// A running fetch of the name fails with `CancellationError`.
    ///
    /// *Cost*: two or three system calls, on the caller's thread.
    ///
    /// - Returns: The number of freed bytes; nil if there was no transient.
    /// - Throws: `.unreachable`; the transient stays registered then.
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
            table.remove(name)
            Failpoint.copyRemoved.pass()
            return wasThere ? size ?? 0 : nil
        }
    }

    /// Removes transients until the rest has at most `quota` bytes.
    ///
    /// It removes the least recently used ones first.
    ///
    /// *Cost*: O(n log n), and one system call per transient; the thread blocks.
    ///
    /// - Parameters:
    ///   - quota: The number of bytes that may stay; nil removes all transients that may go.
    ///   - isProtected: Whether a transient must stay; called without any lock.
    /// - Returns: The result of every transient, in the order of the decisions.
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
            guard table.contains(transient), let entry = table.files[transient.name] else {
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
    /// Above the high watermark the call evicts unpinned transients down to the low one, the least recently used
    /// first. It evicts none if that would not be enough.
    ///
    /// *Cost*: O(n log n), and a system call for each evicted transient; the thread blocks.
    ///
    /// - Throws: `.quota` if there is no room.
    func reserve(
        _ size: UInt64,
        for number: TransientTable.FetchNumber
    ) throws(MountError) {
        try withTable { table throws(MountError) in
            // Without a quota, a size may still be larger than any disk.
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
            // A transient that cannot be removed keeps its room; the loop evicts another one.
            try? evict(entry, from: &table)
        }
        guard fits(quota) else { throw Self.noRoom(size, quota, used()) }
    }

    private func evict(
        _ entry: TransientTable.Entry,
        from table: inout TransientTable
    ) throws(MountError) {
        try unlink(entry.transient.path, in: &table)
        table.remove(entry.transient.name)
        Failpoint.copyRemoved.pass()
    }

    private static func share(_ share: Double, of quota: UInt64) -> UInt64 {
        UInt64(exactly: (Double(quota) * share).rounded(.down)).map { min($0, quota) } ?? quota
    }

    private static func noRoom(_ size: UInt64, _ quota: UInt64, _ used: UInt64) -> MountError {
        MountError(.quota, "no room for \(size) bytes: \(used) of \(quota) are taken")
    }
}
