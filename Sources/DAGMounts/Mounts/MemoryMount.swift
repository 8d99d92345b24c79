internal import SharedReads

/// Named bytes in memory, shared by the mounts that read them.
///
/// *Concurrency*: any thread may call anything.
public final class MemoryFiles: Sendable {
    /// Some bytes and their validator.
    struct Content {
        let bytes: MountBytes
        let validator: String
    }

    // Keyed by the name's bytes: composed and decomposed letters are different names.
    private let contents = Lock<[[UInt8]: Content]>([:])

    /// Creates an empty set.
    public init() {}

    /// Stores a copy of `bytes` under `name`, and replaces any earlier bytes.
    ///
    /// Open sources keep the earlier bytes.
    ///
    /// *Cost*: O(bytes).
    public func set(_ name: String, _ bytes: [UInt8]) {
        let bytes = MountBytes(copying: bytes)
        let checksum = ContentChecksum.of(bytes.view)
        let content = Content(bytes: bytes, validator: String(checksum, radix: 16))
        contents.withLock { $0[Array(name.utf8)] = content }
    }

    /// Removes the bytes of `name`, if there are any.
    public func remove(_ name: String) {
        contents.withLock { _ = $0.removeValue(forKey: Array(name.utf8)) }
    }

    /// Returns the bytes of `name`.
    ///
    /// - Throws: `.gone`.
    func content(of name: String) throws(MountError) -> Content {
        guard let content = contents.withLock({ $0[Array(name.utf8)] }) else {
            throw MountError(.gone, "\(MemoryMount.scheme)://\(name): nothing is there")
        }
        return content
    }
}

/// A mount of bytes in memory.
///
/// Its URL is `memory://` and the name, escaped like a file's path. The bytes end with the process. A store that is
/// opened again finds them if its registry has a template with the same `MemoryFiles`.
public struct MemoryMount: Mount {
    /// The URL scheme.
    public static let scheme = "memory"

    /// The name of the bytes.
    public let name: String
    /// The files that the mount reads.
    public let files: MemoryFiles

    /// Creates a mount of a copy of `bytes`, in a `MemoryFiles` of its own.
    public init(_ bytes: [UInt8], name: String) {
        self.init(name, in: MemoryFiles())
        files.set(name, bytes)
    }

    /// Creates a mount of the bytes of `name` in `files`, which need not exist yet.
    ///
    /// - Parameters:
    ///   - name: Any text; a template needs none.
    ///   - files: The files of this mount, and of every mount that it resolves.
    public init(_ name: String = "", in files: MemoryFiles) {
        self.name = name
        self.files = files
    }

    /// The URL that is stored.
    public var url: MountURL { MountURL(scheme: Self.scheme, escaping: Array(name.utf8)) }

    /// The store reads memory in place.
    public var access: MountAccess { .mappable }

    /// Returns the mount for a URL, in the same `MemoryFiles`.
    ///
    /// - Throws: `MountError(.malformedURL)`; `.unknownScheme` if the URL is not of memory.
    public func resolving(_ url: MountURL) throws -> MemoryMount {
        guard url.scheme == Self.scheme else {
            throw MountError(.unknownScheme, "\(url): not of memory")
        }
        guard let bytes = PercentEscapes.unescaped(url.rest),
            let name = String(validating: bytes, as: UTF8.self)
        else { throw MountError(.malformedURL, "\(url): not a name") }
        return MemoryMount(name, in: files)
    }

    /// Returns the size, and a checksum as the validator.
    ///
    /// - Throws: `MountError(.gone)`.
    public func stat() async throws -> MountStat {
        let content = try files.content(of: name)
        return MountStat(size: UInt64(content.bytes.size), validator: content.validator)
    }

    /// Returns the bytes.
    ///
    /// - Throws: `MountError(.gone)`.
    public func open() async throws -> MountSource { .bytes(try files.content(of: name).bytes) }
}
