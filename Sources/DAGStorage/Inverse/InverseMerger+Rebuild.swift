package import DAGCatalog
internal import Dispatch
package import ShardIndex

/// Opening the inverse index, adding to it, and building it anew.
extension InverseMerger {
    /// Opens the inverse index, or builds it if the catalog is of a format that had none.
    ///
    /// - Throws: `catalogCorrupt`, `catalogFull`, `readOnly`.
    func open() throws {
        do {
            if catalog.lacksInverse {
                let end = try catalog.recentEnd()
                let runs = try catalog.runGenerations()
                return try rebuild(in: OldInverse(runs: runs, tables: [], end: end))
            }
            let runs = try catalog.inverseRuns().map { try openRun($0.generation, $0.shape) }
            inverse.load(runs: runs, recent: try catalog.recentEntries())
        } catch {
            let code = DAGStoreError(any: error).code
            guard code == .catalogCorrupt || code == .catalogFull else { throw error }
            // The shards can be read by their keys, and a check with repairs rebuilds it.
            inverse.markDamaged()
        }
    }

    /// Adds what a published shard has; called by the loop, after the commit.
    package func add(_ parts: InverseParts, of record: ShardRecord) {
        switch parts {
        case .recent(let hashes): inverse.add(hashes, of: record.number)
        case .run(var shape):
            shape.leastShard = record.number
            guard let run = try? openPublishedRun(record.generation, shape) else { return }
            inverse.change(adding: [run])
        }
        if inverse.needsMerge(flushFrom: configuration.inverseFlushFrom) { wake() }
    }

    // MARK: Building it anew

    /// Builds the inverse index anew, beside everything else.
    ///
    /// *Cost*: a look at every section of the store; 16 MiB of memory.
    ///
    /// - Throws: `catalogCorrupt` if an index cannot be read; `catalogFull`, `readOnly`, `closed`.
    func rebuild() async throws {
        try await run { [self] in
            guard access.beginWork() else { throw DAGStoreError.storeIsClosed }
            defer { access.endUse() }
            guard let old = stateBetweenCommits() else {
                throw DAGStoreError.storeIsClosed
            }
            try rebuild(in: old)
        }
    }

    /// Builds the inverse index from all shards' own indexes, and puts it in the place of what was there.
    ///
    /// A shard whose own index is damaged is left out: it could confirm nothing, and comes back when it is
    /// indexed again.
    ///
    /// - Parameter old: What goes; what is published meanwhile is not in it and stays.
    /// - Throws: `catalogCorrupt`, `catalogFull`, `readOnly`.
    func rebuild(in old: OldInverse) throws {
        if let merge = try catalog.pendingMerge() {
            try writer.sync { try catalog.abandonMerge(merge) }
        }
        var runs: [InverseRunReader] = []
        do {
            try writeRuns(&runs)
            try writer.sync { try catalog.retireInverse(old.runs, forgetting: old.end) }
        } catch {
            for run in runs {
                try? writer.sync { try catalog.retireRun(run.generation, dropping: 0) }
                deleteWhenUnread(run.generation)
            }
            throw error
        }
        inverse.change(removing: Set(old.runs), tables: old.tables, adding: runs)
        inverse.clearDamage()
        forgetFrozenTables()
        for run in old.runs { deleteWhenUnread(run) }
    }

    /// Writes the entries of all shards as runs.
    private func writeRuns(_ runs: inout [InverseRunReader]) throws {
        var entries: [InverseEntry] = []
        func flush() throws {
            guard !entries.isEmpty else { return }
            runs.append(try writeRun(entries, forgetting: 0))
            entries.removeAll(keepingCapacity: true)
        }
        var last: UInt32?
        while true {
            let records = try catalog.records(after: last, limit: 256)
            guard !records.isEmpty else { break }
            last = records.last?.number
            for record in records where record.generation != 0 {
                do {
                    _ = try indexes.withLastingIndex(of: record) { reader in
                        try reader.forEachHash { hash in
                            entries.append(InverseEntry(hash: hash, shard: record.number))
                            if entries.count >= configuration.inverseRebuildBatch { try flush() }
                        }
                    }
                } catch let error where DAGStoreError(any: error).code == .catalogCorrupt {
                    continue
                }
            }
        }
        try flush()
    }
}

/// An inverse index that is to be replaced.
struct OldInverse {
    /// Its runs, by generation.
    let runs: [UInt64]
    /// Its recent entries.
    let tables: [RecentEntries]
    /// Rows of recent entries before this one belong to it.
    let end: UInt64
}
