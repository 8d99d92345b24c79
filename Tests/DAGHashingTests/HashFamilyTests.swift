import DAGBytes
import DAGHashing
import Testing

private func digest(_ code: UInt64, of message: [UInt8]) -> [UInt8] {
    message.withView { BlockHash.digest(code, of: $0) } ?? []
}

@Suite("Hash families")
struct HashFamilyTests {
    @Test("published digests of abc and of nothing come out")
    func publishedDigests() {
        for (code, abc, nothing) in HashFamilyVectors.published {
            #expect(hexadecimal(digest(code, of: Array("abc".utf8))) == abc, "code \(code)")
            #expect(hexadecimal(digest(code, of: [])) == nothing, "code \(code)")
        }
    }

    @Test("messages around the ends of blocks have the digests that others compute")
    func blockBoundaries() {
        for (code, expected) in HashFamilyVectors.ofAllSizes {
            let digests = HashFamilyVectors.sizes.flatMap {
                digest(code, of: Vectors.pattern($0))
            }
            #expect(hexadecimal(digest(0x12, of: digests)) == expected, "code \(code)")
        }
    }

    @Test("each size of a BLAKE2s digest is a function of its own")
    func everySizeOfBLAKE2s() {
        let digests = (1...32).map { digest(0xb240 + $0, of: Vectors.pattern(200)) }
        #expect(digests.map(\.count) == Array(1...32))
        let all = digest(0x12, of: Array(digests.joined()))
        #expect(hexadecimal(all) == HashFamilyVectors.blake2sOfEverySize)
    }
}

@Suite("BLAKE3")
struct BLAKE3Tests {
    private static func message(_ size: Int) -> [UInt8] { (0..<size).map { UInt8($0 % 251) } }

    private static func check(_ digest: [UInt8], _ data: [UInt8]) -> BlockHash.Outcome {
        digest.withView { digest in
            data.withView { BlockHash.check(code: 0x1e, digest: digest, data: $0) }
        }
    }

    @Test("the authors' test vectors come out, of one chunk and of many")
    func vectors() {
        for (size, expected) in HashFamilyVectors.blake3 {
            #expect(
                hexadecimal(digest(0x1e, of: Self.message(size))) == expected,
                "size \(size)"
            )
        }
    }

    @Test("a digest may be longer than usual, and one wrong bit in it is seen")
    func extended() throws {
        let extended = try #require(bytes(hexadecimal: HashFamilyVectors.blake3Extended))
        let message = Self.message(1025)
        for size in 20...extended.count {
            var part = Array(extended[..<size])
            #expect(Self.check(part, message) == .matches, "size \(size)")
            part[size - 1] ^= 1
            #expect(Self.check(part, message) == .differs, "size \(size)")
        }
    }

    // Four chunks are hashed at once: each lane must see its own bytes.
    @Test("every byte of a message of many chunks counts")
    func everyByte() {
        var message = Self.message(9 * 1024 + 1)
        let digest = digest(0x1e, of: message)
        for index in stride(from: 0, to: message.count, by: 61) {
            message[index] ^= 0x10
            #expect(Self.check(digest, message) == .differs, "byte \(index)")
            message[index] ^= 0x10
        }
        #expect(Self.check(digest, message) == .matches)
    }
}
