package import DAGBytes

/// Memory that never changes, shared by all objects that hold it.
///
/// *Concurrency*: immutable.
public final class MountBytes: Sendable {
    private let memory: OwnedBytes

    /// Copies `bytes`.
    public init(copying bytes: [UInt8]) {
        memory = bytes.withView { OwnedBytes(copying: $0) }
    }

    /// The number of bytes.
    public var size: Int { memory.view.count }

    /// The bytes; valid while the object lives.
    package var view: ByteView { memory.view }
}
