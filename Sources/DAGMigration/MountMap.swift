internal import DAGMounts
internal import SystemPackage

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
        let rest = String(decoding: Array(url.rest), as: UTF8.self)
        let escapedKey = PercentEscapes.escaped(Array(key.utf8))
        let mapped = try MountURL(Self.filled(template, key: escapedKey, rest: rest))
        // The template may have `..` of its own.
        let plain = try MountURL(Self.filled(template, key: "x", rest: "x"))
        guard Self.stepsUp(in: mapped) <= Self.stepsUp(in: plain) else {
            throw MountError(
                .malformedURL,
                "\(mapped): leads out of the folder that \(template) names"
            )
        }
        return mapped
    }

    private static func filled(_ template: String, key: String, rest: String) -> String {
        var text = ""
        var remainder = template[...]
        while let brace = remainder.firstIndex(of: "{") {
            text += remainder[..<brace]
            remainder = remainder[brace...]
            if remainder.hasPrefix("{key}") {
                text += key
                remainder = remainder.dropFirst("{key}".count)
            } else if remainder.hasPrefix("{rest}") {
                text += rest
                remainder = remainder.dropFirst("{rest}".count)
            } else {
                text += remainder.prefix(1)
                remainder = remainder.dropFirst()
            }
        }
        return text + remainder
    }

    /// How many elements of the path are `..` once a server has decoded it, which may be lenient.
    private static func stepsUp(in url: MountURL) -> Int {
        let path = PercentEscapes.leniently(unescaped: url.rest)
        return path.split(separator: UInt8(ascii: "/")).count { $0.elementsEqual("..".utf8) }
    }

    /// The URL of a shard here.
    ///
    /// A relative path that a template gives is one below the working directory, and becomes absolute.
    ///
    /// - Throws: `MountError(.malformedURL)`, also for a file that ends with this process.
    func url(_ text: String, key: String) throws(MountError) -> MountURL {
        let url = try MountURL(text)
        if let mapped = try mapped(url, key: key) { return try Self.lasting(mapped) }
        guard url.scheme == FileMount.scheme else { return url }
        // The reference writes absolute paths as a host, which it cannot read back.
        return try FileMount(url: text).url
    }

    private static func lasting(_ url: MountURL) throws(MountError) -> MountURL {
        guard url.scheme == FileMount.scheme else { return url }
        let mount = try FileMount(url: url.text)
        let path: FilePath
        do {
            path = try mount.path.madeAbsolute()
        } catch {
            throw MountError(.malformedURL, "\(url): the working directory is gone: \(error)")
        }
        if let reason = path.transience { throw MountError(.malformedURL, "\(url): \(reason)") }
        return path == mount.path ? url : FileMount(path).url
    }
}
