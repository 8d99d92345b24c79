#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Which thread something happened on.
struct ThreadIdentity: Equatable, Sendable {
    private let number: UInt

    /// The thread that asks.
    static var current: ThreadIdentity {
        #if canImport(Darwin)
            // SAFETY: the pointer is a number here; nobody follows it.
            unsafe ThreadIdentity(number: UInt(bitPattern: pthread_self()))
        #else
            ThreadIdentity(number: pthread_self())
        #endif
    }
}
