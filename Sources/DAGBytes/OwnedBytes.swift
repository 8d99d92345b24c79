/// A copy of some bytes, which lives as long as the object.
///
/// *Concurrency*: immutable after `init`.
@safe public final class OwnedBytes: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: only `init` writes the memory, and only `deinit` frees it.
    private let memory: UnsafeMutableRawBufferPointer

    /// Copies `view`.
    public init(copying view: ByteView) {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: view.count, alignment: 16)
        // SAFETY: both buffers have `view.count` bytes.
        unsafe memory.copyMemory(from: view.buffer)
    }

    /// Allocates `size` bytes and calls `body` to write all of them.
    ///
    /// - Parameters:
    ///   - size: The number of bytes.
    ///   - body: Writes every byte, or throws.
    /// - Throws: What `body` throws.
    public init<E: Error>(
        size: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) {
        // SAFETY: the object owns the memory, and `body` writes all of it.
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        // When `body` throws, `deinit` frees the memory: every property is set.
        try unsafe body(memory)
    }

    // SAFETY: `init` allocated the memory, and no reference to the object is left.
    deinit { unsafe memory.deallocate() }

    /// The bytes; valid while the object lives.
    public var view: ByteView {
        // SAFETY: the memory lives as long as the object, and the caller holds the object.
        unsafe ByteView(UnsafeRawBufferPointer(memory))
    }
}
