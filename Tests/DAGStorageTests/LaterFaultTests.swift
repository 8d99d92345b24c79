import DAGBytes
import DAGCAR
import DAGLMDB
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// Faults 13 to 22 that were found in the reference, as things that do not happen here.
///
/// Fault 17 is in `MappedFileChangeTests`, 19 and 23 are in `LeakTests`, 9 and 24 in `StreamTests`, 5 and
/// 21 in `InverseTests`.
@Suite("Faults of the reference, 13 to 22")
struct LaterFaultTests {
    private static let builder = CARBuilder.manyMixed(seed: 5)

    // Fault 13: close does not wait for fetches and indexing.
    @Test("close waits for what is being fetched", arguments: FaultyMount.Step.allCases)
    func closeWaits(step: FaultyMount.Step) async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(.init(Self.builder.bytes))
        state.change { $0.hanging = [step] }
        let mount = try FaultyMount(state)
        let store = try folder.open([mount])
        try await store.register("a", from: mount, indexing: .inBackground)
        await state.gate.waitForArrivals(1)
        let closing = OwnedTask { await store.close() }
        await eventually { (try? store.status(of: "a")) == nil }
        // Until the mount answers, the folder is still the closing store's.
        #expect(throws: DAGStoreError(.catalogLocked)) { try folder.open([mount]) }
        state.gate.open()
        try await closing.value
        state.change { $0.bytes = nil }
        let again = try folder.open([mount])
        #expect(try again.state(of: "a") == .available)
        let shard = try #require(try again.acquireIfAvailable(ShardKey("a")))
        #expect(try await ShardModel(Self.builder).problems(in: shard) == [])
        shard.release()
        await again.close()
    }

    // Fault 14: only the text of an error outlives a restart.
    @Test(
        "an error keeps its code and its words across restarts",
        arguments: [
            ([], .truncated), ([UInt8](repeating: 0, count: 100), .malformedCAR),
            ([10, 0xa1, 0x67] + Array("version".utf8) + [3], .unsupportedVersion),
            ([0x80, 0x80, 0x80, 0x20, 0xa1], .limitExceeded), (nil, .mountGone),
        ] as [([UInt8]?, DAGStoreError.Code)]
    )
    func errorIdentity(bytes: [UInt8]?, code: DAGStoreError.Code) async throws {
        let folder = try StoreFolder()
        let mount = try FaultyMount(FaultyMount.State(FaultyMount.Faults(bytes)))
        var store = try folder.open([mount])
        #expect(await errorCode { try await store.register("a", from: mount) } == code)
        let before = try #require(try store.status(of: "a")?.error)
        for _ in 0..<2 {
            await store.close()
            store = try folder.open([mount])
            let error = try #require(try store.status(of: "a")?.error)
            #expect(error.code == code)
            #expect(error.message == before.message)
            #expect(await errorCode { try await store.acquire("a") } == code)
        }
        await store.close()
    }

    // Fault 15: an embedded index is believed, a truncated block indexed, and no block is ever checked.
    @Test("an embedded index of another CAR is not believed", arguments: [false, true])
    func foreignIndex(hasSameSize: Bool) async throws {
        let ours = CARBuilder.uniform(sections: 300, blockSize: 40, seed: 1)
        let count = hasSameSize ? 300 : 299
        let other = CARBuilder.uniform(sections: count, blockSize: 40, seed: 2)
        let bytes = ours.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        let foreign = other.encoded(version: 2, indexCodec: CARIndex.multihashSorted)
        let end = try Self.indexOffset(bytes)
        let index = foreign[try Self.indexOffset(foreign)...]
        let folder = try StoreFolder()
        let store = try folder.open()
        try await store.register("a", folder.mount(Array(bytes[..<end]) + index))
        let model = ShardModel(ours, dataOffset: CARLayout.dataOffsetMin)
        #expect(try await model.problems(in: store.acquire("a")) == [])
        await store.close()
    }

    private static func indexOffset(_ bytes: [UInt8]) throws -> Int {
        let field = bytes[43..<51]
        return try #require(
            Int(exactly: field.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
        )
    }

    @Test("a truncated last block is refused, and a block with another hash is found out")
    func bytesAreChecked() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let builder = CARBuilder.uniform(sections: 10, blockSize: 100, seed: 3)
        let short = try folder.mount(Array(builder.bytes.dropLast()), named: "short")
        #expect(await errorCode { try await store.register("short", short) } == .truncated)
        var bytes = builder.bytes
        bytes[bytes.count - 1] ^= 1
        try await store.register("damaged", folder.mount(bytes, named: "damaged"))
        let shard = try await store.acquire("damaged")
        let block = try #require(try shard.blockIfLocal(for: builder.blocks[9].cid))
        #expect(throws: DAGStoreError(.hashMismatch)) { try block.verified() }
        shard.release()
        await store.close()
    }

    // Fault 16: what could not be looked up is said not to be there.
    @Test("a lookup that fails is an error, and not an answer")
    func failedLookup() async throws {
        let folder = try StoreFolder()
        let builder = CARBuilder.uniform(sections: 1000, blockSize: 100, seed: 4)
        let mount = try folder.mount(builder.bytes)
        let store = try folder.open { $0.mapping = .never }
        try await store.register("a", mount)
        let shard = try await store.acquire("a")
        let file = try FileDescriptor.open(mount.path, .readWrite)
        try file.resize(to: 1000)
        try file.close()
        let last = builder.blocks[999].cid
        #expect(throws: DAGStoreError(.sourceChanged)) { try shard.blockIfLocal(for: last) }
        let other = CARBuilder.uniform(sections: 1, blockSize: 100, seed: 5).blocks[0].cid
        // What the index alone can answer is still true.
        #expect(try shard.contains(last))
        #expect(try !shard.contains(other))
        shard.release()
        await store.close()
    }

    // Fault 18: start-up decodes every record.
    @Test("opening reads no record: one that is damaged is found when it is asked for")
    func openingDecodesNothing() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let mount = try folder.mount(Self.builder.bytes)
        for number in 0..<50 { try await store.register("\(number)", mount) }
        await store.close()
        try Self.damageRecords(in: folder.storePath + "/catalog", except: 7)
        let again = try folder.open()
        #expect(try again.statistics().shards == 50)
        #expect(try again.statistics().openShards == 0)
        #expect(try await ShardModel(Self.builder).problems(in: again.acquire("7")) == [])
        for key in ["0", "49"] {
            #expect(await errorCode { try await again.acquire(key) } == .catalogCorrupt)
        }
        await again.close()
    }

    private static func damageRecords(in catalog: String, except kept: Int) throws {
        let tables = ["meta", "keys", "shards", "roots", "pages", "locators", "pending"]
        let environment = try Environment.open(
            at: catalog,
            options: Environment.Options(tables: tables, mapSize: 1 << 30)
        )
        defer { environment.close() }
        let table = environment.table("shards")
        var rows: [(key: [UInt8], value: [UInt8])] = []
        try environment.read { (reader) throws(LMDBError) in
            try reader.withCursor(table) { cursor throws(LMDBError) in
                var row = try cursor.first()
                while let found = row {
                    rows.append((found.key.copied, found.value.copied))
                    row = try cursor.next()
                }
            }
        }
        try environment.write { (writer) throws(LMDBError) in
            for (number, row) in rows.enumerated() where number != kept {
                let damaged = Array(row.value.prefix(10))
                try row.key.withView { key throws(LMDBError) in
                    try damaged.withView { value throws(LMDBError) in
                        try writer.put(table, key, value)
                    }
                }
            }
        }
    }

    // Fault 20: a mount of an absolute path is gone after a restart.
    @Test(
        "a file is found after a restart, whatever its path",
        arguments: [
            "a.car", "a b/c d.car", "ü/ÿ/日本.car", "%2F/100%.car", "a?b#c.car", "a:b/c;d.car",
        ]
    )
    func pathsSurvive(name: String) async throws {
        let folder = try StoreFolder()
        let path = folder.path(of: name)
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        let mount = try folder.mount(Self.builder.bytes, named: name)
        var store = try folder.open()
        try await store.register("a", mount)
        for _ in 0..<2 {
            await store.close()
            store = try folder.open()
            #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        }
        await store.close()
    }

    // Fault 22: a CARv2 whose embedded index has no hash codes becomes available and cannot be found.
    @Test("a CARv2 with an index of digests alone is found by multihash")
    func sortedIndex() async throws {
        let folder = try StoreFolder()
        let store = try folder.open()
        let bytes = Self.builder.encoded(version: 2, indexCodec: CARIndex.sorted)
        try await store.register("a", folder.mount(bytes))
        let shard = try await store.acquire("a")
        for block in Self.builder.blocks {
            let other = CID(codec: 0x0202, multihash: block.cid.multihash)
            #expect(try shard.contains(other))
            let keys = try store.shards(containing: block.cid.multihash).map(\.text)
            #expect(keys == ["a"])
        }
        shard.release()
        await store.close()
    }
}
