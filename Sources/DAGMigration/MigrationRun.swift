internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
public import DAGStorage
internal import Dispatch
internal import Synchronization
internal import SystemPackage

/// Takes the shards of a source into a store.
///
/// A shard is taken over whole or not at all, so that a run that was interrupted, however, is gone on with by
/// running again: shards whose key the store has are passed over.
///
/// *Memory*: about 200 MB whatever the size of the indexes. *Concurrency*: `run` blocks its thread; shards are
/// prepared by as many threads as asked for.
public struct MigrationRun: Sendable {
    /// How thoroughly what was written is compared with the source.
    public enum Verification: String, Sendable, CaseIterable {
        /// Not at all.
        case none
        /// Every thousandth entry of each shard.
        case sample
        /// Every entry.
        case full
    }

    /// What became of one shard.
    public struct Outcome: Sendable {
        /// What happened.
        public enum Result: String, Sendable {
            /// It was taken over.
            case migrated
            /// The store had its key before.
            case present
            /// It cannot be taken over.
            case refused
        }

        /// The shard as it was planned.
        public let shard: PlannedShard
        /// What happened.
        public let result: Result
        /// Why it was refused, or what the comparison found; nil if nothing is wrong.
        public let error: String?
        /// The code of the error of a source's file that kept the shard away; nil if none did.
        public var code: MigrationError.Code?
        /// Whether its CAR was read, so that sizes and codecs are known.
        public var isComplete = false
        /// Why its CAR, which is there, was not taken for what its index is of; nil if it was, or was not looked at.
        public var carFault: String?
    }

    /// How a run went.
    public enum Verdict: Sendable {
        /// Nothing was wrong.
        case sound
        /// Files of the source had gone or could not be read, and nothing else was wrong.
        case sourceInTheWay
        /// Anything else was wrong, at the source or on the way.
        case problems
    }

    /// Sums up the outcomes of a run of a plan.
    public static func verdict(on plan: MigrationPlan, _ outcomes: some Sequence<Outcome>)
        -> Verdict
    {
        let faulty = outcomes.filter { $0.error != nil || $0.carFault != nil }
        guard plan.problemCounts.isEmpty else { return .problems }
        guard !faulty.isEmpty else { return .sound }
        let codes: [MigrationError.Code?] = [.sourceUnreadable, .sourceChanged]
        let isSource = faulty.allSatisfy { codes.contains($0.code) && $0.carFault == nil }
        return isSource ? .sourceInTheWay : .problems
    }

    private let source: MigrationSource
    private let importer: ShardImporter
    private let map: MountMap
    private let verification: Verification
    private let transients: TransientTaking?
    private let readsCARs: Bool
    private let jobs: Int
    private let recordBudget: Int

    /// Memory for sorting records and locators, over all jobs, in bytes.
    private static let budget = 96 << 20
    /// Memory for sorting records that each job has at least.
    private static let budgetMin = 4 << 20
    /// A commit takes that many shards, or that many bytes.
    private static let commitCount = 256
    private static let commitSize = 4 << 20

    /// A run from `source` to `store`.
    ///
    /// - Parameters:
    ///   - source: What is read.
    ///   - store: What is written.
    ///   - map: Mount URLs that change on the way.
    ///   - verification: What is compared afterwards.
    ///   - transients: What becomes of the source's copies of CARs; nil if they are left where they are.
    ///   - readsCARs: Whether what index files do not say, sizes and codecs, is read from CARs that are files here; the
    ///     headers of their sections are read then. Else that is done when a shard is first used.
    ///   - jobs: The threads that prepare indexes.
    public init(
        from source: MigrationSource,
        to store: DAGStore,
        map: MountMap = MountMap(),
        verification: Verification = .sample,
        transients: TransientTaking? = nil,
        readsCARs: Bool = true,
        jobs: Int = 2
    ) {
        precondition(jobs > 0, "a run without a job")
        self.source = source
        self.map = map
        self.verification = verification
        self.transients = transients
        self.readsCARs = readsCARs
        self.jobs = jobs
        recordBudget = max(Self.budgetMin, Self.budget / jobs)
        importer = ShardImporter(store, sortBudget: Self.budget / 2 / jobs)
    }

    /// Takes over what a plan of the same source names.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - isCancelled: Asked between shards.
    ///   - tell: Told what became of each shard, when that is durable; one call at a time, in any order.
    /// - Throws: `DAGStoreError` if the store cannot take more, `MigrationError` if the source changed; what was
    ///   told before holds.
    public func run(
        _ plan: MigrationPlan,
        isCancelled: @escaping @Sendable () -> Bool = { false },
        _ tell: @escaping @Sendable (Outcome) -> Void
    ) throws {
        let state = Mutex(State())
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in
            do {
                try work(plan, state, isCancelled, tell)
            } catch {
                state.withLock { $0.error = $0.error ?? error }
            }
        }
        if let error = state.withLock({ $0.error }) { throw error }
    }

    private struct State {
        var next = 0
        var error: (any Error)?
        /// Entries that were compared since memory was given back.
        var compared: UInt64 = 0
    }

    /// Prepares one shard after the other, and commits them in groups.
    private func work(
        _ plan: MigrationPlan,
        _ state: borrowing Mutex<State>,
        _ isCancelled: () -> Bool,
        _ tell: (Outcome) -> Void
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
            let shard = plan.shards[number]
            do {
                guard let prepared = try prepare(shard) else {
                    let outcome = Outcome(shard: shard, result: .present, error: nil)
                    state.withLock { _ in tell(outcome) }
                    continue
                }
                waiting.append((shard, prepared))
                size += prepared.size
            } catch let refusal as Refusal {
                let outcome = Outcome(shard: shard, result: .refused, error: refusal.reason)
                state.withLock { _ in tell(outcome) }
                continue
            } catch let error as MigrationError where error.isAboutOneFile {
                var outcome = Outcome(shard: shard, result: .refused, error: error.description)
                outcome.code = error.code
                state.withLock { _ in tell(outcome) }
                continue
            }
            if waiting.count >= Self.commitCount || size >= Self.commitSize {
                try finish(waiting, state, tell)
                waiting = []
                size = 0
            }
        }
        try finish(waiting, state, tell)
    }

    private func finish(
        _ shards: [(shard: PlannedShard, prepared: PreparedShard)],
        _ state: borrowing Mutex<State>,
        _ tell: (Outcome) -> Void
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
                tell(outcome)
            }
        }
        let isMuch = state.withLock { state in
            guard state.compared >= MigrationCheck.memoryStep else { return false }
            state.compared = 0
            return true
        }
        if isMuch { try ShardExporter(importer).giveBackMemory() }
    }

    /// Why a shard cannot be taken over.
    private struct Refusal: Error {
        let reason: String
    }

    /// Writes a shard's index; nil if the store has the shard.
    private func prepare(_ shard: PlannedShard) throws -> PreparedShard? {
        let key: ShardKey
        let url: MountURL
        do {
            key = try ShardKey(shard.key)
            url = try map.url(
                shard.mountURL ?? source.placeholderURL(of: shard.key),
                key: shard.key
            )
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
            transient: try transient(of: shard)
        )
        let dataOffset = source.layout == .boostLID ? Self.dataOffset(url, importer.limits) : nil
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

    /// Takes the source's copy of a shard's CAR, if that was asked for.
    private func transient(of shard: PlannedShard) throws(MigrationError) -> FilePath? {
        guard let transients, let folder = source.transients, let name = shard.transientName,
            shard.state != .failed
        else { return nil }
        return try transients.take(folder.appending(name), of: shard.key)
    }

    /// Where the payload begins in the file that a mount names; nil if that is not known here.
    private static func dataOffset(_ url: MountURL, _ limits: CARLimits) -> UInt64? {
        guard url.scheme == FileMount.scheme, let mount = try? FileMount(url: url.text),
            let file = try? LocalFile(opening: mount.path)
        else { return nil }
        return (try? CARFile(file, limits: limits))?.layout.dataOffset
    }

    private func compare(_ shard: PlannedShard) throws -> MigrationDifference? {
        let checker = MigrationCheck(of: source, importer: importer, recordBudget: recordBudget)
        return try checker.difference(
            of: shard,
            inverseStep: verification == .full ? 1 : 1000
        )
    }
}
