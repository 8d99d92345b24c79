internal import CDAGSystem

/// Copies out of mapped files that may have become shorter.
///
/// Touching a mapped byte whose file has lost it raises SIGBUS and ends the process. Under the
/// guard that `install()` sets up, or else by system call, a copy says instead that they
/// are gone.
///
/// The guard belongs to the whole process, and processes of others own their signals: executables
/// of this package install it, a library that is embedded waits to be asked.
///
/// *Cost* of 96 bytes: 7 ns under the guard; without it a system call, 1 us.
///
/// *Concurrency*: any thread may call everything here at any time.
package enum GuardedCopy {
    /// Sets up the guard, for as long as the process lives.
    ///
    /// Signals that no guarded copy caused go to the handler that was there before. Only the first
    /// call does anything.
    ///
    /// - Returns: Whether the guard is up.
    @discardableResult
    package static func install() -> Bool {
        dagstore_guard_install()
    }

    /// Whether the guard is up.
    ///
    /// *Cost*: one load.
    package static var isInstalled: Bool { dagstore_guard_is_installed() }

    /// Copies the bytes of a view, if they are still there.
    ///
    /// Without the guard, on a system that has no call for it or forbids it, this is a plain copy,
    /// and a file that became shorter ends the process.
    ///
    /// - Parameters:
    ///   - view: The bytes, which may be in a mapping that lost its file.
    ///   - buffer: Receives them; it has room for all.
    /// - Returns: Whether they were copied. If not, the buffer may hold some of them.
    package static func copy(_ view: ByteView, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        precondition(buffer.count >= view.count, "a copy that is larger than its room")
        guard !view.isEmpty, let target = buffer.baseAddress else { return true }
        // SAFETY: both have `view.count` bytes; the view's may be gone, which the guard is for.
        guard !isInstalled else {
            return unsafe dagstore_guarded_copy(target, view.start, view.count)
        }
        switch unsafe dagstore_copy_by_system(target, view.start, view.count) {
        case DAGSTORE_COPY_DONE: return true
        case DAGSTORE_COPY_GONE: return false
        default:
            // There is no safer way here.
            unsafe target.copyMemory(from: view.start, byteCount: view.count)
            return true
        }
    }

    /// The bytes of a view in memory of their own, if they are still there.
    ///
    /// *Cost*: an allocation, and one copy.
    ///
    /// - Returns: The copy; nothing if the bytes are gone.
    package static func copied(_ view: ByteView) -> OwnedBytes? {
        try? unsafe OwnedBytes(size: view.count) { buffer throws(Gone) in
            // SAFETY: the buffer has `view.count` bytes, and is the caller's for the call.
            guard unsafe copy(view, into: buffer) else { throw Gone() }
        }
    }

    /// The bytes of a view as an array, if they are still there.
    ///
    /// *Cost*: an allocation, and one copy.
    ///
    /// - Returns: The array; nothing if the bytes are gone.
    package static func array(of view: ByteView) -> [UInt8]? {
        try? unsafe [UInt8](unsafeUninitializedCapacity: view.count) { buffer, count in
            // SAFETY: the buffer has room for `view.count` bytes, and all are written.
            let target = UnsafeMutableRawBufferPointer(buffer)
            guard unsafe copy(view, into: target) else { throw Gone() }
            count = view.count
        }
    }

    /// The longest view that `withCopy` copies without an allocation, in bytes.
    package static let smallSizeMax = 128

    /// Calls `body` with a copy of a view, if its bytes are still there.
    ///
    /// Made for what is read in passing: the header of a section, before its block is handed out.
    /// It is not generic, because a generic one costs other modules three times as much.
    ///
    /// *Cost*: 9 ns for 96 bytes under the guard. Up to `smallSizeMax` bytes stand on the stack;
    /// more are allocated.
    ///
    /// - Parameters:
    ///   - view: The bytes, which may be in a mapping that lost its file.
    ///   - body: Receives the copy, which is valid inside `body` only.
    /// - Returns: Whether `body` was called; it is not if the bytes are gone.
    package static func withCopy(of view: ByteView, _ body: (ByteView) -> Void) -> Bool {
        guard view.count <= smallSizeMax else { return withLargeCopy(of: view, body) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: smallSizeMax, alignment: 16) {
            buffer in
            // SAFETY: the buffer has room for `smallSizeMax` bytes and outlives `body`.
            guard unsafe copy(view, into: buffer) else { return false }
            unsafe body(ByteView(UnsafeRawBufferPointer(rebasing: buffer[..<view.count])))
            return true
        }
    }

    private static func withLargeCopy(of view: ByteView, _ body: (ByteView) -> Void) -> Bool {
        guard let bytes = copied(view) else { return false }
        withExtendedLifetime(bytes) { body(bytes.view) }
        return true
    }

    /// The bytes are gone.
    private struct Gone: Error {}
}
