internal import SystemPackage

/// The templates that make mounts again, by the scheme of their URL.
///
/// A template is any mount of its type; it may serve several schemes.
public struct MountRegistry: Sendable {
    private var templates: [String: any Mount] = [:]

    /// A registry without templates.
    public init() {}

    /// A registry that knows the files of this machine.
    public static var standard: MountRegistry {
        var registry = MountRegistry()
        registry.templates[FileMount.scheme] = FileMount("")
        return registry
    }

    /// Makes `template` the one that mounts of `scheme` are made by.
    ///
    /// - Throws: `.exists` if the scheme has a template; `.malformedURL` if it cannot be a scheme.
    public mutating func register(
        _ template: some Mount,
        scheme: String
    ) throws(MountError) {
        guard MountURL.isScheme(scheme[...]) else {
            throw MountError(.malformedURL, "\(scheme): cannot be a mount scheme")
        }
        guard templates[scheme] == nil else {
            throw MountError(.exists, "the mount scheme \(scheme) has a template already")
        }
        templates[scheme] = template
    }

    /// The mount that `url` names.
    ///
    /// - Returns: What the scheme's template resolves.
    /// - Throws: `MountError(.unknownScheme)`, and what the template throws.
    public func mount(for url: MountURL) throws -> any Mount {
        guard let template = templates[url.scheme] else {
            throw MountError(.unknownScheme, "unknown mount scheme \(url.scheme)")
        }
        return try template.resolving(url)
    }

    /// Whether `scheme` has a template.
    public func contains(scheme: String) -> Bool { templates[scheme] != nil }

    /// The schemes that have a template, sorted.
    public var schemes: [String] { templates.keys.sorted() }
}
