/// A reference that does not retain its object.
///
/// All threads that retain an object write its reference count. A borrowed reference leaves the count alone. A
/// reading (`Reading`), a lease or an owner keeps the object alive.
///
/// *Concurrency*: any thread.
@safe public struct Borrowed<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the object is `Sendable`.
    @usableFromInline let reference: Unmanaged<Object>

    /// Refers to `object`, which must live longer than this reference.
    @inlinable public init(_ object: Object) {
        // SAFETY: the caller keeps the object alive longer than this reference.
        unsafe reference = Unmanaged.passUnretained(object)
    }

    /// Refers to the object at `address`.
    @inlinable
    @unsafe
    init(at address: UInt) {
        // SAFETY: the caller got the address from such a reference, so it is not zero.
        unsafe reference = Unmanaged.fromOpaque(
            UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped
        )
    }

    /// The object's address.
    // SAFETY: reads the address, and does not follow it.
    @inlinable var address: UInt { unsafe UInt(bitPattern: reference.toOpaque()) }

    /// Calls `body` with the object.
    @inlinable
    @inline(__always)
    public func with<R>(_ body: (Object) throws -> R) rethrows -> R {
        // SAFETY: the code that created this reference keeps the object alive.
        try unsafe reference._withUnsafeGuaranteedRef(body)
    }

    /// The object, with a retain.
    @inlinable public var object: Object {
        // SAFETY: the code that created this reference keeps the object alive.
        unsafe reference.takeUnretainedValue()
    }
}

/// An immutable row of objects that threads read without retaining them.
///
/// *Concurrency*: immutable; any thread. The row keeps its objects alive.
@safe public final class BorrowedRow<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: only `init` writes, and the objects are `Sendable`.
    @usableFromInline let start: UnsafeMutablePointer<Unmanaged<Object>>
    /// The number of objects.
    public let count: Int

    /// Creates a row of `objects`, in their order.
    public init(_ objects: [Object]) {
        count = objects.count
        // SAFETY: the memory has a place for each object, and the loop initializes each place once.
        unsafe start = .allocate(capacity: max(1, objects.count))
        for (index, object) in objects.enumerated() {
            unsafe (start + index).initialize(to: Unmanaged.passRetained(object))
        }
    }

    deinit {
        // SAFETY: `init` filled all `count` places, each with a reference of its own.
        for index in 0..<count { unsafe start[index].release() }
        unsafe start.deallocate()
    }

    /// The object at `index`.
    @inlinable public subscript(index: Int) -> Borrowed<Object> {
        precondition(index >= 0 && index < count, "an object outside the row")
        // SAFETY: the precondition keeps the index inside the row.
        return unsafe Borrowed(at: UInt(bitPattern: start[index].toOpaque()))
    }

    /// The objects, each with a retain.
    public var objects: [Object] { (0..<count).map { self[$0].object } }
}
