/// Memory of a fixed size that is filled with copies, sent, and filled again.
///
/// *Concurrency*: one owner at a time; it may go from thread to thread.
@safe package final class CopyBuffer: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the owner hands the object over as a whole, and keeps no view of it.
    private let memory: UnsafeMutableRawBufferPointer
    /// The number of bytes that were appended.
    package private(set) var count = 0

    /// Allocates memory, empty.
    package init(capacity: Int) {
        self.capacity = capacity
        // SAFETY: the object owns the memory until `deinit`.
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
    }

    // SAFETY: `init` allocated the memory, and no reference to the object is left.
    deinit { unsafe memory.deallocate() }

    /// How many bytes it has room for, in all.
    package let capacity: Int

    /// The bytes that were appended; valid until the next change.
    package var view: ByteView {
        // SAFETY: the first `count` bytes were written, and the memory lives as long as the object.
        unsafe ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
    }

    /// Takes out all bytes and keeps the memory.
    package func removeAll() { count = 0 }

    /// Appends a copy of bytes, for which there is room, if they are still there.
    ///
    /// - Returns: Whether it did; if not, the buffer is as before.
    package func append(_ bytes: ByteView) -> Bool {
        precondition(bytes.count <= capacity - count, "a buffer without room")
        // SAFETY: the precondition keeps the copy inside the memory.
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
        guard unsafe GuardedCopy.copy(bytes, into: room) else { return false }
        count += bytes.count
        return true
    }
}
