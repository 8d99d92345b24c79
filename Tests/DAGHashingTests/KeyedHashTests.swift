import DAGBytes
import DAGHashing
import Testing

private func hash(_ message: [UInt8], key: (UInt64, UInt64)) -> KeyedHash.Hash128 {
    message.withView { KeyedHash(key: key).hash($0) }
}

@Suite("Keyed hash")
struct KeyedHashTests {
    /// The bytes 0 to 15.
    static let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

    @Test("messages of every size have the hashes that others compute")
    func vectors() {
        for (size, high, low) in Vectors.sipHash {
            let expected = KeyedHash.Hash128(high: high, low: low)
            #expect(hash(Vectors.pattern(size), key: Self.key) == expected, "size \(size)")
        }
    }

    @Test("both halves of the hash depend on every bit of the key")
    func everyKeyBit() {
        let message = Vectors.pattern(32)
        let plain = hash(message, key: (0, 0))
        for bit in 0..<64 {
            for key in [(1 << bit, 0), (0, 1 << bit)] as [(UInt64, UInt64)] {
                let other = hash(message, key: key)
                #expect(other.high != plain.high && other.low != plain.low, "bit \(bit)")
            }
        }
    }

    @Test("trailing zeros change the hash")
    func sizeCounts() {
        let hashes = Set((0..<100).map { hash(Array(repeating: 0, count: $0), key: Self.key) })
        #expect(hashes.count == 100)
    }
}
