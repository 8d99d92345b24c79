internal import DAGCatalog
internal import DAGMounts
internal import Dispatch
internal import ShardLifecycle
internal import SharedReads

/// A request to change a shard's mount.
struct Relocation: Sendable {
    let key: ShardKey
    /// The record that the new source was compared with.
    let before: ShardRecord
    /// The record with the new mount.
    let after: ShardRecord
    /// Whether the shard gets the policy of the new record.
    let setsPolicy: Bool
    /// The reader for leases from now on; nil if the shard is not indexed.
    let reader: ShardReader?
    /// Receives whether the mount was changed; if false, the shard is opening, and the caller asks again later.
    ///
    /// Called once, on the loop's thread or one of the store.
    let reply: @Sendable (Result<Bool, DAGStoreError>) -> Void
}

/// A request to change a shard's policy.
struct PolicyChange: Sendable {
    let key: ShardKey
    let policy: MountPolicy
    /// Called once, on the loop's thread or one of the store.
    let reply: @Sendable (Result<ShardStatus, DAGStoreError>) -> Void
}

extension ShardLoop {
    /// Writes a shard's new policy, under which later openings read.
    func setPolicy(_ change: PolicyChange) {
        let key = change.key
        finishBatch()
        do {
            let standing = try engine.catalog.standing(of: key.text)
            guard standing != nil, let shard = shard(key, nil) else {
                throw DAGStoreError(.shardUnknown, "no shard has this key", shard: key)
            }
            var record = shard.record
            record.policy = ShardRecord.Policy(change.policy)
            if record != shard.record {
                let update = CatalogChange.update(record, pending: shard.pending)
                shard.record = try engine.writer.sync { try engine.catalog.commit([update])[0] }
                toReopen.insert(key)
                closeToReopen()
            }
            change.reply(.success(engine.status((shard.record, shard.pending))))
        } catch {
            change.reply(.failure(DAGStoreError(any: error).about(key)))
        }
    }

    /// Writes a shard's new mount, through which later leases read.
    func relocate(_ relocation: Relocation) {
        let key = relocation.key
        finishBatch()
        guard let shard = shard(key, nil), shard.record.number == relocation.before.number else {
            return relocation.refuse(.shardUnknown, "no shard has this key")
        }
        if case .opening = shard.lifecycle.state { return relocation.reply(.success(false)) }
        guard !shard.isPassing, shard.pending == nil || shard.record.generation == 0 else {
            return relocation.refuse(.shardInUse, "it is being fetched and indexed")
        }
        guard shard.record.generation == relocation.before.generation else {
            return relocation.refuse(.shardInUse, "it was indexed again meanwhile")
        }
        var record = shard.record
        record.mountURL = relocation.after.mountURL
        record.transientPath = relocation.after.transientPath
        if relocation.setsPolicy { record.policy = relocation.after.policy }
        if relocation.reader != nil { SourceFacts(relocation.after).apply(to: &record) }
        do {
            let change = CatalogChange.update(record, pending: shard.pending)
            let written = try engine.writer.sync { try engine.catalog.commit([change]) }
            shard.record = written[0]
        } catch {
            return relocation.reply(.failure(DAGStoreError(any: error).about(key)))
        }
        engine.indexes.removeReader(of: shard.record.number)
        if shard.lifecycle.state == .open, let reader = relocation.reader {
            // New leases must use the new source; the new opening counts the leases on the old one.
            if let old = shard.open { _ = old.leases.close() }
            install(reader, in: shard)
            // The policy may have changed while the new source was compared.
            if record.policy != relocation.after.policy { toReopen.insert(key) }
            closeToReopen()
        }
        forgetIfAtRest(shard)
        relocation.reply(.success(true))
    }
}

extension Relocation {
    fileprivate func refuse(_ code: DAGStoreError.Code, _ message: String) {
        reply(.failure(DAGStoreError(code, message, shard: key)))
    }
}
