#if Node
    import DAGMounts
    import DAGStorage
    import DAGSystem
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGNode

    @Suite("Following a folder", .timeLimit(.minutes(2)))
    struct FolderFollowerTests {
        private let scene: FollowerScene

        init() throws { scene = try FollowerScene() }

        /// Lets the files that are there count as old.
        private static func anyAge(_ setup: inout FolderFollower.Setup) {
            setup.settleTime = .zero
        }

        private func car(_ number: UInt64) -> [UInt8] { FollowerScene.car(number) }

        @Test("the CARs that are there are registered, and then the folder is ready")
        func firstScan() async throws {
            try scene.makeFolder("sub")
            try scene.makeFolder("sub/deep")
            try scene.makeFolder(".hidden")
            for (number, name) in [
                "a.car", "sub/b.car", "sub/deep/c.car", ".hidden/d.car", ".e.car", "f.txt", "g.CAR",
            ].enumerated() {
                try scene.write(car(UInt64(number)), to: scene.path(name))
            }
            try scene.start(nil, Self.anyAge)
            await scene.untilReady()
            #expect(try await scene.keys() == ["a", "sub/b", "sub/deep/c"])
            #expect(try scene.status("sub/b")?.state == .available)
            #expect(
                try scene.status("sub/b")?.mountURL == FileMount(scene.path("sub/b.car")).url.text
            )
        }

        @Test("an empty folder is ready")
        func emptyFolder() async throws {
            try scene.start()
            await scene.untilReady()
        }

        @Test("with lazy indexing, a CAR is registered and not read")
        func lazy() async throws {
            try scene.write(car(1), to: scene.path("a.car"))
            try scene.start { setup in
                Self.anyAge(&setup)
                setup.isLazy = true
            }
            await scene.untilReady()
            #expect(try scene.status("a")?.state == .registered)
        }

        @Test("a CAR that appears is registered when its writer closes it, and not before")
        func appears() async throws {
            try scene.start()
            await scene.untilReady()
            let bytes = car(1)
            let file = try FileDescriptor.open(
                scene.path("a.car"),
                .writeOnly,
                options: .create,
                permissions: .ownerReadWrite
            )
            try file.writeAll(bytes.prefix(bytes.count / 2))
            // The system reports changes in their order.
            try scene.write(car(2), to: scene.path("b.car"))
            await scene.until("registered b")
            #expect(try scene.status("a") == nil)
            try file.writeAll(bytes.dropFirst(bytes.count / 2))
            try file.close()
            await scene.until("registered a")
            #expect(try scene.status("a")?.blockCount == 5)
        }

        @Test("a file that somebody else writes settles when it stays the same")
        func grows() async throws {
            let path = scene.path("a.car")
            let bytes = car(1)
            try scene.write(Array(bytes.prefix(100)), to: path)
            let watch = ScriptedWatch()
            try scene.start(watch) { $0.clock = { 0 } }
            await scene.untilReady()
            #expect(try await scene.keys() == [])
            try scene.write(bytes, to: path)
            scene.advance(by: .seconds(3600))
            // This look found another size, so the interval begins anew.
            watch.report(.init(.created, in: .init(1), name: "b.car"))
            try scene.write(car(2), to: scene.path("c.car"))
            watch.report(.init(.closed, in: .init(1), name: "c.car"))
            await scene.until("registered c")
            #expect(try scene.status("a") == nil)
            scene.advance(by: .seconds(3600))
            await scene.until("registered a")
        }

        @Test("a file that is moved in is registered, and one that is moved out leaves its shard")
        func moves() async throws {
            try scene.start()
            await scene.untilReady()
            try scene.write(car(1), to: scene.outside("x"))
            try FileSystem.rename(scene.outside("x"), to: scene.path("a.car"))
            await scene.until("registered a")
            try FileSystem.rename(scene.path("a.car"), to: scene.outside("x"))
            await scene.until("fileGone a")
            #expect(try await scene.keys() == ["a"])
            await #expect(throws: DAGStoreError(.mountGone, "")) {
                try await scene.store.acquire(ShardKey("a"))
            }
            try FileSystem.rename(scene.outside("x"), to: scene.path("a.car"))
            try scene.write(car(2), to: scene.path("b.car"))
            await scene.until("registered b")
            try await scene.store.acquire(ShardKey("a")).release()
        }

        @Test("a file that is removed leaves its shard, and is reported")
        func removed() async throws {
            try scene.start()
            await scene.untilReady()
            try scene.write(car(1), to: scene.path("a.car"))
            await scene.until("registered a")
            try FileSystem.removeFile(scene.path("a.car"))
            await scene.until("fileGone a")
            #expect(try scene.status("a")?.state == .available)
        }

        @Test("new folders are followed, also when they are moved in or renamed")
        func folders() async throws {
            try scene.start(nil, Self.anyAge)
            await scene.untilReady()
            try scene.makeFolder("one")
            try scene.write(car(1), to: scene.path("one/a.car"))
            await scene.until("registered one/a")
            try FileSystem.makeDirectory(scene.outside("two"))
            try FileSystem.makeDirectory(scene.outside("two").appending("deep"))
            try scene.write(car(2), to: scene.outside("two").appending("deep").appending("b.car"))
            try FileSystem.rename(scene.outside("two"), to: scene.path("two"))
            await scene.until("registered two/deep/b")
            try FileSystem.rename(scene.path("two"), to: scene.path("three"))
            await scene.until("registered three/deep/b")
            try scene.write(car(3), to: scene.path("three/deep/c.car"))
            await scene.until("registered three/deep/c")
            try FileSystem.rename(scene.path("three"), to: scene.outside("two"))
            try scene.write(car(4), to: scene.outside("two").appending("d.car"))
            try scene.write(car(5), to: scene.path("e.car"))
            await scene.until("registered e")
            let keys = ["e", "one/a", "three/deep/b", "three/deep/c", "two/deep/b"]
            #expect(try await scene.keys() == keys)
        }

        @Test("a CAR that is replaced by another one is recovered", arguments: [false, true])
        func replaced(inPlace isInPlace: Bool) async throws {
            try scene.start()
            await scene.untilReady()
            try scene.write(car(1), to: scene.path("a.car"))
            await scene.until("registered a")
            let new = CARBuilder.uniform(sections: 7, blockSize: 64, seed: 9)
            if isInPlace {
                let file = try FileHandle(forWritingTo: URL(filePath: scene.path("a.car").string))
                try file.write(contentsOf: new.bytes)
                try file.close()
            } else {
                try scene.write(new.bytes, to: scene.outside("x"))
                try FileSystem.rename(scene.outside("x"), to: scene.path("a.car"))
            }
            await scene.until("recovered a")
            #expect(scene.notices.contains("fileReplaced a"))
            let block = try await scene.store.block(for: new.blocks[6].cid)
            #expect(block != nil)
        }

        @Test("a replaced file of a shard in use is recovered when a reader finds other bytes")
        func replacedInUse() async throws {
            try scene.start { $0.settleTime = .milliseconds(1) }
            try scene.write(car(1), to: scene.path("a.car"))
            await scene.until("registered a")
            let lease = try await scene.store.acquire(ShardKey("a"))
            try scene.write(car(2), to: scene.outside("x"))
            try FileSystem.rename(scene.outside("x"), to: scene.path("a.car"))
            try scene.write(car(3), to: scene.path("b.car"))
            await scene.until("registered b")
            // The lease goes on with the old file, and so the shard is no failure yet.
            #expect(!scene.notices.contains("recovered a"))
            lease.release()
            await #expect(throws: DAGStoreError(.sourceChanged, "")) {
                try await scene.store.acquire(ShardKey("a"))
            }
            await scene.until("recovered a")
            let cid = FollowerScene.builder(2).blocks[0].cid
            #expect(try await scene.store.block(for: cid) != nil)
        }

        @Test("a file that was replaced while no node ran is recovered by the first scan")
        func replacedMeanwhile() async throws {
            try scene.write(car(1), to: scene.path("a.car"))
            try scene.write(car(3), to: scene.path("b.car"))
            try scene.start(nil, Self.anyAge)
            await scene.untilReady()
            try await scene.close()
            try scene.write(car(2), to: scene.path("a.car"))
            try scene.start(nil, Self.anyAge)
            await scene.untilReady()
            #expect(scene.notices.contains("recovered a"))
            #expect(!scene.notices.contains { $0.hasSuffix("placed b") || $0 == "recovered b" })
            #expect(try scene.status("a")?.state == .available)
        }

        @Test("a file that is no CAR is reported, and recovered when it is one")
        func malformed() async throws {
            try scene.start()
            await scene.untilReady()
            try scene.write(Array("not a CAR".utf8), to: scene.path("a.car"))
            await scene.until("registrationFailed a")
            try scene.write(car(2), to: scene.path("b.car"))
            await scene.until("registered b")
            try scene.write(car(1), to: scene.path("a.car"))
            await scene.until("recovered a")
        }

        @Test("what cannot be a shard is reported once, and stops nothing")
        func oddNames() async throws {
            try scene.write(car(1), to: scene.outside("x"))
            let link = { (target: String, name: String) in
                try FileManager.default.createSymbolicLink(
                    atPath: scene.path(name).string,
                    withDestinationPath: target
                )
            }
            try link(scene.outside("x").string, "link.car")
            try link("..", "up")
            try FileSystem.makeDirectory(scene.path("folder.car"))
            let bytes = scene.root.bytes + Array("/".utf8) + [0xff, 0xfe] + Array(".car".utf8)
            let odd = try FileDescriptor.open(
                FilePath(bytes: bytes),
                .writeOnly,
                options: .create,
                permissions: .ownerReadWrite
            )
            try odd.close()
            let long = String(repeating: "x", count: 240)
            try scene.makeFolder(long)
            try scene.write(car(2), to: scene.path("\(long)/\(long).car"))
            try scene.write(car(3), to: scene.path("z.car"))
            try scene.start(ScriptedWatch()) { setup in
                Self.anyAge(&setup)
                setup.rescanInterval = .seconds(60)
            }
            await scene.untilReady()
            scene.advance(by: .seconds(60))
            try scene.write(car(4), to: scene.path("y.car"))
            scene.advance(by: .seconds(60))
            await scene.until("registered y")
            #expect(try await scene.keys() == ["y", "z"])
            let kinds = scene.notices.filter { !$0.hasPrefix("registered") }.map {
                $0.split(separator: " ").first.map(String.init) ?? ""
            }
            #expect(
                kinds.sorted()
                    == ["following", "nameNotUTF8", "nameTooLong", "symbolicLink", "symbolicLink"]
            )
        }

        @Test(
            "a file that the process may not read is registered after its rights change",
            .enabled(if: getuid() != 0)
        )
        func unreadable() async throws {
            try scene.write(car(1), to: scene.path("a.car"))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0],
                ofItemAtPath: scene.path("a.car").string
            )
            try scene.start(nil, Self.anyAge)
            await scene.untilReady()
            #expect(scene.notices.contains("unreadable a"))
            #expect(try scene.status("a") == nil)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: scene.path("a.car").string
            )
            await scene.until("registered a")
        }

        @Test("a key that another file has stays that file's")
        func keyTaken() async throws {
            try scene.write(car(1), to: scene.outside("x"))
            let mount = FileMount(scene.outside("x"))
            try await scene.store.register(ShardKey("a"), from: mount)
            try scene.write(car(2), to: scene.path("a.car"))
            try scene.start(nil, Self.anyAge)
            await scene.until("keyTaken a")
            #expect(try scene.status("a")?.mountURL == mount.url.text)
        }

        @Test("more CARs than operations at once are all registered")
        func many() async throws {
            for number in 0..<40 {
                try scene.write(car(UInt64(number)), to: scene.path("\(number).car"))
            }
            try scene.start(nil) { setup in
                Self.anyAge(&setup)
                setup.operationsMax = 3
            }
            await scene.untilReady()
            #expect(try await scene.keys().count == 40)
        }
    }
#endif
