import DAGMounts
import DAGStorage
import Foundation
import SystemPackage
import TestSupport
import Testing

/// What is wrong with a call or its surroundings; one shard's trouble is not another's.
@Suite("Bad input")
struct BadInputTests {
    private static let builder = CARBuilder.manyMixed(seed: 8)

    /// A store with a shard that nothing of the test touches.
    private func store(
        in folder: StoreFolder,
        _ mounts: [any Mount] = []
    ) async throws -> DAGStore {
        let store = try folder.open(mounts)
        if try store.status(of: "other") == nil {
            try await store.register("other", folder.mount(Self.builder.bytes, named: "other.car"))
        }
        return store
    }

    private func checkOther(_ store: DAGStore) async throws {
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("other")) == [])
    }

    @Test(
        "a URL that no mount can be made of is refused, and nothing is registered",
        arguments: [
            ("ftp://host/a.car", .unknownScheme), ("file://", .invalidArgument),
            ("file:///%zz", .invalidArgument), ("file:///a%00b", .invalidArgument),
        ] as [(String, DAGStoreError.Code)]
    )
    func urls(text: String, code: DAGStoreError.Code) async throws {
        let folder = try StoreFolder()
        let store = try await store(in: folder)
        let key = try ShardKey("a")
        #expect(
            await errorCode { try await store.register(key, from: MountURL(text)) } == code
        )
        #expect(store.keys == ["other"])
        try await checkOther(store)
        await store.close()
    }

    @Test("a scheme that is not known any more refuses leases, and the shard keeps its state")
    func forgottenScheme() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        var store = try await store(in: folder, [mount])
        try await store.register("a", from: mount, indexing: .onFirstUse)
        try await store.register("b", from: mount)
        _ = try await store.collectGarbage()
        await store.close()
        store = try await self.store(in: folder)
        for key in ["a", "b"] {
            #expect(await errorCode { try await store.acquire(key) } == .unknownScheme)
        }
        #expect(try store.state(of: "a") == .registered)
        #expect(try store.state(of: "b") == .available)
        try await checkOther(store)
        await store.close()
        store = try await self.store(in: folder, [mount])
        for key in ["a", "b"] {
            #expect(try await ShardModel(Self.builder).problems(in: store.acquire(key)) == [])
        }
        await store.close()
    }

    @Test("junk is refused with its code, and can be recovered once it is none")
    func junk() async throws {
        let folder = try StoreFolder()
        let state = FaultyMount.State(FaultyMount.Faults([0x0b, 0xa2]))
        let mount = try FaultyMount(state)
        let store = try await store(in: folder, [mount])
        for number in 0..<16 {
            let key = "\(number)"
            #expect(await errorCode { try await store.register(key, from: mount) } == .truncated)
        }
        for number in 0..<16 {
            #expect(await errorCode { try await store.recover("\(number)") } == .truncated)
        }
        try await checkOther(store)
        state.change { $0.bytes = Self.builder.bytes }
        for number in 0..<16 {
            try await store.recover("\(number)")
            let shard = try await store.acquire("\(number)")
            #expect(try await ShardModel(Self.builder).problems(in: shard) == [])
        }
        await store.close()
    }

    @Test(
        "what lies where the folder of copies should be is left alone, and the store does not open"
    )
    func transientsAreAFile() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        var store = try await store(in: folder, [mount])
        await store.close()
        let transients = URL(filePath: folder.storePath + "/transients")
        try? FileManager.default.removeItem(at: transients)
        try Data([1, 2]).write(to: transients)
        let error = #expect(throws: DAGStoreError.self) { try folder.open([mount]) }
        #expect(error?.code == .readOnly)
        #expect(try Data(contentsOf: transients) == Data([1, 2]))
        try FileManager.default.removeItem(at: transients)
        store = try await self.store(in: folder, [mount])
        try await checkOther(store)
        await store.close()
    }

    @Test("a folder of copies that vanishes refuses copies, until it is there again")
    func transientsVanish() async throws {
        let folder = try StoreFolder()
        let mount = try CountingMount(Self.builder.bytes)
        let store = try await store(in: folder, [mount])
        let transients = URL(filePath: folder.storePath + "/transients")
        try FileManager.default.removeItem(at: transients)
        try Data([1, 2]).write(to: transients)
        let code = await errorCode { try await store.register("a", from: mount) }
        #expect(code == .mountUnreachable)
        try await checkOther(store)
        try FileManager.default.removeItem(at: transients)
        try FileManager.default.createDirectory(
            at: transients,
            withIntermediateDirectories: false
        )
        if try store.status(of: "a") == nil {
            try await store.register("a", from: mount)
        } else {
            try await store.recover("a")
        }
        #expect(try await ShardModel(Self.builder).problems(in: store.acquire("a")) == [])
        await store.close()
    }

    // A limit on the size of files stands in for a full disk.
    @Test("a copy that the disk has no room for is refused, and the shard has not failed")
    func fullDisk() async throws {
        let folder = try StoreFolder()
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            let small = CARBuilder.manyMixed(seed: 8)
            let large = CARBuilder.uniform(sections: 40, blockSize: 1 << 20, seed: 1)
            let state = CountingMount.State()
            state.set("small", small.bytes)
            state.set("large", large.bytes)
            let mount = try CountingMount("small", in: state)
            let other = try CountingMount("large", in: state)
            let store = try StoreFolder.open(path + "/store", [mount])
            try await store.register("small", from: mount)
            try await store.register("lazy", from: other, indexing: .onFirstUse)
            try FileSizeLimit.set(20 << 20)
            for _ in 0..<2 {
                let code = await errorCode { try await store.acquire("lazy") }
                #expect(code == .catalogFull)
                #expect(try store.state(of: "lazy") == .registered)
            }
            #expect(try await ShardModel(small).problems(in: store.acquire("small")) == [])
            try FileSizeLimit.set(nil)
            #expect(try await ShardModel(large).problems(in: store.acquire("lazy")) == [])
            #expect(try await store.check().problems == [])
            await store.close()
        }
    }

    #if os(Linux)
        // Descriptors that cannot be written to take the place of the catalogue's.
        @Test(
            "a commit that fails fails what waits for it, and the store is read-only from then on"
        )
        func failingCommit() async throws {
            let folder = try StoreFolder()
            _ = try folder.mount(Self.builder.bytes)
            await #expect(processExitsWith: .success) { [path = folder.path as String] in
                let mount = FileMount(FilePath(path + "/a.car"))
                let store = try StoreFolder.open(path + "/store")
                try await store.register("before", mount)
                let held = try await store.acquire("before")
                let data = FilePath(path + "/store/catalog/data.mdb")
                try Descriptors.makeReadOnly(data)
                for key in ["a", "b"] {
                    let code = await errorCode {
                        try await store.register(key, from: mount, indexing: .onFirstUse)
                    }
                    #expect(code == .readOnly)
                }
                #expect(await errorCode { try await store.destroy("before") } != nil)
                #expect(store.keys == ["before"])
                let model = ShardModel(CARBuilder.manyMixed(seed: 8))
                #expect(try await model.problems(in: held) == [])
                #expect(try await model.problems(in: store.acquire("before")) == [])
                held.release()
                await store.close()
                let again = try StoreFolder.open(path + "/store")
                #expect(again.keys == ["before"])
                try await again.register("a", mount)
                #expect(try await model.problems(in: again.acquire("a")) == [])
                #expect(try await again.check().problems == [])
                await again.close()
            }
        }
    #endif
}

#if os(Linux)
    /// The descriptors of this process.
    private enum Descriptors {
        /// Makes every descriptor of a file one that cannot be written to.
        static func makeReadOnly(_ path: FilePath) throws {
            let readable = try FileDescriptor.open(path, .readOnly)
            for name in try PackageFolder.files(in: "/proc/self/fd") {
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/\(name)"
                )
                guard target == path.string, let number = CInt(name) else { continue }
                _ = try readable.duplicate(as: FileDescriptor(rawValue: number))
            }
        }
    }
#endif
