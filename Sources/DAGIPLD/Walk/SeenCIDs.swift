internal import DAGBytes
internal import DAGHashing
internal import DAGMultiformats

/// A set of CIDs that keeps 128 bits of each: the hash under a random key.
///
/// Two different CIDs would have to meet by chance in 128 bits to be taken for one; without the key nobody can make
/// such a pair.
///
/// *Cost*: 21 to 43 bytes a CID, and 1.5 times that while it grows.
struct SeenCIDs: Sendable {
    private let hash: KeyedHash
    private let countMax: Int
    private(set) var count = 0
    /// Open addressing, a power of two; zero is free.
    private var slots: [KeyedHash.Hash128] = []

    init(countMax: Int) {
        self.countMax = countMax
        hash = KeyedHash(key: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)))
    }

    private static let free = KeyedHash.Hash128(high: 0, low: 0)

    /// Adds a CID.
    ///
    /// - Parameters:
    ///   - cid: The CID.
    ///   - tag: Tells apart several facts about a CID.
    /// - Returns: Whether it is new.
    /// - Throws: `.limitExceeded` if the set is full.
    mutating func insert(_ cid: CID, tag: UInt64 = 0) throws(IPLDError) -> Bool {
        let key = key(of: cid, tag)
        if count * 4 >= slots.count * 3 { grow() }
        let place = place(of: key)
        guard slots[place] == Self.free else { return false }
        guard count < countMax else {
            throw IPLDError(
                .limitExceeded,
                "the walk met more than \(countMax) distinct blocks, which it must remember"
            )
        }
        slots[place] = key
        count += 1
        return true
    }

    /// Returns whether a CID is in the set.
    func contains(_ cid: CID, tag: UInt64 = 0) -> Bool {
        guard count > 0 else { return false }
        return slots[place(of: key(of: cid, tag))] != Self.free
    }

    private func key(of cid: CID, _ tag: UInt64) -> KeyedHash.Hash128 {
        let full = cid.bytes.withView { hash.hash($0) }
        let key = KeyedHash.Hash128(high: full.high ^ tag, low: full.low)
        return key == Self.free ? KeyedHash.Hash128(high: 0, low: 1) : key
    }

    /// Returns the slot that has a key, or where it would go.
    private func place(of key: KeyedHash.Hash128) -> Int {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: key.high) & mask
        while slots[place] != key, slots[place] != Self.free { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Self.free, count: max(64, old.count * 2))
        for key in old where key != Self.free { slots[place(of: key)] = key }
    }
}
