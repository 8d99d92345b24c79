import DAGBytes
import DAGHashing
import Testing

@Suite("Checksum")
struct ChecksumTests {
    // The empty message is in the specification's reference test.
    @Test("XXH64 of nothing is the published one")
    func nothing() {
        #expect(Checksum.xxh64(.empty) == 0xef46_db37_51d8_e999)
    }

    @Test("XXH64 around the ends of stripes and words is the one that others compute")
    func vectors() {
        for (size, plain, seeded) in Vectors.xxh64 {
            Vectors.pattern(size).withView { view in
                #expect(Checksum.xxh64(view) == plain, "size \(size)")
                #expect(Checksum.xxh64(view, seed: 0x9e37_79b1) == seeded, "size \(size)")
            }
        }
    }

    @Test("one wrong bit anywhere in a page is seen")
    func oneBit() {
        var page = Vectors.pattern(1000)
        let sum = page.withView { Checksum.xxh64($0) }
        for index in page.indices {
            page[index] ^= 1
            #expect(page.withView { Checksum.xxh64($0) } != sum, "byte \(index)")
            page[index] ^= 1
        }
    }
}
