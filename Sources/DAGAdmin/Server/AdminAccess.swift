/// Who may use the admin interface.
///
/// A client of the Unix socket has shown by its connection that the system lets it in. A client of an address shows a
/// token. A page of another site, which a browser runs for the same user, is refused: it has no token, and its requests
/// name another host or origin.
package struct AdminAccess: Sendable {
    /// The refusal of a request.
    package enum Refusal: Error, Equatable, Sendable {
        /// No token, or a wrong one.
        case unauthorized
        /// The request is for another host, or comes from a page of another one.
        case forbidden(String)
    }

    /// The fields of a request that count.
    package struct Fields: Sendable {
        /// `Host`, or the authority of HTTP/2.
        package var host: String?
        /// `Origin`.
        package var origin: String?
        /// `Sec-Fetch-Site`.
        package var fetchSite: String?
        /// `Authorization`.
        package var authorization: String?

        /// Makes fields without values.
        package init() {}
    }

    /// The token; nil for the Unix socket.
    private let token: [UInt8]?
    private let hosts: Set<String>

    /// The access through the Unix socket.
    package static let local = AdminAccess(token: nil, hosts: [])

    /// Makes the access through an address.
    ///
    /// - Parameters:
    ///   - token: What a client must show.
    ///   - hosts: The names in lower case by which the address is known, beside its numbers and `localhost`.
    package init(token: String?, hosts: [String]) {
        self.token = token.map { Array($0.utf8) }
        self.hosts = Set(hosts.map { $0.lowercased() })
    }

    /// Checks a request.
    ///
    /// - Parameters:
    ///   - fields: Its fields.
    ///   - isPublic: Whether the answer holds no data: the page itself.
    /// - Throws: The refusal.
    package func check(_ fields: Fields, isPublic: Bool) throws(Refusal) {
        guard let token else {
            // A browser cannot reach a Unix socket; a proxy in front of it may pass on what a page asks for.
            guard fields.origin == nil, fields.fetchSite == nil || fields.fetchSite == "none" else {
                throw .forbidden("A browser cannot use the socket; give --admin an address")
            }
            return
        }
        guard let host = fields.host, isKnown(host) else {
            throw .forbidden("The request is for another host; see --admin-host")
        }
        if let origin = fields.origin {
            guard origin.lowercased() == "http://\(host.lowercased())" else {
                throw .forbidden("The request comes from a page of another site")
            }
        }
        if let site = fields.fetchSite, site == "cross-site" || (site == "same-site" && !isPublic) {
            throw .forbidden("The request comes from a page of another site")
        }
        guard !isPublic else { return }
        let scheme = "bearer "
        guard let field = fields.authorization, field.lowercased().hasPrefix(scheme) else {
            throw .unauthorized
        }
        let shown = Array(field.utf8.dropFirst(scheme.utf8.count))
        // The time does not tell how many bytes are right.
        var difference = shown.count ^ token.count
        for (index, byte) in token.enumerated() {
            difference |= Int(byte ^ (index < shown.count ? shown[index] : 0))
        }
        guard difference == 0 else { throw .unauthorized }
    }

    /// Returns whether the host is a number, `localhost`, or a name that was given: a name that someone else's server
    /// of names maps to this machine is none of these.
    private func isKnown(_ host: String) -> Bool {
        var name = host.lowercased()
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return false }
            let digits = name[name.index(after: name.startIndex)..<end]
            return !digits.isEmpty && digits.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        if let colon = name.lastIndex(of: ":") { name = String(name[..<colon]) }
        if name == "localhost" || hosts.contains(name) { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
