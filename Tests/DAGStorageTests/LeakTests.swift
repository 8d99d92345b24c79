#if os(Linux)
    import DAGStorage
    import Foundation
    import DAGMounts
    import SystemPackage
    import TestSupport
    import Testing

    /// What this process has of the system, as the system itself says it.
    private enum OpenFiles {
        /// Open descriptors of files below `path`.
        static func descriptors(below path: String) throws -> Int {
            try PackageFolder.files(in: "/proc/self/fd").count { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/\(name)"
                )
                return target?.hasPrefix(path) ?? false
            }
        }

        /// Mappings of files below `path`.
        static func mappings(below path: String) throws -> Int {
            try PackageFolder.text(of: "/proc/self/maps").split(separator: "\n")
                .count { $0.contains(path) }
        }

        /// Read system calls of the process so far.
        static func reads() throws -> Int {
            let lines = try PackageFolder.text(of: "/proc/self/io").split(separator: "\n")
            let line = try #require(lines.first { $0.hasPrefix("syscr: ") })
            return try #require(Int(line.dropFirst(7)))
        }
    }

    /// What is given back, and what is not asked for in the first place.
    @Suite("Leaks and system calls")
    struct LeakTests {
        // Fault 19: 100 cancelled acquires leave 100 open files.
        @Test(
            "100 cancelled acquires leave no descriptor and no mapping",
            arguments: [true, false]
        )
        func cancelledAcquires(isMapped: Bool) async throws {
            let folder = try StoreFolder()
            _ = try folder.mount(CARBuilder.manyMixed(seed: 1).bytes)
            await #expect(processExitsWith: .success) {
                [path = folder.path as String, isMapped = isMapped as Bool] in
                let store = try StoreFolder.open(path + "/store") {
                    $0.idleShardsMax = 0
                    $0.mapping = isMapped ? .whenPossible : .never
                }
                try await store.register("a", DAGMounts.FileMount(FilePath(path + "/a.car")))
                let car = path + "/a.car"
                for _ in 0..<100 {
                    let task = OwnedTask { try await store.acquire("a") }
                    task.cancel()
                    (try? await task.value)?.release()
                }
                try await eventually { try store.statistics().openShards == 0 }
                #expect(try store.statistics().leases == 0)
                try await eventually { try OpenFiles.descriptors(below: car) == 0 }
                try await eventually { try OpenFiles.mappings(below: car) == 0 }
                await store.close()
            }
        }

        // Fault 19: ten stores that were opened and closed leave nine mappings.
        @Test("ten stores opened and closed leave no descriptor and no mapping")
        func closedStores() async throws {
            let folder = try StoreFolder()
            let builder = CARBuilder.manyMixed(seed: 1)
            _ = try folder.mount(builder.bytes)
            await #expect(processExitsWith: .success) { [path = folder.path as String] in
                let builder = CARBuilder.manyMixed(seed: 1)
                for round in 0..<10 {
                    let copied = try CountingMount(builder.bytes)
                    let store = try StoreFolder.open(path + "/store", [copied])
                    try await store.register(
                        "\(round)",
                        DAGMounts.FileMount(FilePath(path + "/a.car"))
                    )
                    try await store.register("copied \(round)", from: copied)
                    for key in ["\(round)", "copied \(round)"] {
                        let shard = try await store.acquire(key)
                        #expect(try shard.contains(builder.blocks[0].cid))
                        shard.release()
                    }
                    await store.close()
                    // The thread that closed them may still have the last reference.
                    try await eventually { try OpenFiles.descriptors(below: path) == 0 }
                    try await eventually { try OpenFiles.mappings(below: path) == 0 }
                }
            }
        }

        // Fault 23: eight system calls a section.
        @Test("100,000 sections are indexed with fewer than a read for 100 of them")
        func readCalls() async throws {
            let folder = try StoreFolder()
            _ = try folder.mount(.manySections(count: 100_000, digestSize: 32, seed: 1))
            await #expect(processExitsWith: .success) { [path = folder.path as String] in
                let store = try StoreFolder.open(path + "/store")
                let before = try OpenFiles.reads()
                let mount = DAGMounts.FileMount(FilePath(path + "/a.car"))
                let status = try await store.register("a", mount)
                #expect(status.blockCount == 100_000)
                #expect(try OpenFiles.reads() - before < 1000)
                await store.close()
            }
        }
    }
#endif
