#if Node
    import DAGMounts
    import DAGStorage
    import DAGSystem
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGNode

    @Suite("Following a folder in trouble", .timeLimit(.minutes(2)))
    struct FolderTroubleTests {
        private func car(_ number: UInt64) -> [UInt8] { FollowerScene.car(number) }

        @Test("the files of the store are no sources")
        func ownFiles() async throws {
            let scene = try FollowerScene(storeInFolder: true)
            _ = try scene.store
            let own = scene.storePlace.appending("transients").appending("t.car")
            try scene.write(car(1), to: own)
            try scene.write(car(2), to: scene.path("a.car"))
            try scene.start { $0.settleTime = .zero }
            await scene.untilReady()
            try scene.write(car(3), to: own)
            try scene.write(car(4), to: scene.path("b.car"))
            await scene.until("registered b")
            #expect(try await scene.keys() == ["a", "b"])
        }

        @Test("after lost changes the folder is scanned again")
        func lostChanges() async throws {
            let scene = try FollowerScene()
            let watch = ScriptedWatch()
            try scene.start(watch) { $0.settleTime = .zero }
            await scene.untilReady()
            try scene.makeFolder("sub")
            try scene.write(car(1), to: scene.path("sub/a.car"))
            watch.report(.init(.lost, in: .init(-1)))
            await scene.until("registered sub/a")
            #expect(scene.notices.contains("changesLost "))
        }

        @Test("changes of directories that are not watched any more are ignored")
        func lateChanges() async throws {
            let scene = try FollowerScene()
            let watch = ScriptedWatch()
            try scene.start(watch) { $0.settleTime = .zero }
            await scene.untilReady()
            try scene.write(car(1), to: scene.path("a.car"))
            watch.report(.init(.closed, in: .init(77), name: "a.car"))
            try scene.write(car(2), to: scene.path("b.car"))
            watch.report(.init(.closed, in: .init(1), name: "b.car"))
            await scene.until("registered b")
            #expect(try scene.status("a") == nil)
        }

        @Test("a folder that the system cannot watch is scanned all the same")
        func watchLimit() async throws {
            let scene = try FollowerScene()
            try scene.makeFolder("sub")
            try scene.write(car(1), to: scene.path("sub/a.car"))
            try scene.start(ScriptedWatch(refusing: [scene.path("sub")])) { $0.settleTime = .zero }
            await scene.untilReady()
            #expect(try scene.status("sub/a")?.state == .available)
            #expect(scene.notices.contains("watchLimitReached sub"))
        }

        @Test("a folder that another one replaces without a sign is scanned again")
        func mountedOver() async throws {
            let scene = try FollowerScene()
            try scene.makeFolder("sub")
            try scene.write(car(1), to: scene.path("sub/a.car"))
            try scene.start(ScriptedWatch()) { $0.settleTime = .zero }
            await scene.untilReady()
            try FileSystem.rename(scene.path("sub"), to: scene.outside("away"))
            try scene.makeFolder("sub")
            try scene.write(car(2), to: scene.path("sub/b.car"))
            scene.advance(by: FolderFollower.mountInterval)
            await scene.until("registered sub/b")
            #expect(scene.notices.contains("folderReplaced sub"))
        }

        @Test("a folder that is still there after the end of its watch is scanned again")
        func unmounted() async throws {
            let scene = try FollowerScene()
            try scene.makeFolder("sub")
            let watch = ScriptedWatch()
            try scene.start(watch) { $0.settleTime = .zero }
            await scene.untilReady()
            try scene.write(car(2), to: scene.path("sub/b.car"))
            watch.report(.init(.ended, in: .init(2)))
            await scene.until("registered sub/b")
        }

        @Test("a folder that is moved to the place of another one brings its files")
        func movedOver() async throws {
            let scene = try FollowerScene()
            try FileSystem.makeDirectory(scene.outside("new"))
            try scene.write(car(2), to: scene.outside("new").appending("a.car"))
            try scene.makeFolder("sub")
            try scene.write(car(1), to: scene.path("sub/a.car"))
            try scene.start { $0.settleTime = .zero }
            await scene.untilReady()
            try FileSystem.rename(scene.path("sub"), to: scene.outside("old"))
            try FileSystem.rename(scene.outside("new"), to: scene.path("sub"))
            await scene.until("recovered sub/a")
            let cid = FollowerScene.builder(2).blocks[0].cid
            #expect(try await scene.store.block(for: cid) != nil)
        }

        @Test("a shard that was registered and not read is indexed by a node that reads at once")
        func lazyBefore() async throws {
            let scene = try FollowerScene()
            try scene.write(car(1), to: scene.path("a.car"))
            try scene.start { setup in
                setup.settleTime = .zero
                setup.isLazy = true
            }
            await scene.untilReady()
            scene.stop()
            try scene.start { $0.settleTime = .zero }
            await scene.untilReady()
            #expect(try scene.status("a")?.state == .available)
        }

        @Test("a CAR for which the catalog has no room is registered when there is room")
        func fullCatalog() async throws {
            let scene = try FollowerScene(mapSize: 8 << 20)
            let large = CARBuilder.uniform(sections: 100_000, blockSize: 8, seed: 5)
            try scene.write(large.bytes, to: scene.outside("x"))
            let mount = FileMount(scene.outside("x"))
            try await scene.store.register(ShardKey("x"), from: mount)
            try scene.start { $0.settleTime = .zero }
            await scene.untilReady()
            try scene.write(
                CARBuilder.uniform(sections: 100_000, blockSize: 8, seed: 6).bytes,
                to: scene.path("a.car")
            )
            await scene.until("waits a")
            try await scene.store.destroy(ShardKey("x"))
            scene.advance(by: Retries.pauseMin)
            try await eventually {
                try scene.status("a")?.state == .available || Task.isCancelled
            }
        }

        @Test("the pause before files are tried again doubles, until one succeeds")
        func pauses() throws {
            var retries = Retries()
            let start = ContinuousClock.now
            let key = try ShardKey("a")
            #expect(retries.due == nil)
            retries.add(key, "/a", at: start)
            retries.add(try ShardKey("b"), "/b", at: start + .seconds(5))
            #expect(retries.due == start + .seconds(10))
            #expect(retries.takeDue(at: start + .seconds(9)) == [])
            #expect(
                retries.takeDue(at: start + .seconds(10)).sorted { $0.string < $1.string } == [
                    "/a", "/b",
                ]
            )
            #expect(retries.due == nil)
            retries.add(key, "/a", at: start)
            #expect(retries.due == start + .seconds(20))
            for _ in 0..<10 {
                _ = retries.takeDue(at: start + .seconds(10_000))
                retries.add(key, "/a", at: start)
            }
            #expect(retries.due == start + .seconds(600))
            retries.succeed()
            _ = retries.takeDue(at: start + .seconds(10_000))
            retries.add(key, "/a", at: start)
            #expect(retries.due == start + .seconds(20))
        }

        @Test("a folder that goes is followed again when it is back")
        func rootGone() async throws {
            let scene = try FollowerScene()
            try scene.start { $0.settleTime = .zero }
            await scene.untilReady()
            try FileSystem.rename(scene.root, to: scene.outside("away"))
            await scene.until("folderGone ")
            scene.advance(by: FolderFollower.rootInterval)
            try FileSystem.makeDirectory(scene.root)
            try scene.write(car(1), to: scene.path("a.car"))
            scene.advance(by: FolderFollower.rootInterval)
            await scene.until("registered a")
            #expect(scene.notices.count { $0 == "folderGone " } == 1)
            try scene.write(car(2), to: scene.path("b.car"))
            await scene.until("registered b")
        }
    }
#endif
