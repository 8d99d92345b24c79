package import SystemPackage

/// System calls on paths.
///
/// *Concurrency*: any thread; each call blocks its thread.
package enum FileSystem {
    /// Makes a directory with the rights that the umask permits.
    ///
    /// The corresponding C function is `mkdir`.
    ///
    /// - Throws: `.fileExists` if the path has a file already; all other errors of the system.
    package static func makeDirectory(
        _ path: FilePath,
        permissions: FilePermissions = [
            .ownerReadWriteExecute, .groupReadWriteExecute, .otherReadWriteExecute,
        ]
    ) throws(Errno) {
        // SAFETY: the string lives through the call.
        try check(unsafe path.withPlatformString { unsafe mkdir($0, permissions.rawValue) })
    }

    /// Sets the rights of a file.
    ///
    /// The corresponding C function is `chmod`.
    ///
    /// - Throws: The error of the system.
    package static func setPermissions(
        _ permissions: FilePermissions,
        of path: FilePath
    ) throws(Errno) {
        // SAFETY: the string lives through the call.
        try check(unsafe path.withPlatformString { unsafe chmod($0, permissions.rawValue) })
    }

    /// Reads a small file.
    ///
    /// - Throws: The error of the system; `.fileTooLarge` if it has more than `sizeMax` bytes.
    package static func contents(of path: FilePath, sizeMax: Int) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor.opening(path)
        defer { try? file.close() }
        guard let bytes = try file.readToEnd(atMost: sizeMax) else { throw .fileTooLarge }
        return bytes
    }

    /// Writes a small file under another name, waits for the disk, and renames it.
    ///
    /// - Throws: The error of the system.
    package static func replace(
        _ path: FilePath,
        with bytes: [UInt8],
        permissions: FilePermissions
    ) throws(Errno) {
        var name = path.lastComponent?.string ?? "file"
        name += ".\(ThisProcess.number).partial"
        let temporary = path.removingLastComponent().appending(name)
        let file = try FileDescriptor.opening(
            temporary,
            .writeOnly,
            options: [.create, .truncate, .noFollow],
            permissions: permissions
        )
        do throws(Errno) {
            defer { try? file.close() }
            do { try file.writeAll(bytes) } catch { throw error as? Errno ?? .ioError }
            try file.synchronize()
            try rename(temporary, to: path)
        } catch {
            try? removeFile(temporary)
            throw error
        }
    }

    /// Removes a file's name; a process that has the file open keeps its bytes.
    ///
    /// The corresponding C function is `unlink`.
    ///
    /// - Throws: `.noSuchFileOrDirectory` if there is none; all other errors of the system.
    package static func removeFile(_ path: FilePath) throws(Errno) {
        // SAFETY: the string lives through the call.
        try check(unsafe path.withPlatformString { unsafe unlink($0) })
    }

    /// Removes an empty directory.
    ///
    /// The corresponding C function is `rmdir`.
    ///
    /// - Throws: `.directoryNotEmpty` if there are names in it; all other errors of the system.
    package static func removeDirectory(_ path: FilePath) throws(Errno) {
        // SAFETY: the string lives through the call.
        try check(unsafe path.withPlatformString { unsafe rmdir($0) })
    }

    /// Renames a file, and replaces the file that has the new name.
    ///
    /// The corresponding C function is `rename`.
    ///
    /// - Throws: The error of the system.
    package static func rename(_ old: FilePath, to new: FilePath) throws(Errno) {
        // SAFETY: both strings live through the call.
        let code = unsafe old.withPlatformString { old in
            unsafe new.withPlatformString { unsafe renameFile(old, $0) }
        }
        try check(code)
    }

    /// Waits until the disk has a file's bytes, or a directory's names.
    ///
    /// - Throws: The error of the system.
    package static func synchronize(_ path: FilePath) throws(Errno) {
        let file = try FileDescriptor.opening(path)
        defer { try? file.close() }
        try file.synchronize()
    }

    /// Waits until the disk has a directory's names, if its file system can do that.
    ///
    /// Some file systems answer `EINVAL` for directories. A process may be allowed to enter a directory but not to
    /// read it. Both cases pass without an error.
    ///
    /// - Throws: All other errors of the system.
    package static func synchronizeIfPossible(directory: FilePath) throws(Errno) {
        do {
            try synchronize(directory)
        } catch {
            guard error == .invalidArgument || error == .permissionDenied else { throw error }
        }
    }

    /// Checks that this process may write at a path: its rights, and whether the file system takes writes.
    ///
    /// The corresponding C function is `access`.
    ///
    /// - Throws: The error of the system.
    package static func checkWritable(_ path: FilePath) throws(Errno) {
        // SAFETY: the string lives through the call.
        try check(unsafe path.withPlatformString { unsafe access($0, W_OK) })
    }

    /// Returns whether a path leads to a directory.
    package static func isDirectory(_ path: FilePath) -> Bool {
        (try? Stat(path))?.type == .directory
    }

    /// Lists the names in a directory, unordered, with `.` and `..`.
    ///
    /// The corresponding C function is `readdir`.
    ///
    /// - Throws: The error of the system.
    package static func names(in directory: FilePath) throws(Errno) -> [String] {
        // SAFETY: the string lives through the call.
        guard let folder = unsafe directory.withPlatformString({ unsafe opendir($0) }) else {
            throw Errno.last
        }
        // SAFETY: `folder` is open until here, and each entry is copied before the next call. The system ends its
        // name with a zero.
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        errno = 0
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            names.append(name)
            errno = 0
        }
        guard errno == 0 else { throw Errno.last }
        return names
    }

    /// The kinds of names in a directory.
    package enum EntryKind: Sendable {
        case file, directory, link, other
        /// The file system does not tell.
        case unknown
    }

    /// Calls `body` with each name in a directory, except `.` and `..`, in no order.
    ///
    /// Names need not be UTF-8. The memory that this takes does not depend on their number. The corresponding C
    /// function is `readdir`.
    ///
    /// - Parameters:
    ///   - directory: The directory; the call does not follow a symbolic link to one.
    ///   - body: Takes a name and its kind; returns whether to go on.
    /// - Throws: `.notDirectory`, also for a symbolic link; all other errors of the system.
    package static func forEachName(
        in directory: FilePath,
        _ body: (FilePath, EntryKind) -> Bool
    ) throws(Errno) {
        let options: FileDescriptor.OpenOptions = [.directory, .noFollow]
        let file = try FileDescriptor.opening(directory, options: options)
        // SAFETY: `folder` owns the descriptor from here on, and is open until the end of this function. Each entry
        // is copied before the next call, and the system ends its name with a zero.
        guard let folder = unsafe fdopendir(file.rawValue) else {
            let error = Errno.last
            try? file.close()
            throw error
        }
        defer { unsafe _ = closedir(folder) }
        errno = 0
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CInterop.PlatformChar.self, capacity: 256) {
                    unsafe FilePath(platformString: $0)
                }
            }
            let kind = unsafe EntryKind(entry.pointee.d_type)
            if name != ".", name != "..", !body(name, kind) { return }
            errno = 0
        }
        guard errno == 0 else { throw Errno.last }
    }

    /// Returns the working directory.
    ///
    /// The corresponding C function is `getcwd`.
    ///
    /// - Throws: `.noSuchFileOrDirectory` if the directory was removed; all other errors of the system.
    package static func workingDirectory() throws(Errno) -> FilePath {
        // SAFETY: without a buffer the system allocates one, which this function frees.
        guard let name = unsafe getcwd(nil, 0) else { throw Errno.last }
        defer { unsafe free(name) }
        return unsafe FilePath(platformString: name)
    }

    /// Returns the path behind all symbolic links.
    ///
    /// The corresponding C function is `realpath`.
    ///
    /// - Returns: An absolute path, or nil if nothing is there or the process may not look.
    package static func resolved(_ path: FilePath) -> FilePath? {
        // SAFETY: the string lives through the call; the system allocates the answer, which this function frees.
        guard let found = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else {
            return nil
        }
        defer { unsafe free(found) }
        return unsafe FilePath(platformString: found)
    }

    /// Returns the bytes of a symbolic link's target.
    ///
    /// The corresponding C function is `readlink`.
    ///
    /// - Returns: The bytes, or nil if the path is no link or the process may not look.
    package static func linkTarget(of path: FilePath) -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: the string lives through the call, which writes at most the buffer's bytes.
        let size = unsafe path.withPlatformString { unsafe readlink($0, &buffer, buffer.count) }
        return size > 0 ? buffer[..<size].map { UInt8(bitPattern: $0) } : nil
    }
}

extension FileSystem.EntryKind {
    fileprivate init(_ type: UInt8) {
        self =
            switch Int(type) {
            case Int(DT_REG): .file
            case Int(DT_DIR): .directory
            case Int(DT_LNK): .link
            case Int(DT_UNKNOWN): .unknown
            default: .other
            }
    }
}

// `FileSystem.rename` hides the C function's name.
private func renameFile(
    _ old: UnsafePointer<CInterop.PlatformChar>,
    _ new: UnsafePointer<CInterop.PlatformChar>
) -> CInt {
    // SAFETY: the caller's strings live through the call.
    unsafe rename(old, new)
}
