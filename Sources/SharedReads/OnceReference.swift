public import Synchronization

/// A reference that the first thread fills.
///
/// All threads follow it without writing a reference count.
///
/// *Concurrency*: any thread. The object lives as long as the reference.
@safe public final class OnceReference<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the word is atomic, and the object it leads to is `Sendable`.
    @usableFromInline let word = Atomic<UInt>(0)

    /// Creates an empty reference.
    public init() {}

    deinit {
        let address = word.load(ordering: .acquiring)
        guard address != 0 else { return }
        // SAFETY: `fill` retained the object once, for this release.
        unsafe Unmanaged.passUnretained(Borrowed<Object>(at: address).object).release()
    }

    /// The object, if there is one.
    @inlinable public var borrowed: Borrowed<Object>? {
        let address = word.load(ordering: .acquiring)
        guard address != 0 else { return nil }
        // SAFETY: the object lives as long as this reference, and the caller holds the reference.
        return unsafe Borrowed(at: address)
    }

    /// Fills the reference, unless another thread was first.
    ///
    /// - Returns: The object that the reference has now.
    public func fill(_ object: Object) -> Borrowed<Object> {
        let own = Borrowed(object)
        let (isFirst, found) = word.compareExchange(
            expected: 0,
            desired: own.address,
            ordering: .acquiringAndReleasing
        )
        guard isFirst else { return unsafe Borrowed(at: found) }
        // SAFETY: `deinit` releases the object.
        _ = unsafe Unmanaged.passRetained(object)
        return own
    }
}
