internal import CDAGSystem

// Not generic: a generic call costs another module more than the cache miss that it saves.
extension [UInt64] {
    /// Asks the processor to load the cache line of an element, which lies inside the array.
    package func prefetch(_ index: Int) {
        precondition(index >= 0 && index < count, "an element outside the array")
        unsafe withUnsafeBufferPointer { elements in
            // SAFETY: the element lies inside the array, whose memory stays during the call; nothing is read.
            unsafe dagstore_prefetch(
                elements.baseAddress.map { unsafe UnsafeRawPointer($0 + index) }
            )
        }
    }
}
