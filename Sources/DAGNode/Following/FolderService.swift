#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import Logging
    internal import ServiceLifecycle
    internal import SystemPackage

    /// Follows a folder, as a service.
    ///
    /// The follower has a thread of its own, because it waits in system calls.
    struct FolderService: Service {
        private let setup: FolderFollower.Setup
        private let store: DAGStore
        private let watch: any FolderWatching
        private let inbox: FolderInbox

        /// Makes a service, which watches nothing yet.
        init(_ setup: FolderFollower.Setup, store: DAGStore, watch: any FolderWatching) {
            self.setup = setup
            self.store = store
            self.watch = watch
            inbox = FolderInbox(watch)
        }

        /// Follows the folder until the task is canceled or the group shuts down.
        func run() async throws {
            let sink = store.addSink(inbox, isReader: false)
            await withTaskCancellationOrGracefulShutdownHandler {
                await withCheckedContinuation { end in
                    SystemThread.start("dagstore.folder") {
                        FolderFollower(setup, store: store, watch: watch, inbox: inbox).run()
                        end.resume()
                    }
                }
            } onCancelOrGracefulShutdown: {
                inbox.stop()
            }
            if let sink { store.removeSink(sink) }
            // A follower that ends by itself has logged why, and the node goes on without it.
            if !inbox.isStopping { try await gracefulShutdown() }
        }
    }
#endif
