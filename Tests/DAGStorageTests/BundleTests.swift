import DAGBytes
import DAGCatalog
import DAGHashing
import DAGMounts
import DAGMultiformats
import DAGStorage
import Dispatch
import ShardIndex
import Synchronization
import TestSupport
import Testing

@Suite("Bundles between stores")
struct BundleTests {
    @Test("an imported shard has every block, every hash and every fact of the exported one")
    func roundTrip() async throws {
        let stores = try BundleStores()
        let mixed = CARBuilder.manyMixed(seed: 20)
        let large = CARBuilder.withOwnRun
        let builders = [
            ("mixed", mixed, mixed.bytes), ("two", mixed, mixed.encoded(version: 2)),
            ("indexed", mixed, mixed.encoded(version: 2, indexCodec: 0x0401)),
            ("empty", CARBuilder(), CARBuilder().bytes), ("large", large, large.bytes),
        ]
        for (key, _, bytes) in builders {
            let (bundle, mount) = try await stores.bundle(key, bytes)
            let status = try await bundle.import(
                key,
                at: mount.url,
                into: stores.importer,
                pieceSize: key == "large" ? 1 << 20 : 7
            )
            #expect(status.state == .available)
            let original = try #require(try stores.exporter.status(of: key))
            #expect(status.blockCount == original.blockCount)
            #expect(status.mountURL == mount.url.text)
            #expect(bundle.exported.size == UInt64(bundle.bytes.count))
            #expect(bundle.exported.sourceSize == UInt64(bytes.count))
            let digest = bundle.bytes.withView { BlockHash.digest(0x12, of: $0) }
            #expect(digest == bundle.exported.name)
        }
        #expect(try stores.importer.engine.catalog.inverseRuns().count == 1)
        var importer = stores.importer
        for isReopened in [false, true] {
            if isReopened {
                await importer.close()
                importer = try stores.to.open()
                #expect(importer.hashKey == BundleStores.key)
            }
            for (key, builder, _) in builders where key != "two" && key != "indexed" {
                let shard = try await importer.acquire(key)
                defer { shard.release() }
                #expect(shard.roots == builder.roots)
                for block in builder.blocks {
                    #expect(try await shard.block(for: block.cid)?.copiedBytes == block.data)
                    let holders = try importer.shards(containing: block.cid.multihash)
                    #expect(try holders.contains(ShardKey(key)))
                }
            }
            var options = CheckOptions()
            options.isDeep = true
            #expect(try await importer.check(options).problems == [])
        }
        await importer.close()
        await stores.close()
    }

    @Test("a bundle that is exported again is the same bundle")
    func again() async throws {
        let stores = try BundleStores()
        let (bundle, mount) = try await stores.bundle("a", CARBuilder.manyMixed(seed: 21).bytes)
        try await bundle.import("b", at: mount.url, into: stores.importer)
        let second = try StoredBundle(of: "b", in: stores.importer)
        #expect(second.exported == bundle.exported)
        #expect(second.bytes == bundle.bytes)
        await stores.close()
    }

    @Test("a changed byte anywhere in a bundle is found, and nothing stays")
    func tampered() async throws {
        let stores = try BundleStores()
        let (bundle, mount) = try await stores.bundle("a", CARBuilder.mixed(seed: 22).bytes)
        for place in bundle.bytes.indices where place < 300 || place % 11 == 0 {
            var other = bundle
            other.bytes[place] ^= 1
            let code = await errorCode {
                try await other.import("a", at: mount.url, into: stores.importer)
            }
            #expect(code == .malformedIndex, "byte \(place)")
        }
        for end in [0, 79, 80, 100, bundle.bytes.count - 1] {
            var other = bundle
            other.bytes = Array(bundle.bytes[..<end])
            let code = await errorCode {
                try await other.import("a", at: mount.url, into: stores.importer)
            }
            #expect(code == .malformedIndex, "\(end) bytes")
        }
        var longer = bundle
        longer.bytes.append(0)
        #expect(
            await errorCode { try await longer.import("a", at: mount.url, into: stores.importer) }
                == .malformedIndex
        )
        try await stores.expectNothing(of: "a")
        try await bundle.import("a", at: mount.url, into: stores.importer)
        await stores.close()
    }

    // So large that batches are on the disk before the last byte comes.
    @Test("a large index with a wrong last byte is deleted again, and its hashes spill")
    func tamperedLarge() async throws {
        let stores = try BundleStores()
        let bytes = [UInt8].manySections(count: 320_000, digestSize: 32, seed: 4)
        let (bundle, mount) = try await stores.bundle("a", bytes)
        #expect(bundle.bytes.count > 9 << 20)
        var other = bundle
        other.bytes[bundle.bytes.count - 1] ^= 1
        let code = await errorCode {
            try await other.import("a", at: mount.url, into: stores.importer)
        }
        #expect(code == .malformedIndex)
        try await stores.expectNothing(of: "a")
        await stores.importer.close()
        let importer = try stores.to.open { $0.sortBudget = 1 }
        try await bundle.import("a", at: mount.url, into: importer)
        #expect(try await importer.check().problems == [])
        await importer.close()
        await stores.close()
    }

    @Test("a store with another hash key refuses a bundle")
    func otherKey() async throws {
        let stores = try BundleStores()
        let (bundle, mount) = try await stores.bundle("a", CARBuilder.mixed(seed: 23).bytes)
        let folder = try StoreFolder()
        let other = try folder.open()
        #expect(other.hashKey != BundleStores.key)
        let code = await errorCode { try await bundle.import("a", at: mount.url, into: other) }
        #expect(code == .invalidArgument)
        #expect(try other.status(of: "a") == nil)
        await other.close()
        await stores.close()
    }

    @Test("a mount with another CAR, no CAR or no scheme refuses a bundle")
    func otherSource() async throws {
        let stores = try BundleStores()
        let builder = CARBuilder.uniform(sections: 20, blockSize: 100, seed: 1)
        let (bundle, mount) = try await stores.bundle("a", builder.bytes)
        let sameSize = CARBuilder.uniform(sections: 20, blockSize: 100, seed: 2).bytes
        #expect(sameSize.count == builder.bytes.count)
        let noCAR = [UInt8](repeating: 0, count: sameSize.count)
        for bytes in [sameSize, noCAR, builder.bytes + [0], []] {
            let other = try stores.to.mount(bytes, named: "other.car")
            let code = await errorCode {
                try await bundle.import("a", at: other.url, into: stores.importer)
            }
            #expect(code == .sourceChanged)
        }
        let missing = DAGMounts.FileMount(.init(stores.to.path(of: "missing.car")))
        #expect(
            await errorCode { try await bundle.import("a", at: missing.url, into: stores.importer) }
                == .mountGone
        )
        let unknown = try MountURL("nowhere://a")
        #expect(
            await errorCode { try await bundle.import("a", at: unknown, into: stores.importer) }
                == .unknownScheme
        )
        try await stores.expectNothing(of: "a")
        try await bundle.import("a", at: mount.url, into: stores.importer)
        #expect(
            await errorCode { try await bundle.import("a", at: mount.url, into: stores.importer) }
                == .shardExists
        )
        await stores.close()
    }

    @Test("a CAR that changes after the import is noticed at the first lease")
    func changedLater() async throws {
        let stores = try BundleStores()
        let builder = CARBuilder.uniform(sections: 20, blockSize: 100, seed: 1)
        let (bundle, mount) = try await stores.bundle("a", builder.bytes)
        try await bundle.import("a", at: mount.url, into: stores.importer)
        _ = try stores.to.mount(builder.bytes + [0], named: "copy of a.car")
        #expect(await errorCode { try await stores.importer.acquire("a") } == .sourceChanged)
        await stores.close()
    }

    @Test(
        "of a source elsewhere an import reads the header at most",
        arguments: [MountAccess.random, .sequential]
    )
    func remote(access: MountAccess) async throws {
        let builder = CARBuilder.uniform(sections: 2000, blockSize: 1000, seed: 5)
        let elsewhere = try CountingMount(builder.bytes, access: access)
        let stores = try BundleStores([elsewhere])
        let (bundle, _) = try await stores.bundle("a", builder.bytes)
        let status = try await bundle.import("a", at: elsewhere.url, into: stores.importer)
        #expect(status.state == .available)
        let counts = elsewhere.state.counts
        #expect(counts.stats == 1)
        #expect(counts.opens == (access == .random ? 1 : 0))
        #expect(counts.bytes < 256 << 10)
        #expect(stores.to.transients == [])
        let shard = try await stores.importer.acquire("a")
        for block in builder.blocks.prefix(50) {
            #expect(try await shard.block(for: block.cid)?.copiedBytes == block.data)
        }
        shard.release()
        #expect(try await stores.importer.check().problems == [])
        elsewhere.state.set("bytes", nil)
        #expect(
            await errorCode {
                try await bundle.import("b", at: elsewhere.url, into: stores.importer)
            } == .mountGone
        )
        await stores.close()
    }

    @Test("a copy of a stream with other bytes is refused, because the bundle has a checksum")
    func otherStream() async throws {
        let builder = CARBuilder.uniform(sections: 2000, blockSize: 100, seed: 6)
        let elsewhere = try CountingMount(builder.bytes)
        let stores = try BundleStores([elsewhere])
        try await stores.exporter.register("a", from: elsewhere)
        let bundle = try StoredBundle(of: "a", in: stores.exporter)
        try await bundle.import("a", at: elsewhere.url, into: stores.importer)
        var bytes = builder.bytes
        bytes[bytes.count - 1] ^= 1
        elsewhere.state.set("bytes", bytes)
        #expect(await errorCode { try await stores.importer.acquire("a") } == .sourceChanged)
        await stores.close()
    }

    @Test("the error of the reader of a bundle comes unchanged, and nothing stays")
    func readerFails() async throws {
        struct Lost: Error {}
        let stores = try BundleStores()
        let (bundle, mount) = try await stores.bundle("a", CARBuilder.mixed(seed: 24).bytes)
        for count in [0, 1, 20] {
            let next = bundle.source(pieceSize: 60)
            let left = Mutex(count)
            await #expect(throws: Lost.self) {
                try await BundleImporter(stores.importer).importBundle(
                    ImportedBundle(key: ShardKey("a"), mountURL: mount.url),
                    named: bundle.exported.name
                ) {
                    guard left.withLock({ $0 > 0 }) else { throw Lost() }
                    left.withLock { $0 -= 1 }
                    return try next()
                }
            }
        }
        try await stores.expectNothing(of: "a")
        await stores.close()
    }

    @Test(
        "an import that is cancelled, or whose store closes, leaves nothing",
        arguments: [true, false]
    )
    func ended(isCancelled: Bool) async throws {
        let stores = try BundleStores()
        let (bundle, mount) = try await stores.bundle("a", CARBuilder.manyMixed(seed: 29).bytes)
        let next = bundle.source(pieceSize: 1000)
        let hasArrived = Mutex(false)
        let gate = DispatchSemaphore(value: 0)
        let importing = Task {
            try await BundleImporter(stores.importer).importBundle(
                ImportedBundle(key: ShardKey("a"), mountURL: mount.url),
                named: bundle.exported.name
            ) {
                hasArrived.withLock { $0 = true }
                gate.wait()
                gate.signal()
                return try next()
            }
        }
        await eventually { hasArrived.withLock { $0 } }
        if isCancelled {
            importing.cancel()
            gate.signal()
            await #expect(throws: CancellationError.self) { try await importing.value }
        } else {
            async let closed: Void = stores.importer.close()
            await eventually { (try? stores.importer.allStatuses()) == nil }
            gate.signal()
            #expect(await errorCode { try await importing.value } == .closed)
            await closed
        }
        await stores.importer.close()
        let again = try stores.to.open()
        #expect(try again.status(of: "a") == nil)
        #expect(try again.engine.catalog.pendingGenerations() == [])
        await again.close()
        await stores.close()
    }

    @Test("a shard without a complete index has no bundle, and its errors say so")
    func notExported() async throws {
        struct Full: Error {}
        let stores = try BundleStores()
        let builder = CARBuilder.mixed(seed: 25)
        try await stores.exporter.register(
            "lazy",
            from: stores.from.mount(builder.bytes),
            indexing: .onFirstUse
        )
        let exporter = BundleExporter(stores.exporter)
        for (text, code) in [("lazy", DAGStoreError.Code.invalidArgument), ("no", .shardUnknown)] {
            let key = try ShardKey(text)
            #expect(await errorCode { try exporter.export(key) { _ in } } == code)
            #expect(await errorCode { try exporter.writeHashes(of: key) { _ in } } == code)
        }
        try await stores.exporter.initialize("lazy")
        #expect(throws: Full.self) { try exporter.export(ShardKey("lazy")) { _ in throw Full() } }
        #expect(throws: Full.self) {
            try exporter.writeHashes(of: ShardKey("lazy")) { _ in throw Full() }
        }
        await stores.exporter.close()
        #expect(await errorCode { try exporter.export(ShardKey("lazy")) { _ in } } == .closed)
        await stores.close()
    }

    @Test("the hashes of a shard are those of its digests, in order and once each")
    func hashes() async throws {
        let stores = try BundleStores()
        let builder = CARBuilder.manyMixed(seed: 26)
        let empty = CARBuilder()
        for (key, car) in [("mixed", builder), ("large", .withOwnRun), ("empty", empty)] {
            try await stores.exporter.register(key, stores.from.mount(car.bytes, named: key))
            let hash = KeyedHash(key: BundleStores.key.words)
            let expected = Set(
                car.blocks.map { block in
                    block.cid.withDigest { InverseEntry.hash(of: hash.hash($0).high) }
                }
            ).sorted()
            var found: [UInt64] = []
            let count = try BundleExporter(stores.exporter).writeHashes(of: ShardKey(key)) {
                found.append($0)
            }
            #expect(found == expected)
            #expect(count == UInt64(expected.count))
        }
        await stores.close()
    }

    @Test("a policy is kept, and a store that reads only refuses an import")
    func policy() async throws {
        let builder = CARBuilder.mixed(seed: 27)
        let elsewhere = try CountingMount(builder.bytes, access: .random)
        let stores = try BundleStores([elsewhere])
        let (bundle, mount) = try await stores.bundle("a", builder.bytes)
        let status = try await bundle.import(
            "a",
            at: elsewhere.url,
            into: stores.importer,
            policy: .copy
        )
        #expect(status.policy == .copy)
        try await stores.importer.acquire("a").release()
        #expect(stores.to.transients.count == 1)
        await stores.importer.close()
        let reading = try stores.to.open([elsewhere]) { $0.isReadOnly = true }
        #expect(
            await errorCode { try await bundle.import("b", at: mount.url, into: reading) }
                == .readOnly
        )
        #expect(try StoredBundle(of: "a", in: reading).bytes == bundle.bytes)
        await reading.close()
        await stores.close()
    }

    @Test("of imports of one key at once, one succeeds")
    func race() async throws {
        let stores = try BundleStores()
        let (bundle, mount) = try await stores.bundle("a", CARBuilder.mixed(seed: 28).bytes)
        let codes = await withTaskGroup(of: DAGStoreError.Code?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await errorCode {
                        try await bundle.import("a", at: mount.url, into: stores.importer)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == nil }.count == 1)
        #expect(codes.filter { $0 == .shardExists }.count == 7)
        #expect(try stores.importer.engine.catalog.pendingGenerations() == [])
        #expect(try await stores.importer.check().problems == [])
        await stores.close()
    }
}
