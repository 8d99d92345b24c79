import DAGBytes
import DAGHashing
import Testing

@Suite("SHA-256 in pieces")
struct SHA256StreamTests {
    @Test("pieces of any size have the digest of the whole", arguments: [1, 3, 63, 64, 65, 1000])
    func pieces(size: Int) {
        let message = Vectors.pattern(1000)
        var hash = SHA256Stream()
        message.withView { view in
            var offset = 0
            while offset < view.count {
                let end = min(offset + size, view.count)
                hash.update(view[offset..<end])
                hash.update(.empty)
                offset = end
            }
        }
        #expect(hash.finish() == message.withView { BlockHash.digest(0x12, of: $0) })
        #expect(hash.finish() == hash.finish())
    }

    // FIPS 180-2, the digest of no bytes.
    @Test("no bytes have the digest of an empty message")
    func empty() {
        #expect(
            hexadecimal(SHA256Stream().finish())
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    }
}

@Suite("Keys of the keyed hash")
struct HashKeyTests {
    @Test("a key has 16 bytes, and keeps them")
    func bytes() throws {
        let bytes = [UInt8](0..<16)
        let key = try #require(HashKey(bytes))
        #expect(key.bytes == bytes)
        #expect(key.words == (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        #expect(HashKey(of: KeyedHash(key: key.words)) == key)
        #expect(HashKey([]) == nil)
        #expect(HashKey(bytes + [0]) == nil)
        #expect(HashKey.random() != HashKey.random())
    }

    // Nodes of other versions compare the identifier, so it stays what it is.
    @Test("the identifier is the SHA-256 of a text and the key, cut to 16 bytes")
    func identifier() throws {
        let key = try #require(HashKey([UInt8](0..<16)))
        let message = Array("dagstore hash key\n".utf8) + key.bytes
        let digest = try #require(message.withView { BlockHash.digest(0x12, of: $0) })
        #expect(key.id == Array(digest.prefix(16)))
        #expect(HashKey(words: (1, 2)).id != HashKey(words: (2, 1)).id)
    }
}
