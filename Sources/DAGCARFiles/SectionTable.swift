internal import DAGBytes
internal import DAGHashing

/// Where the blocks of a CAR are, by their multihashes, in memory.
///
/// A multihash is known by 128 bits of hash under a random key, so two never meet by chance, nor by intent.
///
/// *Cost*: 32 to 64 bytes a multihash, and 1.5 times that while it grows.
struct SectionTable {
    private let hash = KeyedHash(
        key: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max))
    )
    /// Three words a slot: the hash, and the section's offset plus one; zero is free.
    private var slots = [UInt64](repeating: 0, count: 3 << 10)
    private var bits: UInt64 = 10
    private(set) var count = 0

    /// The payload offset of the first section with a multihash; nil if there is none.
    func offset(hashCode: UInt64, digest: ByteView) -> UInt64? {
        let slot = slot(of: key(hashCode, digest))
        return slots[slot + 2] == 0 ? nil : slots[slot + 2] - 1
    }

    /// Adds a section, unless there is one with its multihash.
    mutating func insert(hashCode: UInt64, digest: ByteView, offset: UInt64) {
        if (count + 1) * 4 > slots.count { grow() }
        let key = key(hashCode, digest)
        let slot = slot(of: key)
        guard slots[slot + 2] == 0 else { return }
        store(key, offset + 1, at: slot)
        count += 1
    }

    private func key(_ hashCode: UInt64, _ digest: ByteView) -> KeyedHash.Hash128 {
        let full = hash.hash(digest)
        return KeyedHash.Hash128(high: full.high, low: full.low ^ hashCode)
    }

    private mutating func store(_ key: KeyedHash.Hash128, _ value: UInt64, at slot: Int) {
        slots[slot] = key.high
        slots[slot + 1] = key.low
        slots[slot + 2] = value
    }

    /// Returns the index of the first word of the slot that has a key, or where it would go.
    private func slot(of key: KeyedHash.Hash128) -> Int {
        var slot = 3 * Int(truncatingIfNeeded: key.high >> (64 - bits))
        while slots[slot + 2] != 0, slots[slot] != key.high || slots[slot + 1] != key.low {
            slot += 3
            if slot == slots.count { slot = 0 }
        }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: 2 * old.count)
        bits += 1
        for index in stride(from: 0, to: old.count, by: 3) where old[index + 2] != 0 {
            let key = KeyedHash.Hash128(high: old[index], low: old[index + 1])
            store(key, old[index + 2], at: slot(of: key))
        }
    }
}
