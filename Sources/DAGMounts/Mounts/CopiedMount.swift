internal import SharedReads

/// A mount that reads in any order, as one that reads from the beginning: the store copies it.
struct CopiedMount: Mount {
    /// The size of a read, in bytes.
    static let readSize = 1 << 20

    let mount: any Mount

    var url: MountURL { mount.url }
    var access: MountAccess { .sequential }

    func resolving(_ url: MountURL) throws -> CopiedMount {
        CopiedMount(mount: try mount.resolving(url))
    }

    func applying(_ policy: MountPolicy) -> CopiedMount {
        CopiedMount(mount: mount.applying(policy))
    }

    func serving(shard key: String) -> CopiedMount { CopiedMount(mount: mount.serving(shard: key)) }

    func counting(in counter: TrafficCounter) -> CopiedMount {
        CopiedMount(mount: mount.counting(in: counter))
    }

    func stat() async throws -> MountStat { try await mount.stat() }

    func open() async throws -> MountSource {
        let source = try await mount.open()
        guard case .random(let source) = source else { return source }
        return .sequential(CopiedSource(source))
    }
}

/// A random source that is read once, from the beginning.
///
/// *Concurrency*: one task reads at a time.
private final class CopiedSource: SequentialSource, VersionedSource {
    private let source: any RandomSource
    private let position = Lock<UInt64>(0)

    init(_ source: any RandomSource) { self.source = source }

    var validator: String? { (source as? any VersionedSource)?.validator }

    func read(upTo size: Int) async throws -> [UInt8] {
        let offset = position.withLock { $0 }
        guard offset < source.size else { return [] }
        let asked = min(UInt64(min(size, CopiedMount.readSize)), source.size - offset)
        let bytes = try await source.read(at: offset, size: Int(asked))
        guard bytes.count == Int(asked) else {
            throw MountError(.shortRead, "\(bytes.count) bytes at \(offset), not \(asked)")
        }
        position.withLock { $0 = offset + asked }
        return bytes
    }

    func close() { source.close() }
}
