internal import DAGBytes
internal import DAGHashing
public import SystemPackage

/// A source of a shard's bytes, and the way to reach it.
///
/// A mount is a small value, and the store persists its URL. After a restart, the template that is registered for the
/// URL's scheme creates the mount again. A template may have parts that are not stored, such as a client or
/// credentials: every mount that it resolves has them too.
///
/// *Errors*: a mount throws `MountError`, so that a failure keeps its meaning; any other error counts as
/// `.unreachable`. It throws `CancellationError` when its task was cancelled.
///
/// *Concurrency*: any number of tasks may call anything at once.
public protocol Mount: Sendable {
    /// The persisted URL, enough to create the mount again.
    var url: MountURL { get }

    /// How the store reads the bytes.
    var access: MountAccess { get }

    /// Returns the mount for a URL, with all other parts as in this one; the store calls it on a template.
    ///
    /// - Parameter url: A URL whose scheme the template is registered for.
    /// - Returns: The mount. A later call finds out whether anything is there.
    /// - Throws: `MountError(.malformedURL)`.
    func resolving(_ url: MountURL) throws -> Self

    /// Returns this mount under a policy; the store calls it on a mount that a template resolved.
    ///
    /// The default returns the mount itself. A mount with a cache uses it under `cache`. Under `copy` the store copies
    /// the bytes of a `.random` mount by itself; a mount that reads a stream faster may return one that is
    /// `.sequential`.
    func applying(_ policy: MountPolicy) -> Self

    /// Returns this mount for a shard; the store calls it on a mount that reads the shard's bytes.
    ///
    /// The default returns the mount itself. A mount that asks a server for permission may name the shard there.
    ///
    /// - Parameter key: The shard's key.
    /// - Returns: The mount.
    func serving(shard key: String) -> Self

    /// Returns this mount, which from now on counts its requests in `counter`; the store shows the numbers.
    ///
    /// The default returns the mount itself, which counts nothing.
    func counting(in counter: TrafficCounter) -> Self

    /// Returns the properties of the bytes that are known without reading them.
    ///
    /// - Throws: `MountError(.gone)` if nothing is there; `.unreachable`, `.timedOut`.
    func stat() async throws -> MountStat

    /// Opens the bytes; the caller closes the source.
    ///
    /// - Returns: A source that fits `access`: `.sequential` or `.random`; for `.mappable` one of `.file` and
    ///   `.bytes`.
    /// - Throws: `MountError(.gone)` if nothing is there; `.unreachable`, `.timedOut`.
    func open() async throws -> MountSource
}

extension Mount {
    /// Returns the mount itself.
    public func applying(_ policy: MountPolicy) -> Self { self }

    /// Returns the mount itself.
    public func serving(shard key: String) -> Self { self }

    /// Returns the mount itself.
    public func counting(in counter: TrafficCounter) -> Self { self }
}

/// How a store reads the bytes of a mount.
public enum MountAccess: Sendable {
    /// Once, from the beginning: the store copies them to a transient.
    case sequential
    /// In any order: the store reads in place.
    case random
    /// As a file of this machine or as memory: the store maps them.
    case mappable
}

/// The properties of a mount's bytes that are known without reading them.
public struct MountStat: Sendable, Equatable {
    /// The largest validator that is stored unchanged, in bytes.
    public static let validatorSizeMax = 1024

    /// The size in bytes; nil if it is unknown.
    public let size: UInt64?
    /// Whether the bytes are available now, without a slow transfer first.
    public let isReady: Bool
    /// A text that differs when the bytes differ, such as an entity tag.
    public let validator: String?

    /// Creates the properties.
    ///
    /// - Parameters:
    ///   - size: The size in bytes; nil if it is unknown.
    ///   - isReady: Whether the bytes are available now.
    ///   - validator: A text that differs when the bytes differ. If it is larger than `validatorSizeMax`, its SHA-256
    ///     is stored, because validators are only compared.
    public init(size: UInt64?, isReady: Bool = true, validator: String? = nil) {
        self.size = size
        self.isReady = isReady
        self.validator = validator.map(Self.bounded)
    }

    /// Returns a validator as it is stored.
    package static func bounded(_ validator: String) -> String {
        let bytes = Array(validator.utf8)
        guard bytes.count > validatorSizeMax else { return validator }
        let digest = bytes.withView { BlockHash.digest(0x12, of: $0) ?? [] }
        return "sha2-256:" + digest.withView { $0.hexadecimal }
    }
}

/// The open bytes of a mount.
public enum MountSource: Sendable {
    /// A regular file of this machine, which the store opens itself.
    case file(FilePath)
    /// Memory that never changes.
    case bytes(MountBytes)
    /// A source that returns any range.
    case random(any RandomSource)
    /// A source that returns the bytes once, from the beginning.
    case sequential(any SequentialSource)
}

/// A source that returns any range of its bytes.
///
/// *Concurrency*: any number of tasks may read at once.
public protocol RandomSource: Sendable {
    /// The size in bytes; constant.
    var size: UInt64 { get }

    /// Reads `size` bytes at `offset`.
    ///
    /// - Returns: Exactly `size` bytes; fewer only at the end of the source.
    /// - Throws: `MountError`, `CancellationError`.
    func read(at offset: UInt64, size: Int) async throws -> [UInt8]

    /// Frees the source's resources. The store calls it at least once, possibly while a read hangs.
    func close()
}

/// A source that knows which version of the bytes it reads.
package protocol VersionedSource: Sendable {
    /// The validator of that version, as in `MountStat`; nil if it is unknown.
    var validator: String? { get }
}

/// A source that a blocking thread can read without a task.
package protocol BlockingSource: RandomSource {
    /// Reads into `buffer` until it is full or the bytes end.
    ///
    /// - Returns: The number of bytes read.
    /// - Throws: `MountError`.
    func readBlocking(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int
}

/// A source that returns its bytes once, from the beginning.
///
/// *Concurrency*: one task reads at a time; an implementation is a final class.
public protocol SequentialSource: Sendable {
    /// The number of bytes that come; nil, the default, if it is unknown.
    ///
    /// A fetch that gets fewer or more bytes fails, so a source that ends early never looks whole.
    var expectedSize: UInt64? { get }

    /// Reads the next bytes.
    ///
    /// - Returns: 1 to `size` bytes; none at the end.
    /// - Throws: `MountError`, `CancellationError`.
    func read(upTo size: Int) async throws -> [UInt8]

    /// Frees the source's resources. The store calls it at least once, possibly while a read hangs.
    func close()
}

extension SequentialSource {
    /// Nil: the size is unknown.
    public var expectedSize: UInt64? { nil }
}
