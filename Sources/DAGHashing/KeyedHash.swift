public import DAGBytes

/// A 128-bit hash under a secret key: SipHash-1-3 with the long output.
///
/// Without the key, an attacker cannot choose digests that collide. So a table keyed by the hash of a digest stays
/// balanced.
///
/// *Concurrency*: a value; any thread.
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF"; the 128-bit output as in the reference
/// implementation.
public struct KeyedHash: Sendable {
    /// 128 bits of hash.
    @frozen public struct Hash128: Hashable, Sendable {
        /// The first 64 bits of output.
        public let high: UInt64
        /// The second 64 bits of output.
        public let low: UInt64

        /// Creates a hash from its halves.
        @inlinable public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    @usableFromInline let key: (UInt64, UInt64)

    /// Creates a hash under `key`.
    ///
    /// - Parameter key: The first and the second eight bytes of the key, each little-endian.
    @inlinable public init(key: (UInt64, UInt64)) { self.key = key }

    /// Hashes the 32 bytes of four words, each little-endian.
    @inlinable public func hash(_ words: (UInt64, UInt64, UInt64, UInt64)) -> Hash128 {
        var state = SipState(key: key)
        state.absorb(words.0)
        state.absorb(words.1)
        state.absorb(words.2)
        state.absorb(words.3)
        return state.finish(32 << 56)
    }

    /// Hashes `digest`.
    ///
    /// *Cost*: O(n), no allocation; digests of 32 bytes, the usual size, need no loop.
    @inlinable public func hash(_ digest: ByteView) -> Hash128 {
        var state = SipState(key: key)
        let size = digest.count
        if size == 32 {
            state.absorb(digest.loadUInt64(at: 0))
            state.absorb(digest.loadUInt64(at: 8))
            state.absorb(digest.loadUInt64(at: 16))
            state.absorb(digest.loadUInt64(at: 24))
            return state.finish(32 << 56)
        }
        var offset = 0
        while offset + 8 <= size {
            state.absorb(digest.loadUInt64(at: offset))
            offset += 8
        }
        // The size modulo 256 is the top byte of the last word.
        var last = UInt64(truncatingIfNeeded: size) << 56
        var shift: UInt64 = 0
        while offset < size {
            last |= UInt64(digest[offset]) << shift
            offset += 1
            shift += 8
        }
        return state.finish(last)
    }
}

/// The four words of SipHash while it absorbs a message.
@usableFromInline struct SipState {
    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64

    @inlinable init(key: (UInt64, UInt64)) {
        v0 = key.0 ^ 0x736f_6d65_7073_6575
        // The last byte, 0xee, makes the 128-bit output differ from the 64-bit one.
        v1 = key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.0 ^ 0x6c79_6765_6e65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    @inlinable
    @inline(__always)
    mutating func round() {
        v0 = v0 &+ v1
        v1 = v1 &<< 13 | v1 &>> 51
        v1 ^= v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 = v2 &+ v3
        v3 = v3 &<< 16 | v3 &>> 48
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = v3 &<< 21 | v3 &>> 43
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = v1 &<< 17 | v1 &>> 47
        v1 ^= v2
        v2 = v2 &<< 32 | v2 &>> 32
    }

    /// Absorbs eight bytes with one round.
    @inlinable
    @inline(__always)
    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    /// Absorbs the last word, and mixes three rounds for each half of the output.
    @inlinable
    @inline(__always)
    mutating func finish(_ last: UInt64) -> KeyedHash.Hash128 {
        absorb(last)
        v2 ^= 0xee
        round()
        round()
        round()
        let high = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        round()
        round()
        round()
        return KeyedHash.Hash128(high: high, low: v0 ^ v1 ^ v2 ^ v3)
    }
}
