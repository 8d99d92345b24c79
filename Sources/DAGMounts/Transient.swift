internal import Synchronization
package import SystemPackage

/// A whole copy of a shard's bytes, which the store has made and may delete.
///
/// *Concurrency*: immutable. Two objects are two copies, even of the same name.
package final class Transient: Sendable {
    /// What it is called.
    package let name: TransientName
    /// Where the file is.
    package let path: FilePath
    /// The size in bytes.
    package let size: UInt64

    init(name: TransientName, path: FilePath, size: UInt64) {
        self.name = name
        self.path = path
        self.size = size
    }

    /// Opens the file, which stays readable when the copy is removed.
    ///
    /// - Throws: `.gone` if it was removed; `.unreachable`.
    package func open() throws(MountError) -> LocalFile { try LocalFile(opening: path) }
}

/// What keeps a transient from being evicted, for as long as the object lives.
///
/// It does not keep it from `TransientStore.remove(_:)`.
package final class TransientPin: Sendable {
    /// What is kept.
    package let transient: Transient
    /// Whether it was still there when it was pinned; if not, nothing is kept.
    package let isHeld: Bool
    private let store: TransientStore
    private let isReleased = Atomic(false)

    init(_ transient: Transient, isHeld: Bool, store: TransientStore) {
        self.transient = transient
        self.isHeld = isHeld
        self.store = store
    }

    deinit { release() }

    /// Lets the copy go, whoever else refers to the pin; the second time nothing happens.
    package func release() {
        guard isHeld, !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        store.unpin(transient)
    }
}

/// A file of the user's own that serves as the copy of a shard.
///
/// It is no `Transient`, on purpose: nothing here can delete it.
package struct BorrowedTransient: Hashable, Sendable {
    /// Where the file is.
    package let path: FilePath

    /// The file at `path`; it need not be there yet.
    package init(_ path: FilePath) { self.path = path }

    /// Opens the file.
    ///
    /// - Throws: `.gone`, `.unreachable`.
    package func open() throws(MountError) -> LocalFile { try LocalFile(opening: path) }
}
