package import SystemPackage

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// System calls on names in a folder of the store; each says why it failed.
package enum NameCalls {
    /// Makes a folder; that it is there already is `.fileExists`.
    package static func makeDirectory(_ path: FilePath) throws(Errno) {
        // SAFETY: the string is read during the call.
        try check(unsafe path.withPlatformString { unsafe mkdir($0, 0o777) })
    }

    /// The kind of the file that a path leads to, one of `S_IFMT`; nil if nothing is there, or the process may not look.
    static func kind(of path: FilePath) -> mode_t? {
        var status = stat()
        // SAFETY: `stat` fills the structure it is given.
        let code = unsafe path.withPlatformString { unsafe stat($0, &status) }
        return code == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Takes the name away from a file; whoever has it open keeps it.
    static func unlink(_ path: FilePath) throws(Errno) {
        // SAFETY: the string is read during the call.
        try check(unsafe path.withPlatformString { unsafe systemUnlink($0) })
    }

    /// Opens a file that is no link, without waiting for anybody.
    static func descriptor(of path: FilePath) throws(Errno) -> FileDescriptor {
        // SAFETY: the string is read during the call.
        let descriptor = unsafe path.withPlatformString {
            unsafe systemOpen($0, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        }
        try check(descriptor)
        return FileDescriptor(rawValue: descriptor)
    }

    /// Gives a file another name, in the place of whatever had it.
    package static func rename(_ old: FilePath, to new: FilePath) throws(Errno) {
        // SAFETY: both strings are read during the call.
        let code = unsafe old.withPlatformString { old in
            unsafe new.withPlatformString { unsafe systemRename(old, $0) }
        }
        try check(code)
    }

    /// Waits until what was renamed in a folder is on disk.
    package static func synchronize(directory: FilePath) throws(Errno) {
        // SAFETY: the string is read during the call.
        let descriptor = unsafe directory.withPlatformString {
            unsafe systemOpen($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        try check(descriptor)
        defer { _ = close(descriptor) }
        try synchronize(FileDescriptor(rawValue: descriptor))
    }

    /// Waits until an open file is on disk.
    package static func synchronize(_ descriptor: FileDescriptor) throws(Errno) {
        #if canImport(Darwin)
            // There `fsync` leaves the bytes in the cache of the disk.
            try check(fcntl(descriptor.rawValue, F_FULLFSYNC))
        #else
            try check(fsync(descriptor.rawValue))
        #endif
    }

    /// The names in a folder, in no order, `.` and `..` with them.
    static func names(in directory: FilePath) throws(Errno) -> [String] {
        // SAFETY: the string is read during the call.
        guard let folder = unsafe directory.withPlatformString({ unsafe opendir($0) }) else {
            throw Errno(rawValue: errno)
        }
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        errno = 0
        // SAFETY: an entry is used before the next one is read, and its name ends with a zero.
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            names.append(name)
            errno = 0
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return names
    }

    private static func check(_ code: CInt) throws(Errno) {
        guard code >= 0 else { throw Errno(rawValue: errno) }
    }

    // The names above hide those of the system.
    // SAFETY: of all three, a caller's strings are alive through the call.
    private static func systemUnlink(_ path: UnsafePointer<CInterop.PlatformChar>) -> CInt {
        #if canImport(Darwin)
            unsafe Darwin.unlink(path)
        #else
            unsafe Glibc.unlink(path)
        #endif
    }

    private static func systemRename(
        _ old: UnsafePointer<CInterop.PlatformChar>,
        _ new: UnsafePointer<CInterop.PlatformChar>
    ) -> CInt {
        #if canImport(Darwin)
            unsafe Darwin.rename(old, new)
        #else
            unsafe Glibc.rename(old, new)
        #endif
    }

    private static func systemOpen(
        _ path: UnsafePointer<CInterop.PlatformChar>,
        _ flags: CInt
    ) -> CInt {
        unsafe open(path, flags)
    }
}
