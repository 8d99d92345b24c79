internal import Synchronization
package import SystemPackage

/// A complete copy of a shard's bytes, which the store has made and may delete.
///
/// *Concurrency*: immutable. Two objects are two copies, even with the same name.
package final class Transient: Sendable {
    /// The name of the file.
    package let name: TransientName
    /// The path of the file.
    package let path: FilePath
    /// The size in bytes.
    package let size: UInt64

    init(name: TransientName, path: FilePath, size: UInt64) {
        self.name = name
        self.path = path
        self.size = size
    }

    /// Opens the file, which stays readable after the transient is removed.
    ///
    /// - Throws: `.gone` if the transient was removed; `.unreachable`.
    package func open() throws(MountError) -> LocalFile { try LocalFile(opening: path) }
}

/// A pin, which protects a transient from eviction while it lives.
///
/// `TransientStore.remove(_:)` removes pinned transients too.
package final class TransientPin: Sendable {
    /// The pinned transient.
    package let transient: Transient
    /// Whether the transient existed at the time of pinning; if not, the pin has no effect.
    package let isHeld: Bool
    private let store: TransientStore
    private let isReleased = Atomic(false)

    init(_ transient: Transient, isHeld: Bool, store: TransientStore) {
        self.transient = transient
        self.isHeld = isHeld
        self.store = store
    }

    deinit { release() }

    /// Releases the pin; does nothing the second time.
    package func release() {
        guard isHeld, !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        store.unpin(transient)
    }
}

/// A file of the user that serves as a shard's transient.
///
/// It is not a `Transient`, so the store cannot delete it.
package struct BorrowedTransient: Hashable, Sendable {
    /// The path of the file.
    package let path: FilePath

    /// Creates a value for the file at `path`, which need not exist yet.
    package init(_ path: FilePath) { self.path = path }

    /// Opens the file.
    ///
    /// - Throws: `.gone`, `.unreachable`.
    package func open() throws(MountError) -> LocalFile { try LocalFile(opening: path) }
}
