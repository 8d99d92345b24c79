#if Node
    internal import GatewayRequests
    internal import HTTPTypes

    /// The conversion of answers to NIO's heads.
    enum HTTPHead {
        /// Returns the head of an answer.
        ///
        /// - Parameters:
        ///   - answer: The status and the fields.
        ///   - date: The value of the field `Date`.
        /// - Returns: The head.
        static func response(_ answer: GatewayAnswer, date: String) -> HTTPResponse {
            var fields = always
            fields.append(HTTPField(name: .date, value: date))
            for field in answer.fields {
                fields.append(HTTPField(name: name(field.name), value: field.value))
            }
            return HTTPResponse(status: status(answer.status), headerFields: fields)
        }

        /// Returns the values of a request.
        static func request(_ head: HTTPRequest) -> GatewayRequest {
            let method: GatewayRequest.Method =
                switch head.method {
                case .get: .get
                case .head: .head
                case .options: .options
                default: .other
                }
            var request = GatewayRequest(method, head.path ?? "")
            for field in head.headerFields {
                switch field.name {
                case .accept: join(&request.accept, field.value)
                case .cacheControl: join(&request.cacheControl, field.value)
                case .ifNoneMatch: join(&request.ifNoneMatch, field.value)
                case .ifRange: join(&request.ifRange, field.value)
                case .range: join(&request.range, field.value)
                default: break
                }
            }
            return request
        }

        private static func join(_ value: inout String?, _ next: String) {
            value = value.map { "\($0), \(next)" } ?? next
        }

        private static let always: HTTPFields = {
            var fields = HTTPFields()
            for field in GatewayField.always {
                fields.append(HTTPField(name: name(field.name), value: field.value))
            }
            return fields
        }()

        /// The names, by `GatewayField.Name`: making one checks every character.
        private static let names: [GatewayField.Name: HTTPField.Name] = {
            var names: [GatewayField.Name: HTTPField.Name] = [:]
            for name in GatewayField.Name.allCases { names[name] = HTTPField.Name(name.rawValue) }
            return names
        }()

        private static func name(_ name: GatewayField.Name) -> HTTPField.Name {
            guard let found = names[name] else { preconditionFailure("\(name) is no field name") }
            return found
        }

        private static func status(_ code: Int) -> HTTPResponse.Status {
            switch code {
            case 200: .ok
            case 204: .noContent
            case 206: .partialContent
            case 304: .notModified
            case 400: .badRequest
            case 404: .notFound
            case 405: .methodNotAllowed
            case 406: .notAcceptable
            case 412: .preconditionFailed
            case 413: .contentTooLarge
            case 414: .uriTooLong
            case 416: .rangeNotSatisfiable
            case 429: .tooManyRequests
            case 500: .internalServerError
            case 501: .notImplemented
            case 502: .badGateway
            case 503: .serviceUnavailable
            case 504: .gatewayTimeout
            default: HTTPResponse.Status(code: code)
            }
        }
    }
#endif
