internal import DAGCAR
internal import DAGCatalog
internal import DAGMounts
internal import DAGSystem
internal import SystemPackage

extension ShardRecord {
    /// Returns the record of a shard that is not in the catalog.
    static func none(_ key: ShardKey) -> ShardRecord {
        ShardRecord(number: 0, key: key.text, mountURL: "", state: .registered)
    }

    /// Returns the record for a registration.
    static func new(
        _ key: ShardKey,
        _ registration: Registration,
        _ limits: CARLimits
    ) -> ShardRecord {
        var record = ShardRecord(
            number: 0,
            key: key.text,
            mountURL: registration.url.text,
            state: .registered
        )
        record.isLazy = registration.indexing == .onFirstUse
        record.storeLimits(limits)
        record.policy = ShardRecord.Policy(registration.policy)
        record.transientPath = registration.transient.map(\.bytes) ?? []
        record.registered = WallClock.milliseconds
        record.stateSince = record.registered
        return record
    }

    /// Stores the limits of a CAR's reader that are larger than the usual ones, for later readers.
    mutating func storeLimits(_ limits: CARLimits) {
        let usual = CARLimits()
        sectionSizeMax = limits.sectionSizeMax > usual.sectionSizeMax ? limits.sectionSizeMax : 0
        headerSizeMax = limits.headerSizeMax > usual.headerSizeMax ? limits.headerSizeMax : 0
    }

    /// The user's own copy of the shard's bytes; nil if the shard was registered without one.
    var borrowedTransient: BorrowedTransient? {
        guard !transientPath.isEmpty else { return nil }
        return BorrowedTransient(FilePath(bytes: transientPath))
    }

    /// What stays on this machine of the shard's bytes.
    var mountPolicy: MountPolicy {
        switch policy {
        case .automatic: .automatic
        case .remote: .remote
        case .cache: .cache
        case .copy: .copy
        }
    }

    /// The name of the shard's transient.
    var transientName: TransientName { TransientName(key: key, number: number) }
}

extension ShardRecord.Policy {
    /// Converts a policy of mounts.
    init(_ policy: MountPolicy) {
        self =
            switch policy {
            case .automatic: .automatic
            case .remote: .remote
            case .cache: .cache
            case .copy: .copy
            }
    }
}
