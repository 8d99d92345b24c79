internal import DAGBytes
internal import DAGHashing
public import SystemPackage

/// Where the bytes of a shard come from, and how to reach them.
///
/// A mount is a small value. What is kept of it is its URL; after a restart a template of its type, which
/// was registered for the URL's scheme, makes it again. A template may carry what is not to be stored,
/// such as a client or credentials: every mount that it resolves has them.
///
/// *Errors*: a mount throws `MountError`, so that a failure keeps its meaning; anything else counts as
/// `.unreachable`. It throws `CancellationError` when its task was cancelled.
///
/// *Concurrency*: any task may call anything, also several at once.
public protocol Mount: Sendable {
    /// What is stored: enough to make the mount again.
    var url: MountURL { get }

    /// How the bytes can be read.
    var access: MountAccess { get }

    /// The mount that `url` names, with everything else as in this one; called on a template.
    ///
    /// - Parameter url: A URL of a scheme that the template was registered for.
    /// - Returns: The mount; that nothing is there is found later.
    /// - Throws: `MountError(.malformedURL)`.
    func resolving(_ url: MountURL) throws -> Self

    /// What can be said of the bytes without reading them.
    ///
    /// - Throws: `MountError(.gone)` if nothing is there; `.unreachable`, `.timedOut`.
    func stat() async throws -> MountStat

    /// Opens the bytes; whoever opens a source closes it.
    ///
    /// - Returns: A source that fits `access`: `.sequential` or `.random`, and for `.mappable` one of
    ///   `.file` and `.bytes`.
    /// - Throws: `MountError(.gone)` if nothing is there; `.unreachable`, `.timedOut`.
    func open() async throws -> MountSource
}

/// How the bytes of a mount can be read.
public enum MountAccess: Sendable {
    /// They come once, from the beginning: the store copies them to a transient.
    case sequential
    /// Any range can be read: the store reads in place.
    case random
    /// They are a file of this machine, or memory: the store maps them.
    case mappable
}

/// What a mount says of its bytes without reading them.
public struct MountStat: Sendable, Equatable {
    /// The most bytes of a validator that is kept as it is.
    public static let validatorSizeMax = 1024

    /// The size in bytes, if it is known.
    public let size: UInt64?
    /// Whether the bytes can be had now, without first being brought from somewhere slow.
    public let isReady: Bool
    /// A text that differs when the bytes do, such as an entity tag.
    public let validator: String?

    /// What was found.
    ///
    /// - Parameters:
    ///   - size: The size in bytes, if it is known.
    ///   - isReady: Whether the bytes can be had now.
    ///   - validator: A text that differs when the bytes do. Of one larger than `validatorSizeMax` the
    ///     SHA-256 is kept: validators are compared and not read.
    public init(size: UInt64?, isReady: Bool = true, validator: String? = nil) {
        self.size = size
        self.isReady = isReady
        self.validator = validator.map(Self.bounded)
    }

    private static func bounded(_ validator: String) -> String {
        let bytes = Array(validator.utf8)
        guard bytes.count > validatorSizeMax else { return validator }
        let digest = bytes.withView { BlockHash.digest(0x12, of: $0) ?? [] }
        return "sha2-256:" + digest.withView { $0.hexadecimal }
    }
}

/// The open bytes of a mount.
public enum MountSource: Sendable {
    /// A regular file of this machine; the store opens it itself.
    case file(FilePath)
    /// Memory that does not change.
    case bytes(MountBytes)
    /// Bytes of which any range can be read.
    case random(any RandomSource)
    /// Bytes that come once, from the beginning.
    case sequential(any SequentialSource)
}

/// Bytes of which any range can be read.
///
/// *Concurrency*: any task may read, also several at once.
public protocol RandomSource: Sendable {
    /// The size in bytes; it does not change.
    var size: UInt64 { get }

    /// Reads `size` bytes at `offset`.
    ///
    /// - Returns: Exactly `size` bytes; fewer only where the bytes end.
    /// - Throws: `MountError`, `CancellationError`.
    func read(at offset: UInt64, size: Int) async throws -> [UInt8]

    /// Lets go of what the source holds; called once or more, also while a read hangs.
    func close()
}

/// Bytes that are read by a thread that blocks, without any task.
package protocol BlockingSource: RandomSource {
    /// Reads into `buffer` until it is full or the bytes end.
    ///
    /// - Returns: The bytes read.
    /// - Throws: `MountError`.
    func readBlocking(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int
}

/// Bytes that come once, from the beginning.
///
/// *Concurrency*: one task reads at a time; an implementation is a final class.
public protocol SequentialSource: Sendable {
    /// Reads the next bytes.
    ///
    /// - Returns: At least one byte and at most `size`; none at the end.
    /// - Throws: `MountError`, `CancellationError`.
    func read(upTo size: Int) async throws -> [UInt8]

    /// Lets go of what the source holds; called once or more, also while a read hangs.
    func close()
}
