internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
package import DAGStorage
internal import Dispatch
internal import Synchronization
internal import SystemPackage

/// Migrates the shards of a source to a store.
///
/// A shard is migrated completely or not at all. To continue an interrupted run, run again: the new run skips shards
/// whose key the store has.
///
/// *Memory*: about 200 MB, whatever the size of the indexes. *Concurrency*: `run` blocks its thread; `jobs` threads
/// prepare shards.
package struct MigrationRun: Sendable {
    /// The number of entries that a run compares with the source after it wrote them.
    package enum Verification: String, Sendable, CaseIterable {
        /// No entry.
        case none
        /// Every thousandth entry of each shard.
        case sample
        /// Every entry.
        case full
    }

    /// The result of a run for one shard.
    package struct Outcome: Sendable {
        /// The kinds of results.
        package enum Result: String, Sendable {
            /// The run migrated the shard.
            case migrated
            /// The store had the shard's key before.
            case present
            /// The shard cannot be migrated.
            case refused
        }

        /// The planned shard.
        package let shard: PlannedShard
        /// The kind of result.
        package let result: Result
        /// Why the run refused the shard, or what differs from the source; nil if nothing is wrong.
        package let error: String?
        /// The error code of the source's file that prevented the migration; nil if none did.
        package var code: MigrationError.Code?
        /// Whether the run read the shard's CAR, so that the store knows sizes and codecs.
        package var isComplete = false
        /// Why the shard's CAR does not match its index; nil if it matches, or if the run did not read it.
        package var carFault: String?
    }

    /// The sum of a run's outcomes.
    package enum Verdict: Sendable {
        /// Nothing was wrong.
        case sound
        /// Files of the source were removed or unreadable, and nothing else was wrong.
        case sourceUnreadable
        /// Something else was wrong, at the source or in the store.
        case problems
    }

    /// Sums up the outcomes of a run of a plan.
    package static func verdict(on plan: MigrationPlan, _ outcomes: some Sequence<Outcome>)
        -> Verdict
    {
        let faulty = outcomes.filter { $0.error != nil || $0.carFault != nil }
        guard plan.problemCounts.isEmpty else { return .problems }
        guard !faulty.isEmpty else { return .sound }
        let codes: [MigrationError.Code?] = [.sourceUnreadable, .sourceChanged]
        let isSource = faulty.allSatisfy { codes.contains($0.code) && $0.carFault == nil }
        return isSource ? .sourceUnreadable : .problems
    }

    private let source: MigrationSource
    private let importer: ShardImporter
    private let map: MountMap
    private let verification: Verification
    private let transients: TransientImport?
    private let readsCARs: Bool
    private let jobs: Int
    private let recordBudget: Int

    /// The memory for sorting records and locators, over all jobs, in bytes.
    private static let budget = 96 << 20
    /// The least memory of each job for sorting records, in bytes.
    private static let budgetMin = 4 << 20
    /// The most shards of a commit, and the bytes from which on it is written.
    private static let commitCount = 256
    private static let commitSize = 4 << 20

    /// A run from `source` to `store`.
    ///
    /// - Parameters:
    ///   - source: The source, which is read.
    ///   - store: The store, which is written.
    ///   - map: The mount URLs that change.
    ///   - verification: The number of entries that are compared afterwards.
    ///   - transients: Imports the source's transients; nil leaves them at the source.
    ///   - readsCARs: Whether the run reads sizes and codecs, which index files do not contain, from CARs that are
    ///     files on this machine. It then reads the headers of their sections. Otherwise the store reads them when a
    ///     shard is first used.
    ///   - jobs: The number of threads that prepare indexes.
    package init(
        from source: MigrationSource,
        to store: DAGStore,
        map: MountMap = MountMap(),
        verification: Verification = .sample,
        transients: TransientImport? = nil,
        readsCARs: Bool = true,
        jobs: Int = 2
    ) {
        precondition(jobs > 0, "a run needs a job")
        self.source = source
        self.map = map
        self.verification = verification
        self.transients = transients
        self.readsCARs = readsCARs
        self.jobs = jobs
        recordBudget = max(Self.budgetMin, Self.budget / jobs)
        importer = ShardImporter(store, sortBudget: Self.budget / 2 / jobs)
    }

    /// Migrates the shards of a plan of the same source.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - isCancelled: Returns whether to stop; called between shards.
    ///   - report: Receives the outcome of each shard when it is durable; one call at a time, in any order.
    /// - Throws: `DAGStoreError` if the store cannot be written, `MigrationError` if the source changed. Reported
    ///   outcomes stay true.
    package func run(
        _ plan: MigrationPlan,
        isCancelled: @escaping @Sendable () -> Bool = { false },
        _ report: @escaping @Sendable (Outcome) -> Void
    ) throws {
        let state = Mutex(State())
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in
            do {
                try work(plan, state, isCancelled, report)
            } catch {
                state.withLock { $0.error = $0.error ?? error }
            }
        }
        if let error = state.withLock({ $0.error }) { throw error }
    }

    private struct State {
        var next = 0
        var error: (any Error)?
        /// The entries that were compared since the last release of memory.
        var compared: UInt64 = 0
    }

    /// Prepares one shard after another, and commits them in groups.
    private func work(
        _ plan: MigrationPlan,
        _ state: borrowing Mutex<State>,
        _ isCancelled: () -> Bool,
        _ report: (Outcome) -> Void
    ) throws {
        var waiting: [(shard: PlannedShard, prepared: PreparedShard)] = []
        var size = 0
        while !isCancelled() {
            let number = state.withLock { state -> Int? in
                guard state.error == nil, state.next < plan.shards.count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let number else { break }
            if let outcome = try prepare(plan.shards[number], &waiting, &size) {
                state.withLock { _ in report(outcome) }
            }
            if waiting.count >= Self.commitCount || size >= Self.commitSize {
                try commit(waiting, state, report)
                waiting = []
                size = 0
            }
        }
        try commit(waiting, state, report)
    }

    private func commit(
        _ shards: [(shard: PlannedShard, prepared: PreparedShard)],
        _ state: borrowing Mutex<State>,
        _ report: (Outcome) -> Void
    ) throws {
        try importer.commit(shards.map(\.prepared))
        for (shard, prepared) in shards {
            let difference = try verification == .none ? nil : compare(shard)
            let outcome = Outcome(
                shard: shard,
                result: .migrated,
                error: difference?.description,
                isComplete: prepared.isComplete,
                carFault: prepared.fault?.description
            )
            state.withLock { state in
                state.compared += shard.entries ?? 0
                report(outcome)
            }
        }
        let isDue = state.withLock { state in
            guard state.compared >= MigrationCheck.memoryStep else { return false }
            state.compared = 0
            return true
        }
        if isDue { try ShardExporter(importer).giveBackMemory() }
    }

    /// The reason why a shard cannot be migrated.
    private struct Refusal: Error {
        let reason: String
    }

    /// Prepares a shard for the next commit; returns its outcome if it has one already.
    private func prepare(
        _ shard: PlannedShard,
        _ waiting: inout [(shard: PlannedShard, prepared: PreparedShard)],
        _ size: inout Int
    ) throws -> Outcome? {
        do {
            guard let prepared = try prepare(shard) else {
                return Outcome(shard: shard, result: .present, error: nil)
            }
            waiting.append((shard, prepared))
            size += prepared.size
            return nil
        } catch let refusal as Refusal {
            return Outcome(shard: shard, result: .refused, error: refusal.reason)
        } catch let error as MigrationError where error.isAboutOneFile {
            let text = error.description
            return Outcome(shard: shard, result: .refused, error: text, code: error.code)
        }
    }

    /// Writes a shard's index; returns nil if the store has the shard.
    private func prepare(_ shard: PlannedShard) throws -> PreparedShard? {
        let key: ShardKey
        let url: MountURL
        do {
            key = try ShardKey(shard.key)
            let text = shard.mountURL ?? MountMap.placeholderURL(of: shard.key)
            url = try map.url(text, key: shard.key)
        } catch {
            throw Refusal(reason: "\(error)")
        }
        guard try !importer.contains(key) else { return nil }
        if let problem = shard.problems.first(where: { $0.kind == .unreadableIndex }) {
            throw Refusal(reason: problem.detail)
        }
        let imported = ImportedShard(
            key: key,
            mountURL: url,
            failure: shard.state == .failed ? shard.error : nil,
            isLazy: shard.isLazy,
            transient: try importedTransient(of: shard)
        )
        let dataOffset =
            source.countsFromPieceStart ? Self.dataOffset(url, importer.limits) : nil
        guard let records = try source.records(of: shard, dataOffset: dataOffset ?? 0) else {
            return try importer.prepare(imported, nil)
        }
        let order = try OffsetOrder(records, budget: recordBudget)
        let codec =
            (records as? IndexFile)?.codec ?? dataOffset.map { _ in CARIndex.multihashSorted }
        let index = ImportedIndex(
            origin: codec.map { ImportedIndex.Origin(codec: $0, hasIdentity: order.hasIdentity) },
            dataOffset: dataOffset ?? 0,
            offsetMax: order.offsetMax
        ) { add in
            try order.forEach { hashCode, digest, offset in
                try add(ImportedEntry(hashCode: hashCode, digest: digest, offset: offset))
            }
        }
        do {
            return try importer.prepare(imported, index, readsCAR: readsCARs)
        } catch let error as DAGStoreError
            where error.code == .malformedIndex || error.code == .limitExceeded
        {
            throw Refusal(reason: "\(records.path): \(error.message)")
        }
    }

    /// Imports a shard's transient, if the caller wants that.
    private func importedTransient(of shard: PlannedShard) throws(MigrationError) -> FilePath? {
        guard let transients, let path = shard.transient, shard.state != .failed
        else { return nil }
        return try transients.importFile(path, of: shard.key)
    }

    /// Returns where the payload begins in the file that a mount names; nil if this machine does not have the file.
    private static func dataOffset(_ url: MountURL, _ limits: CARLimits) -> UInt64? {
        guard url.scheme == FileMount.scheme, let mount = try? FileMount(url: url.text),
            let file = try? LocalFile(opening: mount.path)
        else { return nil }
        return (try? CARFile(file, limits: limits))?.layout.dataOffset
    }

    private func compare(_ shard: PlannedShard) throws -> MigrationDifference? {
        let checker = MigrationCheck(of: source, importer: importer, recordBudget: recordBudget)
        return try checker.difference(of: shard, inverseStep: verification == .full ? 1 : 1000)
    }
}
