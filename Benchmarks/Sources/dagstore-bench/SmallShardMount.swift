import DAGCAR
import DAGMounts
import DAGMultiformats
import DAGStorage

/// Shards of 5 blocks of 64 bytes that are made when they are read, so that a million of them take no disk.
///
/// The bytes are those of `Dataset.writeSmallShards`; the URL is `bench://` and the shard's number.
struct SmallShardMount: Mount {
    static let scheme = "bench"

    private let number: Int
    let url: MountURL
    var access: MountAccess { .mappable }

    init(number: Int) throws {
        self.number = number
        url = try MountURL("\(Self.scheme)://\(number)")
    }

    func resolving(_ url: MountURL) throws -> SmallShardMount {
        guard let number = Int(url.text.dropFirst(Self.scheme.count + 3)) else {
            throw MountError(.malformedURL, url.text)
        }
        return try SmallShardMount(number: number)
    }

    func stat() async throws -> MountStat {
        MountStat(size: UInt64(Dataset.smallShard(number).bytes.count))
    }
    func open() async throws -> MountSource {
        .bytes(MountBytes(copying: Dataset.smallShard(number).bytes))
    }

    /// A registry that knows these mounts.
    static func registry() throws -> MountRegistry {
        var registry = MountRegistry.standard
        try registry.register(SmallShardMount(number: 0), scheme: scheme)
        return registry
    }
}
