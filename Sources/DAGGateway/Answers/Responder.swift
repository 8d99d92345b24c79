#if Node
    internal import DAGMounts
    internal import DAGStorage
    internal import GatewayRequests
    internal import HTTPTypes
    internal import HummingbirdCore
    internal import Logging
    internal import NIOCore

    /// Answers requests: plans them, and executes the plans over a store.
    ///
    /// *Threads*: the event loop of the connection runs the plans. A block whose pages are in memory is copied there:
    /// 1 KiB takes less time than a change of threads. Everything that may wait for a disk runs on the gateway's own
    /// threads: the copy of a block whose pages are not in memory (`mincore` tells, for 0.2 us), and all
    /// steps of CARs and pieces.
    struct Responder: Sendable {
        let store: DAGStore
        let configuration: GatewayConfiguration
        let traffic: Traffic
        let blocking: Blocking
        let planner: GatewayPlanner
        private let logger: Logger
        let observer: (any GatewayObserver)?
        private let isReady: @Sendable () -> Bool
        let date = HTTPDate()
        let numbers = RequestNumbers()

        init(
            _ store: DAGStore,
            _ configuration: GatewayConfiguration,
            _ logger: Logger,
            _ observer: (any GatewayObserver)?,
            isReady: @escaping @Sendable () -> Bool
        ) {
            self.store = store
            self.configuration = configuration
            self.logger = logger
            self.observer = observer
            self.isReady = isReady
            planner = GatewayPlanner(limits: configuration.limits)
            traffic = Traffic(configuration, observer)
            blocking = Blocking()
        }

        /// The present time in nanoseconds; 0 without an observer.
        var time: UInt64 { observer == nil ? 0 : NIODeadline.now().uptimeNanoseconds }

        /// Answers a request.
        ///
        /// - Throws: After the head of an answer was sent, why its body has no end: the connection is then closed,
        ///   and the client knows that the content is incomplete.
        func respond(
            to request: Request,
            with writer: consuming ResponseWriter,
            on channel: any Channel
        ) async throws {
            let number = numbers.next()
            let head = request.head
            let start = time
            observer?.countActive(1)
            var status = 500
            var kind = GatewayReport.Kind.other
            defer {
                observer?.countActive(-1)
                observer?.receive(
                    GatewayReport(kind: kind, status: status, nanoseconds: time - start)
                )
            }
            var answer: Answer
            var planned: GatewayPlan?
            do {
                let plan = try planner.plan(HTTPHead.request(head))
                planned = plan
                kind = GatewayReport.Kind(plan)
                answer = try await self.answer(plan, isHead: head.method == .head)
            } catch let refusal as GatewayRefusal {
                answer = Answer(try await elsewhere(planned, head, refusal).answer)
            } catch {
                var refusal = refusal(error, head, number)
                // A path that ends nowhere ends nowhere on other nodes too.
                let isMissing = (error as? DAGStoreError)?.code != .pathNotFound
                if isMissing { refusal = try await elsewhere(planned, head, refusal) }
                answer = Answer(refusal.answer)
            }
            // `HEAD` has no stream, and the same fields.
            if answer.head.status >= 400 || answer.isStream || kind == .car || kind == .piece {
                answer.head.fields.append(GatewayField(.requestID, number.description))
            }
            status = answer.head.status
            logAnswer(status, to: head.method.rawValue, head.path ?? "", number)
            let response = HTTPHead.response(answer.head, date: date.now)
            let sendsBody = head.method != .head
            if !sendsBody, !answer.head.hasLength { try await HeadAnswerHandler.prepare(channel) }
            do {
                try await writer.write(
                    response: response,
                    body: sendsBody ? answer.body : ResponseBody()
                )
            } catch {
                if answer.isStream { logEnd(error, log(number, head)) }
                throw error
            }
            try checkBody(of: head)
        }

        /// Returns where another server has what is missing here; the refusal if none has.
        private func elsewhere(
            _ plan: GatewayPlan?,
            _ head: HTTPRequest,
            _ refusal: GatewayRefusal
        ) async throws -> GatewayRefusal {
            guard refusal.status == 404, let find = configuration.elsewhere, let plan,
                let content = GatewayContent(plan), let target = head.path
            else { return refusal }
            do {
                guard let server = try await find(content) else { return refusal }
                return GatewayRefusal.redirection(to: server, target) ?? refusal
            } catch let error as DAGStoreError {
                return GatewayRefusal(storeError: error)
            }
        }

        private func answer(_ plan: GatewayPlan, isHead: Bool) async throws -> Answer {
            switch plan {
            case .block(let plan): return try await answer(plan, isHead: isHead)
            case .car(let plan): return try await answer(plan, isHead: isHead)
            case .piece(let plan): return try await answer(plan, isHead: isHead)
            case .liveness: return Answer(text: "alive")
            case .readiness:
                guard isReady() else {
                    throw GatewayRefusal(503, "The store is not ready")
                }
                return Answer(text: "ready")
            case .options(let head): return Answer(head)
            }
        }

        /// The longest body of a request that is read to its end, in bytes.
        private static let requestBodySizeMax: UInt64 = 64 << 10

        /// Checks that the body of an answered request is short: no request here has a use for one.
        ///
        /// - Throws: `RequestBody`, which closes the connection; the server would read the whole body otherwise.
        private func checkBody(of head: HTTPRequest) throws {
            guard head.headerFields[.transferEncoding] == nil else { throw RequestBody.unwanted }
            guard let length = head.headerFields[.contentLength] else { return }
            guard let size = UInt64(length), size <= Self.requestBodySizeMax else {
                throw RequestBody.unwanted
            }
        }

        private enum RequestBody: Error { case unwanted }

        // MARK: Errors

        /// Turns the error of a plan into a refusal, and logs those that are faults of this gateway.
        private func refusal(
            _ error: any Error,
            _ head: HTTPRequest,
            _ number: RequestNumber
        ) -> GatewayRefusal {
            let refusal = GatewayRefusal(storeError: error)
            if refusal.status >= 500 {
                log(number, head).error("Cannot answer", metadata: ["error": "\(error)"])
            }
            return refusal
        }

        private func logEnd(_ error: any Error, _ log: Logger) {
            switch error {
            case let error as DAGStoreError:
                log.warning("The answer ends early", metadata: ["error": "\(error)"])
            case let error as MountError:
                log.warning("The answer ends early", metadata: ["error": "\(error)"])
            case let error as Traffic.OverBudget:
                log.warning("The answer ends early", metadata: ["error": "\(error)"])
            default:
                log.debug("The client is gone", metadata: ["error": "\(error)"])
            }
        }

        private func log(_ number: RequestNumber, _ head: HTTPRequest) -> Logger {
            log(number, head.method.rawValue, head.path ?? "")
        }

        private func log(_ number: RequestNumber, _ method: String, _ target: String) -> Logger {
            var log = logger
            log[metadataKey: "request-id"] = "\(number)"
            log[metadataKey: "method"] = "\(method)"
            log[metadataKey: "target"] = "\(target.prefix(500))"
            return log
        }

        /// Writes a line about an answer to the log, if every answer has one.
        func logAnswer(_ status: Int, to method: String, _ target: String, _ number: RequestNumber)
        {
            guard logger.logLevel <= .debug else { return }
            log(number, method, target).debug("Answered", metadata: ["status": "\(status)"])
        }
    }

    extension GatewayContent {
        /// The content of a plan; nil for plans without content.
        fileprivate init?(_ plan: GatewayPlan) {
            switch plan {
            case .block(let plan): self = .block(plan.cid)
            case .car(let plan): self = .block(plan.request.root)
            case .piece(let plan): self = .piece(plan.key)
            case .liveness, .readiness, .options: return nil
            }
        }
    }

    extension GatewayReport.Kind {
        fileprivate init(_ plan: GatewayPlan) {
            self =
                switch plan {
                case .block: .block
                case .car: .car
                case .piece: .piece
                case .liveness, .readiness, .options: .other
                }
        }
    }

    extension GatewayAnswer {
        /// Whether the length of the body is known, or there is none with this status.
        fileprivate var hasLength: Bool {
            status == 204 || status == 304 || fields.contains { $0.name == .contentLength }
        }
    }

    /// The head of an answer, and its body.
    struct Answer {
        var head: GatewayAnswer
        var body: ResponseBody
        /// Whether the body is written step by step.
        var isStream = false

        init(head: GatewayAnswer, body: ResponseBody, isStream: Bool = false) {
            self.head = head
            self.body = body
            self.isStream = isStream
        }

        /// An answer without content: its body is the head's text, or empty.
        init(_ head: GatewayAnswer) {
            guard let text = head.text else {
                self.init(head: head, body: ResponseBody())
                return
            }
            self.init(head: head, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }

        init(text: String) {
            let line = "\(text)\n"
            self.init(
                GatewayAnswer(
                    status: 200,
                    fields: [
                        GatewayField(.contentType, "text/plain; charset=utf-8"),
                        GatewayField(.cacheControl, "no-store"),
                        GatewayField(.contentLength, String(line.utf8.count)),
                    ],
                    body: nil,
                    text: line
                )
            )
        }
    }
#endif
