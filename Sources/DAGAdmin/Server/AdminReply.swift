#if Node
    internal import AdminMessages
    internal import DAGStorage
    internal import HTTPTypes
    internal import HummingbirdCore
    internal import NIOCore

    /// An answer of the admin interface.
    struct AdminReply {
        var status: Int
        var fields: [(HTTPField.Name, String)]
        var body: ResponseBody

        /// An answer with bytes.
        init(_ status: Int = 200, type: String, _ bytes: [UInt8]) {
            self.status = status
            fields = [(.contentType, type), (.cacheControl, "no-store")]
            body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        }

        /// An answer whose body is written step by step.
        init(
            type: String,
            stream: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
        ) {
            status = 200
            fields = [(.contentType, type), (.cacheControl, "no-store")]
            body = ResponseBody { writer in
                try await stream(&writer)
                try await writer.finish(nil)
            }
        }

        /// Adds a field.
        mutating func add(_ name: String, _ value: String) {
            guard let name = HTTPField.Name(name) else {
                preconditionFailure("\(name) is no name of a field")
            }
            fields.append((name, value))
        }

        /// An answer without content.
        static var noContent: AdminReply {
            var reply = AdminReply(204, type: "", [])
            reply.fields.removeFirst()
            return reply
        }

        /// A JSON object.
        static func json(_ status: Int = 200, _ write: (inout JSONWriter) -> Void) -> AdminReply {
            var json = JSONWriter()
            json.object(write)
            json.bytes.append(UInt8(ascii: "\n"))
            return AdminReply(status, type: "application/json", json.bytes)
        }

        /// An error.
        static func error(
            _ status: Int,
            _ code: String,
            _ message: String,
            key: ShardKey? = nil,
            advice: String? = nil
        ) -> AdminReply {
            json(status) { json in
                json.member("error") { json in
                    json.member("code", code)
                    json.member("message", message)
                    if let key { json.member("key", key.text) }
                    if let advice { json.member("advice", advice) }
                }
            }
        }

        /// The answer for any error.
        static func error(_ error: any Error) -> AdminReply {
            if let error = error as? AdminError {
                var reply = AdminReply.error(error.status, error.code, error.message)
                if error.status == 401 {
                    reply.fields.append((.wwwAuthenticate, "Bearer realm=\"dagstore\""))
                }
                if let methods = error.allow {
                    reply.add("Allow", methods)
                }
                return reply
            }
            let error = DAGStoreError(any: error)
            return .error(
                error.code.httpStatus,
                error.code.name,
                error.message,
                key: error.shard,
                advice: error.advice
            )
        }
    }

    /// An error of the interface itself.
    struct AdminError: Error {
        let status: Int
        let code: String
        let message: String
        var allow: String?

        static func invalid(_ message: String) -> AdminError {
            AdminError(status: 400, code: "invalidArgument", message: message)
        }
    }

    extension DAGStoreError.Code {
        /// The status of an answer with this error.
        var httpStatus: Int {
            switch self {
            case .shardExists, .shardInUse, .notFailed, .shardFailed: 409
            case .quotaExceeded, .catalogFull: 507
            case .deadlineExceeded: 504
            case .closed, .cancelled, .outOfResources, .reopenNeeded, .tooManyReaders,
                .catalogUnreachable:
                503
            default:
                switch exitStatus {
                case 2: 400
                case 3: 404
                case 4: 502
                case 5: 422
                default: 500
                }
            }
        }
    }
#endif
