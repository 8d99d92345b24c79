internal import DAGBytes
internal import DAGCAR
internal import DAGCatalog
internal import DAGHashing
internal import DAGMultiformats
internal import Dispatch
internal import ShardIndex
internal import SharedReads
internal import Synchronization

/// What the open shards say of a block.
enum NearBlock {
    case found(Block)
    /// No shard has it.
    case nowhere
    /// These shards may have it, and have to be asked; others too if there are more.
    case perhaps([UInt32], areMore: Bool)
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
        guard catalog.isReadOnly else {
            Reading.begin(mark)
            defer { Reading.end() }
            return try inverse.candidates(of: hash)
        }
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
        for number in try reading({ try candidates(of: cid) }).all {
            do {
                let place = try reading { try confirmed(cid, number) }
                if let place { found.append(place) }
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
        for number in try reading({ try candidates(of: cid) }).all {
            // A reading each: there may be many.
            let key = try reading {
                try withIndex(of: number) { try $0.contains(cid) ? $0.key : nil } ?? nil
            }
            if let key { found.append(key) }
        }
        return found
    }

    /// Whether any shard has a multihash; damage of one shard's index does not hide another's answer.
    ///
    /// - Throws: `catalogCorrupt` if no shard has it that could be asked, and one could not.
    func isAnywhere(_ cid: CID) throws -> Bool {
        try first(of: cid) { reader in try reader.contains(cid) ? true : nil } ?? false
    }

    /// One place of a multihash, if there is any; damage of one shard's index does not hide another's answer.
    ///
    /// - Throws: `catalogCorrupt` if no shard has it that could be asked, and one could not.
    func firstPlace(of cid: CID) throws -> FoundBlock? {
        try first(of: cid) { try Self.place(of: cid, in: $0) }
    }

    /// Where a candidate has the block, as its index knows it; nil if it has not, or the shard is gone.
    private func confirmed(_ cid: CID, _ number: UInt32) throws -> FoundBlock? {
        try withIndex(of: number) { try Self.place(of: cid, in: $0) } ?? nil
    }

    private static func place(of cid: CID, in reader: IndexReader) throws -> FoundBlock? {
        try reader.section(of: cid).map { section in
            FoundBlock(key: reader.key, location: reader.location(section))
        }
    }

    /// Asks candidates until one answers, open shards first.
    ///
    /// *Cost*: does not depend on how many shards have the multihash, unless the first ones turn out not to.
    ///
    /// - Throws: The first error, if no candidate answers.
    @inline(__always)
    private func first<R>(of cid: CID, _ ask: (IndexReader) throws -> R?) throws -> R? {
        let some = try someCandidates(of: cid)
        var failure: (any Error)?
        var isAsked = FewNumbers.Flags()
        for place in 0..<some.count {
            do {
                guard let answer = try withOpenIndex(of: some[place], ask) else { continue }
                if let answer { return answer }
                isAsked.insert(place)
            } catch {
                isAsked.insert(place)
                failure = failure ?? error
            }
        }
        for place in 0..<some.count where !isAsked.contains(place) {
            do {
                if let answer = try withIndex(of: some[place], ask) ?? nil { return answer }
            } catch {
                failure = failure ?? error
            }
        }
        if some.isCut {
            for number in try candidates(of: cid).all where !some.contains(number) {
                do {
                    if let answer = try withIndex(of: number, ask) ?? nil { return answer }
                } catch {
                    failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
        return nil
    }

    /// The first shards that may have a multihash, in no order.
    private func someCandidates(of cid: CID) throws -> FewNumbers {
        guard catalog.isReadOnly else {
            let hash = cid.withDigest { InverseEntry.hash(of: catalog.hash.hash($0).high) }
            return try inverse.someCandidates(of: hash)
        }
        var some = FewNumbers()
        for number in try candidates(of: cid).all where !some.insert(number) { break }
        return some
    }

    /// Calls `body` with the index of an open shard; nil if it is not open.
    ///
    /// Within a reading.
    @inline(__always)
    private func withOpenIndex<R>(
        of number: UInt32,
        _ body: (IndexReader) throws -> R
    ) throws -> R? {
        guard let entry = openShards.find(number.tableHash, where: { $0.number == number }) else {
            return nil
        }
        // While leases are granted, what they read through is the shard's current index.
        return try entry.with { entry in
            guard entry.leases.isOpen else { return nil }
            return try entry.index.with(body)
        }
    }

    /// Calls `body` with the index of a shard, which is not deleted meanwhile.
    ///
    /// Within a reading.
    ///
    /// *Cost*: a search in a table if the shard is open or was used lately; else its record and root page are
    /// read.
    ///
    /// - Returns: What `body` returns; nil if there is no index, or the shard is gone.
    func withIndex<R>(of number: UInt32, _ body: (IndexReader) throws -> R) throws -> R? {
        if let result = try withOpenIndex(of: number, body) { return result }
        // What another process changes is seen in the record only.
        if !catalog.isReadOnly, let result = try readers.find(number, body) { return result }
        while let record = try catalog.record(number), record.generation != 0 {
            if let result = try withIndex(of: record, body) { return result }
        }
        return nil
    }

    /// Calls `body` with the index that a record names, which is not deleted meanwhile.
    ///
    /// Within a reading.
    ///
    /// - Returns: What `body` returns; nil if the shard has another index now, or is gone.
    func withIndex<R>(of record: ShardRecord, _ body: (IndexReader) throws -> R) throws -> R? {
        let known = try readers.find(record.number) { reader in
            try reader.record.generation == record.generation ? body(reader) : nil
        }
        if let known, let known { return known }
        // It may be deleted at any moment, which is found out by pinning before looking again.
        let pin = catalog.isReadOnly ? nil : pins.pin(record.generation)
        guard try isCurrent(record) else { return nil }
        let reader = try IndexReader(record, catalog: catalog, cache: cache, pin: pin)
        if catalog.isReadOnly { readers.remove(record.number) }
        readers.insert(reader)
        // Kept for the next question, unless it was given up before it was there to be forgotten.
        if try !isCurrent(record) { readers.remove(record.number) }
        return try body(reader)
    }

    /// Calls `body` with the index of a shard, retained, so that `body` may take long.
    ///
    /// - Returns: As `withIndex(of:_:)`.
    func withLastingIndex<R>(
        of number: UInt32,
        _ body: (IndexReader) throws -> R
    ) throws -> R? {
        guard let reader = try counted({ try withIndex(of: number) { $0 } }) else { return nil }
        return try withExtendedLifetime(reader) { try body(reader) }
    }

    /// Calls `body` with the index that a record names, retained, so that `body` may take long.
    ///
    /// - Returns: As `withIndex(of:_:)`.
    func withLastingIndex<R>(
        of record: ShardRecord,
        _ body: (IndexReader) throws -> R
    ) throws -> R? {
        guard let reader = try counted({ try withIndex(of: record) { $0 } }) else { return nil }
        return try withExtendedLifetime(reader) { try body(reader) }
    }

    private func counted(_ find: () throws -> IndexReader?) throws -> IndexReader? {
        Reading.begin(mark)
        defer { Reading.end() }
        return try find()
    }

    private func isCurrent(_ record: ShardRecord) throws -> Bool {
        try catalog.record(record.number)?.generation == record.generation
    }

    // MARK: Blocks

    /// A block from a shard that is open.
    ///
    /// *Cost*: a search in the inverse index, and one in the shard; it does not depend on how many shards have the
    /// block, unless the first ones turn out not to.
    ///
    /// - Throws: `catalogCorrupt`, `closed`.
    func nearBlock(for cid: CID) throws -> NearBlock {
        let some = try reading { try someCandidates(of: cid) }
        for place in 0..<some.count {
            if let block = block(for: cid, inOpen: some[place]) { return .found(block) }
        }
        if some.count == 0 { return .nowhere }
        return .perhaps((0..<some.count).map { some[$0] }, areMore: some.isCut)
    }

    /// A block of an open shard whose bytes are in memory; nil if it is not open, has not the block, or fails.
    ///
    /// After a nil the caller acquires the shard, which throws the error. A lease, and not a reading, spans the access to
    /// the CAR: a reading that waits for a disk would hold up the whole store.
    private func block(for cid: CID, inOpen number: UInt32) -> Block? {
        guard let entry = lease(onOpen: number) else { return nil }
        defer {
            Reading.begin(mark)
            entry.with { endLease($0, isEvent: false) }
            Reading.end()
        }
        return entry.with { entry in
            if entry.isCheckOld(after: max(sourceCheckInterval, Self.checkInterval)) {
                // The lease that is asked for next finds out what is wrong, and fails the shard.
                guard (try? entry.core.checkSource()) != nil else { return nil }
                entry.noteCheck()
            }
            guard let section = try? entry.core.section(of: cid),
                let bytes = try? entry.core.bytes(of: section)
            else { return nil }
            return Block(cid: cid, bytes)
        }
    }

    /// A lease on a shard that is open, without an object for it.
    @inline(__always)
    private func lease(onOpen number: UInt32) -> Borrowed<ShardEntry>? {
        Reading.begin(mark)
        defer { Reading.end() }
        guard let entry = openShards.find(number.tableHash, where: { $0.number == number }),
            entry.with({ $0.core.isInMemory && take($0) })
        else { return nil }
        return entry
    }

    /// How often the state of a shard's file is looked at while its blocks are asked for, in nanoseconds.
    static let checkInterval: UInt64 = 1_000_000_000

    /// Candidates in the order in which they are asked: those at hand first, those that have failed last.
    ///
    /// Within a reading.
    func order(_ numbers: [UInt32]) throws -> [ShardKey] {
        var ranked: [(rank: Int, key: ShardKey)] = []
        for number in numbers {
            if let entry = openShards.find(number.tableHash, where: { $0.number == number }) {
                ranked.append((0, entry.with { $0.key }))
                continue
            }
            guard let record = try catalog.record(number) else { continue }
            let rank =
                switch record.state {
                // It may take as long to find out that it is still away.
                case .available where isAway(number): 3
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

    /// Keys as the user's selector leaves them; outside of a reading, because it is the user's code.
    func select(_ keys: [ShardKey], for cid: CID) -> [ShardKey] {
        guard selectsShards, let select = configuration.selectShards else { return keys }
        return select(cid, keys)
    }
}
