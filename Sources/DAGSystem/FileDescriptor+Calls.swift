package import SystemPackage

extension Errno {
    /// The error of this thread's last system call that failed.
    package static var last: Errno { Errno(rawValue: errno) }
}

/// Throws the last error if `code` is negative.
func check(_ code: CInt) throws(Errno) {
    guard code >= 0 else { throw Errno.last }
}

extension FileDescriptor {
    /// Opens a file or a directory; a program that this process starts does not inherit the descriptor.
    ///
    /// The corresponding C function is `open`, with `O_CLOEXEC`.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - mode: Whether the descriptor reads or writes.
    ///   - options: Further flags.
    ///   - permissions: The rights of a new file, before the umask; nil if the call makes none.
    /// - Returns: The descriptor, which the caller closes.
    /// - Throws: The error of the system.
    package static func opening(
        _ path: FilePath,
        _ mode: AccessMode = .readOnly,
        options: OpenOptions = [],
        permissions: FilePermissions? = nil
    ) throws(Errno) -> FileDescriptor {
        do {
            let options = options.union(.closeOnExec)
            return try open(path, mode, options: options, permissions: permissions)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Waits until the disk has the file's bytes, or the directory's names.
    ///
    /// The corresponding C function is `fsync`. On Darwin it is `fcntl` with `F_FULLFSYNC`, because `fsync` leaves
    /// the bytes in the disk's cache there.
    ///
    /// - Throws: The error of the system.
    package func synchronize() throws(Errno) {
        #if canImport(Darwin)
            try check(fcntl(rawValue, F_FULLFSYNC))
        #else
            try check(fsync(rawValue))
        #endif
    }

    /// Reads into `buffer` until it is full or the file ends.
    ///
    /// The corresponding C function is `pread`.
    ///
    /// - Parameters:
    ///   - offset: The first byte to read.
    ///   - buffer: Receives the bytes.
    /// - Returns: The number of bytes read; 0 for an offset that the system cannot express.
    /// - Throws: The error of the system.
    package func read(
        at offset: UInt64,
        filling buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        guard let start = off_t(exactly: offset), start <= off_t.max - off_t(buffer.count) else {
            return 0
        }
        var done = 0
        while done < buffer.count {
            // SAFETY: the buffer has `buffer.count - done` bytes behind its first `done`.
            let count = unsafe systemRead(
                rawValue,
                buffer.baseAddress.unsafelyUnwrapped + done,
                buffer.count - done,
                start + off_t(done)
            )
            if count < 0 {
                let error = Errno.last
                if error == .interrupted { continue }
                throw error
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Reads from the descriptor's position to the end of the file, or of the pipe.
    ///
    /// The corresponding C function is `read`.
    ///
    /// - Parameter limit: The largest number of bytes.
    /// - Returns: The bytes; nil if there are more than `limit`.
    /// - Throws: The error of the system.
    package func readToEnd(atMost limit: Int) throws(Errno) -> [UInt8]? {
        let partSize = 64 << 10
        var part = [UInt8](repeating: 0, count: partSize)
        var bytes: [UInt8] = []
        while true {
            // SAFETY: the call writes at most the array's bytes.
            let count = unsafe systemReadNext(rawValue, &part, partSize)
            if count < 0 {
                let error = Errno.last
                if error == .interrupted { continue }
                throw error
            }
            guard count > 0 else { return bytes }
            guard count <= limit - bytes.count else { return nil }
            bytes += part[..<count]
        }
    }

    /// Reads what is there, and waits if nothing is.
    ///
    /// The corresponding C function is `read`.
    ///
    /// - Parameter limit: The largest number of bytes.
    /// - Returns: The bytes; none at the end.
    /// - Throws: The error of the system.
    package func readSome(atMost limit: Int) throws(Errno) -> [UInt8] {
        var part = [UInt8](repeating: 0, count: limit)
        while true {
            // SAFETY: the call writes at most the array's bytes.
            let count = unsafe systemReadNext(rawValue, &part, limit)
            if count >= 0 { return Array(part[..<count]) }
            let error = Errno.last
            guard error == .interrupted else { throw error }
        }
    }

    /// Writes some of the bytes, as many as there is room for.
    ///
    /// The corresponding C function is `write`.
    ///
    /// - Returns: The number of bytes written.
    /// - Throws: `.wouldBlock` if a non-blocking descriptor has no room; all other errors of the system.
    package func writeSome(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        // SAFETY: the caller's buffer lives through the call, which reads it.
        let count = unsafe systemWrite(rawValue, bytes.baseAddress, bytes.count)
        guard count >= 0 else { throw Errno.last }
        return count
    }

    /// Finds the first offset from `offset` on that is outside the holes of a sparse file.
    ///
    /// The corresponding C function is `lseek` with `SEEK_DATA`.
    ///
    /// - Returns: The offset; `UInt64.max` if only holes follow; `offset` if the file system cannot tell.
    package func dataOffset(from offset: UInt64) -> UInt64 {
        // Glibc's headers have the name for GNU programs only.
        #if canImport(Darwin)
            let seekData = SEEK_DATA
        #else
            let seekData: CInt = 3
        #endif
        guard let start = off_t(exactly: offset) else { return offset }
        let found = systemSeek(rawValue, start, seekData)
        guard found < 0 else { return UInt64(found) }
        return Errno.last == .noSuchAddressOrDevice ? .max : offset
    }

    /// Locks the file for this descriptor, without waiting.
    ///
    /// The corresponding C function is `flock`. Closing the last copy of the descriptor removes the lock.
    ///
    /// - Throws: `.wouldBlock` if another descriptor has the lock; all other errors of the system.
    package func lockWithoutWaiting() throws(Errno) {
        try check(flock(rawValue, LOCK_EX | LOCK_NB))
    }

    /// Removes the lock, also for copies of the descriptor.
    package func unlock() { _ = flock(rawValue, LOCK_UN) }

    /// Locks the file's first byte for this process, without waiting.
    ///
    /// The corresponding C function is `fcntl` with `F_SETLK`. The system removes the lock when the process closes
    /// any descriptor of the file.
    ///
    /// - Returns: Whether this process has the lock now; false if another process has it.
    /// - Throws: The error of the system.
    package func lockFirstByte() throws(Errno) -> Bool {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 0
        lock.l_len = 1
        // SAFETY: the call reads `lock`.
        guard unsafe fcntl(rawValue, F_SETLK, &lock) != 0 else { return true }
        let error = Errno.last
        guard error == .permissionDenied || error == .resourceTemporarilyUnavailable else {
            throw error
        }
        return false
    }

    /// Gives the file to a user and a group.
    ///
    /// The corresponding C function is `fchown`.
    ///
    /// - Throws: `.notPermitted` if this process may not give files away; all other errors of the system.
    package func setOwner(_ user: UserID, _ group: GroupID) throws(Errno) {
        try check(fchown(rawValue, user.rawValue, group.rawValue))
    }

    /// Sets the rights of the file.
    ///
    /// The corresponding C function is `fchmod`.
    ///
    /// - Throws: The error of the system.
    package func setPermissions(_ permissions: FilePermissions) throws(Errno) {
        try check(fchmod(rawValue, permissions.rawValue))
    }

    /// The bytes that the file's file system has left for this process's user; nil if the system does not tell.
    ///
    /// The corresponding C function is `fstatvfs`.
    package var freeSpace: UInt64? {
        var status = statvfs()
        // SAFETY: the call fills `status`.
        guard unsafe fstatvfs(rawValue, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}

// Methods of `FileDescriptor` hide the names of the C functions.

private func systemSeek(_ file: CInt, _ offset: off_t, _ whence: CInt) -> off_t {
    lseek(file, offset, whence)
}

private func systemReadNext(
    _ file: CInt,
    _ start: UnsafeMutableRawPointer,
    _ count: Int
) -> Int {
    // SAFETY: the caller's buffer has `count` bytes and lives through the call.
    unsafe read(file, start, count)
}

private func systemRead(
    _ file: CInt,
    _ start: UnsafeMutableRawPointer,
    _ count: Int,
    _ offset: off_t
) -> Int {
    // SAFETY: the caller's buffer has `count` bytes and lives through the call.
    unsafe pread(file, start, count, offset)
}

private func systemWrite(_ file: CInt, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    // SAFETY: the caller's bytes live through the call.
    unsafe write(file, start, count)
}

extension FilePermissions {
    /// All users may read and write; the umask takes rights away.
    package static var allReadWrite: FilePermissions {
        [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
    }
}

extension Stat {
    /// The time of the last change of the content, in nanoseconds since 1970; years after 2262 wrap around.
    package var modifiedNanoseconds: Int64 {
        let time = st_mtim
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// The time of the last change of content, name or rights, in nanoseconds since 1970.
    package var changedNanoseconds: Int64 {
        let time = st_ctim
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
