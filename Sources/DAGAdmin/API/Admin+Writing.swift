#if Node
    #if canImport(FoundationEssentials)
        internal import FoundationEssentials
    #else
        internal import Foundation
    #endif
    internal import AdminMessages
    internal import DAGMounts
    internal import DAGStorage
    internal import HummingbirdCore
    internal import NIOCore
    internal import ServiceLifecycle
    internal import SystemPackage

    extension Admin {
        /// The largest body of a request, in bytes.
        static let bodySizeMax = 64 << 10

        /// Reads the body of a request; an empty one counts as an empty object.
        ///
        /// - Throws: Status 400 or 413.
        static func read<Body: Decodable>(
            _ type: Body.Type,
            _ request: inout Request
        ) async throws -> Body {
            let bytes = try await bytes(of: &request, sizeMax: bodySizeMax)
            do {
                let text = bytes.isEmpty ? Array("{}".utf8) : bytes
                return try JSONDecoder().decode(type, from: Data(text))
            } catch {
                throw AdminError.invalid("The body is not the JSON object that the path takes")
            }
        }

        private static func bytes(of request: inout Request, sizeMax: Int) async throws -> [UInt8] {
            do {
                let buffer = try await request.collectBody(upTo: sizeMax)
                return Array(buffer.readableBytesView)
            } catch is NIOTooManyBytesError {
                throw AdminError(
                    status: 413,
                    code: "invalidArgument",
                    message: "The body has more than \(sizeMax) bytes"
                )
            }
        }

        // MARK: Shards

        func register(_ request: inout Request) async throws -> AdminReply {
            struct Body: Decodable {
                let source: String
                let key: String?
                let lazy: Bool?
                let policy: String?
            }
            let body = try await Self.read(Body.self, &request)
            let url = try Self.url(body.source)
            let key = try ShardKey(body.key ?? Self.key(of: body.source))
            let policy = try Self.policy(body.policy) ?? .automatic
            _ = try await running { [store] in
                try await store.register(
                    key,
                    from: url,
                    indexing: body.lazy == true ? .onFirstUse : .now,
                    policy: policy
                )
            }
            return try shardReply(key, status: 201)
        }

        func change(_ key: ShardKey, _ request: inout Request) async throws -> AdminReply {
            struct Body: Decodable {
                let source: String?
                let policy: String?
            }
            let body = try await Self.read(Body.self, &request)
            let policy = try Self.policy(body.policy)
            if let source = body.source {
                let url = try Self.url(source)
                _ = try await running { [store] in
                    try await store.relocate(key, to: url, policy: policy)
                }
            } else if let policy {
                _ = try await running { [store] in try await store.setPolicy(of: key, to: policy) }
            } else {
                throw AdminError.invalid("give a source, a policy or both")
            }
            return try shardReply(key)
        }

        private static func policy(_ text: String?) throws -> MountPolicy? {
            guard let text else { return nil }
            guard let policy = MountPolicy(rawValue: text) else {
                throw AdminError.invalid("policy is automatic, remote, cache or copy")
            }
            return policy
        }

        private static func url(_ source: String) throws -> MountURL {
            guard !source.contains("://") else { return try MountURL(source) }
            let path = FilePath(source)
            guard path.isAbsolute else {
                throw AdminError.invalid("source is an absolute path or a URL")
            }
            return FileMount(path).url
        }

        /// The default key: the name of the file without `.car`.
        private static func key(of source: String) -> String {
            let path = source.prefix { $0 != "?" && $0 != "#" }
            let name = path.split(separator: "/").last.map { String($0) } ?? ""
            return name.hasSuffix(".car") ? String(name.dropLast(4)) : name
        }

        // MARK: The store

        func collectGarbage(_ request: inout Request) async throws -> AdminReply {
            struct Body: Decodable { let quota: UInt64? }
            let body = try await Self.read(Body.self, &request)
            let report = try await running { [store] in
                try await store.collectGarbage(downTo: body.quota)
            }
            return .json { json in
                json.member("removed", report.transients.count { $0.result == .removed })
                json.member("bytesRemoved", report.bytesRemoved)
                json.member("copies", each: report.transients) { json, copy in
                    json.member("key", copy.key?.text)
                    json.member("result", copy.result.rawValue)
                    json.member("bytes", copy.bytes)
                }
            }
        }

        func check(_ request: inout Request) async throws -> AdminReply {
            struct Body: Decodable {
                let deep: Bool?
                let repair: Bool?
            }
            let body = try await Self.read(Body.self, &request)
            var options = CheckOptions()
            options.isDeep = body.deep == true
            options.repairs = body.repair == true
            let start = ContinuousClock.now
            let asked = options
            let report = try await running { [store] in try await store.check(asked) }
            return .json { json in
                json.member("shards", report.shards)
                json.member("entries", report.entries)
                json.member("blocks", report.blocks)
                json.member("bytes", report.bytes)
                json.member("skipped", report.skipped)
                json.member("failed", report.failed)
                json.member("problems", each: report.problems) { json, problem in
                    json.member("problem", problem.kind.rawValue)
                    json.member("key", problem.key?.text)
                    json.member("repaired", problem.repair?.rawValue)
                    json.member("detail", problem.detail)
                }
                json.member("unrepaired", report.problems.count { $0.repair == nil })
                json.member("seconds", ContinuousClock.now - start)
            }
        }

        // MARK: Verbs

        /// How long a verb may print nothing before its client is looked for.
        private static let silenceMax = Duration.seconds(3)

        /// Runs a verb, and sends what it prints as it comes.
        ///
        /// A client that goes away cancels the verb, and so does the end of the node.
        func runVerb(_ request: inout Request) async throws -> AdminReply {
            let bytes = try await Self.bytes(of: &request, sizeMax: VerbRequest.sizeMax)
            guard let verb = VerbRequest(bytes) else {
                throw AdminError.invalid("The body is not the request of a verb")
            }
            return AdminReply(type: "application/vnd.dagstore.output") { [self] writer in
                let pipe = FramePipe()
                let sender = OutputSender(send: { pipe.send($0) }, offer: { pipe.offer($0) })
                let task = OwnedTask<Void> { [self] in
                    let status = await runningVerb(verb, sender)
                    _ = pipe.send(.end(status))
                    pipe.finish()
                }
                // A frame without bytes finds out that the client of a silent verb is gone.
                let clock = OwnedTask<Void> {
                    while true {
                        try await Task.sleep(for: Self.silenceMax)
                        pipe.offer(.output([]))
                    }
                }
                defer {
                    pipe.close()
                    task.cancel()
                    clock.cancel()
                }
                // A verb must not keep the node from ending; its client hears that it was interrupted.
                try await withGracefulShutdownHandler {
                    for await frame in pipe.frames {
                        try await writer.write(ByteBuffer(bytes: frame.encoded))
                        pipe.confirm()
                    }
                } onGracefulShutdown: {
                    task.cancel()
                }
            }
        }
    }
#endif
