public import Synchronization

/// A reference that threads follow without counting, and that one thread at a time changes.
///
/// *Concurrency*: `borrowed` by any thread within a reading of the mark; `exchange` and `object` by the owner, under
/// the owner's lock.
@safe public final class SharedReference<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the word is atomic; what it leads to is `Sendable` and is kept alive by
    // `current`, and by the reclaimer for readers that have seen it before it was exchanged.
    @usableFromInline let word: Atomic<UInt>
    private var current: Object
    private let mark: ReadMark

    /// Refers to `object`.
    ///
    /// - Parameters:
    ///   - object: What readers see first.
    ///   - mark: Under which they read.
    public init(_ object: Object, readUnder mark: ReadMark) {
        current = object
        self.mark = mark
        word = Atomic(Borrowed(object).address)
    }

    /// The object, for as long as the reading lasts.
    @inlinable public var borrowed: Borrowed<Object> {
        // SAFETY: the object is alive: see the class.
        @inline(__always) get { unsafe Borrowed(at: word.load(ordering: .acquiring)) }
    }

    /// The object, counted; for the owner.
    public var object: Object { current }

    /// Puts `object` in the place of what was there, which goes when its readers have ended.
    public func exchange(_ object: Object) {
        let old = current
        current = object
        word.store(Borrowed(object).address, ordering: .releasing)
        Reclaimer.retire(old, mark)
    }
}
