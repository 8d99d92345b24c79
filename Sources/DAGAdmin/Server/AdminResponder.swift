#if Node
    internal import DAGStorage
    internal import HTTPTypes
    internal import HummingbirdCore
    internal import Logging
    internal import NIOCore

    /// Checks, routes and answers the requests of one listener.
    struct AdminResponder: Sendable {
        private let admin: Admin
        private let access: AdminAccess
        private let logger: Logger
        private let isLocal: Bool

        init(_ admin: Admin, _ access: AdminAccess, _ logger: Logger, isLocal: Bool) {
            self.admin = admin
            self.access = access
            self.logger = logger
            self.isLocal = isLocal
        }

        /// Answers a request.
        ///
        /// - Throws: An error of NIO if the client is gone.
        func respond(to request: Request, with writer: consuming ResponseWriter) async throws {
            var request = request
            var reply: AdminReply
            let head = request.head
            do {
                let route = AdminRoute(head)
                try check(head, isPublic: route.isPublic)
                reply = try await admin.answer(route, &request, isLocal: isLocal)
                if head.method != .get, head.method != .head {
                    logger.info("Answered", metadata: metadata(head, reply.status))
                }
            } catch {
                reply = AdminReply.error(error)
                logger.info(
                    "Refused",
                    metadata: metadata(head, reply.status).merging(["error": "\(error)"]) { $1 }
                )
            }
            var fields = HTTPFields()
            for (name, value) in reply.fields + Self.always {
                fields.append(HTTPField(name: name, value: value))
            }
            let isHead = head.method == .head
            if let length = reply.body.contentLength, reply.status != 204 {
                fields[.contentLength] = "\(length)"
            } else if isHead {
                // NIO ends the empty body with a chunk, which the client would take for the next answer.
                fields[.connection] = "close"
            }
            let response = HTTPResponse(
                status: HTTPResponse.Status(code: reply.status),
                headerFields: fields
            )
            try await writer.write(
                response: response,
                body: isHead ? ResponseBody() : reply.body
            )
        }

        private static let always: [(HTTPField.Name, String)] = [
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ].compactMap { pair in HTTPField.Name(pair.0).map { ($0, pair.1) } }

        private func check(_ head: HTTPRequest, isPublic: Bool) throws {
            var fields = AdminAccess.Fields()
            fields.host = head.authority
            fields.origin = head.headerFields[.origin]
            fields.fetchSite = HTTPField.Name("Sec-Fetch-Site").flatMap { head.headerFields[$0] }
            fields.authorization = head.headerFields[.authorization]
            do {
                try access.check(fields, isPublic: isPublic)
            } catch {
                switch error {
                case .unauthorized:
                    throw AdminError(
                        status: 401,
                        code: "unauthorized",
                        message: "The request needs the node's token"
                    )
                case .forbidden(let message):
                    throw AdminError(status: 403, code: "forbidden", message: message)
                }
            }
        }

        private func metadata(_ head: HTTPRequest, _ status: Int) -> Logger.Metadata {
            [
                "method": "\(head.method.rawValue)", "target": "\((head.path ?? "").prefix(500))",
                "status": "\(status)",
            ]
        }
    }
#endif
