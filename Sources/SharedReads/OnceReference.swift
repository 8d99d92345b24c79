public import Synchronization

/// A reference that is filled once, by whichever thread comes first, and followed without counting.
///
/// *Concurrency*: any thread. The object lives as long as the reference.
@safe public final class OnceReference<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the word is atomic, and the object it leads to is `Sendable`.
    @usableFromInline let word = Atomic<UInt>(0)

    /// An empty reference.
    public init() {}

    deinit {
        let address = word.load(ordering: .acquiring)
        guard address != 0 else { return }
        // SAFETY: the reference that `fill` took.
        unsafe Unmanaged.passUnretained(Borrowed<Object>(at: address).object).release()
    }

    /// The object, if there is one.
    @inlinable public var borrowed: Borrowed<Object>? {
        let address = word.load(ordering: .acquiring)
        guard address != 0 else { return nil }
        // SAFETY: it lives as long as this object, which the caller holds.
        return unsafe Borrowed(at: address)
    }

    /// Fills the reference, unless another thread was first.
    ///
    /// - Returns: The object that is there now.
    public func fill(_ object: Object) -> Borrowed<Object> {
        let own = Borrowed(object)
        let (isFirst, found) = word.compareExchange(
            expected: 0,
            desired: own.address,
            ordering: .acquiringAndReleasing
        )
        guard isFirst else { return unsafe Borrowed(at: found) }
        // SAFETY: given back in `deinit`.
        _ = unsafe Unmanaged.passRetained(object)
        return own
    }
}
