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
    /// - Throws: `MountError(.malformedURL)`.
    func mapped(_ url: MountURL, key: String) throws(MountError) -> MountURL? {
        guard let template = templates[url.scheme] else { return nil }
        let rest = String(decoding: Array(url.rest), as: UTF8.self)
        return try MountURL(
            template.replacing("{key}", with: key).replacing("{rest}", with: rest)
        )
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
