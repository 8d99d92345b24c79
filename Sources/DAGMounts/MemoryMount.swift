internal import SharedReads

/// Bytes in memory under names, shared by the mounts that read them.
///
/// *Concurrency*: any thread may call anything.
public final class MemoryFiles: Sendable {
    /// Some bytes and what tells them from others.
    struct Content {
        let bytes: MountBytes
        let validator: String
    }

    // By the bytes of the name: composed and decomposed letters are different names.
    private let contents = Lock<[[UInt8]: Content]>([:])

    /// No files.
    public init() {}

    /// Puts a copy of `bytes` under `name`, in the place of what was there.
    ///
    /// Sources that are open keep what they have.
    ///
    /// *Cost*: O(bytes).
    public func set(_ name: String, _ bytes: [UInt8]) {
        let bytes = MountBytes(copying: bytes)
        let checksum = ContentChecksum.of(bytes.view)
        let content = Content(bytes: bytes, validator: String(checksum, radix: 16))
        contents.withLock { $0[Array(name.utf8)] = content }
    }

    /// Forgets what is under `name`, if anything is.
    public func remove(_ name: String) {
        contents.withLock { _ = $0.removeValue(forKey: Array(name.utf8)) }
    }

    /// What is under `name`.
    ///
    /// - Throws: `.gone`.
    func content(of name: String) throws(MountError) -> Content {
        guard let content = contents.withLock({ $0[Array(name.utf8)] }) else {
            throw MountError(.gone, "\(MemoryMount.scheme)://\(name): nothing is there")
        }
        return content
    }
}

/// Bytes in memory.
///
/// Its URL is `memory://` and the name, escaped as a file's path is. The bytes live no longer than the
/// process; a store that is opened again finds them if its registry has a template with the same
/// `MemoryFiles`.
public struct MemoryMount: Mount {
    /// The URL scheme.
    public static let scheme = "memory"

    /// Under what the bytes are found.
    public let name: String
    /// What the mount looks into.
    public let files: MemoryFiles

    /// A mount of a copy of `bytes`, which alone knows them.
    public init(_ bytes: [UInt8], name: String) {
        self.init(name, in: MemoryFiles())
        files.set(name, bytes)
    }

    /// A mount of what `files` has under `name`; it need not be there yet.
    ///
    /// - Parameters:
    ///   - name: Any text; none is enough for a template.
    ///   - files: What every mount that this one resolves looks into too.
    public init(_ name: String = "", in files: MemoryFiles) {
        self.name = name
        self.files = files
    }

    /// The URL that is stored.
    public var url: MountURL { MountURL(scheme: Self.scheme, escaping: Array(name.utf8)) }

    /// Memory is read where it is.
    public var access: MountAccess { .mappable }

    /// The mount that `url` names, in the same `MemoryFiles`.
    ///
    /// - Throws: `MountError(.malformedURL)`; `.unknownScheme` if it is not of memory.
    public func resolving(_ url: MountURL) throws -> MemoryMount {
        guard url.scheme == Self.scheme else {
            throw MountError(.unknownScheme, "\(url): not of memory")
        }
        guard let bytes = PercentEscapes.unescaped(url.rest),
            let name = String(validating: bytes, as: UTF8.self)
        else { throw MountError(.malformedURL, "\(url): not a name") }
        return MemoryMount(name, in: files)
    }

    /// The size, and a checksum as validator.
    ///
    /// - Throws: `MountError(.gone)`.
    public func stat() async throws -> MountStat {
        let content = try files.content(of: name)
        return MountStat(size: UInt64(content.bytes.size), validator: content.validator)
    }

    /// The bytes.
    ///
    /// - Throws: `MountError(.gone)`.
    public func open() async throws -> MountSource { .bytes(try files.content(of: name).bytes) }
}
