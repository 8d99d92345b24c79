internal import DAGBytes
internal import DAGMounts
internal import DAGMultiformats
internal import SystemPackage

/// Translates mount URLs of a source to URLs that the store serves.
package struct MountMap: Sendable {
    private var templates: [String: String] = [:]

    /// A map that changes only damaged absolute paths of `file`.
    package init() {}

    /// Maps the URLs of a scheme to a template.
    ///
    /// - Parameters:
    ///   - scheme: The scheme at the source.
    ///   - template: The URL in the store; `{key}` is replaced by the shard's key, and `{rest}` by what follows
    ///     `://`.
    /// - Throws: `MountError(.malformedURL)` if the template is no URL.
    package mutating func map(_ scheme: String, to template: String) throws {
        _ = try MountURL(template)
        templates[scheme] = template
    }

    /// The schemes that are mapped.
    var schemes: Set<String> { Set(templates.keys) }

    /// Returns the URL that a shard's template makes; nil if its scheme has no template.
    ///
    /// The key is escaped; what follows `://` in a URL already is.
    ///
    /// - Throws: `MountError(.malformedURL)`, also if the key or the URL leads out of the folder that the template
    ///   names.
    func mapped(_ url: MountURL, key: String) throws(MountError) -> MountURL? {
        guard let template = templates[url.scheme] else { return nil }
        let rest = String(decoding: Array(url.rest), as: UTF8.self)
        let escapedKey = PercentEscapes.escaped(Array(key.utf8))
        let mapped = try MountURL(Self.filled(template, key: escapedKey, rest: rest))
        // The template itself may contain `..`.
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
        template.split(separator: "{rest}", omittingEmptySubsequences: false)
            .map { $0.replacing("{key}", with: key) }.joined(separator: rest)
    }

    /// Counts the elements of the path that are `..` after a server, which may be lenient, has decoded it.
    private static func stepsUp(in url: MountURL) -> Int {
        let path = PercentEscapes.leniently(unescaped: url.rest)
        return path.split(separator: UInt8(ascii: "/")).count { $0.elementsEqual("..".utf8) }
    }

    /// Returns the URL of a shard in the store.
    ///
    /// A relative path from a template starts at the working directory, and becomes absolute.
    ///
    /// - Throws: `MountError(.malformedURL)`, also for a file that exists only as long as this process.
    func url(_ text: String, key: String) throws(MountError) -> MountURL {
        let url = try MountURL(text)
        if let mapped = try mapped(url, key: key) { return try Self.madeAbsolute(mapped) }
        guard url.scheme == FileMount.scheme else { return url }
        // The reference writes an absolute path as a host, and cannot read it back.
        return try FileMount(url: text).url
    }

    private static func madeAbsolute(_ url: MountURL) throws(MountError) -> MountURL {
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

    // MARK: Placeholders

    /// The scheme of shards whose source has no mount.
    static let placeholderScheme = "index"

    /// Returns the URL of a shard whose source has no mount.
    static func placeholderURL(of key: String) -> String {
        let escaped = key.utf8.map { byte in
            switch UnicodeScalar(byte) {
            case "a"..."z", "A"..."Z", "0"..."9": String(UnicodeScalar(byte))
            default: PercentEscapes.escape(byte)
            }
        }
        return placeholderScheme + "://" + escaped.joined()
    }
}

extension PercentEscapes {
    /// Returns `%` and the two hexadecimal digits of a byte.
    static func escape(_ byte: UInt8) -> String {
        "%" + [byte].withView(Multibase.base16Upper.text(of:)).dropFirst()
    }
}
