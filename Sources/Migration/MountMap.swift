internal import Mounts

/// How mount URLs of the source become URLs that are served here.
public struct MountMap: Sendable {
    private var templates: [String: String] = [:]

    /// A map that changes nothing but damaged absolute paths of `file`.
    public init() {}

    /// Gives the URLs of a scheme another form.
    ///
    /// - Parameters:
    ///   - scheme: The scheme at the source.
    ///   - template: The URL here; `{key}` stands for the shard's key, and `{rest}` for what follows `://`.
    /// - Throws: `MountError(.malformedURL)` if it can be no URL.
    public mutating func map(_ scheme: String, to template: String) throws {
        _ = try MountURL(template)
        templates[scheme] = template
    }

    /// The schemes that are mapped.
    var schemes: Set<String> { Set(templates.keys) }

    /// The URL that a shard's template gives; nil if its scheme has none.
    ///
    /// The key is escaped, and what follows `://` in a URL is escaped already.
    ///
    /// - Throws: `MountError(.malformedURL)`, also for a key or a URL that would lead out of the folder that the
    ///   template names.
    func mapped(_ url: MountURL, key: String) throws(MountError) -> MountURL? {
        guard let template = templates[url.scheme] else { return nil }
        var text = ""
        var rest = template[...]
        while let brace = rest.firstIndex(of: "{") {
            text += rest[..<brace]
            rest = rest[brace...]
            if rest.hasPrefix("{key}") {
                try Self.checkInside(Array(key.utf8), key)
                text += PercentEscapes.escaped(Array(key.utf8))
                rest = rest.dropFirst("{key}".count)
            } else if rest.hasPrefix("{rest}") {
                try Self.checkInside(PercentEscapes.unescaped(url.rest) ?? [], url.text)
                text += String(decoding: Array(url.rest), as: UTF8.self)
                rest = rest.dropFirst("{rest}".count)
            } else {
                text += rest.prefix(1)
                rest = rest.dropFirst()
            }
        }
        return try MountURL(text + rest)
    }

    /// Refuses what would go up in a path.
    private static func checkInside(_ bytes: [UInt8], _ text: String) throws(MountError) {
        let goesUp = bytes.split(separator: UInt8(ascii: "/")).contains {
            $0.elementsEqual("..".utf8)
        }
        guard !goesUp else { throw MountError(.malformedURL, "\(text): leads out of its folder") }
    }

    /// The URL of a shard here.
    ///
    /// - Throws: `MountError(.malformedURL)`.
    func url(_ text: String, key: String) throws(MountError) -> MountURL {
        let url = try MountURL(text)
        if let mapped = try mapped(url, key: key) { return mapped }
        guard url.scheme == FileMount.scheme else { return url }
        // The reference writes absolute paths as a host, which it cannot read back.
        return try FileMount(url: text).url
    }
}
