#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import Logging
    internal import SystemPackage

    /// Keeps the shards of a store in step with the CARs of a folder.
    ///
    /// It registers each CAR that stopped growing, now and whenever one appears, and recovers the shard of a file that
    /// was replaced. It removes no shard. It does not follow symbolic links, and skips hidden names and the store.
    ///
    /// *Concurrency*: one thread, which blocks in system calls, calls everything but the inbox.
    final class FolderFollower {
        /// How a follower works.
        struct Setup: Sendable {
            /// The folder; absolute, without symbolic links.
            var root: FilePath
            /// The directory of the store, if the folder may contain it.
            var storePlace: FilePath?
            /// Whether shards are indexed at their first use.
            var isLazy = false
            /// How long a file must stay unchanged.
            var settleTime: Duration = .seconds(2)
            /// How often the folder is scanned; nil for never again.
            var rescanInterval: Duration?
            /// The largest number of operations that the store works on for this folder at once.
            var operationsMax = 64
            /// The time.
            var now: @Sendable () -> ContinuousClock.Instant = { .now }
            /// The time in nanoseconds since 1970.
            var clock: @Sendable () -> Int64 = { WallClock.nanoseconds }
            /// Receives what the follower does and finds.
            var notify: @Sendable (FolderNotice) -> Void
            /// Called when the CARs of the first scan are registered.
            var isReady: @Sendable () -> Void
        }

        /// An operation of the store that runs.
        enum Operation { case register, index, probe, recover }

        /// Why the follower looks at a file.
        enum Cause {
            /// A scan, a new name or a change of rights: the file may grow.
            case found
            /// A process closed the file or moved it here.
            case whole
            /// The store found other bytes, or an operation is tried again.
            case changed
            /// The file stayed the same for the interval, or did not.
            case settles
        }

        /// How long the follower waits until it looks for its folder again.
        static let rootInterval = Duration.seconds(5)
        /// How often the follower looks whether another file system was mounted over a folder, or unmounted.
        static let mountInterval = Duration.seconds(10)

        let setup: Setup
        let store: DAGStore
        let watch: any FolderWatching
        let inbox: FolderInbox
        var tree = WatchedTree()
        var settling: Settling
        var operations: [ShardKey: (operation: Operation, path: FilePath)] = [:]
        /// Files to look at when their operations have ended.
        var again: [ShardKey: (path: FilePath, cause: Cause)] = [:]
        /// Files whose operations failed because the node lacked something.
        var retries = Retries()
        /// The operations of the first scan; nil after they have ended.
        var firstWave: Set<ShardKey>? = []
        var isFirstScanDone = false
        var scanDue: ContinuousClock.Instant?
        private var mountsDue: ContinuousClock.Instant
        var isRootGone = false
        var isWatchLimitReached = false
        /// Warnings that were given, so that each scan does not give them again.
        private var given: Set<FolderNotice> = []
        private static let givenMax = 1024
        let storeIdentity: FileNumber?

        init(_ setup: Setup, store: DAGStore, watch: any FolderWatching, inbox: FolderInbox) {
            self.setup = setup
            self.store = store
            self.watch = watch
            self.inbox = inbox
            settling = Settling(interval: setup.settleTime)
            mountsDue = setup.now() + Self.mountInterval
            storeIdentity = setup.storePlace.flatMap { FileNumber(at: $0) }
        }

        // MARK: The thread

        /// Follows the folder until the inbox says to stop.
        func run() {
            begin()
            while turn() {}
        }

        /// Scans the folder for the first time.
        func begin() {
            notify(FolderNotice(.following, setup.root))
            scanAll()
            isFirstScanDone = true
            checkReadiness()
        }

        /// Waits for something to do, and does it.
        ///
        /// - Returns: Whether to go on.
        func turn() -> Bool {
            do {
                for change in try watch.wait(for: timeToWait) {
                    guard !inbox.isStopping else { return false }
                    handle(change)
                }
            } catch {
                notify(FolderNotice(.followingEnded, setup.root, reason: "\(error)"))
                return false
            }
            readInbox()
            lookAgain()
            if let scanDue, scanDue <= setup.now() { scanAll() }
            if mountsDue <= setup.now() { compareMounts() }
            return !inbox.isStopping
        }

        private var timeToWait: Duration? {
            guard !again.contains(where: { operations[$0.key] == nil }) else { return .zero }
            let times = [scanDue, settling.nextLook, retries.due].compactMap { $0 }
            return max(.zero, times.reduce(mountsDue) { min($0, $1) } - setup.now())
        }

        /// Scans everything, with new watches.
        func scanAll() {
            for number in tree.remove(below: setup.root) { watch.remove(number) }
            scanDue = setup.rescanInterval.map { setup.now() + $0 }
            scan(setup.root)
        }

        /// Scans the folders where another directory is now than the one that is watched.
        ///
        /// No event tells that a file system was mounted over a folder.
        private func compareMounts() {
            mountsDue = setup.now() + Self.mountInterval
            for directory in tree.replaced() { scanAgain(directory) }
        }

        /// Scans a folder with new watches, and says so.
        private func scanAgain(_ directory: FilePath) {
            for number in tree.remove(below: directory) { watch.remove(number) }
            guard FileSystem.isDirectory(directory), isOutsideStore(directory) else { return }
            setup.notify(FolderNotice(.folderReplaced, directory))
            scan(directory)
        }

        // MARK: Changes

        private func handle(_ change: DirectoryWatch.Change) {
            if change.kind == .lost {
                notify(FolderNotice(.changesLost, setup.root))
                return scanAll()
            }
            // Changes of a directory that was moved away or is watched anew come late.
            guard let directory = tree.path(of: change.directory) else { return }
            guard let name = change.name else { return handle(change.kind, of: directory) }
            guard !FolderKey.isHidden(name) else { return }
            let path = directory.appending(name.components)
            if change.isDirectory {
                handleDirectory(change.kind, path)
            } else if FolderKey.isCAR(name) {
                handleFile(change.kind, path)
            }
        }

        /// Handles a change of a watched directory itself.
        private func handle(_ kind: DirectoryWatch.Change.Kind, of directory: FilePath) {
            guard kind == .ended || kind == .movedAway else { return }
            // Of a directory below the root, the one above it reports the move.
            guard kind == .ended || directory == setup.root else { return }
            if directory == setup.root {
                for number in tree.remove(below: directory) { watch.remove(number) }
                rootIsGone()
            } else {
                // A folder that was unmounted is still there.
                scanAgain(directory)
            }
        }

        private func handleDirectory(_ kind: DirectoryWatch.Change.Kind, _ path: FilePath) {
            switch kind {
            case .created, .movedIn: if isOutsideStore(path) { scan(path) }
            // It may be readable now.
            case .attributes: if !tree.contains(path), isOutsideStore(path) { scan(path) }
            case .movedOut, .removed:
                for number in tree.remove(below: path) { watch.remove(number) }
            default: break
            }
        }

        private func handleFile(_ kind: DirectoryWatch.Change.Kind, _ path: FilePath) {
            switch kind {
            case .closed, .movedIn: look(path, .whole)
            case .created, .attributes: look(path, .found)
            case .movedOut, .removed: fileIsGone(path)
            default: break
            }
        }

        private func fileIsGone(_ path: FilePath) {
            guard let key = try? FolderKey.key(of: path, below: setup.root) else { return }
            settling.forget(key)
            guard let status = try? store.status(of: key),
                status.mountURL == FileMount(path).url.text
            else { return }
            notify(FolderNotice(.fileGone, path, key))
        }

        /// Says that the folder is gone, and looks for it later.
        func rootIsGone() {
            if !isRootGone { notify(FolderNotice(.folderGone, setup.root)) }
            isRootGone = true
            scanDue = setup.now() + Self.rootInterval
        }

        // MARK: Notices

        /// Gives a notice.
        func notify(_ notice: FolderNotice) {
            if notice.level == .warning {
                if given.count >= Self.givenMax { given.removeAll() }
                guard given.insert(notice).inserted else { return }
            }
            setup.notify(notice)
        }

        /// Says that the folder is ready, after the operations of the first scan have ended.
        func checkReadiness() {
            guard isFirstScanDone, let wave = firstWave, wave.isEmpty else { return }
            firstWave = nil
            setup.isReady()
        }
    }

    /// The number by which the system knows a file or a directory.
    struct FileNumber: Hashable {
        private let inode: UInt64
        private let device: UInt64

        /// Reads the number of what is at `path`; nil if nothing is there.
        init?(at path: FilePath) {
            guard let status = try? Stat(path) else { return nil }
            inode = UInt64(status.inode.rawValue)
            device = UInt64(status.deviceID.rawValue)
        }
    }
#endif
