internal import DAGBytes
internal import DAGHashing

/// A set of CIDs that keeps 128 bits of each: the hash under a random key.
///
/// The set takes two CIDs for one only if their 128 bits are equal by chance. An attacker does not know the key, and so
/// cannot choose such a pair.
///
/// *Cost*: 21 to 43 bytes a CID, and 1.5 times that while it grows.
struct SeenCIDs: Sendable {
    typealias Key = KeyedHash.Hash128

    private let hash: KeyedHash
    private let countMax: Int
    private(set) var count = 0
    /// Two words a key: open addressing, a power of two; zero is free.
    ///
    /// The highest bits of a key are its place: so a table that grows is copied from its start to its end.
    private var slots: [UInt64]
    private var shift: UInt64

    init(countMax: Int) {
        self.countMax = countMax
        hash = KeyedHash(key: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)))
        slots = Array(repeating: 0, count: 2 * 64)
        shift = 64 - 6
    }

    /// Returns the key of a CID.
    ///
    /// - Parameters:
    ///   - cid: The binary CID.
    ///   - tag: Tells apart several facts about a CID.
    /// - Returns: The key, which is not zero.
    func key(of cid: ByteView, tag: UInt64 = 0) -> Key {
        let full = hash.hash(cid)
        let key = Key(high: full.high, low: full.low ^ tag)
        return key.high == 0 && key.low == 0 ? Key(high: 0, low: 1) : key
    }

    /// Asks the processor to load the place of a key.
    func prefetch(_ key: Key) { slots.prefetch(2 * Int(truncatingIfNeeded: key.high >> shift)) }

    /// Adds a key.
    ///
    /// - Returns: Whether it is new.
    /// - Throws: `.limitExceeded` if the set is full.
    mutating func insert(_ key: Key) throws(IPLDError) -> Bool {
        var place = place(of: key)
        guard isFree(place) else { return false }
        guard count < countMax else {
            throw IPLDError(
                .limitExceeded,
                "the walk met more than \(countMax) distinct blocks, which it must remember"
            )
        }
        if (count + 1) * 8 > slots.count * 3 {
            grow()
            place = self.place(of: key)
        }
        store(key, at: place)
        count += 1
        return true
    }

    private func isFree(_ place: Int) -> Bool { slots[place] == 0 && slots[place + 1] == 0 }

    private mutating func store(_ key: Key, at place: Int) {
        slots[place] = key.high
        slots[place + 1] = key.low
    }

    /// Returns the index of the first word of the slot that has a key, or where it would go.
    private func place(of key: Key) -> Int {
        let mask = slots.count - 1
        var place = 2 * Int(truncatingIfNeeded: key.high >> shift)
        while !isFree(place), slots[place] != key.high || slots[place + 1] != key.low {
            place = (place + 2) & mask
        }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        shift -= 1
        for index in stride(from: 0, to: old.count, by: 2) {
            let key = Key(high: old[index], low: old[index + 1])
            guard key.high != 0 || key.low != 0 else { continue }
            store(key, at: place(of: key))
        }
    }
}
