internal import DAGBytes
internal import DAGMultiformats

/// The multihashes that the reference keeps under other keys than their own, up to a limit.
struct MangledKeys: Sendable {
    static let countMax = 1 << 20

    private var multihashes: [[UInt8]: Set<[UInt8]>] = [:]
    private var count = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Adds a multihash, unless the limit is reached.
    mutating func insert(_ multihash: [UInt8]) {
        guard count < limit else { return }
        insert(multihash, under: GoPath.cleanRooted(multihash))
    }

    /// Adds the multihashes of `other`.
    mutating func merge(_ other: MangledKeys) {
        for (key, others) in other.multihashes {
            for multihash in others { insert(multihash, under: key) }
        }
    }

    private mutating func insert(_ multihash: [UInt8], under key: [UInt8]) {
        if multihashes[key, default: []].insert(multihash).inserted { count += 1 }
    }

    /// The multihashes that share a key, in hexadecimal digits.
    var collisions: [[String]] {
        multihashes.values.filter { $0.count > 1 }
            .map { $0.map { String($0.withView(Multibase.base16.text(of:)).dropFirst()) } }
    }
}

extension [UInt8] {
    /// Replaces the array with the multihash of a digest, and keeps its capacity.
    mutating func setMultihash(hashCode: UInt64, digest: ByteView) {
        removeAll(keepingCapacity: true)
        Varint.append(hashCode, to: &self)
        Varint.append(UInt64(digest.count), to: &self)
        append(digest)
    }
}
