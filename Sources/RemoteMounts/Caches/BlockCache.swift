internal import SharedReads

/// Bytes of remote objects in memory, at most `sizeMax` of them.
///
/// The cache has two generations. New bytes, and old ones that a reader asks for, go to the young one. When the young
/// generation has half of the limit, it becomes the old one, and the bytes of the old one are dropped. So each
/// operation costs the same, however much is cached.
///
/// *Concurrency*: any thread. A lock is taken for each call.
final class BlockCache: Sendable {
    /// The memory of a part besides its bytes, in bytes.
    private static let overhead = 128

    private struct State {
        var young: [CacheKey: ExtentMap] = [:]
        var old: [CacheKey: ExtentMap] = [:]
        var youngSize = 0
        var oldSize = 0
    }

    private let sizeMax: Int
    private let state = Lock(State())

    /// Creates an empty cache.
    init(sizeMax: Int) { self.sizeMax = sizeMax }

    /// The bytes in the cache, with the overhead of each part.
    var size: Int { state.withLock { $0.youngSize + $0.oldSize } }

    /// Adds the parts of a range that are cached to `assembly`.
    func read(_ key: CacheKey, into assembly: inout Assembly) {
        state.withLock { state in
            for part in state.young[key]?.parts(in: assembly.range) ?? [] {
                assembly.add(part.bytes, at: part.start)
            }
            for gap in assembly.gaps {
                for part in state.old[key]?.parts(in: gap) ?? [] {
                    assembly.add(part.bytes, at: part.start)
                    // A copy, because the part would keep the whole array that it came in.
                    insert(Array(part.bytes)[...], key, at: part.start, &state)
                }
            }
        }
    }

    /// Returns the parts of a range that are not cached, in order; copies nothing.
    func missing(_ key: CacheKey, in range: Range<UInt64>) -> [Range<UInt64>] {
        state.withLock { state in
            let gaps = state.young[key]?.gaps(in: range) ?? [range]
            guard let old = state.old[key] else { return gaps }
            return gaps.flatMap { old.gaps(in: $0) }
        }
    }

    /// Adds bytes; more than a quarter of the limit are not kept.
    func insert(_ bytes: [UInt8], _ key: CacheKey, at start: UInt64) {
        guard !bytes.isEmpty, bytes.count <= sizeMax / 4 else { return }
        state.withLock { insert(bytes[...], key, at: start, &$0) }
    }

    private func insert(
        _ bytes: ArraySlice<UInt8>,
        _ key: CacheKey,
        at start: UInt64,
        _ state: inout State
    ) {
        if state.youngSize + bytes.count + Self.overhead > sizeMax / 2 {
            state.old = state.young
            state.oldSize = state.youngSize
            state.young = [:]
            state.youngSize = 0
        }
        let added = state.young[key, default: ExtentMap()].insert(bytes, at: start)
        // Gaps between known parts make several parts of one; they are few, and small against the bytes.
        if added > 0 { state.youngSize += added + Self.overhead }
    }
}

/// The name of one version of an object in the caches: a SHA-256.
struct CacheKey: Hashable, Sendable {
    /// 32 bytes.
    let bytes: [UInt8]
}
