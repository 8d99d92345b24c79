extension OptionText {
    /// Removes the password from an address of a database.
    ///
    /// *Shape*: `postgresql://USER:PASSWORD@HOST/NAME?password=…`, or `host=… password=…`.
    ///
    /// - Returns: The address without a password; nil if it has keywords with a password, whose quotes only libpq reads.
    static func withoutPassword(_ address: String) -> String? {
        guard let scheme = address.firstRange(of: "://") else {
            return address.contains("password") ? nil : address
        }
        let rest = address[scheme.upperBound...]
        var authority = rest.prefix { !"/?#".contains($0) }
        let tail = rest[authority.endIndex...]
        if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") {
            authority.removeSubrange(colon..<at)
        }
        let start = address[..<scheme.upperBound] + authority
        guard let question = tail.firstIndex(of: "?") else { return String(start + tail) }
        let parameters = tail[tail.index(after: question)...].split(separator: "&")
            .filter { !$0.hasPrefix("password=") }
        let query = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
        return String(start + tail[..<question]) + query
    }
}
