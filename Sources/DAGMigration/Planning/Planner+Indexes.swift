internal import DAGBytes
internal import DAGMounts
internal import DAGStorage
internal import Dispatch
internal import FoundationEssentials
internal import Synchronization
internal import SystemPackage

extension Planner {
    /// How many index files a thread takes at a time.
    private static let chunkSize = 64
    /// The longest time between two writes to an index file, in nanoseconds: ten minutes.
    private static let writeIntervalMax: Int64 = 600_000_000_000

    /// Reads the shards' index files on all cores; a file that cannot be read becomes a problem of its shard.
    mutating func examineIndexes() {
        let workers = ProcessInfo.processInfo.activeProcessorCount
        let files = plan.shards.enumerated().compactMap { number, shard in
            shard.indexPath.map { (number: number, path: $0) }
        }
        let work = Mutex((next: 0, done: [(number: Int, shard: PlannedShard)](), mangled: mangled))
        let total = progress == nil ? 0 : files.reduce(0) { $0 + $1.path.fileSize }
        let read = Atomic<UInt64>(0)
        DispatchQueue.concurrentPerform(iterations: workers) {
            [shards = plan.shards, progress] _ in
            var found = MangledKeys(limit: MangledKeys.countMax / workers)
            var done: [(number: Int, shard: PlannedShard)] = []
            while true {
                let first = work.withLock { work in
                    defer { work.next += Self.chunkSize }
                    return work.next
                }
                guard first < files.count else { break }
                for (number, path) in files[first..<min(first + Self.chunkSize, files.count)] {
                    var shard = shards[number]
                    Self.examine(path, &shard, &found)
                    done.append((number, shard))
                    guard let progress, let size = shard.bytes else { continue }
                    progress(read.add(size, ordering: .relaxed).newValue, total)
                }
            }
            work.withLock { work in
                work.done += done
                work.mangled.merge(found)
            }
        }
        work.withLock { work in
            for (number, shard) in work.done {
                plan.shards[number] = shard
                plan.bytesBefore += shard.bytes ?? 0
            }
            mangled = work.mangled
        }
    }

    private static func examine(
        _ path: FilePath,
        _ shard: inout PlannedShard,
        _ mangled: inout MangledKeys
    ) {
        do throws(MigrationError) {
            let index = try IndexFile(at: path)
            shard.bytes = index.size
            shard.codec = index.codec
            shard.entries = index.count
            let count = try countMangled(index, &mangled)
            if count > 0 {
                shard.problems.add(.mangledInverseKeys, "\(count) of \(index.count)")
            }
            if index.buckets.contains(where: { $0.hashCode == nil }) {
                shard.problems.add(.indexWithoutHashCodes, "\(index.count) entries")
            }
        } catch {
            shard.bytes = shard.bytes ?? path.fileSize
            shard.entries = nil
            shard.indexPath = nil
            let kind: MigrationProblem.Kind =
                switch error.code {
                case .malformedIndex: .malformedIndex
                case .truncated where isFinished(path, shard): .truncatedIndex
                default: .unreadableIndex
                }
            let name = error.path.lastComponent?.string ?? ""
            shard.problems.add(kind, "\(name): \(error.detail)")
            if shard.state == .available { shard.state = .registered }
        }
    }

    /// Whether the source has finished an index file, so that a truncated one stays truncated.
    ///
    /// A node writes an index in place, and sets its record to `available` afterwards. Another file counts as
    /// finished if no process has written to it for ten minutes.
    private static func isFinished(_ path: FilePath, _ shard: PlannedShard) -> Bool {
        if shard.isIndexFinished { return true }
        guard let modified = (try? FileIdentity(at: path))?.modified else { return false }
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        return now - modified >= writeIntervalMax
    }

    /// Counts the multihashes that the reference keeps under another key.
    private static func countMangled(
        _ index: IndexFile,
        _ mangled: inout MangledKeys
    ) throws(MigrationError) -> Int {
        var count = 0
        var multihash: [UInt8] = []
        try index.forEach { hashCode, digest, _ in
            guard let hashCode else { return }
            multihash.setMultihash(hashCode: hashCode, digest: digest)
            guard !multihash.withView(GoPath.isClean) else { return }
            count += 1
            mangled.insert(multihash)
        }
        return count
    }
}
