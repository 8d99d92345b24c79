internal import DAGBytes
internal import DAGCatalog
internal import DAGHashing
internal import DAGMultiformats
internal import ShardIndex
internal import SharedReads

/// Finds blocks in all shards: the inverse index names candidates, and the index of each candidate confirms.
///
/// *Concurrency*: any thread.
final class BlockLookup: Sendable {
    fileprivate let access: CatalogAccess
    private let catalog: Catalog
    private let openShards: OpenShards
    private let indexes: ShardIndexes
    private let inverse: InverseIndex
    private let away: AwayShards
    /// `Configuration.selectShards`.
    private let select: ShardSelector?

    init(
        _ access: CatalogAccess,
        _ openShards: OpenShards,
        _ indexes: ShardIndexes,
        _ inverse: InverseIndex,
        _ away: AwayShards,
        select: ShardSelector?
    ) {
        self.access = access
        catalog = access.catalog
        self.openShards = openShards
        self.indexes = indexes
        self.inverse = inverse
        self.away = away
        self.select = select
    }

    /// Returns the numbers of the shards that may have a multihash.
    ///
    /// - Throws: `catalogCorrupt`; `readOnly` if a read-only store has no inverse index yet.
    func candidates(of cid: CID) throws -> ShardNumbers {
        try cid.withDigest { try candidates(ofDigest: $0) }
    }

    /// Returns the numbers of the shards that may have a digest of any hash function.
    ///
    /// - Throws: As `candidates(of:)`.
    func candidates(ofDigest digest: ByteView) throws -> ShardNumbers {
        let hash = InverseEntry.hash(of: catalog.hash.hash(digest).high)
        guard catalog.isReadOnly else {
            Reading.begin(access.mark)
            defer { Reading.end() }
            return try inverse.candidates(of: hash)
        }
        guard !catalog.lacksInverse else {
            throw DAGStoreError(
                .readOnly,
                "the inverse index is built when the store is opened to write"
            )
        }
        // Another process merges runs; one transaction sees a consistent set.
        var found = ShardNumbers()
        try catalog.forEachShard(inverse: hash) { found.insert($0) }
        found.finish()
        return found
    }

    /// Returns the shards that have a multihash, in order of registration.
    ///
    /// - Throws: `catalogCorrupt`; `mountUnreachable` if the CARs of all these shards are still unread.
    func places(of cid: CID) throws -> [FoundBlock] {
        var found: [FoundBlock] = []
        var failure: DAGStoreError?
        for number in try access.reading({ try candidates(of: cid) }).all {
            do {
                let place = try access.reading { try confirmed(cid, number) }
                if let place { found.append(place) }
            } catch let error as DAGStoreError where error.code == .mountUnreachable {
                failure = error
            }
        }
        if found.isEmpty, let failure { throw failure }
        return found
    }

    /// Returns the keys of the shards that have a multihash, in order of registration.
    ///
    /// - Throws: `catalogCorrupt`.
    func holders(of cid: CID) throws -> [ShardKey] {
        var first: ShardKey?
        let others: [UInt32] = try access.reading {
            let candidates = try candidates(of: cid)
            guard let single = candidates.single else { return candidates.all }
            first = try confirmedKey(cid, single)
            return []
        }
        guard !others.isEmpty else { return first.map { [$0] } ?? [] }
        // One reading for each candidate, because there may be many.
        return try others.compactMap { number in
            try access.reading { try confirmedKey(cid, number) }
        }
    }

    /// Returns the key of a candidate; nil if the candidate lacks the block, or is destroyed.
    private func confirmedKey(_ cid: CID, _ number: UInt32) throws -> ShardKey? {
        try indexes.withIndex(of: number) { try $0.contains(cid) ? $0.key : nil } ?? nil
    }

    /// Returns whether any shard has a multihash; if one shard's index is damaged, the others still answer.
    ///
    /// - Throws: `catalogCorrupt` if one candidate's index is unreadable and no other shard has the block.
    func isAnywhere(_ cid: CID) throws -> Bool {
        try first(of: cid) { reader in try reader.contains(cid) ? true : nil } ?? false
    }

    /// Returns one place of a multihash; if one shard's index is damaged, the others still answer.
    ///
    /// - Throws: `catalogCorrupt` if one candidate's index is unreadable and no other shard has the block.
    func firstPlace(of cid: CID) throws -> FoundBlock? {
        try first(of: cid) { try Self.place(of: cid, in: $0) }
    }

    /// Returns the place of the block in a candidate; nil if the candidate lacks the block, or is destroyed.
    private func confirmed(_ cid: CID, _ number: UInt32) throws -> FoundBlock? {
        try indexes.withIndex(of: number) { try Self.place(of: cid, in: $0) } ?? nil
    }

    private static func place(of cid: CID, in reader: IndexReader) throws -> FoundBlock? {
        try reader.section(of: cid).map { section in
            FoundBlock(key: reader.key, location: reader.location(section))
        }
    }

    /// Asks candidates until one answers, open shards first.
    ///
    /// *Cost*: independent of the number of candidates, unless the first candidates lack the multihash.
    ///
    /// - Throws: The first error, if no candidate answers.
    @inline(__always)
    private func first<R>(of cid: CID, _ ask: (IndexReader) throws -> R?) throws -> R? {
        let some = try someCandidates(of: cid)
        var failure: (any Error)?
        var isAsked = FewNumbers.Flags()
        for place in 0..<some.count {
            do {
                guard let answer = try openShards.withIndex(of: some[place], ask) else { continue }
                if let answer { return answer }
            } catch {
                failure = failure ?? error
            }
            isAsked.insert(place)
        }
        for place in 0..<some.count where !isAsked.contains(place) {
            if let answer = askIndex(of: some[place], &failure, ask) { return answer }
        }
        if some.isCut {
            for number in try candidates(of: cid).all where !some.contains(number) {
                if let answer = askIndex(of: number, &failure, ask) { return answer }
            }
        }
        if let failure { throw failure }
        return nil
    }

    /// Asks the index of a shard, open or closed; keeps the first error.
    private func askIndex<R>(
        of number: UInt32,
        _ failure: inout (any Error)?,
        _ ask: (IndexReader) throws -> R?
    ) -> R? {
        do {
            return try indexes.withIndex(of: number, ask) ?? nil
        } catch {
            failure = failure ?? error
            return nil
        }
    }

    /// Returns the first shards that may have a multihash, in any order.
    private func someCandidates(of cid: CID) throws -> FewNumbers {
        guard catalog.isReadOnly else {
            let hash = cid.withDigest { InverseEntry.hash(of: catalog.hash.hash($0).high) }
            return try inverse.someCandidates(of: hash)
        }
        var some = FewNumbers()
        for number in try candidates(of: cid).all where !some.insert(number) { break }
        return some
    }

    // MARK: Blocks

    /// The result of a lookup in the open shards.
    enum Answer<Found> {
        case found(Found)
        /// No shard has the block.
        case nowhere
        /// The caller asks these shards.
        case candidates(Candidates)
    }

    /// Looks for a block in the CID itself, and in the shards that are open and in memory.
    ///
    /// *Cost*: a search in the inverse index, and one in the shard; independent of the number of candidates, unless
    /// the first candidates lack the block.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    func answer(for cid: CID, selecting select: ShardSelector? = nil) throws -> Answer<Block> {
        if cid.isIdentity { return .found(Block(identity: cid)) }
        return try answer(for: cid, selecting: select) { Block(cid: cid, try $0.bytes(of: $1)) }
    }

    /// Looks for a section in the shards that are open and in memory, and calls `read` with it.
    ///
    /// - Throws: As `answer(for:)`.
    @inline(__always)
    func answer<Found>(
        for cid: CID,
        selecting ownSelect: ShardSelector? = nil,
        _ read: (ShardReader, Section) throws -> Found
    ) throws -> Answer<Found> {
        try translating {
            if let select = ownSelect ?? select {
                let all = try access.reading { try candidates(of: cid).all }
                guard !all.isEmpty else { return .nowhere }
                return .candidates(Candidates(cid, all, areMore: false, in: self, select))
            }
            return try openBlock(for: cid, read)
        }
    }

    @inline(__always)
    private func openBlock<Found>(
        for cid: CID,
        _ read: (ShardReader, Section) throws -> Found
    ) throws -> Answer<Found> {
        let some = try access.reading { try someCandidates(of: cid) }
        for place in 0..<some.count {
            // The caller meets the error again when it takes a lease.
            let block = openShards.withLease(on: some[place]) { reader in
                guard let section = try? reader.section(of: cid) else { return nil as Found? }
                return try? read(reader, section)
            }
            if let block { return .found(block) }
        }
        guard some.count > 0 else { return .nowhere }
        let numbers = (0..<some.count).map { some[$0] }
        return .candidates(Candidates(cid, numbers, areMore: some.isCut, in: self))
    }

    /// Asks the system to read a block ahead, if a shard that is open and in memory has the block.
    ///
    /// - Returns: Whether such a shard has the block.
    /// - Throws: `catalogCorrupt`, `closed`.
    func prefetch(_ cid: CID) throws -> Bool {
        let some = try access.reading { try someCandidates(of: cid) }
        for place in 0..<some.count {
            let isFound = openShards.withLease(on: some[place]) { reader in
                guard let section = try? reader.section(of: cid) else { return false }
                reader.prefetch(section)
                return true
            }
            if isFound == true { return true }
        }
        return false
    }

    /// Returns the keys of candidates in the order in which callers ask them: open shards first, failed ones last.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    fileprivate func keys(of numbers: [UInt32]) throws -> [ShardKey] {
        try access.reading { try translating { try order(numbers) } }
    }

    private func order(_ numbers: [UInt32]) throws -> [ShardKey] {
        var ranked: [(rank: Int, key: ShardKey)] = []
        for number in numbers {
            if let shard = openShards.find(number) {
                ranked.append((0, shard.with { $0.key }))
                continue
            }
            guard let record = try catalog.record(number) else { continue }
            let rank =
                switch record.state {
                // The next look at an absent source may take as long as the last one.
                case .available where away.contains(number): 3
                case .available: 1
                case .registered: 2
                case .failed: 3
                }
            ranked.append((rank, ShardKey(stored: record.key)))
        }
        return ranked.enumerated()
            .sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element.key)
    }
}

/// The shards that may have a block, one after the other: first a few, then all others.
struct Candidates {
    let cid: CID
    /// The numbers of the first few shards, in any order.
    let numbers: [UInt32]
    private let lookup: BlockLookup
    private let select: ShardSelector?
    private var areMore: Bool
    private var keys: ArraySlice<ShardKey>?
    private var asked: Set<ShardKey> = []
    private var failure: (any Error)?

    init(
        _ cid: CID,
        _ numbers: [UInt32],
        areMore: Bool,
        in lookup: BlockLookup,
        _ select: ShardSelector? = nil
    ) {
        self.cid = cid
        self.select = select
        self.numbers = numbers
        self.areMore = areMore
        self.lookup = lookup
    }

    /// Returns the next shard to ask.
    ///
    /// - Returns: The key of the shard; nil if no shard is left, and no shard has failed.
    /// - Throws: The first error of a shard, if no shard is left; `catalogCorrupt`, `closed`.
    mutating func next() throws -> ShardKey? {
        var left = try keys ?? selected(lookup.keys(of: numbers))[...]
        if left.isEmpty, areMore {
            areMore = false
            let all = try lookup.access.reading {
                try translating { try lookup.candidates(of: cid).all }
            }
            left = try selected(lookup.keys(of: all)).filter { !asked.contains($0) }[...]
        }
        guard let key = left.popFirst() else {
            if let failure { throw failure }
            return nil
        }
        keys = left
        if areMore { asked.insert(key) }
        return key
    }

    /// Returns the keys that the user's selector chooses, called outside of any reading.
    private func selected(_ keys: [ShardKey]) -> [ShardKey] { select?(cid, keys) ?? keys }

    /// Keeps the error of a shard, because another shard may have the block; ignores `shardUnknown`.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - deadline: The time when the caller stops waiting; then no further shard is opened.
    /// - Throws: `CancellationError` of the caller; after the deadline, the first error.
    mutating func record(_ error: any Error, until deadline: ContinuousClock.Instant? = nil) throws
    {
        if error is CancellationError { throw error }
        if let deadline, deadline <= .now { throw failure ?? error }
        guard (error as? DAGStoreError)?.code != .shardUnknown else { return }
        failure = failure ?? error
    }
}
