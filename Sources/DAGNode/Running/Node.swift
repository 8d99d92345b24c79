#if Node
    internal import DAGAdmin
    package import DAGStorage
    internal import DAGSystem
    package import Logging
    package import ServiceLifecycle
    internal import SharedReads
    package import SystemPackage
    internal import UnixSignals

    /// A retrieval node: a store that is open for writing, the gateway, and the followers of its folders.
    ///
    /// *Concurrency*: `run` is called once.
    package struct Node: Sendable {
        /// Makes the service that answers requests.
        ///
        /// It gets the store, the settings, a logger, a closure that says whether the node is ready, and a closure that
        /// it calls with its address as soon as it listens.
        package typealias MakeServer =
            @Sendable (
                DAGStore, NodeSettings, Logger, @escaping @Sendable () -> Bool,
                @escaping @Sendable (NodeAddress) -> Void
            ) throws -> any Service

        private let store: DAGStore
        private let settings: NodeSettings
        private let log: NodeLog
        private let followers: [FolderService]
        private let readiness: Readiness
        private let server: any Service
        private let admin: [any Service]
        private let members: [any Service]

        /// Prepares a node; it listens and scans nothing yet.
        ///
        /// - Parameters:
        ///   - settings: The settings.
        ///   - store: The store, open for writing. The caller closes it after `run`.
        ///   - log: Where log lines go.
        ///   - makeServer: Makes the service that answers requests.
        ///   - makeAdmin: Makes the services of the admin interface; it gets a closure that says whether the node is
        ///     ready, and the store's directory without symbolic links.
        ///   - makeMember: Makes the services of a cluster; it gets a function that waits for the node's address.
        ///   - onListening: Called with the address as soon as the node listens.
        /// - Throws: `invalidArgument` for a folder that cannot be followed; `outOfResources` if the system has no
        ///   watches left; the error of `makeServer`.
        package init(
            _ settings: NodeSettings,
            store: DAGStore,
            log: NodeLog,
            makeServer: MakeServer,
            makeAdmin: (@escaping @Sendable () -> Bool, FilePath) throws -> [any Service] = {
                _,
                _ in
                []
            },
            makeMember: (@escaping @Sendable () async throws -> NodeAddress) -> [any Service] = {
                _ in []
            },
            onListening: @escaping @Sendable (NodeAddress) -> Void
        ) throws {
            self.store = store
            self.settings = settings
            self.log = log
            let folders = try FolderPlaces(settings.mountFolders, store: settings.store)
            let readiness = Readiness(waitingFor: folders.roots.count)
            self.readiness = readiness
            followers = try folders.roots.map { root in
                try Self.follower(of: root, folders.store, settings, store, log, readiness)
            }
            let place = ListeningPlace()
            server = try makeServer(
                store,
                settings,
                log.logger("gateway"),
                { readiness.isReady },
                { address in
                    place.set(address)
                    onListening(address)
                }
            )
            members = makeMember { try await place.address }
            admin = try makeAdmin({ readiness.isReady }, folders.store)
        }

        private static func follower(
            of root: FilePath,
            _ storePlace: FilePath,
            _ settings: NodeSettings,
            _ store: DAGStore,
            _ log: NodeLog,
            _ readiness: Readiness
        ) throws -> FolderService {
            let logger = log.logger("folder")
            let watch: DirectoryWatch
            do {
                watch = try DirectoryWatch()
            } catch {
                guard error != .notSupported else {
                    throw DAGStoreError(
                        .invalidArgument,
                        "--mount-dir \(root): this system cannot report changes of a folder; only Linux can"
                    )
                }
                throw DAGStoreError(
                    .outOfResources,
                    "\(root) cannot be watched: \(error); see fs.inotify.max_user_instances"
                )
            }
            let setup = FolderFollower.Setup(
                root: root,
                storePlace: storePlace,
                isLazy: settings.isLazy,
                settleTime: settings.settleTime,
                rescanInterval: settings.rescanInterval,
                notify: { notice in
                    logger.log(
                        level: notice.level,
                        "\(notice.message)",
                        metadata: notice.metadata
                    )
                },
                isReady: { readiness.addOne() }
            )
            return FolderService(setup, store: store, watch: watch)
        }

        /// Runs until SIGTERM or SIGINT, and then until the answers have ended, at most for the time of `--drain`.
        ///
        /// The followers end first, then the gateway, then the node's membership of a cluster, and at last the admin
        /// interface with the verbs that it runs.
        ///
        /// - Parameter heedsHangup: Whether SIGHUP ends the node too, as that of a terminal which is closed.
        /// - Throws: The error of the server, if it cannot listen.
        package func run(heedsHangup: Bool) async throws {
            let logger = log.logger("node")
            let ending = Ending()
            let notice = ClosureService {
                try await gracefulShutdown()
                ending.begin()
                logger.info("ends; answers may go on for \(settings.drain)")
            }
            // They end from the last to the first, each when the one behind it has ended. A verb that a client has
            // paused takes all of the drain's time, so the admin interface ends last.
            let services: [any Service] = admin + members + [server] + followers + [notice]
            var configuration = ServiceGroupConfiguration(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint] + (heedsHangup ? [.sighup] : []),
                logger: log.logger("services")
            )
            configuration.maximumGracefulShutdownDuration = settings.drain
            do {
                try await ServiceGroup(configuration: configuration).run()
            } catch {
                // Services that were canceled at the end of the drain may throw.
                guard ending.hasBegun else {
                    if let error = error as? AdminAddressError, let admin = settings.admin {
                        throw DAGStoreError(listeningAt: admin, error.cause, option: "--admin")
                    }
                    throw DAGStoreError(listeningAt: settings.listen, error)
                }
                logger.debug("a service ended with an error", metadata: ["error": "\(error)"])
            }
            logger.info("ended")
        }
    }

    /// Whether a node was asked to end.
    private final class Ending: Sendable {
        private let state = Lock(false)

        var hasBegun: Bool { state.withLock { $0 } }

        func begin() { state.withLock { $0 = true } }
    }
#endif
