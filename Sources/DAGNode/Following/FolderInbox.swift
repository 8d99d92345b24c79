#if Node
    internal import DAGStorage
    internal import DAGSystem
    internal import Dispatch
    internal import SharedReads
    internal import SystemPackage

    /// Watches directories for a follower: the system, or a test.
    protocol FolderWatching: Sendable {
        func add(_ directory: FilePath) throws(Errno) -> DirectoryWatch.Number
        func remove(_ number: DirectoryWatch.Number)
        func wait(for limit: Duration?) throws(Errno) -> [DirectoryWatch.Change]
        func wake()
    }

    extension DirectoryWatch: FolderWatching {}

    /// What other threads tell a follower.
    ///
    /// *Concurrency*: any thread puts things in; the follower's thread takes them out.
    final class FolderInbox: EventSink, Sendable {
        /// The end of an operation of the store.
        struct Reply {
            var key: ShardKey
            var error: DAGStoreError?
        }

        /// The content.
        struct Content {
            var replies: [Reply] = []
            /// Shards that the store found to have another file than before.
            var changed: [ShardKey] = []
            var isStopping = false
        }

        /// No lease matters to a follower.
        let includesLeases = false
        /// The largest number of changed shards that wait; a later scan finds the others.
        private static let changedMax = 4096

        private let watch: any FolderWatching
        private let content = Lock(Content())
        private let bell = DispatchSemaphore(value: 0)

        init(_ watch: any FolderWatching) { self.watch = watch }

        /// Puts the end of an operation in.
        func put(_ reply: Reply) {
            content.withLock { $0.replies.append(reply) }
            bell.signal()
            watch.wake()
        }

        /// Asks the follower to end.
        func stop() {
            content.withLock { $0.isStopping = true }
            bell.signal()
            watch.wake()
        }

        /// Whether the follower is to end.
        var isStopping: Bool { content.withLock { $0.isStopping } }

        /// Takes everything out.
        func takeAll() -> Content {
            content.withLock { content in
                defer {
                    content.replies = []
                    content.changed = []
                }
                return content
            }
        }

        /// Blocks the thread until something was put in since an earlier wait.
        func wait() { bell.wait() }

        // MARK: Events of the store

        func receive(_ event: ShardEvent) -> Bool {
            guard event.operation == .fail, event.error?.code == .sourceChanged else { return true }
            let isWhole = content.withLock { content in
                guard content.changed.count < Self.changedMax else { return false }
                content.changed.append(event.key)
                return true
            }
            watch.wake()
            return isWhole
        }

        func finish() {}
    }
#endif
