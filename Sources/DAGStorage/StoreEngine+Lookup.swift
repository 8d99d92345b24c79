internal import Bytes
internal import CAR
internal import Catalog
internal import Dispatch
internal import Hashing
internal import Multiformats
internal import ShardIndex
internal import Synchronization

/// What the open shards say of a block.
enum NearBlock {
    case found(Block)
    /// No shard has it.
    case nowhere
    /// These shards may have it, and have to be asked.
    case perhaps([UInt32])
}

/// Finding blocks over all shards.
extension StoreEngine {
    /// The shards that may have a multihash, by number.
    ///
    /// - Throws: `catalogCorrupt`; `readOnly` if a store that is only looked at has no inverse index yet.
    func candidates(of cid: CID) throws -> ShardNumbers {
        try cid.withDigest { try candidates(ofDigest: $0) }
    }

    /// The shards that may have a digest, whatever its hash function, by number.
    ///
    /// - Throws: As `candidates(of:)`.
    func candidates(ofDigest digest: ByteView) throws -> ShardNumbers {
        let hash = InverseEntry.hash(of: catalog.hash.hash(digest).high)
        guard catalog.isReadOnly else { return try inverse.candidates(of: hash) }
        guard !catalog.lacksInverse else {
            throw DAGStoreError(
                .readOnly,
                "the inverse index is built when the store is opened to write"
            )
        }
        // Another process merges runs; one transaction sees them as they are.
        var found = ShardNumbers()
        try catalog.forEachShard(inverse: hash) { found.insert($0) }
        found.finish()
        return found
    }

    /// The shards that have a multihash, in order of registration.
    ///
    /// - Throws: `catalogCorrupt`; `mountUnreachable` if only shards have it whose CAR was not read yet.
    func places(of cid: CID) throws -> [FoundBlock] {
        var found: [FoundBlock] = []
        var failure: DAGStoreError?
        for number in try candidates(of: cid).all {
            do {
                if let place = try confirmed(cid, number) { found.append(place) }
            } catch let error as DAGStoreError where error.code == .mountUnreachable {
                failure = error
            }
        }
        if found.isEmpty, let failure { throw failure }
        return found
    }

    /// The keys of the shards that have a multihash, in order of registration.
    ///
    /// - Throws: `catalogCorrupt`.
    func holders(of cid: CID) throws -> [ShardKey] {
        var found: [ShardKey] = []
        for number in try candidates(of: cid).all {
            let key = try withIndex(of: number) { try $0.contains(cid) ? $0.key : nil }
            if let key = key ?? nil { found.append(key) }
        }
        return found
    }

    /// Whether any shard has a multihash; damage of one shard's index does not hide another's answer.
    ///
    /// - Throws: `catalogCorrupt` if no shard has it that could be asked, and one could not.
    func isAnywhere(_ cid: CID) throws -> Bool {
        var failure: (any Error)?
        for number in try candidates(of: cid).all {
            do {
                if try withIndex(of: number, { try $0.contains(cid) }) == true { return true }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return false
    }

    /// One place of a multihash, if there is any; damage of one shard's index does not hide another's answer.
    ///
    /// - Throws: `catalogCorrupt` if no shard has it that could be asked, and one could not.
    func firstPlace(of cid: CID) throws -> FoundBlock? {
        var failure: (any Error)?
        for number in try candidates(of: cid).all {
            do {
                if let place = try confirmed(cid, number) { return place }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return nil
    }

    /// Where a candidate has the block, as its index knows it; nil if it has not, or the shard is gone.
    private func confirmed(_ cid: CID, _ number: UInt32) throws -> FoundBlock? {
        let found = try withIndex(of: number) { reader in
            try reader.section(of: cid).map { section in
                FoundBlock(key: reader.key, location: reader.location(section))
            }
        }
        return found ?? nil
    }

    /// Calls `body` with the index of a shard, which is not deleted meanwhile.
    ///
    /// *Cost*: a look into a table if the shard is open or was used lately; else its record and root page are
    /// read.
    ///
    /// - Returns: What `body` returns; nil if there is no index, or the shard is gone.
    func withIndex<R>(of number: UInt32, _ body: (IndexReader) throws -> R) throws -> R? {
        // While leases are given, what they read through is the shard's current index.
        if let entry = openShards.withLock({ $0[number]?.entry }), entry.leases.isOpen,
            let index = entry.core?.index, let result = try index.holding(body)
        {
            return result
        }
        while let record = try catalog.record(number), record.generation != 0 {
            if let result = try withIndex(of: record, body) { return result }
        }
        return nil
    }

    /// Calls `body` with the index that a record names, which is not deleted meanwhile.
    ///
    /// - Returns: What `body` returns; nil if the shard has another index now, or is gone.
    func withIndex<R>(of record: ShardRecord, _ body: (IndexReader) throws -> R) throws -> R? {
        var isNew = false
        let reader = try readers.reader(record.generation) { () -> IndexReader? in
            // It may be deleted at any moment, which is found out by pinning before looking again.
            let pin = catalog.isReadOnly ? nil : pins.pin(record.generation)
            guard try isCurrent(record) else { return nil }
            isNew = true
            return try IndexReader(record, catalog: catalog, cache: cache, pin: pin)
        }
        guard let reader else { return nil }
        // Kept for the next question, unless it was given up before it was there to be forgotten.
        if isNew, try !isCurrent(record) { readers.remove(record.generation) }
        return try withExtendedLifetime(reader) { try body(reader) }
    }

    private func isCurrent(_ record: ShardRecord) throws -> Bool {
        try catalog.record(record.number)?.generation == record.generation
    }

    // MARK: Blocks

    /// A block from a shard that is open.
    ///
    /// *Cost*: a search in the inverse index, and one in the shard.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    func nearBlock(for cid: CID) throws -> NearBlock {
        let numbers = try candidates(of: cid)
        if let number = numbers.single {
            if let block = block(for: cid, inOpen: number) { return .found(block) }
            return .perhaps([number])
        }
        let all = numbers.all
        for number in all {
            if let block = block(for: cid, inOpen: number) { return .found(block) }
        }
        return all.isEmpty ? .nowhere : .perhaps(all)
    }

    /// A block of an open shard; nil if it is not open, has not the block, or fails.
    ///
    /// What fails is asked again in another way, which says why.
    private func block(for cid: CID, inOpen number: UInt32) -> Block? {
        guard let entry = openShards.withLock({ $0[number]?.entry }) else { return nil }
        leaseCount.add(1, ordering: .acquiringAndReleasing)
        defer { dropLeaseCount() }
        guard let before = entry.leases.take() else { return nil }
        if before == 0 { idleCount.subtract(1, ordering: .relaxed) }
        let now = DispatchTime.now().uptimeNanoseconds
        defer { giveBack(entry, now) }
        guard let core = entry.core else { return nil }
        if now &- entry.lastCheck.load(ordering: .relaxed) > Self.checkInterval {
            entry.lastCheck.store(now, ordering: .relaxed)
            // The lease that is asked for next finds out what is wrong, and fails the shard.
            guard (try? core.checkSource()) != nil else { return nil }
        }
        guard let section = try? core.section(of: cid) else { return nil }
        return (try? core.bytes(of: section)).map { Block(cid: cid, $0) }
    }

    /// How often the state of a shard's file is looked at while its blocks are asked for, in nanoseconds.
    private static let checkInterval: UInt64 = 1_000_000_000

    private func giveBack(_ entry: ShardEntry, _ now: UInt64) {
        entry.lastUse.store(now, ordering: .relaxed)
        let (left, isOpen) = entry.leases.giveBack()
        guard left == 0 else { return }
        if isOpen { noteIdle() } else { loop.post(.settle(entry.key)) }
    }

    /// Candidates in the order in which they are asked: those at hand first, those that have failed last.
    ///
    /// - Returns: Their keys, as the user's selector left them.
    func order(_ numbers: [UInt32], for cid: CID) throws -> [ShardKey] {
        var ranked: [(rank: Int, key: ShardKey)] = []
        for number in numbers {
            if let entry = openShards.withLock({ $0[number]?.entry }) {
                ranked.append((0, entry.key))
                continue
            }
            guard let record = try catalog.record(number) else { continue }
            let rank =
                switch record.state {
                case .available: 1
                case .registered: 2
                case .failed: 3
                }
            ranked.append((rank, ShardKey(stored: record.key)))
        }
        let keys = ranked.enumerated()
            .sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element.key)
        guard let select = configuration.selectShards else { return keys }
        return select(cid, keys)
    }
}
