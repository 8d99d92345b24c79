public import Synchronization

/// A reference that threads follow without writing a reference count, and that one thread at a time changes.
///
/// *Concurrency*: any thread reads `borrowed` within a reading of the mark. The owner calls `exchange` and reads
/// `object`, under its own lock.
@safe public final class SharedReference<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the word is atomic, and the object is `Sendable`. `current` keeps the object
    // alive; after an exchange the reclaimer keeps it alive for the readers that saw it.
    @usableFromInline let word: Atomic<UInt>
    private var current: Object
    private let mark: ReadMark

    /// Refers to `object`.
    ///
    /// - Parameters:
    ///   - object: The first object.
    ///   - mark: The mark under which threads read the reference.
    public init(_ object: Object, readUnder mark: ReadMark) {
        current = object
        self.mark = mark
        word = Atomic(Borrowed(object).address)
    }

    /// The object, which stays alive until the reading ends.
    @inlinable public var borrowed: Borrowed<Object> {
        // SAFETY: `current` or the reclaimer keeps the object alive.
        @inline(__always) get { unsafe Borrowed(at: word.load(ordering: .acquiring)) }
    }

    /// The object, with a retain; for the owner.
    public var object: Object { current }

    /// Replaces the object; the old one lives until its readers have ended.
    public func exchange(_ object: Object) {
        let old = current
        current = object
        word.store(Borrowed(object).address, ordering: .releasing)
        Reclaimer.retire(old, mark)
    }
}
