/// The URL of an object: scheme, host, port, path and query.
///
/// *Shape*: `http://host:port/path?query` or `https`. The host is lower-case ASCII; an IPv6 address stands without its
/// brackets. Bytes that may not stand in a path or a query are escaped. User names, passwords and fragments are
/// refused, because a record would show them. At most `sizeMax` bytes.
///
/// Source: RFC 3986, section 3.
package struct ObjectURL: Hashable, Sendable, CustomStringConvertible {
    /// The largest URL, in bytes; servers refuse longer ones.
    package static let sizeMax = 8192

    /// The two schemes.
    package enum Scheme: String, Sendable {
        case http, https

        /// The port of a URL without one.
        package var port: Int { self == .http ? 80 : 443 }
    }

    /// The server that a URL names.
    package struct Origin: Hashable, Sendable {
        /// The scheme.
        package let scheme: Scheme
        /// The name or address, in lower case, without brackets.
        package let host: String
        /// The port.
        package let port: Int
    }

    /// The server.
    package let origin: Origin
    /// The escaped path; begins with a slash.
    package let path: String
    /// The escaped query without `?`; nil if there is none.
    package let query: String?

    /// Creates a URL from its parts, which are escaped already.
    package init(origin: Origin, path: String, query: String? = nil) {
        self.origin = origin
        self.path = path
        self.query = query
    }

    /// Parses a URL.
    ///
    /// - Throws: `.malformedURL`; `.targetRefused` if the scheme is neither `http` nor `https`. The text repeats
    ///   nothing of the URL but its scheme.
    package init(_ text: String) throws(ObjectStorageError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.sizeMax else {
            throw Self.malformed("it has \(bytes.count) bytes; the limit is \(Self.sizeMax)")
        }
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw Self.malformed("it contains a control character")
        }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            throw Self.malformed("it has no scheme")
        }
        let name = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        guard let scheme = Scheme(rawValue: name) else {
            let isName = name.utf8.allSatisfy { $0.isLetterOrDigit } && name.utf8.count <= 16
            throw ObjectStorageError(
                .targetRefused,
                "open: the scheme \(isName ? name : "of the URL") is neither http nor https"
            )
        }
        let rest = bytes[(colon + 1)...]
        guard rest.starts(with: "//".utf8) else { throw Self.malformed("// is missing") }
        try self.init(scheme: scheme, rest: rest.dropFirst(2))
    }

    /// Parses everything after `//`.
    init(scheme: Scheme, rest: ArraySlice<UInt8>) throws(ObjectStorageError) {
        let isEnd: (UInt8) -> Bool = { "/?#".utf8.contains($0) }
        let authority = rest.prefix { !isEnd($0) }
        let (path, query) = try Self.pathAndQuery(rest[authority.endIndex...])
        self.origin = try Self.origin(scheme, authority)
        self.path = path.isEmpty ? "/" : path
        self.query = query
    }

    // MARK: Text

    /// The whole URL, for the wire.
    package var text: String { serverText + target }

    /// The path and the query, as a request line has them.
    package var target: String { query.map { "\(path)?\($0)" } ?? path }

    /// The URL without its query, for errors and logs: a query may contain a signature.
    package var description: String { serverText + path }

    /// The value of the `Host` header.
    package var hostHeader: String {
        let host = origin.host.utf8.contains(UInt8(ascii: ":")) ? "[\(origin.host)]" : origin.host
        return origin.port == origin.scheme.port ? host : "\(host):\(origin.port)"
    }

    private var serverText: String { "\(origin.scheme.rawValue)://\(hostHeader)" }

    /// Whether the query contains the signature of a presigned URL.
    package var isPresigned: Bool {
        let names = (query ?? "").utf8.split(separator: UInt8(ascii: "&")).map { field in
            String(decoding: field.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self).lowercased()
        }
        return names.contains { Self.signatureNames.contains($0) }
    }

    private static let signatureNames: Set = [
        "x-amz-signature", "x-amz-security-token", "x-amz-credential", "x-goog-signature",
        "x-goog-credential", "signature", "awsaccesskeyid", "sig", "access_token",
    ]

    // MARK: Parsing

    static func malformed(_ problem: String) -> ObjectStorageError {
        ObjectStorageError(.malformedURL, "open: not the URL of an object: \(problem)")
    }

    private static func origin(
        _ scheme: Scheme,
        _ authority: ArraySlice<UInt8>
    ) throws(ObjectStorageError) -> Origin {
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw malformed("it contains a user name; give credentials to the mount's template")
        }
        let host: ArraySlice<UInt8>
        var rest = authority
        if authority.first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else {
                throw malformed("the bracket of its address is open")
            }
            host = authority[(authority.startIndex + 1)..<end]
            rest = authority[(end + 1)...]
            let text = String(decoding: host, as: UTF8.self)
            guard let address = NetworkAddress(text), address.bytes.count == 16 else {
                throw malformed("its brackets hold no address")
            }
        } else {
            host = authority.prefix { $0 != UInt8(ascii: ":") }
            rest = authority[host.endIndex...]
            guard isHostName(host) else { throw malformed("its host is no name") }
        }
        let port = try port(rest) ?? scheme.port
        return Origin(
            scheme: scheme,
            host: String(decoding: host, as: UTF8.self).lowercased(),
            port: port
        )
    }

    /// Reads a colon and a port.
    ///
    /// - Returns: The port; nil if there is none.
    private static func port(_ text: ArraySlice<UInt8>) throws(ObjectStorageError) -> Int? {
        guard let colon = text.first else { return nil }
        let digits = text.dropFirst()
        if colon == UInt8(ascii: ":"), digits.isEmpty { return nil }
        guard colon == UInt8(ascii: ":"), digits.count <= 5, digits.allSatisfy({ $0.isDigit }),
            let port = Int(String(decoding: digits, as: UTF8.self)), (1...65_535).contains(port)
        else { throw malformed("its port is no number from 1 to 65,535") }
        return port
    }

    /// Returns whether `host` is a name, or an IPv4 address of four decimal numbers.
    ///
    /// Resolvers also take `127.1`, `0x7f000001` and `2130706433` for addresses; such names are refused here.
    private static func isHostName(_ host: ArraySlice<UInt8>) -> Bool {
        guard (1...253).contains(host.count) else { return false }
        let isName = host.allSatisfy { byte in
            byte.isLetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_")
        }
        guard isName, let last = host.split(separator: UInt8(ascii: ".")).last else { return false }
        let isNumber = last.allSatisfy { $0.isDigit } || last.starts(with: "0x".utf8)
        return !isNumber || NetworkAddress(String(decoding: host, as: UTF8.self)) != nil
    }

    /// Splits and escapes a path and a query.
    static func pathAndQuery(
        _ text: ArraySlice<UInt8>
    ) throws(ObjectStorageError) -> (path: String, query: String?) {
        guard !text.contains(UInt8(ascii: "#")) else { throw malformed("it has a fragment") }
        let path = text.prefix { $0 != UInt8(ascii: "?") }
        let query = path.endIndex < text.endIndex ? text[(path.endIndex + 1)...] : nil
        guard path.isEmpty || path.first == UInt8(ascii: "/") else {
            throw malformed("its path does not begin with a slash")
        }
        let escapedPath = try escaped(path, also: "/".utf8)
        guard let query else { return (escapedPath, nil) }
        return (escapedPath, try escaped(query, also: "/?".utf8))
    }

    private static func escaped(
        _ text: ArraySlice<UInt8>,
        also others: String.UTF8View
    ) throws(ObjectStorageError) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "%") {
                guard text[index...].prefix(2).filter({ $0.isHexadecimalDigit }).count == 2 else {
                    throw malformed("a % lacks its two digits")
                }
                result.append(byte)
            } else if byte.isLetterOrDigit || "-._~!$&'()*+,;=:@".utf8.contains(byte)
                || others.contains(byte)
            {
                result.append(byte)
            } else {
                byte.appendEscaped(to: &result)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII digit.
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Whether the byte is an ASCII letter or digit.
    var isLetterOrDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }

    /// Whether the byte is a hexadecimal digit.
    var isHexadecimalDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20)
    }

    /// Appends `%` and two upper-case digits.
    func appendEscaped(to bytes: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        bytes += [UInt8(ascii: "%"), digits[Int(self >> 4)], digits[Int(self & 15)]]
    }
}
