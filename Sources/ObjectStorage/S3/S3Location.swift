/// A bucket and a key: the URL `s3://bucket/key`.
///
/// The key is the rest of the URL as it stands, without escapes: `%` is a character like any other. Since
/// mount URLs are text, a key of other bytes than UTF-8 cannot be named.
package struct S3Location: Hashable, Sendable, CustomStringConvertible {
    /// The largest key, in bytes, as S3 limits it.
    package static let keySizeMax = 1024

    /// The bucket.
    package let bucket: String
    /// The key, without a slash before it.
    package let key: String

    /// Parses a URL.
    ///
    /// - Throws: `.malformedURL`.
    package init(_ text: String) throws(ObjectStorageError) {
        let prefix = "s3://"
        guard text.utf8.starts(with: prefix.utf8) else {
            throw Self.malformed("s3:// is missing")
        }
        let rest = text.utf8.dropFirst(prefix.utf8.count)
        let bucket = rest.prefix { $0 != UInt8(ascii: "/") }
        let key = rest[bucket.endIndex...].dropFirst()
        guard Self.isBucket(bucket) else { throw Self.malformed("its bucket has no valid name") }
        guard (1...Self.keySizeMax).contains(key.count) else {
            throw Self.malformed("its key has \(key.count) bytes, not 1 to \(Self.keySizeMax)")
        }
        guard !key.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw Self.malformed("its key contains a control character")
        }
        let segments = key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard
            !segments.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
        else { throw Self.malformed("its key has a segment . or .., which servers remove") }
        self.bucket = String(decoding: bucket, as: UTF8.self)
        self.key = String(decoding: key, as: UTF8.self)
    }

    /// The URL.
    package var description: String { "s3://\(bucket)/\(key)" }

    /// The key as a path, with every byte escaped but letters, digits and `-._~/`.
    package var escapedKey: String {
        Self.escaped(key, keeping: "-._~/")
    }

    /// Returns the text with every byte escaped but letters, digits and those of `others`.
    static func escaped(_ text: String, keeping others: String = "-._~") -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte.isLetterOrDigit || others.utf8.contains(byte) {
                bytes.append(byte)
            } else {
                byte.appendEscaped(to: &bytes)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the bucket can be a label of a host name behind TLS; host names have no capitals.
    var hasHostName: Bool {
        !bucket.utf8.contains { $0 == UInt8(ascii: ".") || (0x41...0x5a).contains($0) }
    }

    private static func malformed(_ problem: String) -> ObjectStorageError {
        ObjectStorageError(.malformedURL, "open: not the URL of an S3 object: \(problem)")
    }

    /// Returns whether `name` has 3 to 63 lower-case letters, digits, hyphens and dots, as S3 demands; older stores
    /// also permit underscores and capitals.
    private static func isBucket(_ name: Substring.UTF8View) -> Bool {
        guard (3...63).contains(name.count), let first = name.first, first.isLetterOrDigit else {
            return false
        }
        return name.allSatisfy { $0.isLetterOrDigit || "-._".utf8.contains($0) }
    }
}

/// The server of a bucket, and the way to address it.
package struct S3Endpoint: Hashable, Sendable {
    /// Where the bucket stands in a URL.
    package enum Addressing: String, Sendable {
        /// `https://endpoint/bucket/key`.
        case path
        /// `https://bucket.endpoint/key`; buckets with dots in their names still stand in the path.
        case virtualHost
    }

    /// The server.
    package let origin: ObjectURL.Origin
    /// The region, which signatures contain.
    package let region: String
    /// Where the bucket stands.
    package let addressing: Addressing

    /// Creates the endpoint of AWS in a region.
    ///
    /// - Throws: `.malformedURL` if the region is no name.
    package init(region: String) throws(ObjectStorageError) {
        guard Self.isRegion(region) else { throw Self.badRegion }
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        origin = try ObjectURL("https://s3.\(region).\(domain)").origin
        self.region = region
        addressing = .virtualHost
    }

    /// Creates an endpoint of another store.
    ///
    /// - Throws: `.malformedURL`; `.targetRefused` for another scheme than `http` and `https`.
    package init(
        url: String,
        region: String,
        addressing: Addressing = .path
    ) throws(ObjectStorageError) {
        guard Self.isRegion(region) else { throw Self.badRegion }
        let url = try ObjectURL(url)
        guard url.path == "/", url.query == nil else {
            throw ObjectStorageError(.malformedURL, "open: \(url): an endpoint has no path")
        }
        origin = url.origin
        self.region = region
        self.addressing = addressing
    }

    /// Returns the URL of an object.
    package func url(of location: S3Location) -> ObjectURL {
        url(ofBucket: location, "/\(location.escapedKey)", query: nil)
    }

    /// Returns the URL that lists some objects of a bucket.
    ///
    /// Source: "ListObjectsV2" of the S3 API.
    ///
    /// - Parameters:
    ///   - location: An object of the bucket; the listed keys begin with its key.
    ///   - token: The place at which an earlier list ended; nil for the first one.
    ///   - limit: The most objects of the list.
    /// - Returns: The URL.
    func url(listing location: S3Location, after token: String?, limit: Int) -> ObjectURL {
        // The fields stand in the order in which a signature has them.
        let token = token.map { "continuation-token=\(S3Location.escaped($0))&" } ?? ""
        let prefix = S3Location.escaped(location.key)
        let query = token + "list-type=2&max-keys=\(limit)&prefix=\(prefix)"
        return url(ofBucket: location, "/", query: query)
    }

    private func url(
        ofBucket location: S3Location,
        _ path: String,
        query: String?
    ) -> ObjectURL {
        let isAddress = NetworkAddress(origin.host) != nil
        guard addressing == .virtualHost, location.hasHostName, !isAddress else {
            let path = path == "/" ? "" : path
            return ObjectURL(origin: origin, path: "/\(location.bucket)\(path)", query: query)
        }
        let host = "\(location.bucket).\(origin.host)"
        return ObjectURL(
            origin: ObjectURL.Origin(scheme: origin.scheme, host: host, port: origin.port),
            path: path,
            query: query
        )
    }

    private static let badRegion = ObjectStorageError(
        .malformedURL,
        "open: the region is no name of lower-case letters, digits and hyphens"
    )

    private static func isRegion(_ region: String) -> Bool {
        (1...64).contains(region.utf8.count)
            && region.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
    }
}
