#if Node
    internal import AsyncHTTPClient
    internal import Dispatch
    internal import NIOCore
    internal import NIOHTTP1
    internal import SharedReads

    /// A client of objects behind HTTP.
    ///
    /// It follows redirects, repeats requests that failed for a transient reason, limits the requests that run at once,
    /// and checks that every body is as large as announced.
    ///
    /// *Errors*: `ObjectStorageError`, or `CancellationError` if the task was cancelled.
    ///
    /// *Concurrency*: any task.
    package final class ObjectClient: Sendable {
        /// The limits.
        package let configuration: ClientConfiguration
        /// The requests and bytes of all targets whose counters have these for a parent.
        package let counters = TransferCounters()
        let slots: RequestSlots
        /// The connections; made by the first request, because they start threads.
        private let http = Lock<HTTPClient?>(nil)

        /// Creates a client with connections of its own.
        package init(_ configuration: ClientConfiguration = ClientConfiguration()) {
            self.configuration = configuration
            slots = RequestSlots(count: configuration.connectionsPerHost)
        }

        deinit { http.withLock { $0 }?.shutdown(queue: .global()) { _ in } }

        /// Returns the connections.
        private func connections() -> HTTPClient {
            http.withLock { http in
                if let http { return http }
                let made = HTTPClient(
                    eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup),
                    configuration: Self.settings(configuration)
                )
                http = made
                return made
            }
        }

        private static func settings(
            _ configuration: ClientConfiguration
        ) -> HTTPClient.Configuration {
            var settings = HTTPClient.Configuration()
            settings.redirectConfiguration = .disallow
            settings.timeout.connect = TimeAmount(configuration.connectTimeout)
            settings.timeout.read = TimeAmount(configuration.silenceMax)
            settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
                configuration.connectionsPerHost
            settings.connectionPool.retryConnectionEstablishment = false
            settings.httpVersion = .http1Only
            let policy = configuration.targets
            settings.http1_1ConnectionDebugInitializer = { ConnectionGuard.check($0, policy) }
            return settings
        }

        /// Returns the requests of a class that wait for a connection to the server of `url`.
        package func waiterCount(_ url: ObjectURL, _ kind: RequestClass) -> Int {
            slots.waiterCount(url.origin, kind)
        }

        /// The requests of one class that can run at once for a host.
        package var requestsAtOnce: Int { slots.share }

        // MARK: Requests

        /// Sends a request until it succeeds or may not be repeated.
        ///
        /// - Parameters:
        ///   - target: The object.
        ///   - kind: The work that the request belongs to.
        ///   - plan: Returns the request; called for each attempt, once it has a slot. An error ends the request.
        ///   - progress: Returns the bytes received by all attempts.
        ///   - body: Reads the answer; it throws what `Answer` throws.
        /// - Returns: The result of `body`.
        /// - Throws: `ObjectStorageError`, `CancellationError`; any other error of `plan` and `body`.
        func perform<R>(
            _ target: ObjectTarget,
            _ kind: RequestClass,
            plan: () throws -> RequestPlan,
            progress: () -> UInt64 = { 0 },
            _ body: (Answer) async throws -> R
        ) async throws -> R {
            let policy = configuration.retries
            var run = RequestRun(policy.deadline)
            while true {
                do {
                    return try await attempt(target, kind, &run, plan, body)
                } catch let error as ObjectStorageError {
                    target.counters.count { $0.failures += 1 }
                    if error.code == .credentialsExpired, !run.hasNewCredentials {
                        run.hasNewCredentials = true
                        await target.authorizer?.forgetCredentials()
                        continue
                    }
                    if error.code == .accessDenied, !run.hasNewCredentials,
                        await target.authorizer?.renewCredentials() == true
                    {
                        run.hasNewCredentials = true
                        continue
                    }
                    guard error.isTransient, run.isIdempotent else { throw error }
                    run.recordFailure(progress: progress(), policy)
                    let pause = policy.pause(
                        after: run.attempts,
                        retryAfter: error.retryAfter,
                        jitter: .random(in: 0...1)
                    )
                    guard run.attempts < policy.attemptsMax, run.hasTime(for: pause) else {
                        throw error
                    }
                    target.counters.count { $0.retries += 1 }
                    try await Task.sleep(for: pause)
                }
            }
        }

        /// Sends a request once, and follows its redirects.
        private func attempt<R>(
            _ target: ObjectTarget,
            _ kind: RequestClass,
            _ run: inout RequestRun,
            _ plan: () throws -> RequestPlan,
            _ body: (Answer) async throws -> R
        ) async throws -> R {
            var url = target.url
            var isOwn = true
            for _ in 0...configuration.redirectsMax {
                if configuration.checksNames { try configuration.targets.check(url) }
                let outcome: Outcome<R> = try await slots.withSlot(url.origin, kind) {
                    let plan = try plan()
                    let deadline = run.begin(plan)
                    do {
                        let answer = try await send(plan, target, url, isOwn: isOwn, deadline)
                        if let location = answer.redirect {
                            return .redirect(try url.redirected(to: location))
                        }
                        return .value(try await body(answer))
                    } catch {
                        throw Self.translated(error, target, isInBody: false)
                    }
                }
                switch outcome {
                case .value(let value): return value
                case .redirect(let next):
                    target.counters.count { $0.redirects += 1 }
                    // Once a request has left its server, no later server gets its credentials.
                    isOwn = isOwn && next.origin == url.origin
                    url = next
                }
            }
            throw ObjectStorageError(
                .tooManyRedirects,
                "open: \(target.name): more than \(configuration.redirectsMax) redirects"
            )
        }

        private enum Outcome<R> {
            case value(R)
            case redirect(ObjectURL)
        }

        private func send(
            _ plan: RequestPlan,
            _ target: ObjectTarget,
            _ url: ObjectURL,
            isOwn: Bool,
            _ deadline: Duration
        ) async throws -> Answer {
            var request = HTTPClientRequest(url: url.text)
            request.method = HTTPMethod(rawValue: plan.method.rawValue)
            var fields = plan.headers
            if isOwn, let authorizer = target.authorizer {
                fields += try await authorizer.fields(for: plan.method.rawValue, url, fields)
            }
            request.headers.add(name: "Host", value: url.hostHeader)
            // A coded body has other ranges than the object.
            request.headers.add(name: "Accept-Encoding", value: "identity")
            request.headers.add(name: "User-Agent", value: "swift-dagstore")
            for field in fields { request.headers.add(name: field.name, value: field.value) }
            if let body = plan.body { request.body = .bytes(ByteBuffer(bytes: body)) }
            target.counters.count { $0.requests += 1 }
            let response = try await connections().execute(
                request,
                deadline: .now() + TimeAmount(deadline)
            )
            return Answer(response, target, configuration, isHead: plan.method == .head)
        }

        /// Returns the error of this package for an error of the HTTP client.
        ///
        /// The client's own texts may quote headers, so they are not repeated.
        static func translated(
            _ error: any Error,
            _ target: ObjectTarget,
            isInBody: Bool
        ) -> any Error {
            if error is ObjectStorageError || error is CancellationError { return error }
            if Task.isCancelled { return CancellationError() }
            func made(_ code: ObjectStorageError.Code, _ problem: String) -> ObjectStorageError {
                ObjectStorageError(code, "request: \(target.name): \(problem)")
            }
            if error is ConnectionGuard.Refusal {
                return made(
                    .targetRefused,
                    "the address belongs to a network that is not permitted; allow private networks to reach it"
                )
            }
            if let error = error as? HTTPClientError {
                let timeouts: [HTTPClientError] = [
                    .readTimeout, .writeTimeout, .connectTimeout, .deadlineExceeded,
                    .tlsHandshakeTimeout, .getConnectionFromPoolTimeout,
                ]
                if timeouts.contains(error) { return made(.timedOut, "the server is too slow") }
                let problem = "\(error.shortDescription)"
                return made(
                    isInBody ? .truncated : .unreachable,
                    "the connection failed: \(problem)"
                )
            }
            if let error = error as? HTTPParserError {
                let isEnd = error == .invalidEOFState
                if isEnd || isInBody { return made(.truncated, "the response ends early") }
                return made(.malformedResponse, "the server does not speak HTTP")
            }
            return made(isInBody ? .truncated : .unreachable, "the connection failed")
        }
    }

    extension TimeAmount {
        /// Creates the amount, at most a day.
        init(_ duration: Duration) {
            let day = Duration.seconds(86_400)
            let (seconds, attoseconds) = min(max(duration, .zero), day).components
            self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
    }
#endif
