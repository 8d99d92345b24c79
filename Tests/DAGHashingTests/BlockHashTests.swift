import DAGBytes
import DAGHashing
import Testing

/// Returns the digest as text, for readable failures.
private func digest(_ code: UInt64, of message: [UInt8]) -> String? {
    message.withView { BlockHash.digest(code, of: $0) }.map(hexadecimal)
}

private func check(
    _ code: UInt64,
    _ digest: [UInt8],
    _ data: [UInt8],
    minimumDigestSize: Int = 0
) -> BlockHash.Outcome {
    digest.withView { digest in
        data.withView {
            BlockHash.check(
                code: code,
                digest: digest,
                data: $0,
                minimumDigestSize: minimumDigestSize
            )
        }
    }
}

@Suite("Block hash")
struct BlockHashTests {
    static let codes: [UInt64] =
        [0x00] + Array(0x11...0x1e) + [0x20, 0x56, 0xd5, 0x1013, 0x1014, 0x1015]
        + Array(0xb201...0xb260)

    // FIPS 180-4, FIPS 202 and RFC 1321: the example "abc" and the empty message.
    @Test(
        "published digests of abc and of nothing come out",
        arguments: [
            (
                0x11, "a9993e364706816aba3e25717850c26c9cd0d89d",
                "da39a3ee5e6b4b0d3255bfef95601890afd80709"
            ),
            (
                0x12, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            ),
            (
                0x13,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
                "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                    + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
            ),
            (
                0x14,
                "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
                    + "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
                "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
                    + "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26"
            ),
            (
                0x15,
                "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c25"
                    + "96da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
                "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61"
                    + "995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004"
            ),
            (
                0x16, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
                "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
            ),
            (
                0x20,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
                    + "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
                "38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743"
                    + "4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"
            ),
            (
                0x56, "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358",
                "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"
            ),
            (
                0xd5, "900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e"
            ),
            (0x00, "616263", ""),
        ] as [(UInt64, String, String)]
    )
    func publishedDigests(code: UInt64, abc: String, nothing: String) {
        #expect(digest(code, of: Array("abc".utf8)) == abc)
        #expect(digest(code, of: []) == nothing)
    }

    @Test("a message of several blocks has the digest that others compute")
    func longerMessages() throws {
        for (code, head) in Vectors.library {
            let message = Vectors.pattern(1000)
            #expect(digest(code, of: message)?.prefix(32) == head[...], "code \(code)")
            #expect(check(code, try #require(bytes(hexadecimal: head)), message) == .matches)
        }
    }

    @Test("a digest may be cut to any size, and one wrong bit in it is seen", arguments: codes)
    func truncation(code: UInt64) throws {
        let data = Vectors.pattern(300)
        let full = try #require(data.withView { BlockHash.digest(code, of: $0) })
        for size in code == 0 ? full.count..<full.count + 1 : 0..<full.count + 1 {
            #expect(check(code, Array(full[..<size]), data) == .matches, "size \(size)")
            guard size > 0 else { continue }
            for place in [0, size / 2, size - 1] {
                var wrong = Array(full[..<size])
                wrong[place] ^= 0x80
                #expect(check(code, wrong, data) == .differs, "size \(size), byte \(place)")
            }
        }
    }

    // A CAR with digests of four bytes passed as verified, with any blocks.
    @Test("a digest under the least size proves nothing, unless it is the data or wrong")
    func shortDigests() throws {
        let data = Vectors.pattern(300)
        for code in Self.codes where code != 0 {
            let full = try #require(data.withView { BlockHash.digest(code, of: $0) })
            for size in 0...full.count {
                let outcome = check(code, Array(full[..<size]), data, minimumDigestSize: 20)
                #expect(outcome == (size < 20 ? .tooShort : .matches), "code \(code), size \(size)")
            }
            #expect(check(code, [full[0] ^ 1], data, minimumDigestSize: 20) == .differs)
        }
        #expect(check(0, [1], [1], minimumDigestSize: 20) == .matches)
        #expect(check(0, [1], [2], minimumDigestSize: 20) == .differs)
        let short = Array("abc".utf8).withView { BlockHash.digest(0x12, of: $0) ?? [] }.prefix(19)
        let outcome = Array(short).withView { digest in
            Array("abc".utf8).withView { BlockHash.check(code: 0x12, digest: digest, data: $0) }
        }
        #expect(outcome == .tooShort)
    }

    @Test("a digest longer than the function's differs", arguments: codes)
    func longerThanTheFunction(code: UInt64) throws {
        let data = Vectors.pattern(300)
        let full = try #require(data.withView { BlockHash.digest(code, of: $0) })
        #expect(check(code, full + full, data) == .differs)
        // BLAKE3 has no largest digest: the bytes after its first 32 are its own.
        #expect(check(code, full + [0], data) == .differs)
    }

    @Test("an identity digest is the data, whole")
    func identity() {
        #expect(check(0, [], []) == .matches)
        #expect(check(0, [1, 2, 3], [1, 2, 3]) == .matches)
        #expect(check(0, [1, 2], [1, 2, 3]) == .differs)
        #expect(check(0, [1, 2, 4], [1, 2, 3]) == .differs)
        #expect(check(0, [], [0]) == .differs)
    }

    // 0xb200 and 0xb261 are just outside BLAKE2; 0x1012 is of Filecoin's trees, not of their data.
    @Test(
        "a function that this package does not compute is unsupported",
        arguments: [0x01, 0x10, 0x1f, 0x21, 0xb200, 0xb261, 0x1012, 0x1016, 0x1053, 0xb401, .max]
            as [UInt64]
    )
    func unsupported(code: UInt64) {
        #expect(!BlockHash.isSupported(code))
        #expect(digest(code, of: [1]) == nil)
        #expect(check(code, [], []) == .unsupported)
        #expect(check(code, [1], [1]) == .unsupported)
    }

    @Test("a function is supported exactly if it has a digest")
    func supportedMeansDigest() {
        let supported = (UInt64(0)..<0x1_0000).filter(BlockHash.isSupported)
        #expect(supported == Self.codes.sorted())
        for code in supported {
            #expect(digest(code, of: []) != nil, "code \(code)")
        }
    }
}
