internal import DAGBytes

/// The sponge of Keccak, for the functions that the crypto library lacks.
///
/// ```
/// lane      x + 5 y of the state: 64 bits, little-endian
/// absorb    each block of `rate` bytes is xored into the first lanes, then the state is permuted
/// padding   the suffix after the message, zeros, and the high bit of the block's last byte
/// ```
///
/// Source: FIPS 202, sections 3 to 5. Ethereum's Keccak has the suffix of the original submission.
enum Keccak {
    /// The suffix of Keccak before it was standardized.
    static let originalSuffix: UInt64 = 0x01
    /// The suffix of SHAKE.
    static let shakeSuffix: UInt64 = 0x1f

    /// Hashes `data`.
    ///
    /// - Parameters:
    ///   - data: The bytes to hash.
    ///   - size: The size of the digest in bytes, at most the rate and 64.
    ///   - capacity: The bytes of the state outside the reach of the input.
    ///   - suffix: The bits after the message, and the first bit of the padding.
    /// - Returns: The digest.
    ///
    /// *Cost*: O(data), no allocation, no copy.
    static func hash(_ data: ByteView, size: Int, capacity: Int, suffix: UInt64) -> WordDigest {
        let rate = 200 - capacity
        precondition(capacity % 8 == 0 && size <= rate && size <= 64)
        var state = KeccakState()
        var offset = 0
        while data.count - offset >= rate {
            let block = data[offset..<offset + rate]
            for lane in 0..<rate / 8 { state.lanes[lane] ^= block.loadUInt64(at: 8 * lane) }
            state.permute()
            offset += rate
        }
        let rest = data[offset..<data.count]
        for index in 0..<rest.count {
            state.lanes[index / 8] ^= UInt64(rest[index]) << UInt64(8 * (index % 8))
        }
        state.lanes[rest.count / 8] ^= suffix << UInt64(8 * (rest.count % 8))
        state.lanes[rate / 8 - 1] ^= 1 << 63
        state.permute()
        return WordDigest(words: InlineArray<8, UInt64> { state.lanes[$0] }, size: size)
    }
}

/// The state of the sponge.
private struct KeccakState {
    /// The lanes, row by row.
    var lanes = InlineArray<25, UInt64>(repeating: 0)

    /// The constants of the step iota, one a round: FIPS 202, section 3.2.5.
    private static let roundConstants: InlineArray<24, UInt64> = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a,
        0x8000_0000_8000_8000, 0x0000_0000_0000_808b, 0x0000_0000_8000_0001,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8009, 0x0000_0000_0000_008a,
        0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
        0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089,
        0x8000_0000_0000_8003, 0x8000_0000_0000_8002, 0x8000_0000_0000_0080,
        0x0000_0000_0000_800a, 0x8000_0000_8000_000a, 0x8000_0000_8000_8081,
        0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]

    /// Applies the permutation Keccak-f[1600]: 24 rounds.
    mutating func permute() {
        let constants = Self.roundConstants
        for round in 0..<24 {
            theta()
            rhoAndPi()
            chi()
            lanes[0] ^= constants[round]
        }
    }

    /// Mixes the parities of two columns into each lane.
    @inline(__always) private mutating func theta() {
        let parity = InlineArray<5, UInt64> {
            lanes[$0] ^ lanes[$0 + 5] ^ lanes[$0 + 10] ^ lanes[$0 + 15] ^ lanes[$0 + 20]
        }
        for x in 0..<5 {
            let mixed = parity[(x + 4) % 5] ^ Self.rotatedLeft(parity[(x + 1) % 5], by: 1)
            for y in 0..<5 { lanes[x + 5 * y] ^= mixed }
        }
    }

    /// Rotates all lanes but the first, and moves each to the next place.
    ///
    /// The places are those of pi, from (1, 0) on. The rotations are the triangular numbers of rho.
    @inline(__always) private mutating func rhoAndPi() {
        var moving = lanes[1]
        put(&moving, at: 10, rotatedBy: 1)
        put(&moving, at: 7, rotatedBy: 3)
        put(&moving, at: 11, rotatedBy: 6)
        put(&moving, at: 17, rotatedBy: 10)
        put(&moving, at: 18, rotatedBy: 15)
        put(&moving, at: 3, rotatedBy: 21)
        put(&moving, at: 5, rotatedBy: 28)
        put(&moving, at: 16, rotatedBy: 36)
        put(&moving, at: 8, rotatedBy: 45)
        put(&moving, at: 21, rotatedBy: 55)
        put(&moving, at: 24, rotatedBy: 2)
        put(&moving, at: 4, rotatedBy: 14)
        put(&moving, at: 15, rotatedBy: 27)
        put(&moving, at: 23, rotatedBy: 41)
        put(&moving, at: 19, rotatedBy: 56)
        put(&moving, at: 13, rotatedBy: 8)
        put(&moving, at: 12, rotatedBy: 25)
        put(&moving, at: 2, rotatedBy: 43)
        put(&moving, at: 20, rotatedBy: 62)
        put(&moving, at: 14, rotatedBy: 18)
        put(&moving, at: 22, rotatedBy: 39)
        put(&moving, at: 9, rotatedBy: 61)
        put(&moving, at: 6, rotatedBy: 20)
        put(&moving, at: 1, rotatedBy: 44)
    }

    @inline(__always) private mutating func put(
        _ moving: inout UInt64,
        at place: Int,
        rotatedBy count: UInt64
    ) {
        let next = lanes[place]
        lanes[place] = Self.rotatedLeft(moving, by: count)
        moving = next
    }

    /// Mixes each lane with the two after it in its row.
    @inline(__always) private mutating func chi() {
        for y in 0..<5 {
            let row = InlineArray<5, UInt64> { lanes[5 * y + $0] }
            for x in 0..<5 { lanes[5 * y + x] = row[x] ^ ~row[(x + 1) % 5] & row[(x + 2) % 5] }
        }
    }

    @inline(__always) private static func rotatedLeft(_ word: UInt64, by count: UInt64) -> UInt64 {
        word &<< count | word &>> (64 &- count)
    }
}
