/// The multihashes that the reference keeps under other keys than their own, until there are too many.
struct MangledKeys: Sendable {
    static let countMax = 1 << 20

    private var multihashes: [[UInt8]: Set<[UInt8]>] = [:]
    private var count = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func note(_ multihash: [UInt8]) {
        guard count < limit else { return }
        add(multihash, under: GoPath.cleanRooted(multihash))
    }

    mutating func merge(_ other: MangledKeys) {
        for (key, others) in other.multihashes {
            for multihash in others { add(multihash, under: key) }
        }
    }

    private mutating func add(_ multihash: [UInt8], under key: [UInt8]) {
        if multihashes[key, default: []].insert(multihash).inserted { count += 1 }
    }

    /// Those that share a key.
    var collisions: [Set<[UInt8]>] { multihashes.values.filter { $0.count > 1 } }
}
