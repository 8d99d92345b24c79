package import SystemPackage

extension FileDescriptor {
    /// Lets writes bypass the system's cache, or go through it again.
    ///
    /// Memory, offsets and sizes of writes that bypass it are multiples of the disk's blocks: 4,096 bytes suffice. The
    /// corresponding C function is `fcntl` with `O_DIRECT`, which only Linux has.
    ///
    /// - Returns: Whether the system and the file system did it.
    package func setBypassesCache(_ bypasses: Bool) -> Bool {
        #if os(Linux)
            let flags = fcntl(rawValue, F_GETFL)
            guard flags >= 0 else { return false }
            let next = bypasses ? flags | Self.direct : flags & ~Self.direct
            return fcntl(rawValue, F_SETFL, next) == 0
        #else
            return !bypasses
        #endif
    }

    #if os(Linux)
        /// Glibc's headers have the name for GNU programs only, and its number depends on the processor.
        private static var direct: CInt {
            #if arch(arm64) || arch(arm)
                0x1_0000
            #else
                0x4000
            #endif
        }
    #endif

    /// Reserves space on the disk for a part of the file, which the file then has, as zeros.
    ///
    /// Writes to such a part may run beside each other. The corresponding C function is `posix_fallocate`.
    ///
    /// - Returns: Whether the file system did it.
    package func reserve(_ range: Range<UInt64>) -> Bool {
        #if os(Linux)
            guard let start = off_t(exactly: range.lowerBound),
                let size = off_t(exactly: range.upperBound - range.lowerBound)
            else { return false }
            return posix_fallocate(rawValue, start, size) == 0
        #else
            return false
        #endif
    }
}
