import DAGBytes
import DAGMultiformats
import ShardIndex
import TestSupport
import Testing

@Suite("Index root")
struct IndexRootTests {
    @Test(
        "a decoded root page equals the encoded one",
        arguments: PagePolicy.allCases,
        [0, 1, 300, 5000]
    )
    func roundTrip(policy: PagePolicy, count: Int) throws {
        let roots = try [
            CID(bytes: [0x12, 0x20] + [UInt8](repeating: 3, count: 32)),
            CID(bytes: [1, 0x55, 0, 0]),
        ]
        let sections = BuilderSections.random(
            count: count,
            digests: max(1, count),
            kinds: [.common, .identity(2)],
            roots: roots,
            seed: 1
        )
        let root = try sections.built(policy: policy).root
        #expect(root.roots == roots)
        for encoding in PagePolicy.allCases {
            #expect(try IndexRoot.reading(root.encoded(policy: encoding)) == root)
        }
    }

    @Test("a thousand roots are kept in order")
    func manyRoots() throws {
        var generator = SplitMix64(seed: 2)
        var root = IndexRoot()
        root.roots = (0..<1000).map { _ in
            CID(codec: Codec.raw, multihash: Multihash(code: 0x12, digest: generator.bytes(32)))
        }
        #expect(try IndexRoot.reading(root.encoded(policy: .smallest)).roots == root.roots)
    }

    @Test("the page of an ordinal and of an offset is the one that covers it")
    func pages() throws {
        let sections = BuilderSections.random(
            count: 2000,
            digests: 2000,
            kinds: [.common],
            seed: 3
        )
        let root = try sections.built().root
        #expect(root.pages.count == 8)
        for entry in sections.entries {
            let page = Int(entry.ordinal) / IndexPage.countMax
            #expect(root.page(ofOrdinal: entry.ordinal) == page)
            #expect(root.page(ofOffset: entry.offset) == page)
            #expect(root.page(ofOffset: entry.offset + 1) == page)
        }
        #expect(root.page(ofOrdinal: 2000) == nil)
        #expect(root.page(ofOrdinal: .max) == nil)
        #expect(root.page(ofOffset: 58) == nil)
        #expect(root.page(ofOffset: .max) == 7)
    }

    // Pages of large identity digests have about 128 KiB, so eight of them overflow a value.
    @Test(
        "values end before 1 MiB and every page lies in one of them",
        arguments: PagePolicy.allCases
    )
    func packing(policy: PagePolicy) throws {
        let sections = BuilderSections.random(
            count: 400,
            digests: .max,
            kinds: [.identity(20_000), .identity(9000), .identity(100)],
            sectionSize: 30_000...30_000,
            seed: 4
        )
        let built = try sections.built(policy: policy)
        #expect(built.sink.values.count >= 3)
        for (number, value) in built.sink.values.enumerated() {
            #expect(value.count <= IndexPage.valueSizeMax)
            let pages = built.root.pages.filter { $0.value == number }
            var end: UInt32 = 0
            for page in pages {
                #expect(page.start == end)
                end += page.size
            }
            #expect(Int(end) == value.count)
            let next = built.root.pages.first { $0.value == number + 1 }
            if let next { #expect(value.count + Int(next.size) > IndexPage.valueSizeMax) }
        }
        #expect(try built.decodedEntries() == sections.entries)
        #expect(try IndexRoot.reading(built.root.encoded(policy: policy)) == built.root)
    }
}
