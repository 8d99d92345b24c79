#if Node
    package import AdminMessages
    internal import DAGStorage
    internal import DAGSystem
    internal import HTTPTypes
    internal import HummingbirdCore
    package import Logging
    internal import NIOCore
    internal import NIOPosix
    internal import ServiceLifecycle
    internal import SharedReads
    package import SystemPackage

    /// A listener of the admin interface: the Unix socket, or an address.
    package struct AdminServer: Service {
        /// Where a listener listens.
        package enum Place: Sendable {
            /// The Unix socket of a store.
            case socket(AdminSocketPlace, store: FilePath)
            /// An address.
            case address(host: String, port: Int)
        }

        /// The most connections of a listener.
        private static let connectionsMax = 256

        private static let connections = HTTP1Channel.Configuration(idleTimeout: .seconds(75))

        private let server: any Service
        private let logger: Logger
        private let place: Place

        /// Prepares a listener.
        ///
        /// - Parameters:
        ///   - place: Where to listen.
        ///   - access: Who may use it.
        ///   - admin: What it answers.
        ///   - logger: Receives a line for each action, and for what goes wrong.
        ///   - onListening: Receives the host and the port, or the socket's path and nil.
        /// - Throws: An error of the system if the socket's folder cannot be made.
        package init(
            _ place: Place,
            access: AdminAccess,
            admin: Admin,
            logger: Logger,
            onListening: @escaping @Sendable (String, Int?) -> Void
        ) throws {
            self.place = place
            self.logger = logger
            let responder = AdminResponder(admin, access, logger, isLocal: place.isSocket)
            let (address, onRunning) = try place.prepare(logger, onListening)
            server = try HTTPServerBuilder.http1(configuration: Self.connections).buildServer(
                configuration: ServerConfiguration(
                    address: address,
                    backlog: 128,
                    availableConnectionsDelegate: MaximumAvailableConnections(
                        Self.connectionsMax,
                        logger: logger
                    )
                ),
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: logger,
                responder: { request, writer, _ in
                    try await responder.respond(to: request, with: writer)
                },
                onServerRunning: onRunning
            )
        }

        /// Listens until the task is cancelled or the group shuts down.
        ///
        /// A socket that cannot be had is no reason to serve nothing: the log has the error.
        ///
        /// - Throws: `AdminAddressError` if the address cannot be had.
        package func run() async throws {
            defer { place.remove() }
            do {
                try await server.run()
            } catch {
                guard place.isSocket else { throw AdminAddressError(cause: error) }
                logger.error("The admin socket cannot be had", metadata: ["error": "\(error)"])
            }
            // The end of a service would end the node.
            if place.isSocket { try? await gracefulShutdown() }
        }
    }

    /// The error of an address that cannot be listened on.
    package struct AdminAddressError: Error {
        /// The error of the system.
        package let cause: any Error
    }

    extension AdminServer.Place {
        fileprivate var isSocket: Bool {
            if case .socket = self { true } else { false }
        }

        /// The folder for a new socket: it is closed to other users while the socket still lacks its rights.
        ///
        /// Its name is that of the socket, because other nodes may use the runtime folder; the path stays within the
        /// limit of sockets.
        private static func nursery(of path: FilePath) -> FilePath {
            let name = path.lastComponent?.stem ?? ""
            let isAlone = path.lastComponent?.string == AdminSocketPlace.name
            return path.removingLastComponent().appending(isAlone ? ".a" : ".\(name)")
        }

        /// Returns the address to bind, and what to do when it is bound.
        ///
        /// The store's lock is this process's, so a socket that lies there is one of a process that ended.
        fileprivate func prepare(
            _ logger: Logger,
            _ onListening: @escaping @Sendable (String, Int?) -> Void
        ) throws -> (BindAddress, @Sendable (any Channel) async -> Void) {
            switch self {
            case .address(let host, let port):
                return (
                    .hostname(host, port: port),
                    { channel in
                        onListening(
                            channel.localAddress?.ipAddress ?? host,
                            channel.localAddress?.port ?? port
                        )
                    }
                )
            case .socket(let place, let store):
                try place.prepare()
                let nursery = Self.nursery(of: place.path)
                let bound = nursery.appending("s")
                try? FileSystem.removeFile(bound)
                try? FileSystem.removeDirectory(nursery)
                try FileSystem.makeDirectory(nursery, permissions: .ownerReadWriteExecute)
                return (
                    .unixDomainSocket(path: bound.string),
                    { channel in
                        do {
                            try FileSystem.setPermissions(.ownerReadWrite, of: bound)
                            try FileSystem.rename(bound, to: place.path)
                            if place.runtimeFolder != nil {
                                try FileSystem.replace(
                                    store.appending(AdminSocketPlace.addressName),
                                    with: Array(place.path.string.utf8),
                                    permissions: [.ownerReadWrite, .groupRead, .otherRead]
                                )
                            }
                            try? FileSystem.removeDirectory(nursery)
                            onListening(place.path.string, nil)
                        } catch {
                            logger.error(
                                "The admin socket cannot be put into its place",
                                metadata: ["error": "\(error)", "socket": "\(place.path)"]
                            )
                            channel.close(promise: nil)
                        }
                    }
                )
            }
        }

        /// Removes the socket.
        fileprivate func remove() {
            guard case .socket(let place, let store) = self else { return }
            try? FileSystem.removeFile(place.path)
            try? FileSystem.removeFile(store.appending(AdminSocketPlace.addressName))
            let nursery = Self.nursery(of: place.path)
            try? FileSystem.removeFile(nursery.appending("s"))
            try? FileSystem.removeDirectory(nursery)
        }
    }
#endif
