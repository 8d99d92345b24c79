/// Which pages of a mapped file are in memory.
public enum MemoryResidency {
    /// The most pages that one call looks at.
    public static let pagesMax = 1024

    /// Returns whether a thread can read all bytes without waiting for a disk.
    ///
    /// Pages may leave memory at any time, so the answer is a guess. More than `pagesMax` pages are never all in memory
    /// for this call. The corresponding C function is `mincore`.
    ///
    /// *Cost*: a system call of about 0.2 us, and 15 ns for each page.
    ///
    /// - Parameter memory: Bytes of a mapped file.
    /// - Returns: True as well if the system does not say.
    @unsafe
    public static func isResident(_ memory: UnsafeRawBufferPointer) -> Bool {
        guard let start = memory.baseAddress, memory.count > 0 else { return true }
        let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))
        let before = Int(bitPattern: start) % pageSize
        let pages = (before + memory.count + pageSize - 1) / pageSize
        guard pages <= pagesMax else { return false }
        // SAFETY: the system writes a byte for each page, and touches none of the pages.
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pages) { flags in
            guard let base = flags.baseAddress else { return true }
            let first = unsafe UnsafeMutableRawPointer(mutating: start - before)
            guard unsafe mincore(first, before + memory.count, base) == 0 else { return true }
            return unsafe flags.allSatisfy { $0 & 1 != 0 }
        }
    }
}
