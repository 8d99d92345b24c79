/// Advice to the system about the use of memory.
public enum MemoryAdvice: Sendable {
    /// Reads come in no order: the system reads nothing ahead.
    case random
    /// Reads come from the beginning to the end.
    case sequential
    /// The process no longer needs the pages of a shared mapping; the next read maps them again.
    case dropPages
    /// Large pages save faults. Only Linux has this advice.
    case hugePages

    /// Applies the advice to memory; a system that refuses it ignores it.
    ///
    /// The corresponding C function is `madvise`.
    ///
    /// - Parameter memory: Whole pages of this process. After `dropPages`, private memory would read as zeros.
    @unsafe
    public func apply(to memory: UnsafeRawBufferPointer) {
        // SAFETY: the system reads and writes none of the bytes; the caller answers for `dropPages`.
        unsafe _ = madvise(
            UnsafeMutableRawPointer(mutating: memory.baseAddress),
            memory.count,
            number
        )
    }

    private var number: CInt {
        switch self {
        case .random: return MADV_RANDOM
        case .sequential: return MADV_SEQUENTIAL
        case .dropPages: return MADV_DONTNEED
        case .hugePages:
            #if os(Linux)
                return MADV_HUGEPAGE
            #else
                return MADV_NORMAL
            #endif
        }
    }
}
