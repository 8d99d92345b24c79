public import DAGCAR
internal import DAGCatalog

/// The shards that a page of a list shows.
public struct ShardFilter: Sendable {
    /// The states; empty for all.
    public var states: Set<ShardStatus.State> = []
    /// A part of the key or of the mount's URL, in any case of ASCII letters; empty for all.
    public var text = ""

    /// Makes a filter that all shards pass.
    public init() {}
}

/// A page of a list of shards, in order of registration.
public struct ShardPage: Sendable {
    /// The shards.
    public let shards: [ShardStatus]
    /// The number of the last shard that was looked at, if more may follow: the place to go on.
    public let next: UInt32?
}

/// The number of shards in each state.
public struct StateCounts: Sendable, Equatable {
    /// The numbers; a state without shards has zero.
    public let counts: [ShardStatus.State: UInt64]
}

extension DAGStore {
    /// The limits for CARs that the store was opened with.
    public var limits: CARLimits { engine.configuration.limits }

    /// The number of records that a page reads at most, so that a rare match does not hold a caller for long.
    private static let pageScanMax = 1 << 17

    /// Returns a page of the shards that pass a filter.
    ///
    /// *Cost*: reads records until the page is full, at most 131,072; a page may therefore be short and have a `next`.
    ///
    /// - Parameters:
    ///   - number: The page begins after the shard with this number; nil for the first page.
    ///   - limit: The largest number of shards in the page, at least 1.
    ///   - filter: Chooses the shards.
    /// - Returns: The page.
    /// - Throws: `catalogCorrupt`, `closed`.
    public func shards(
        after number: UInt32? = nil,
        limit: Int,
        filter: ShardFilter = ShardFilter()
    ) throws -> ShardPage {
        precondition(limit > 0, "a page has at least one shard")
        let text = filter.text.utf8.map(Self.lowered)
        let isFiltered = !text.isEmpty || !filter.states.isEmpty
        var found: [ShardStatus] = []
        var last = number
        var scanned = 0
        while scanned < Self.pageScanMax {
            let count = isFiltered ? 4096 : min(limit + 1, 4096)
            let candidates = try engine.access.using {
                try translating {
                    try engine.catalog.candidates(
                        after: last,
                        count: count,
                        states: Self.persisted(filter.states),
                        part: text
                    )
                }
            }
            for standing in candidates.standings where isNamed(standing.record, text) {
                let state = ShardStatus.State(
                    standing,
                    references: engine.openShards.references(
                        of: ShardKey(stored: standing.record.key)
                    )
                )
                guard filter.states.isEmpty || filter.states.contains(state) else { continue }
                guard found.count < limit else {
                    return ShardPage(shards: found, next: found.last?.number)
                }
                found.append(engine.status(standing))
            }
            last = candidates.last ?? last
            scanned += candidates.count
            if candidates.count < count { return ShardPage(shards: found, next: nil) }
        }
        return ShardPage(shards: found, next: last)
    }

    private func isNamed(_ record: ShardRecord, _ text: [UInt8]) -> Bool {
        text.isEmpty || Self.contains(record.key, text) || Self.contains(record.mountURL, text)
    }

    /// The states on disk that shards in some states may have; nil for all.
    private static func persisted(_ states: Set<ShardStatus.State>) -> Set<ShardRecord.State>? {
        guard !states.isEmpty else { return nil }
        var found: Set<ShardRecord.State> = []
        for state in states {
            switch state {
            case .failed: found.insert(.failed)
            case .available, .serving: found.insert(.available)
            // The work that a shard waits for is not in its record.
            case .registered, .initializing, .recovering: return nil
            }
        }
        return found
    }

    /// Returns the number of shards in each state.
    ///
    /// A migrated shard whose CAR is still unread counts as available. The counts are of one moment only while nothing
    /// changes.
    ///
    /// *Cost*: a step for each open shard and each shard with a job; none for the others.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    public func stateCounts() throws -> StateCounts {
        try engine.access.using {
            try translating {
                let counters = try engine.catalog.counters()
                var counts: [ShardStatus.State: UInt64] = [:]
                var recovering: UInt64 = 0
                var initializing: UInt64 = 0
                // A migrated shard counts as available while its CAR is read for the first time.
                var isRead: UInt64 = 0
                for (number, work) in try engine.catalog.pendingShards() {
                    if try engine.catalog.record(number)?.state == .available { isRead += 1 }
                    switch work.kind {
                    case .initialize: initializing += 1
                    case .recover: recovering += 1
                    }
                }
                let available = counters.available - min(isRead, counters.available)
                let serving = min(UInt64(engine.openShards.leasedCount), available)
                let failed = counters.failed - min(recovering, counters.failed)
                counts[.initializing] = initializing
                counts[.recovering] = recovering
                counts[.failed] = failed
                counts[.serving] = serving
                counts[.available] = available - serving
                let known = initializing + recovering + failed + available
                counts[.registered] = counters.shards - min(known, counters.shards)
                return StateCounts(counts: counts)
            }
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Returns whether a text has a part, which is in lower case.
    private static func contains(_ text: String, _ part: [UInt8]) -> Bool {
        let bytes = text.utf8.span
        guard bytes.count >= part.count else { return false }
        for start in 0...(bytes.count - part.count) where lowered(bytes[start]) == part[0] {
            var length = 1
            while length < part.count, lowered(bytes[start + length]) == part[length] {
                length += 1
            }
            if length == part.count { return true }
        }
        return false
    }
}
