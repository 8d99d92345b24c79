import DAGBytes
import TestSupport
import Testing

@Suite("Bit searches")
struct BitSearchTests {
    @Test("every set bit of a word is found by the number of set bits below it")
    func positions() {
        let seed: UInt64 = 1
        var generator = SplitMix64(seed: seed)
        var words: [UInt64] = [0, 1, 1 << 63, .max, 0xff, 0xff << 56, 0x8080_8080_8080_8080]
        for _ in 0..<2000 {
            let word = generator.next()
            words += [word, word & generator.next() & generator.next(), word | generator.next()]
        }
        for word in words {
            let set = (0..<64).filter { word >> UInt64($0) & 1 == 1 }
            let found = (0..<64).map { word.position(ofSetBit: $0) }
            #expect(found.prefix(set.count) == set[...], "seed \(seed), \(word)")
            #expect(found.dropFirst(set.count).allSatisfy { $0 == 64 }, "seed \(seed), \(word)")
        }
    }

    @Test("a word that reaches past the end of a view has zeros there", arguments: 1...20)
    func words(count: Int) {
        let bytes = (0..<count).map { UInt8($0 + 1) }
        bytes.withView { view in
            for offset in 0..<count {
                let word = (0..<8).reduce(0 as UInt64) { word, index in
                    let byte = offset + index < count ? bytes[offset + index] : 0
                    return word | UInt64(byte) << UInt64(8 * index)
                }
                #expect(view.loadWord(at: offset) == word)
            }
        }
    }
}
