extension OptionText {
    /// Removes the password from an address of a database.
    ///
    /// *Shape*: `postgresql://USER:PASSWORD@HOST/NAME?password=…`, or `host=… password=…`.
    ///
    /// - Returns: The address without a password; nil if it may have one at another place, because only libpq knows how
    ///   it reads the address.
    static func withoutPassword(_ address: String) -> String? {
        var rest = address
        if let scheme = rest.firstRange(of: "://"), let at = rest.lastIndex(of: "@"),
            at > scheme.upperBound
        {
            let user = rest[scheme.upperBound..<at]
            if let colon = user.firstIndex(of: ":") {
                // libpq ends the name of a user at the first colon, and takes odd characters after it as they are.
                rest.removeSubrange(colon..<at)
            }
        }
        let hasMore = ["pass", "%"].contains { rest.lowercased().contains($0) }
        return hasMore ? nil : rest
    }
}
