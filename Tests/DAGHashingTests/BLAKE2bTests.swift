import DAGBytes
import DAGHashing
import Testing

private func blake2b(_ message: [UInt8], size: Int) -> [UInt8] {
    message.withView { BlockHash.digest(0xb200 + UInt64(size), of: $0) } ?? []
}

@Suite("BLAKE2b")
struct BLAKE2bTests {
    // RFC 7693, appendix A; and the first entry of the authors' test vectors without a key.
    @Test("the RFC's example comes out")
    func rfcExample() {
        #expect(
            hexadecimal(blake2b(Array("abc".utf8), size: 64))
                == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
        )
        #expect(
            hexadecimal(blake2b([], size: 64))
                == "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
                + "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"
        )
    }

    @Test("messages around the ends of blocks have the digests that others compute")
    func blockBoundaries() {
        for (size, digest) in Vectors.blake2b256 {
            #expect(hexadecimal(blake2b(Vectors.pattern(size), size: 32)) == digest, "size \(size)")
        }
    }

    @Test("each size of digest is a function of its own")
    func everySize() {
        let digests = (1...64).map { blake2b(Vectors.pattern(200), size: $0) }
        #expect(digests.map(\.count) == Array(1...64))
        #expect(digests.map { String(hexadecimal($0).prefix(16)) } == Vectors.blake2bHeads)
        let all = Array(digests.joined())
        let ofAll = all.withView { BlockHash.digest(0x12, of: $0) } ?? []
        #expect(hexadecimal(ofAll) == Vectors.blake2bAll)
    }

    @Test("the bytes may lie at any alignment")
    func alignment() {
        let message = Vectors.pattern(300)
        let digest = blake2b(message, size: 32)
        for shift in 1..<8 {
            let shifted = [UInt8](repeating: 0xff, count: shift) + message
            let again = digest.withView { digest in
                shifted.withView { view in
                    BlockHash.check(code: 0xb220, digest: digest, data: view[shift..<view.count])
                }
            }
            #expect(again == .matches, "shift \(shift)")
        }
    }
}
