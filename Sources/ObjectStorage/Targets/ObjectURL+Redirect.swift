extension ObjectURL {
    /// Resolves the `Location` of a redirect against this URL.
    ///
    /// A fragment is dropped, because servers do not see it.
    ///
    /// - Throws: `.targetRefused` if the new scheme is neither `http` nor `https`, or if `https` would become `http`;
    ///   `.malformedURL`.
    ///
    /// Source: RFC 3986, section 5.2.
    package func redirected(to location: String) throws(ObjectStorageError) -> ObjectURL {
        let bytes = Array(location.utf8.prefix { $0 != UInt8(ascii: "#") })
        let url = try resolved(bytes[...])
        guard origin.scheme == .http || url.origin.scheme == .https else {
            throw ObjectStorageError(
                .targetRefused,
                "open: \(self): the server redirects from https to http"
            )
        }
        return url
    }

    private func resolved(_ location: ArraySlice<UInt8>) throws(ObjectStorageError) -> ObjectURL {
        guard location.count <= Self.sizeMax else {
            throw Self.malformed("a redirect has \(location.count) bytes")
        }
        guard !location.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw Self.malformed("a redirect contains a control character")
        }
        if Self.hasScheme(location) {
            return try ObjectURL(String(decoding: location, as: UTF8.self))
        }
        if location.starts(with: "//".utf8) {
            return try ObjectURL(scheme: origin.scheme, rest: location.dropFirst(2))
        }
        if location.isEmpty { return self }
        if location.first == UInt8(ascii: "/") {
            let (path, query) = try Self.pathAndQuery(location)
            return ObjectURL(origin: origin, path: Self.withoutDots(path), query: query)
        }
        if location.first == UInt8(ascii: "?") {
            let (_, query) = try Self.pathAndQuery(location)
            return ObjectURL(origin: origin, path: path, query: query)
        }
        // A relative path replaces everything behind the last slash.
        let own = Array(path.utf8)
        let folder = own[...(own.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
        let (newPath, query) = try Self.pathAndQuery((folder + location)[...])
        return ObjectURL(origin: origin, path: Self.withoutDots(newPath), query: query)
    }

    /// Returns whether a colon comes before any slash, question mark or hash.
    private static func hasScheme(_ text: ArraySlice<UInt8>) -> Bool {
        let end = text.firstIndex { ":/?#".utf8.contains($0) }
        return end.map { text[$0] == UInt8(ascii: ":") && $0 > text.startIndex } ?? false
    }

    /// Removes the segments `.` and `..`.
    ///
    /// Source: RFC 3986, section 5.2.4.
    static func withoutDots(_ path: String) -> String {
        let segments = path.utf8.split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        )
        .map { String(decoding: $0, as: UTF8.self) }
        var kept: [String] = []
        for (index, segment) in segments.enumerated().dropFirst() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".":
                if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }
}
