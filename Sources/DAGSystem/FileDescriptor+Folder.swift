package import SystemPackage

/// System calls on the entries of an open folder, which no rename or link above it leads elsewhere.
///
/// A name is the bytes of one entry. A name that is empty, or that contains a slash or a zero, is refused with
/// `.invalidArgument`; no call follows a link that has the name.
extension FileDescriptor {
    /// Lists the names in an open folder, unordered, without `.` and `..`.
    ///
    /// The corresponding C function is `readdir`.
    ///
    /// - Throws: The error of the system.
    package func names() throws(Errno) -> [[UInt8]] {
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Errno.last }
        guard let folder = unsafe fdopendir(copy) else {
            let error = Errno.last
            _ = closeFile(copy)
            throw error
        }
        // SAFETY: `folder` is open until here, and each name is copied before the next call. The system ends the
        // name with a zero.
        defer { unsafe _ = closedir(folder) }
        unsafe rewinddir(folder)
        var names: [[UInt8]] = []
        errno = 0
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: UInt8.self, capacity: 256) { start in
                    unsafe [UInt8](UnsafeBufferPointer(start: start, count: nameSize(start)))
                }
            }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Errno.last }
        return names
    }

    /// Returns the attributes of an entry; of a link, its own.
    ///
    /// The corresponding C function is `fstatat`.
    ///
    /// - Throws: `.noSuchFileOrDirectory` if there is none; all other errors of the system.
    package func status(ofEntry name: [UInt8]) throws(Errno) -> Stat {
        let name = try terminated(name)
        // SAFETY: the string ends with a zero and lives through the call.
        let result = unsafe name.withUnsafeBufferPointer { name in
            Result { () throws(Errno) in
                try unsafe Stat(
                    name.baseAddress.unsafelyUnwrapped,
                    relativeTo: self,
                    flags: .symlinkNoFollow
                )
            }
        }
        return try result.get()
    }

    /// Opens an entry that is a file or a folder.
    ///
    /// The corresponding C function is `openat`, with `O_NOFOLLOW` and `O_CLOEXEC`. Opening a pipe does not wait.
    ///
    /// - Parameters:
    ///   - name: The entry.
    ///   - isFolder: Whether it must be a folder.
    /// - Returns: A descriptor for reading, which the caller closes.
    /// - Throws: `.tooManySymbolicLinkLevels` if it is a link; all other errors of the system.
    package func openEntry(_ name: [UInt8], isFolder: Bool) throws(Errno) -> FileDescriptor {
        let folder = isFolder ? O_DIRECTORY : O_NONBLOCK
        return try open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | folder)
    }

    /// Makes a file, and opens it for writing.
    ///
    /// The corresponding C function is `openat`, with `O_CREAT` and `O_EXCL`.
    ///
    /// - Throws: `.fileExists` if the name is taken, by a link too; all other errors of the system.
    package func createFile(_ name: [UInt8]) throws(Errno) -> FileDescriptor {
        try open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
    }

    private func open(_ name: [UInt8], _ flags: CInt) throws(Errno) -> FileDescriptor {
        let name = try terminated(name)
        // SAFETY: the string ends with a zero and lives through the call.
        let file = unsafe name.withUnsafeBufferPointer { name in
            unsafe openat(rawValue, name.baseAddress.unsafelyUnwrapped, flags, 0o666)
        }
        guard file >= 0 else { throw Errno.last }
        return FileDescriptor(rawValue: file)
    }

    /// Makes a folder with the rights that the umask permits.
    ///
    /// The corresponding C function is `mkdirat`.
    ///
    /// - Throws: `.fileExists` if the name is taken; all other errors of the system.
    package func createFolder(_ name: [UInt8]) throws(Errno) {
        let name = try terminated(name)
        // SAFETY: the string ends with a zero and lives through the call.
        try check(
            unsafe name.withUnsafeBufferPointer { name in
                unsafe mkdirat(rawValue, name.baseAddress.unsafelyUnwrapped, 0o777)
            }
        )
    }

    /// Makes a symbolic link, whatever its target is.
    ///
    /// The corresponding C function is `symlinkat`.
    ///
    /// - Throws: `.fileExists` if the name is taken; `.invalidArgument` if the target is empty or has a zero; all
    ///   other errors of the system.
    package func createLink(_ name: [UInt8], to target: [UInt8]) throws(Errno) {
        let name = try terminated(name)
        guard !target.isEmpty, !target.contains(0) else { throw .invalidArgument }
        let target = target.map { CChar(bitPattern: $0) } + [0]
        // SAFETY: both strings end with a zero and live through the call.
        let code = unsafe target.withUnsafeBufferPointer { target in
            unsafe name.withUnsafeBufferPointer { name in
                unsafe symlinkat(
                    target.baseAddress.unsafelyUnwrapped,
                    rawValue,
                    name.baseAddress.unsafelyUnwrapped
                )
            }
        }
        try check(code)
    }

    /// Returns the bytes of the target of a link.
    ///
    /// The corresponding C function is `readlinkat`.
    ///
    /// - Throws: `.invalidArgument` if the entry is no link; all other errors of the system.
    package func target(ofLink name: [UInt8]) throws(Errno) -> [UInt8] {
        let name = try terminated(name)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        // SAFETY: the string ends with a zero and lives through the call, which writes at most the buffer's bytes.
        let size = unsafe name.withUnsafeBufferPointer { name in
            unsafe readlinkat(
                rawValue,
                name.baseAddress.unsafelyUnwrapped,
                &buffer,
                buffer.count
            )
        }
        guard size >= 0 else { throw Errno.last }
        guard size < buffer.count else { throw .fileNameTooLong }
        return buffer[..<size].map { UInt8(bitPattern: $0) }
    }

    /// Removes the name of a file or a link.
    ///
    /// The corresponding C function is `unlinkat`.
    ///
    /// - Throws: The error of the system.
    package func removeEntry(_ name: [UInt8]) throws(Errno) {
        let name = try terminated(name)
        // SAFETY: the string ends with a zero and lives through the call.
        try check(
            unsafe name.withUnsafeBufferPointer { name in
                unsafe unlinkat(rawValue, name.baseAddress.unsafelyUnwrapped, 0)
            }
        )
    }

    /// Reads into a part of an array, until the part is full or the file ends.
    ///
    /// The corresponding C function is `pread`.
    ///
    /// - Parameters:
    ///   - offset: The first byte to read.
    ///   - bytes: Receives the bytes.
    ///   - range: The part of `bytes`.
    /// - Returns: The number of bytes read.
    /// - Throws: The error of the system.
    package func read(
        at offset: UInt64,
        into bytes: inout [UInt8],
        _ range: Range<Int>
    ) throws(Errno) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        guard !range.isEmpty else { return 0 }
        // SAFETY: the precondition keeps the range inside the array, which the call has for itself.
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(Errno) in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[range])
                return try unsafe read(at: offset, filling: part)
            }
        }
        return try result.get()
    }

    /// Writes a part of an array, all of it.
    ///
    /// The corresponding C function is `write`.
    ///
    /// - Throws: The error of the system.
    package func writeAll(_ bytes: [UInt8], _ range: Range<Int>) throws(Errno) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        var done = range.lowerBound
        while done < range.upperBound {
            // SAFETY: the precondition keeps the part inside the array, which lives through the call.
            let result = unsafe bytes.withUnsafeBytes { buffer in
                Result { () throws(Errno) in
                    let part = unsafe UnsafeRawBufferPointer(
                        rebasing: buffer[done..<range.upperBound]
                    )
                    return try unsafe writeSome(part)
                }
            }
            do {
                done += try result.get()
            } catch .interrupted {
                continue
            }
        }
    }
}

/// Returns a name with a zero at its end.
private func terminated(_ name: [UInt8]) throws(Errno) -> [CChar] {
    guard !name.isEmpty, !name.contains(0), !name.contains(0x2f) else { throw .invalidArgument }
    return name.map { CChar(bitPattern: $0) } + [0]
}

/// The length of a name that ends with a zero.
private func nameSize(_ start: UnsafePointer<UInt8>) -> Int {
    var size = 0
    // SAFETY: the caller's name ends with a zero.
    while unsafe start[size] != 0 { size += 1 }
    return size
}

// `FileDescriptor.close` hides the C function's name.
private func closeFile(_ file: CInt) -> CInt { close(file) }
