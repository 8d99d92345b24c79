/// Names a thread.
package struct ThreadIdentity: Equatable, Sendable {
    private let number: UInt

    /// The calling thread.
    ///
    /// The corresponding C function is `pthread_self`.
    package static var current: ThreadIdentity {
        #if canImport(Darwin)
            // SAFETY: the pointer is only a number here.
            unsafe ThreadIdentity(number: UInt(bitPattern: pthread_self()))
        #else
            ThreadIdentity(number: pthread_self())
        #endif
    }
}
