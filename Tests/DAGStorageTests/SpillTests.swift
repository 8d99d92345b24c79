import DAGBytes
import DAGCAR
import DAGMultiformats
import DAGStorage
import TestSupport
import Testing

@Suite("Large shards")
struct SpillTests {
    @Test("a shard that does not fit in the sorter's memory is found all the same")
    func spill() async throws {
        let count = 270_000
        let bytes = [UInt8].manySections(count: count, digestSize: 8, seed: 1)
        let folder = try StoreFolder()
        let mount = try folder.mount(bytes)
        let store = try folder.open { $0.sortBudget = 0 }
        try await store.register("spilled", mount)
        await store.close()
        // Nothing stays of what was put aside.
        #expect(try PackageFolder.files(in: folder.storePath + "/tmp").isEmpty)
        let again = try folder.open()
        try await again.register("kept", mount)
        let shards = [try await again.acquire("spilled"), try await again.acquire("kept")]
        #expect(shards.map(\.blockCount) == [UInt64(count), UInt64(count)])
        let sizes = try again.allStatuses().map(\.indexSize)
        #expect(sizes[0] == sizes[1])
        let header = CARHeader.encoded(roots: []).count
        var generator = SplitMix64(seed: 2)
        for shard in shards {
            var wrong = 0
            for _ in 0..<5000 {
                let number = Int.random(in: 0..<count, using: &generator)
                let start = header + number * 13
                let cid = try CID(bytes: Array(bytes[start + 1..<start + 13]))
                let location = try shard.location(of: cid)
                if location?.offset != UInt64(start) || location?.size != 0 { wrong += 1 }
                let absent = Multihash(code: HashCode.sha2_256, digest: generator.bytes(8))
                if try shard.contains(CID(codec: Codec.raw, multihash: absent)) { wrong += 1 }
            }
            #expect(wrong == 0)
        }
        await again.close()
    }
}
