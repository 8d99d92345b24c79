internal import CDAGSystem

/// Copies bytes out of mapped files that may have become shorter.
///
/// A read of a mapped byte that its file has lost raises SIGBUS and ends the process. With the guard that `install()`
/// sets up, or else by system call, a copy reports instead that the bytes are gone.
///
/// The guard belongs to the whole process. Executables of this package install it. An embedded library waits until
/// its process asks, because that process owns its signals.
///
/// *Cost* for 96 bytes: 7 ns with the guard, 1 us by system call.
///
/// *Concurrency*: any thread may call everything here at any time.
package enum GuardedCopy {
    /// Sets up the guard, for as long as the process lives.
    ///
    /// A signal without a guarded copy as its cause goes to the earlier handler. Only the first call does anything.
    ///
    /// - Returns: Whether the guard is installed.
    @discardableResult
    package static func install() -> Bool {
        dagstore_guard_install()
    }

    /// Whether the guard is installed.
    ///
    /// *Cost*: one load.
    package static var isInstalled: Bool { dagstore_guard_is_installed() }

    /// Copies the bytes of a view, if they are still there.
    ///
    /// Without the guard, this is a plain copy if the system has no call for it or forbids it. A file that became
    /// shorter then ends the process.
    ///
    /// - Parameters:
    ///   - view: The bytes, which may be in a mapping that lost its file.
    ///   - buffer: Receives them; it has room for all.
    /// - Returns: Whether it copied the bytes. If not, the buffer may hold some of them.
    package static func copy(_ view: ByteView, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        precondition(buffer.count >= view.count, "the copy is larger than the buffer")
        guard !view.isEmpty, let target = buffer.baseAddress else { return true }
        // SAFETY: the precondition gives both `view.count` bytes. The view's bytes may be gone; the guard handles
        // that.
        guard !isInstalled else {
            return unsafe dagstore_guarded_copy(target, view.start, view.count)
        }
        switch unsafe dagstore_copy_by_system(target, view.start, view.count) {
        case DAGSTORE_COPY_DONE: return true
        case DAGSTORE_COPY_GONE: return false
        default:
            // The only way that is left.
            unsafe target.copyMemory(from: view.start, byteCount: view.count)
            return true
        }
    }

    /// The largest number of views that share a system call.
    private static let viewsMax = Int(DAGSTORE_COPY_RANGES_MAX)

    /// Copies the bytes of many views, one directly after the other, if they are still there.
    ///
    /// *Cost*: without the guard, a system call for every 64 views.
    ///
    /// - Parameters:
    ///   - views: The bytes, which may be in mappings that lost their files.
    ///   - buffer: Receives them; it has room for all.
    ///   - isGone: Receives the index of each view whose bytes are gone; its place in the buffer may hold some bytes.
    package static func copy(
        _ views: [ByteView],
        into buffer: UnsafeMutableRawBufferPointer,
        orElse isGone: (Int) -> Void
    ) {
        precondition(buffer.count >= views.reduce(0) { $0 + $1.count }, "the buffer is too small")
        var next = 0
        var end = 0
        /// Copies one view by itself.
        func copyNext() {
            // SAFETY: `end` and the view's size lie within the buffer, as the precondition says.
            let place = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
            if unsafe !copy(views[next], into: place) { isGone(next) }
            end += views[next].count
            next += 1
        }
        while next < views.count {
            guard !isInstalled, views.count - next > 1 else {
                copyNext()
                continue
            }
            let group = views[next...].prefix(viewsMax)
            // SAFETY: the ranges are the views, and the buffer has room for all from `end` on.
            let ranges = unsafe group.map { view in
                unsafe dagstore_range(start: view.start, size: view.count)
            }
            let copied = unsafe dagstore_copy_ranges_by_system(
                buffer.baseAddress.map { unsafe $0 + end },
                ranges,
                ranges.count
            )
            for _ in 0..<copied {
                end += views[next].count
                next += 1
            }
            if copied < group.count { copyNext() }
        }
    }

    /// Copies the bytes of a view into memory of their own, if the bytes are still there.
    ///
    /// *Cost*: an allocation, and one copy.
    ///
    /// - Returns: The copy; nil if the bytes are gone.
    package static func copied(_ view: ByteView) -> OwnedBytes? {
        try? unsafe OwnedBytes(size: view.count) { buffer throws(Gone) in
            // SAFETY: the buffer has `view.count` bytes, and belongs to this closure during the call.
            guard unsafe copy(view, into: buffer) else { throw Gone() }
        }
    }

    /// Copies the bytes of a view into an array, if the bytes are still there.
    ///
    /// *Cost*: an allocation, and one copy.
    ///
    /// - Returns: The array; nil if the bytes are gone.
    package static func array(of view: ByteView) -> [UInt8]? {
        try? unsafe [UInt8](unsafeUninitializedCapacity: view.count) { buffer, count in
            // SAFETY: the buffer has room for `view.count` bytes, and the copy writes all of them.
            let target = UnsafeMutableRawBufferPointer(buffer)
            guard unsafe copy(view, into: target) else { throw Gone() }
            count = view.count
        }
    }

    /// The longest view that `withCopy` copies without an allocation, in bytes.
    package static let smallSizeMax = 128

    /// Calls `body` with a copy of a view, if the view's bytes are still there.
    ///
    /// For short reads, such as the header of a section before its block is returned. It has no generic parameter,
    /// because a generic call costs other modules three times as much.
    ///
    /// *Cost*: 9 ns for 96 bytes with the guard. Up to `smallSizeMax` bytes lie on the stack; for more, the call
    /// allocates.
    ///
    /// - Parameters:
    ///   - view: The bytes, which may be in a mapping that lost its file.
    ///   - body: Receives the copy, which is valid inside `body` only.
    /// - Returns: Whether it called `body`; false if the bytes are gone.
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
