internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage
internal import FoundationEssentials

extension MigrationCheck {
    /// What the inverse index of the source says and its own records and indexes do not.
    ///
    /// Nothing of it is lost: entries of shards that were destroyed, whose index was replaced, or that never had
    /// one lead nowhere at the source either.
    ///
    /// *Cost*: a search in the inverse index for every multihash and shard. *Memory*: bounded.
    ///
    /// - Parameter plan: A plan of the source.
    /// - Returns: `.strayInverseEntry` for each shard that entries lead to in vain.
    /// - Throws: `MigrationError`, `DAGStoreError`.
    public func strayInverse(_ plan: MigrationPlan) throws -> [MigrationProblem] {
        #if LevelDB
            var stray = try StrayInverse(plan, exporter)
            try source.forEachInverse { multihash, value in try stray.note(multihash, value) }
            return stray.problems
        #else
            return []
        #endif
    }
}

#if LevelDB
    extension MigrationSource {
        /// Calls `body` with every row of the inverse index.
        ///
        /// - Parameter body: Receives the multihash, nil if the row's key is none, and the keys in the row, nil
        ///   if it cannot be read.
        /// - Throws: `MigrationError`, and what `body` throws.
        fileprivate func forEachInverse(
            _ body: (_ multihash: [UInt8]?, _ keys: [String]?) throws -> Void
        ) throws {
            let isBoost = layout == .boostLID
            let prefix =
                isBoost
                ? BoostPieces.inversePrefix : GoDatastore.inversePrefix + [BoostPieces.slash]
            guard let datastore else { return }
            let reader = try pieces?.reader ?? LevelDBReader(at: datastore)
            // Rows of the same shards have the same bytes.
            var decoded: [[UInt8]: [String]?] = [:]
            var failure: (any Error)?
            try reader.forEach(prefix: prefix) { (key, value) throws(MigrationError) in
                let rest = key[prefix.count..<key.count]
                let bytes = value.copied
                let keys = decoded[bytes] ?? Self.keys(bytes, isBoost)
                if decoded.count < 1 << 16 { decoded[bytes] = .some(keys) }
                do {
                    try body(isBoost ? BoostPieces.unhex(rest) : rest.copied, keys)
                } catch {
                    failure = error
                }
                return failure == nil
            }
            if let failure { throw failure }
        }

        private static func keys(_ row: [UInt8], _ isBoost: Bool) -> [String]? {
            isBoost
                ? BoostPieces.pieces(in: row)
                : try? JSONDecoder().decode([String].self, from: Data(row))
        }
    }

    /// Counts the entries that lead nowhere.
    private struct StrayInverse {
        private let exporter: ShardExporter
        /// The shards of the plan that the store has, by the bytes of their keys: their numbers.
        private var numbers: [[UInt8]: UInt32] = [:]
        private var planned = Set<[UInt8]>()
        private var withoutRecord: [[UInt8]: Int] = [:]
        private var withoutEntry: [[UInt8]: Int] = [:]
        private var unreadable = 0

        init(_ plan: MigrationPlan, _ exporter: ShardExporter) throws {
            self.exporter = exporter
            for shard in plan.shards {
                let bytes = Array(shard.key.utf8)
                planned.insert(bytes)
                guard let key = try? ShardKey(shard.key) else { continue }
                numbers[bytes] = try exporter.number(of: key)
            }
        }

        mutating func note(_ multihash: [UInt8]?, _ keys: [String]?) throws {
            guard let keys else {
                unreadable += 1
                return
            }
            let parts = multihash.flatMap { BoostRecords.parts($0) }
            for key in keys.map({ Array($0.utf8) }) {
                guard planned.contains(key) else {
                    withoutRecord[key, default: 0] += 1
                    continue
                }
                // Of a mangled key, nobody can say which multihash it was.
                guard let parts, let multihash, let number = numbers[key] else { continue }
                let digest = multihash[parts.place...]
                let isFound = try Array(digest).withView { view in
                    Result {
                        try exporter.isFound(hashCode: parts.hashCode, digest: view, in: number)
                    }
                }.get()
                if !isFound { withoutEntry[key, default: 0] += 1 }
            }
        }

        var problems: [MigrationProblem] {
            var details: [String] = []
            for (key, count) in withoutRecord {
                details.append(
                    "\(String(decoding: key, as: UTF8.self)): no record, \(count) entries"
                )
            }
            for (key, count) in withoutEntry {
                let name = String(decoding: key, as: UTF8.self)
                details.append("\(name): not in its index, \(count) entries")
            }
            if unreadable > 0 { details.append("\(unreadable) rows that cannot be read") }
            return details.sorted().map { MigrationProblem(kind: .strayInverseEntry, detail: $0) }
        }
    }
#endif
