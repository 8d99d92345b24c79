internal import DAGCatalog
internal import DAGMounts
internal import ShardLifecycle
internal import SystemPackage

/// Registers small local CARs in one transaction, which writes the record together with the index.
///
/// A job indexes the CAR first, in some 100 us. The loop then commits and answers the caller. A process that ends before the
/// commit leaves no shard. If the CAR is larger or the job fails, the loop commits the record first, as for any other shard.
extension ShardLoop {
    /// Has a small CAR indexed before its shard is known, if the registration allows that.
    ///
    /// - Returns: Whether the ask comes back as `prepared`.
    func prepares(_ ask: Ask, _ registration: Registration, _ shard: ActiveShard) -> Bool {
        guard case .absent = shard.lifecycle.state, case .now = registration.indexing,
            engine.configuration.indexer == nil
        else { return false }
        let record = ShardRecord.new(ask.key, registration, engine.configuration.limits)
        guard engine.isLocal(record) else { return false }
        preparing.begin(ask, at: .now)
        engine.startPreparing(record, ask)
        return true
    }

    /// Takes a registration that was indexed before, or that is to be indexed like any other.
    func receive(_ ask: Ask, _ built: IndexedSource?) {
        guard let built, case .register(let registration) = ask.wish,
            let shard = shard(ask.key, ask), case .absent = shard.lifecycle.state
        else {
            if let built { engine.discard(.indexed(built)) }
            return receive(ask, isPrepared: true)
        }
        shard.record = .new(ask.key, registration, engine.configuration.limits)
        let before = shard.memory
        jobNumber += 1
        let events: [ShardLifecycle.Event] = [
            .register(indexesNow: true), .indexed(job: jobNumber),
        ]
        // Both events at once: the job between them is done, and the commit is one.
        let effects = events.flatMap { shard.lifecycle.receive($0, job: jobNumber) }
            .filter { effect in
                if case .start = effect { false } else { true }
            }
        built.note(in: &shard.record)
        shard.record.stateSince = WallClock.milliseconds
        batch.append(
            .adopt(shard.record, built.parts),
            LoopBatch.Item(
                shard: shard,
                before: before,
                pending: nil,
                effects: effects,
                cause: .ask(ask)
            )
        )
    }
}

extension StoreEngine {
    /// The largest file that is indexed before its shard is known: it takes a few milliseconds at most.
    private static let smallFileSizeMax: UInt64 = 1 << 20

    /// Whether the bytes of a shard are a file of this machine.
    func isLocal(_ record: ShardRecord) -> Bool {
        record.borrowedTransient != nil || (try? mount(of: record)) is FileMount
    }

    /// Indexes a small CAR whose shard is not known yet; the loop gets the ask back with what came of it.
    func startPreparing(_ record: ShardRecord, _ ask: Ask) {
        // Not among those that are indexed: a small one does not wait for large ones.
        openings.submit { [self] in
            guard beginWork() else {
                loop.post(.prepared(ask, nil))
                return
            }
            defer { endCall() }
            // An error comes again on the usual way, where it is recorded.
            loop.post(.prepared(ask, try? indexedIfSmall(record)))
        }
    }

    private func indexedIfSmall(_ record: ShardRecord) throws -> IndexedSource? {
        guard let source = try reachAtOnce(record, isOpening: false),
            source.reader.size <= Self.smallFileSizeMax
        else { return nil }
        let job = ShardJob(ShardKey(stored: record.key), number: 0, progress: nil)
        return try buildIndex(record, source, job)
    }
}
