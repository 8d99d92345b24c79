/// The target of a request: path segments and query parameters, decoded.
struct RequestTarget {
    /// The longest target, in bytes.
    static let sizeMax = 32 << 10

    /// The path as the client sent it; bytes outside ASCII are percent-encoded.
    let path: String
    /// The query as the client sent it, without its question mark; nil if there is none.
    let query: String?
    /// The segments of the path, decoded; empty ones are left out.
    let segments: [String]
    /// The parameters of the query, decoded, in their order.
    let parameters: [(name: String, value: String)]

    /// Reads a target in origin form or absolute form: RFC 9112, section 3.2.
    ///
    /// - Throws: Status 414 if it is longer than `sizeMax`; status 400 if it is malformed.
    init(_ text: String) throws(GatewayRefusal) {
        guard text.utf8.count <= Self.sizeMax else {
            throw GatewayRefusal(
                414,
                "The request target has \(text.utf8.count) bytes; the limit is \(Self.sizeMax)"
            )
        }
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "#") }) else {
            throw .malformed("The request target has a space, a control character or a '#'")
        }
        let start = try Self.pathStart(bytes)
        let mark = bytes[start...].firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        path = PercentCoding.encoded(bytes[start..<mark]) { $0 < 0x80 }
        segments = try Self.segments(bytes[start..<mark])
        guard mark < bytes.endIndex else {
            query = nil
            parameters = []
            return
        }
        query = PercentCoding.encoded(bytes[(mark + 1)...]) { $0 < 0x80 }
        parameters = try Self.parameters(bytes[(mark + 1)...])
    }

    /// Where the path starts: after the authority of an absolute form.
    private static func pathStart(_ bytes: [UInt8]) throws(GatewayRefusal) -> Int {
        let slash = UInt8(ascii: "/")
        guard bytes.first != slash else { return 0 }
        for scheme in ["http://", "https://"] where bytes.starts(with: Array(scheme.utf8)) {
            let authority = bytes[scheme.utf8.count...]
            if let start = authority.firstIndex(of: slash) { return start }
        }
        throw .malformed("The request target is not a path")
    }

    private static func segments(_ path: ArraySlice<UInt8>) throws(GatewayRefusal) -> [String] {
        var segments: [String] = []
        for part in path.split(separator: UInt8(ascii: "/")) {
            guard let segment = PercentCoding.decoded(part) else {
                throw .malformed(
                    "A path segment has a malformed percent-encoding, a zero or bytes that are not UTF-8"
                )
            }
            guard segment != ".", segment != ".." else {
                throw .malformed("A path segment is '\(segment)'")
            }
            segments.append(segment)
        }
        return segments
    }

    private static func parameters(
        _ query: ArraySlice<UInt8>
    ) throws(GatewayRefusal) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        for part in query.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let value = equals.map { part[($0 + 1)...] } ?? []
            guard
                let name = PercentCoding.decoded(
                    part[..<(equals ?? part.endIndex)],
                    plusIsSpace: true
                ),
                let value = PercentCoding.decoded(value, plusIsSpace: true)
            else {
                throw .malformed(
                    "A query parameter has a malformed percent-encoding, a zero or bytes that are not UTF-8"
                )
            }
            parameters.append((name, value))
        }
        return parameters
    }

    /// Returns the value of a parameter; nil if it is not there or empty.
    ///
    /// - Throws: Status 400 if the query has it twice with different values.
    func value(of name: String) throws(GatewayRefusal) -> String? {
        var found: String?
        for parameter in parameters where parameter.name == name {
            guard found == nil || found == parameter.value else {
                throw .malformed("The query parameter '\(name)' has two values")
            }
            found = parameter.value
        }
        return found?.isEmpty == true ? nil : found
    }
}
