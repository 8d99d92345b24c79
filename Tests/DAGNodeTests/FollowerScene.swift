#if Node
    import DAGMounts
    import DAGStorage
    import DAGSystem
    import Foundation
    import Synchronization
    import SystemPackage
    import TestSupport
    import Testing

    @testable import DAGNode

    /// A store, and a folder that a follower keeps it in step with.
    final class FollowerScene: Sendable {
        private let temporary: TemporaryFolder
        /// The folder.
        let root: FilePath
        /// The directory of the store.
        let storePlace: FilePath
        private let open = Mutex<DAGStore?>(nil)
        private let mapSize: Int
        private let running = Mutex<(inbox: FolderInbox, sink: Int?, end: DispatchSemaphore)?>(nil)
        private let given = Mutex<[FolderNotice]>([])
        private let ready = Mutex(false)
        /// How far the follower's clock is ahead.
        private let ahead = Mutex(Duration.zero)

        /// Makes a scene with an empty folder.
        init(storeInFolder isStoreInside: Bool = false, mapSize: Int = 1 << 32) throws {
            self.mapSize = mapSize
            temporary = try TemporaryFolder()
            let place = FilePath(temporary.url.path)
            root = (FileSystem.resolved(place) ?? place).appending("cars")
            storePlace = (isStoreInside ? root : place).appending("store")
            try FileSystem.makeDirectory(root)
        }

        deinit { stop() }

        /// The store, opened at the first use.
        var store: DAGStore {
            get throws {
                if let store = open.withLock({ $0 }) { return store }
                var configuration = Configuration()
                configuration.mapSize = mapSize
                configuration.durability = .relaxed
                configuration.sourceCheckInterval = .zero
                let store = try DAGStore.open(at: storePlace, configuration: configuration)
                open.withLock { $0 = store }
                return store
            }
        }

        /// Starts a follower on a thread.
        func start(
            _ watch: (any FolderWatching)? = nil,
            _ change: (inout FolderFollower.Setup) -> Void = { _ in }
        ) throws {
            let store = try store
            let watch = try watch ?? DirectoryWatch()
            var setup = FolderFollower.Setup(
                root: root,
                storePlace: storePlace,
                // So that only events settle a file, unless a test says otherwise.
                settleTime: .seconds(3600),
                now: { [weak self] in
                    .now + (self?.ahead.withLock { $0 } ?? .zero)
                },
                notify: { [weak self] notice in self?.given.withLock { $0.append(notice) } },
                isReady: { [weak self] in self?.ready.withLock { $0 = true } }
            )
            change(&setup)
            let inbox = FolderInbox(watch)
            let end = DispatchSemaphore(value: 0)
            let sink = store.addSink(inbox, isReader: false)
            running.withLock { $0 = (inbox, sink, end) }
            let final = setup
            SystemThread.start("test.folder") {
                FolderFollower(final, store: store, watch: watch, inbox: inbox).run()
                end.signal()
            }
        }

        /// Ends the follower.
        func stop() {
            let run = running.withLock { run in
                defer { run = nil }
                return run
            }
            guard let run else { return }
            run.inbox.stop()
            run.end.wait()
            if let sink = run.sink { open.withLock { $0 }?.removeSink(sink) }
            ready.withLock { $0 = false }
        }

        /// Ends the follower and closes the store.
        func close() async throws {
            stop()
            await open.withLock { store in
                defer { store = nil }
                return store
            }?.close(cancellingJobs: true)
        }

        /// Moves the follower's clock.
        func advance(by duration: Duration) {
            ahead.withLock { $0 += duration }
            running.withLock { $0 }?.inbox.wake()
        }

        // MARK: What it did

        /// The notices so far, as `kind key` or `kind path`.
        var notices: [String] {
            given.withLock { $0 }.map { notice in
                var path = notice.path
                _ = path.removePrefix(root)
                return "\(notice.kind.rawValue) \(notice.key?.text ?? path.string)"
            }
        }

        /// Waits for a notice; the end of the test's time ends the wait.
        func until(_ notice: String, sourceLocation: SourceLocation = #_sourceLocation) async {
            await eventually { notices.contains(notice) || Task.isCancelled }
            #expect(notices.contains(notice), sourceLocation: sourceLocation)
        }

        /// Waits until the folder is ready.
        func untilReady(sourceLocation: SourceLocation = #_sourceLocation) async {
            await eventually { ready.withLock { $0 } || Task.isCancelled }
            #expect(ready.withLock { $0 }, sourceLocation: sourceLocation)
        }

        /// The keys of the store, sorted.
        func keys() async throws -> [String] {
            var keys: [String] = []
            for try await status in try store.statuses() { keys.append(status.key.text) }
            return keys.sorted()
        }

        /// The status of a shard.
        func status(_ key: String) throws -> ShardStatus? { try store.status(of: ShardKey(key)) }

        // MARK: Files

        /// The path of a name in the folder.
        func path(_ name: String) -> FilePath { root.appending(FilePath(name).components) }

        /// The path of a name beside the folder.
        func outside(_ name: String) -> FilePath {
            FilePath(temporary.url.path).appending(name)
        }

        /// Writes a file.
        func write(_ bytes: [UInt8], to path: FilePath) throws {
            try Data(bytes).write(to: URL(filePath: path.string))
        }

        /// Makes a folder.
        func makeFolder(_ name: String) throws { try FileSystem.makeDirectory(path(name)) }

        /// The bytes of a CAR that a number decides.
        static func car(_ number: UInt64) -> [UInt8] { builder(number).bytes }

        /// The CAR that a number decides.
        static func builder(_ number: UInt64) -> CARBuilder {
            .uniform(sections: 5, blockSize: 64, seed: number)
        }
    }

    extension FolderInbox {
        /// Ends a wait of the follower.
        fileprivate func wake() { put(Reply(key: wakeKey, error: nil)) }
    }

    /// A key without an operation, so that a reply about it only wakes the follower.
    private let wakeKey: ShardKey = {
        guard let key = try? ShardKey("no such shard") else { preconditionFailure("a wrong key") }
        return key
    }()

    /// Directories that report the changes of a test.
    final class ScriptedWatch: FolderWatching {
        private struct State {
            var changes: [DirectoryWatch.Change] = []
            var last: CInt = 0
            var refused: Set<FilePath> = []
        }

        private let state = Mutex(State())
        private let bell = DispatchSemaphore(value: 0)

        /// Makes a watch that the system refuses for some directories.
        init(refusing refused: Set<FilePath> = []) {
            state.withLock { $0.refused = refused }
        }

        /// Reports a change.
        func report(_ change: DirectoryWatch.Change) {
            state.withLock { $0.changes.append(change) }
            bell.signal()
        }

        func add(_ directory: FilePath) throws(Errno) -> DirectoryWatch.Number {
            guard FileSystem.isDirectory(directory) else { throw .noSuchFileOrDirectory }
            let number = state.withLock { state -> CInt? in
                guard !state.refused.contains(directory) else { return nil }
                state.last += 1
                return state.last
            }
            guard let number else { throw .noSpace }
            return DirectoryWatch.Number(number)
        }

        func remove(_ number: DirectoryWatch.Number) {}

        func wait(for limit: Duration?) throws(Errno) -> [DirectoryWatch.Change] {
            if limit != .zero { bell.wait() }
            return state.withLock { state in
                defer { state.changes = [] }
                return state.changes
            }
        }

        func wake() { bell.signal() }
    }
#endif
