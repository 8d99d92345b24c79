internal import SystemPackage

/// The templates that create mounts again, by the scheme of their URL.
///
/// A template is any mount of its type; it may serve several schemes.
public struct MountRegistry: Sendable {
    private var templates: [String: any Mount] = [:]

    /// Creates a registry without templates.
    public init() {}

    /// A registry with a template for files of this machine.
    public static var standard: MountRegistry {
        var registry = MountRegistry()
        registry.templates[FileMount.scheme] = FileMount("")
        return registry
    }

    /// Registers `template` for the mounts of `scheme`.
    ///
    /// - Throws: `.exists` if the scheme has a template; `.malformedURL` if `scheme` is malformed.
    public mutating func register(
        _ template: some Mount,
        scheme: String
    ) throws(MountError) {
        guard MountURL.isScheme(scheme[...]) else {
            throw MountError(.malformedURL, "\(scheme): not a mount scheme")
        }
        guard templates[scheme] == nil else {
            throw MountError(.exists, "the mount scheme \(scheme) has a template already")
        }
        templates[scheme] = template
    }

    /// Returns the mount for a URL.
    ///
    /// - Parameters:
    ///   - url: The URL.
    ///   - policy: The policy. Under `copy` a mount that reads in any order becomes `.sequential`.
    /// - Returns: The mount that the scheme's template resolves.
    /// - Throws: `MountError(.unknownScheme)`, and the errors of the template.
    public func mount(
        for url: MountURL,
        under policy: MountPolicy = .automatic
    ) throws -> any Mount {
        guard let template = templates[url.scheme] else {
            throw MountError(.unknownScheme, "unknown mount scheme \(url.scheme)")
        }
        let mount = try template.resolving(url).applying(policy)
        guard policy == .copy, mount.access == .random else { return mount }
        return CopiedMount(mount: mount)
    }

    /// Returns whether `scheme` has a template.
    public func contains(scheme: String) -> Bool { templates[scheme] != nil }

    /// The schemes with a template, sorted.
    public var schemes: [String] { templates.keys.sorted() }
}
