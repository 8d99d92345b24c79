#if Node
    internal import AdminMessages
    internal import DAGAdmin
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import Logging
    internal import ServiceLifecycle
    internal import SystemPackage

    /// The admin interface of a node, as services.
    struct NodeAdmin {
        /// The name of the file with a token that a node made, in the store's folder.
        static let tokenName = "admin.token"
        private static let tokenSizes = 16...512

        let services: [any Service]

        /// Prepares the interface.
        ///
        /// A socket that cannot be had is no reason to serve nothing: the log has the error.
        ///
        /// - Throws: `invalidConfiguration` if the token cannot be read or made.
        init(_ admin: Admin, _ settings: NodeSettings, _ directory: FilePath, _ log: NodeLog) throws
        {
            let logger = log.logger("admin")
            var services: [any Service] = [AdminWatching(admin: admin)]
            let place = AdminSocketPlace(store: directory)
            do {
                services.append(
                    try AdminServer(
                        .socket(place, store: directory),
                        access: .local,
                        admin: admin,
                        logger: logger,
                        onListening: { path, _ in
                            logger.info("listens", metadata: ["socket": "\(path)"])
                        }
                    )
                )
            } catch {
                logger.error(
                    "The admin socket cannot be made; verbs that write must wait for the node's end",
                    metadata: ["socket": "\(place.path)", "error": "\(error)"]
                )
            }
            if let address = settings.admin {
                let path = settings.adminToken ?? directory.appending(Self.tokenName)
                let token = try Self.token(at: path, isOwn: settings.adminToken == nil)
                if let rights = try? Stat(path).permissions,
                    !rights.isDisjoint(with: [.otherRead, .otherWrite])
                {
                    logger.warning(
                        "Other users can reach the token of the admin interface",
                        metadata: ["path": "\(path)"]
                    )
                }
                services.append(
                    try AdminServer(
                        .address(host: address.host, port: address.port),
                        access: AdminAccess(
                            token: token,
                            hosts: settings.adminHosts + [address.host]
                        ),
                        admin: admin,
                        logger: logger,
                        onListening: { host, port in
                            let place = NodeAddress(host: host, port: port ?? 0)
                            log.announce(
                                "The admin page is http://\(place)/; its token is in \(path)",
                                ["admin": place.description]
                            )
                        }
                    )
                )
            }
            self.services = services
        }

        /// Reads the token, or makes one.
        private static func token(at path: FilePath, isOwn: Bool) throws -> String {
            do {
                if isOwn, (try? Stat(path)) == nil {
                    let digits = (0..<32).map { _ in
                        String(Int.random(in: 256..<512), radix: 16).dropFirst()
                    }
                    try FileSystem.replace(
                        path,
                        with: Array("\(digits.joined())\n".utf8),
                        permissions: .ownerReadWrite
                    )
                }
                let bytes = try FileSystem.contents(of: path, sizeMax: 4096)
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw Errno.invalidArgument
                }
                let token = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                guard tokenSizes.contains(token.utf8.count), !token.contains(" ") else {
                    throw DAGStoreError(
                        .invalidConfiguration,
                        "\(path): a token is one word of 16 to 512 bytes"
                    )
                }
                return token
            } catch let error as Errno {
                let isFull = [.noSpace, .diskQuotaExceeded].contains(error)
                let code: DAGStoreError.Code = isFull ? .catalogFull : .invalidConfiguration
                throw DAGStoreError(code, "the token in \(path): \(error)")
            }
        }
    }

    /// Follows the store's events, and looks for stuck shards.
    private struct AdminWatching: Service {
        let admin: Admin

        func run() async throws {
            await withTaskGroup { group in
                group.addTask { await admin.followEvents() }
                group.addTask {
                    while !Task.isCancelled {
                        admin.look()
                        guard (try? await Task.sleep(for: Admin.interval)) != nil else { return }
                    }
                }
                try? await gracefulShutdown()
                group.cancelAll()
            }
        }
    }
#endif
