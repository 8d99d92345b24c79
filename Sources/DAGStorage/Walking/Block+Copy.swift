internal import DAGBytes

extension Block {
    /// Copies a part of the block into a buffer of the caller's.
    ///
    /// *Cost*: one copy, guarded where the bytes are in a mapped file.
    ///
    /// - Parameters:
    ///   - range: The part, inside the block.
    ///   - buffer: Receives the bytes; it has room for all of them.
    /// - Throws: `sourceChanged` if another process made the mapped file shorter. The buffer may hold some bytes then.
    @unsafe
    package func copyBytes(
        _ range: Range<Int>,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(DAGStoreError) {
        precondition(range.count <= buffer.count, "a part that is larger than the buffer")
        // SAFETY: the precondition gives the copy its room, and the view checks the range.
        guard unsafe GuardedCopy.copy(view[range], into: buffer) else { throw BlockBytes.areGone }
    }
}
