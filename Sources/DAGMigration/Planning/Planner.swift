internal import DAGMounts
internal import DAGStorage
internal import SystemPackage

/// Collects a plan for a layout, and checks what every layout needs checked.
struct Planner {
    var plan: MigrationPlan
    /// Multihashes of the source's index files whose inverse key is mangled.
    var mangled = MangledKeys(limit: MangledKeys.countMax)
    /// Receives the number of bytes of index files that were read, and of all, on any thread.
    let progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)?
    private let schemes: Set<String>
    private let map: MountMap
    /// The bytes of the keys of all shards: Swift calls some strings of different bytes equal.
    private var keys = Set<[UInt8]>()

    private static let detailMax = 200

    init(
        _ layout: MigrationLayout,
        _ schemes: Set<String>,
        _ map: MountMap,
        _ progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)?
    ) {
        self.schemes = schemes
        self.map = map
        self.progress = progress
        plan = MigrationPlan(layout: layout)
    }

    /// Records a key, and reports whether it is the first of its bytes; a second one is a problem of the source.
    mutating func isNew(_ key: String) -> Bool {
        guard !keys.insert(Array(key.utf8)).inserted else { return true }
        plan.strays.add(.duplicateKey, key)
        return false
    }

    /// Adds the sizes of the files in a folder to the bytes of the source.
    ///
    /// - Throws: `.sourceUnreadable`.
    mutating func addSize(of folder: FilePath) throws(MigrationError) {
        for name in try folder.fileNames() { plan.bytesBefore += folder.appending(name).fileSize }
    }

    /// Adds a problem for each key of the source's inverse index that several multihashes share.
    mutating func addCollisions() {
        for multihashes in mangled.collisions {
            let detail = multihashes.sorted().joined(separator: " ")
            plan.strays.add(.collidingInverseKeys, String(detail.prefix(Self.detailMax)))
        }
    }

    /// Adds a problem if the store cannot keep a shard under this key.
    func checkKey(of shard: inout PlannedShard) {
        guard (try? ShardKey(shard.key)) == nil else { return }
        shard.problems.add(.unusableKey, "\(shard.key.utf8.count) bytes")
    }

    /// Adds a problem if the store cannot serve a shard from its mount URL.
    func checkMount(of shard: inout PlannedShard) {
        guard let text = shard.mountURL else { return }
        guard let url = try? MountURL(text) else {
            return shard.problems.add(.unusableMount, "\(text): not a mount URL")
        }
        guard schemes.contains(url.scheme) else { return shard.problems.add(.unknownScheme, text) }
        do throws(MountError) {
            _ = try map.url(text, key: shard.key)
        } catch {
            return shard.problems.add(.unusableMount, error.detail)
        }
        guard url.scheme == FileMount.scheme,
            url.rest.starts(with: "%2F".utf8) || url.rest.starts(with: "%2f".utf8)
        else { return }
        shard.problems.add(.absolutePathDamaged, text)
    }
}
