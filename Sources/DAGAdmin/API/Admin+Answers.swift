#if Node
    internal import AdminMessages
    internal import DAGStorage
    internal import HTTPTypes
    internal import HummingbirdCore
    internal import Logging
    internal import NIOCore

    extension Admin {
        /// Answers a request that was let in.
        ///
        /// - Parameters:
        ///   - route: The method, path and query.
        ///   - request: The request, for its body.
        ///   - isLocal: Whether it came through the Unix socket.
        /// - Returns: The answer.
        /// - Throws: `AdminError`, `DAGStoreError`.
        func answer(
            _ route: AdminRoute,
            _ request: inout Request,
            isLocal: Bool
        ) async throws -> AdminReply {
            guard let path = route.path, route.query != nil else {
                throw AdminError.invalid("The address is malformed")
            }
            switch (path.first, path.count) {
            case (nil, _): return try route.only([.get]) { StatusPage.reply }
            case ("openapi.json", 1): return try route.only([.get]) { OpenAPI.reply }
            case ("favicon.ico", 1): return try route.only([.get]) { .noContent }
            case ("metrics", 1):
                return try await route.only([.get]) {
                    try await pool.run { [self] in
                        AdminReply(type: PrometheusText.contentType, metrics.registry.text())
                    }
                }
            case ("v1", 2...):
                return try await answerVersion1(Array(path.dropFirst()), route, &request, isLocal)
            default: throw Self.noSuchPath
            }
        }

        static var noSuchPath: AdminError {
            AdminError(status: 404, code: "noSuchPath", message: "The interface has no such path")
        }

        private func answerVersion1(
            _ path: [String],
            _ route: AdminRoute,
            _ request: inout Request,
            _ isLocal: Bool
        ) async throws -> AdminReply {
            switch (path[0], path.count) {
            case ("node", 1): return try route.only([.get]) { node }
            case ("summary", 1):
                return try await route.only([.get]) {
                    try await pool.run { [self] in try summary() }
                }
            case ("events", 1): return try route.only([.get]) { events() }
            case ("log-level", 1):
                try route.allow([.put])
                return try await setLogLevel(&request)
            case ("gc", 1):
                try route.allow([.post])
                return try await collectGarbage(&request)
            case ("check", 1):
                try route.allow([.post])
                return try await check(&request)
            case ("verbs", 1):
                try route.allow([.post])
                guard isLocal else {
                    throw AdminError(
                        status: 403,
                        code: "forbidden",
                        message: "Verbs run for clients of the Unix socket only"
                    )
                }
                return try await runVerb(&request)
            case ("shards", 1):
                try route.allow([.get, .post])
                return route.method == .get
                    ? try await pool.run { [self] in try list(route) }
                    : try await register(&request)
            case ("shard", 1...2):
                // Browsers drop the segments "." and "..", so a query can name the key too.
                let key = try ShardKey(try route.onlyKey)
                return try await answerShard(key, path.dropFirst().first, route, &request)
            case ("cluster", 1...2):
                try route.allow([.get])
                return try await cluster(route, path.dropFirst().first)
            case ("shards", 2...3):
                return try await answerShard(
                    try ShardKey(path[1]),
                    path.dropFirst(2).first,
                    route,
                    &request
                )
            default: throw Self.noSuchPath
            }
        }

        private func answerShard(
            _ key: ShardKey,
            _ action: String?,
            _ route: AdminRoute,
            _ request: inout Request
        ) async throws -> AdminReply {
            switch action {
            case nil:
                try route.allow([.get, .patch, .delete])
                switch route.method {
                case .get: return try await pool.run { [self] in try status(of: key) }
                case .delete:
                    try await store.destroy(key)
                    return .noContent
                default: return try await change(key, &request)
                }
            case "initialize":
                try route.allow([.post])
                try await running { [store] in try await store.initialize(key) }
            case "recover":
                try route.allow([.post])
                try await running { [store] in try await store.recover(key) }
            default: throw Self.noSuchPath
            }
            return try shardReply(key)
        }

        func shardReply(_ key: ShardKey, status code: Int = 200) throws -> AdminReply {
            guard let status = try store.status(of: key) else {
                throw DAGStoreError(.shardUnknown, "the shard was destroyed meanwhile", shard: key)
            }
            return .json(code) { status.writeEntry(to: &$0) }
        }

        private func setLogLevel(_ request: inout Request) async throws -> AdminReply {
            struct Body: Decodable { let level: String }
            let body = try await Self.read(Body.self, &request)
            guard let level = Logger.Level(rawValue: body.level) else {
                let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw AdminError.invalid("level is one of \(names)")
            }
            facts.setLogLevel(level)
            return .json { $0.member("level", level.rawValue) }
        }
    }

    extension AdminRoute {
        /// The value of the one parameter `key`.
        ///
        /// - Throws: Status 400.
        var onlyKey: String {
            get throws {
                guard let pair = query?.first, pair.name == "key", query?.count == 1 else {
                    throw AdminError.invalid("the path takes one parameter, key")
                }
                return pair.value
            }
        }

        /// Checks the method.
        ///
        /// - Throws: Status 405.
        func allow(_ methods: [HTTPRequest.Method]) throws {
            guard !methods.contains(method) else { return }
            var error = AdminError(
                status: 405,
                code: "methodNotAllowed",
                message: "The path takes \(methods.map(\.rawValue).joined(separator: ", "))"
            )
            error.allow = methods.map(\.rawValue).joined(separator: ", ")
            throw error
        }

        /// Checks the method, and answers.
        func only(
            _ methods: [HTTPRequest.Method],
            _ body: () async throws -> AdminReply
        ) async throws -> AdminReply {
            try allow(methods)
            return try await body()
        }

        /// Checks the method, and answers at once.
        func only(
            _ methods: [HTTPRequest.Method],
            _ body: () throws -> AdminReply
        ) throws -> AdminReply {
            try allow(methods)
            return try body()
        }
    }
#endif
