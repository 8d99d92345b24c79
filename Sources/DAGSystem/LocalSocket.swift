package import SystemPackage

/// A stream socket that has a path on this machine.
package enum LocalSocket {
    /// Connects to a socket.
    ///
    /// The corresponding C functions are `socket` and `connect`.
    ///
    /// - Parameter path: The path, at most 107 bytes.
    /// - Returns: The connection, which the caller closes.
    /// - Throws: `.connectionRefused` if no process listens; all other errors of the system; `.fileNameTooLong`.
    package static func connect(to path: FilePath) throws(Errno) -> FileDescriptor {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.string.utf8)
        // SAFETY: the structure is plain bytes, and the path with its zero fits into it.
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { throw .fileNameTooLong }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #endif
        let number = socket(AF_UNIX, kind, 0)
        try check(number)
        let descriptor = FileDescriptor(rawValue: number)
        // SAFETY: the call reads the structure, whose size is given.
        let code = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe systemConnect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let error = Errno.last
            try? descriptor.close()
            throw error
        }
        return descriptor
    }

    /// Sets how long reads of a socket may wait; 0 is for ever.
    ///
    /// A read that waits longer throws `.wouldBlock`. The corresponding C function is `setsockopt`.
    package static func setReadTimeout(_ seconds: Int, of socket: FileDescriptor) {
        var time = timeval(tv_sec: numericCast(seconds), tv_usec: 0)
        // SAFETY: the call reads the structure, whose size is given.
        _ = unsafe setsockopt(
            socket.rawValue,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &time,
            socklen_t(MemoryLayout<timeval>.size)
        )
    }
}

/// `connect`, whose name the function of `LocalSocket` hides.
private func systemConnect(
    _ descriptor: CInt,
    _ address: UnsafePointer<sockaddr>,
    _ size: socklen_t
) -> CInt {
    // SAFETY: the caller's.
    unsafe connect(descriptor, address, size)
}
