import DAGBytes
import DAGMounts
import SystemPackage
import TestSupport
import Testing

@Suite("Transient names")
struct TransientNameTests {
    // The digest of "abc" is the first vector of FIPS 180-2.
    @Test("a name is sixteen bytes of the key's SHA-256 and the shard's number")
    func shape() {
        let name = TransientName(key: "abc", number: 0x1_0af)
        #expect(name.hash == "ba7816bf8f01cfea414140de5dae2223")
        #expect(name.number == 0x1_0af)
        #expect(name.description == "ba7816bf8f01cfea414140de5dae2223-10af")
        #expect(name.fileName == "ba7816bf8f01cfea414140de5dae2223-10af.complete")
        let partial = name.partialFileName(of: "0123456789abcdef")
        #expect(partial == "ba7816bf8f01cfea414140de5dae2223-10af.0123456789abcdef.partial")
        // Earlier programs named no opening.
        let old = TransientName.parse("ba7816bf8f01cfea414140de5dae2223-10af.partial")
        #expect(old?.name == name)
        #expect(old?.isComplete == false)
    }

    // The Go store used keys as file names, so a key with `../` left the folder.
    @Test(
        "the name of any key is a plain file name that is parsed again",
        arguments: ["", "../x", "a/b", "\0", ".", "ü", String(repeating: "k", count: 10_000)]
    )
    func roundTrip(key: String) {
        for number in [0, 1, 15, 16, 0xdead_beef, UInt32.max] {
            let name = TransientName(key: key, number: number)
            for isComplete in [true, false] {
                let partial = name.partialFileName(of: TransientName.newOpening())
                let file = isComplete ? name.fileName : partial
                #expect(file.utf8.count <= 66)
                #expect(!file.contains("/"))
                let parsed = TransientName.parse(file)
                #expect(parsed?.name == name)
                #expect(parsed?.isComplete == isComplete)
            }
        }
    }

    @Test("a shard that is registered again has another name")
    func numbers() {
        #expect(TransientName(key: "a", number: 1) != TransientName(key: "a", number: 2))
        #expect(TransientName(key: "a", number: 1) != TransientName(key: "b", number: 1))
    }

    static let hash = "ba7816bf8f01cfea414140de5dae2223"

    @Test(
        "only exact names are parsed",
        arguments: [
            "", ".complete", "-.complete", "\(hash).complete", "\(hash)-.complete", "\(hash)-1",
            "\(hash)-01.complete", "\(hash)-A.complete", "\(hash)-+1.complete",
            "\(hash)--1.complete", "\(hash)-100000000.complete", "\(hash)-1.complete.complete",
            "\(hash)-1.Complete", "\(hash)-1.partial ", " \(hash)-1.partial", "\(hash)0-1.partial",
            "\(hash.dropLast())-1.partial", "\(hash.uppercased())-1.partial",
            "\(hash.dropLast())g-1.partial", "\(hash)-1..partial",
            "\(hash)-1.0123456789abcde.partial",
            "\(hash)-1.0123456789abcdeF.partial", "\(hash)-1.0123456789abcdef.complete",
            "\(hash)-1.complete\n", "\(hash)-g.complete",
        ]
    )
    func notOurs(fileName: String) {
        #expect(TransientName.parse(fileName) == nil)
    }
}

@Suite("Content checksums")
struct ContentChecksumTests {
    @Test(
        "memory, files and pieces one by one give the same number",
        arguments: [0, 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 12_345]
    )
    func agree(size: Int) throws {
        var generator = SplitMix64(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let checksum = bytes.withView { ContentChecksum.of($0) }
        let memory = MemoryBytes(MountBytes(copying: bytes), name: "m")
        #expect(try ContentChecksum.of(memory) == checksum)
        let folder = try TemporaryFolder()
        let file = try LocalFile(opening: FilePath(folder.write(bytes, to: "a")))
        #expect(try ContentChecksum.of(file) == checksum)
        guard size > 0 else {
            #expect(checksum == 1)
            return
        }
        var changed = bytes
        changed[size / 2] ^= 1
        #expect(changed.withView { ContentChecksum.of($0) } != checksum)
        #expect(bytes.dropLast().withArrayView { ContentChecksum.of($0) } != checksum)
    }

    // The two vectors of XXH64 without a seed: of one piece the chain is the plain hash.
    @Test("of one piece it is its XXH64, and zero is not a checksum")
    func onePiece() {
        #expect(Array("abc".utf8).withView { ContentChecksum.of($0) } == 0x44bc_2cf5_ad77_0999)
        #expect(Array("a".utf8).withView { ContentChecksum.of($0) } == 0xd24e_c4f1_a98c_6e5b)
        #expect(ContentChecksum.final(0) == 1)
        #expect(ContentChecksum.final(7) == 7)
    }

    @Test("the second piece depends on the first")
    func chain() {
        let piece = [1, 2, 3] as [UInt8]
        let hashes = [0, 1].map { before in
            piece.withView { ContentChecksum.chain($0, after: before) }
        }
        #expect(hashes[0] != hashes[1])
    }
}

extension ArraySlice<UInt8> {
    /// Calls `body` with a view of a copy.
    fileprivate func withArrayView<R>(_ body: (ByteView) -> R) -> R { Array(self).withView(body) }
}
