#if Node
    internal import GatewayRequests
    internal import HTTPTypes
    internal import NIOHTTP1

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

        /// Returns the values of a request without a body whose connection stays open; nil for others.
        static func request(simple head: HTTPRequestHead) -> GatewayRequest? {
            var request = GatewayRequest(.get, head.uri)
            for (name, value) in head.headers {
                // All names but these have other lengths.
                switch name.utf8.count {
                case 5 where isSame(name, "range"): join(&request.range, value)
                case 6 where isSame(name, "accept"): join(&request.accept, value)
                case 8 where isSame(name, "if-range"): join(&request.ifRange, value)
                case 13 where isSame(name, "cache-control"): join(&request.cacheControl, value)
                case 13 where isSame(name, "if-none-match"): join(&request.ifNoneMatch, value)
                case 10 where isSame(name, "connection"):
                    guard isSame(value, "keep-alive") else { return nil }
                case 14 where isSame(name, "content-length"): return nil
                case 17 where isSame(name, "transfer-encoding"): return nil
                case 7 where isSame(name, "upgrade"): return nil
                case 6 where isSame(name, "expect"): return nil
                default: break
                }
            }
            return request
        }

        /// Returns whether a text is `other`, which is in lower case, in any case.
        private static func isSame(_ text: String, _ other: String) -> Bool {
            guard text.utf8.count == other.utf8.count else { return false }
            return zip(text.utf8, other.utf8).allSatisfy { $0 == $1 || $0 ^ 0x20 == $1 }
        }

        /// Returns the head of an answer on a connection of HTTP/1.1 that stays open.
        static func simpleResponse(_ answer: GatewayAnswer, date: String) -> HTTPResponseHead {
            var fields = alwaysPairs
            fields.reserveCapacity(fields.count + answer.fields.count + 1)
            fields.append(("Date", date))
            for field in answer.fields { fields.append((field.name.rawValue, field.value)) }
            return HTTPResponseHead(
                version: .http1_1,
                status: HTTPResponseStatus(statusCode: answer.status),
                headers: HTTPHeaders(fields)
            )
        }

        private static let alwaysPairs = GatewayField.always.map { ($0.name.rawValue, $0.value) }

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
