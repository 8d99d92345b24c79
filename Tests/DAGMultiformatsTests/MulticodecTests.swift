import DAGMultiformats
import Testing

@Suite("Multicodec names")
struct MulticodecTests {
    // An earlier version called 0x1012 sha2-224, and gave 0x1011 the name of 0x1012.
    @Test("a hash function has the table's name")
    func hashes() {
        let names: [(UInt64, String)] = [
            (HashCode.identity, "identity"), (HashCode.sha1, "sha1"),
            (HashCode.sha2_256, "sha2-256"), (HashCode.sha2_512, "sha2-512"),
            (HashCode.sha2_384, "sha2-384"), (HashCode.sha3_224, "sha3-224"),
            (HashCode.sha3_256, "sha3-256"), (HashCode.sha3_384, "sha3-384"),
            (HashCode.sha3_512, "sha3-512"), (HashCode.shake_128, "shake-128"),
            (HashCode.shake_256, "shake-256"), (HashCode.keccak_224, "keccak-224"),
            (HashCode.keccak_256, "keccak-256"), (HashCode.keccak_384, "keccak-384"),
            (HashCode.keccak_512, "keccak-512"), (HashCode.blake3, "blake3"),
            (HashCode.doubleSHA2_256, "dbl-sha2-256"), (0xd5, "md5"),
            (HashCode.sha2_256_trunc254Padded, "sha2-256-trunc254-padded"),
            (HashCode.sha2_224, "sha2-224"), (HashCode.sha2_512_224, "sha2-512-224"),
            (HashCode.sha2_512_256, "sha2-512-256"), (0x22, "murmur3-x64-64"),
            (HashCode.blake2b_8, "blake2b-8"), (HashCode.blake2b_256, "blake2b-256"),
            (HashCode.blake2b_512, "blake2b-512"), (HashCode.blake2s_8, "blake2s-8"),
            (HashCode.blake2s_256, "blake2s-256"), (0xb301, "skein256-8"),
            (0xb360, "skein512-512"), (0xb3e0, "skein1024-1024"),
            (0xb401, "poseidon-bls12_381-a2-fc1"),
        ]
        for (code, name) in names { #expect(HashCode.name(of: code) == name) }
    }

    @Test("a codec has the table's name")
    func codecs() {
        let names: [(UInt64, String)] = [
            (0x00, "identity"), (Codec.raw, "raw"), (Codec.dagPB, "dag-pb"),
            (Codec.dagCBOR, "dag-cbor"), (Codec.dagJSON, "dag-json"), (0x50, "protobuf"),
            (0x51, "cbor"), (0x72, "libp2p-key"), (0x78, "git-raw"), (0x90, "eth-block"),
            (0x0200, "json"), (0x0202, "car"), (0xf101, "fil-commitment-unsealed"),
            (0xf102, "fil-commitment-sealed"),
        ]
        for (code, name) in names { #expect(Codec.name(of: code) == name) }
    }

    @Test("a number that the table does not have is written as a number")
    func unknown() {
        #expect(HashCode.name(of: 0x1011) == "0x1011")
        #expect(HashCode.name(of: 0xb200) == "0xb200")
        #expect(Codec.name(of: 0x3f42) == "0x3f42")
        #expect(Codec.name(of: .max) == "0xffffffffffffffff")
    }
}
