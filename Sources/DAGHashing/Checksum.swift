package import DAGBytes

/// Checksums against accidents; an attacker can find collisions.
package enum Checksum {
    /// Computes XXH64 of `bytes`.
    ///
    /// *Cost*: O(n), no allocation; four independent lanes of eight bytes a step.
    ///
    /// Source: xxHash fast digest algorithm, doc/xxhash_spec.md, "XXH64".
    package static func xxh64(_ bytes: ByteView, seed: UInt64 = 0) -> UInt64 {
        var offset = 0
        var hash = seed &+ prime5
        if bytes.count >= 32 {
            var lanes = (
                seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1
            )
            while bytes.count - offset >= 32 {
                let stripe = bytes[offset..<offset + 32]
                lanes.0 = round(lanes.0, stripe.loadUInt64(at: 0))
                lanes.1 = round(lanes.1, stripe.loadUInt64(at: 8))
                lanes.2 = round(lanes.2, stripe.loadUInt64(at: 16))
                lanes.3 = round(lanes.3, stripe.loadUInt64(at: 24))
                offset += 32
            }
            hash = rotatedLeft(lanes.0, by: 1) &+ rotatedLeft(lanes.1, by: 7)
            hash = hash &+ rotatedLeft(lanes.2, by: 12) &+ rotatedLeft(lanes.3, by: 18)
            hash = merge(hash, lanes.0)
            hash = merge(hash, lanes.1)
            hash = merge(hash, lanes.2)
            hash = merge(hash, lanes.3)
        }
        hash = hash &+ UInt64(bytes.count)
        return avalanche(tail(hash, bytes[offset..<bytes.count]))
    }

    /// Mixes the bytes after the last stripe, fewer than 32.
    @inline(__always) private static func tail(_ start: UInt64, _ bytes: ByteView) -> UInt64 {
        var hash = start
        var offset = 0
        while bytes.count - offset >= 8 {
            hash ^= round(0, bytes.loadUInt64(at: offset))
            hash = rotatedLeft(hash, by: 27) &* prime1 &+ prime4
            offset += 8
        }
        if bytes.count - offset >= 4 {
            hash ^= UInt64(bytes.loadUInt32(at: offset)) &* prime1
            hash = rotatedLeft(hash, by: 23) &* prime2 &+ prime3
            offset += 4
        }
        while offset < bytes.count {
            hash ^= UInt64(bytes[offset]) &* prime5
            hash = rotatedLeft(hash, by: 11) &* prime1
            offset += 1
        }
        return hash
    }

    @inline(__always) private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotatedLeft(lane &+ word &* prime2, by: 31) &* prime1
    }

    @inline(__always) private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
        (hash ^ round(0, lane)) &* prime1 &+ prime4
    }

    @inline(__always) private static func avalanche(_ start: UInt64) -> UInt64 {
        var hash = start
        hash = (hash ^ hash &>> 33) &* prime2
        hash = (hash ^ hash &>> 29) &* prime3
        return hash ^ hash &>> 32
    }

    @inline(__always) private static func rotatedLeft(_ word: UInt64, by count: UInt64) -> UInt64 {
        word &<< count | word &>> (64 &- count)
    }

    // The primes of the specification, computed so that they are constants in the code.
    private static var prime1: UInt64 { 0x9e37_79b1_85eb_ca87 }
    private static var prime2: UInt64 { 0xc2b2_ae3d_27d4_eb4f }
    private static var prime3: UInt64 { 0x1656_67b1_9e37_79f9 }
    private static var prime4: UInt64 { 0x85eb_ca77_c2b2_ae63 }
    private static var prime5: UInt64 { 0x27d4_eb2f_1656_67c5 }
}
