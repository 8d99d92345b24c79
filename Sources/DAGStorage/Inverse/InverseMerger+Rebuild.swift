package import DAGCatalog
internal import Dispatch
package import ShardIndex

/// Opens the inverse index, adds to it, and rebuilds it.
extension InverseMerger {
    /// Opens the inverse index; builds it if the catalog has an earlier format without one.
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
            // Callers can still read shards by their keys, and a check with repairs rebuilds the inverse index.
            inverse.markDamaged()
        }
    }

    /// Adds the entries of a published shard; the loop calls this after the commit.
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

    /// Rebuilds the inverse index while the store goes on.
    ///
    /// *Cost*: reads all indexes of the store; 16 MiB of memory.
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

    /// Builds a new inverse index from the indexes of all shards, and replaces the old one.
    ///
    /// The new one lacks shards with damaged indexes, which could confirm nothing. They come back when they are
    /// indexed again.
    ///
    /// - Parameter old: The inverse index to replace; entries that are published meanwhile stay.
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

/// An inverse index to be replaced.
struct OldInverse {
    /// The generations of the runs.
    let runs: [UInt64]
    /// The tables of recent entries.
    let tables: [RecentEntries]
    /// The first row of recent entries that belongs to the new inverse index.
    let end: UInt64
}
