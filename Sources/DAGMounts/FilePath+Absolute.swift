package import SystemPackage

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

extension FilePath {
    /// The path that names the same file from every working directory.
    ///
    /// *Shape*: `.` goes. The system resolves the folders up to the last `..`, because only it knows where `..`
    /// leads behind a link; the links after that stay. If one of those folders is missing, its `..` stays.
    ///
    /// *Cost*: for a relative path one system call, for `..` a few more.
    ///
    /// - Throws: The error of `getcwd` if the path is relative and the working directory is gone.
    package func madeAbsolute() throws(Errno) -> FilePath {
        var path = isAbsolute ? self : try Self.workingDirectory()
        if isAbsolute { path.components.removeAll() }
        var rest = Array(components.filter { $0.kind != .currentDirectory })
        if let last = rest.lastIndex(where: { $0.kind == .parentDirectory }) {
            var folder = path
            folder.components.append(contentsOf: rest[...last])
            if let found = folder.resolved() {
                path = found
                rest.removeFirst(last + 1)
            }
        }
        path.components.append(contentsOf: rest)
        return path
    }

    /// Where the path leads behind every link; nil if nothing is there, or the process may not look.
    package func resolved() -> FilePath? {
        // SAFETY: the string is read during the call; the one that comes back is freed below.
        guard let found = unsafe withPlatformString({ unsafe realpath($0, nil) }) else {
            return nil
        }
        defer { unsafe free(found) }
        return unsafe FilePath(platformString: found)
    }

    /// The target of a symbolic link, absolute if its folder's path is; nil if the path is no link.
    private var linkTarget: FilePath? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        // SAFETY: the call writes at most one byte less than the buffer has, so that a zero ends the name.
        let size = unsafe withPlatformString { name in
            unsafe buffer.withUnsafeMutableBufferPointer { buffer in
                unsafe readlink(name, buffer.baseAddress.unsafelyUnwrapped, buffer.count - 1)
            }
        }
        guard size > 0 else { return nil }
        let bytes = buffer[..<size].map { UInt8(bitPattern: $0) }
        return removingLastComponent().pushing(FilePath(bytes: bytes))
    }

    /// Why the file that the path names will not be there for another process; nil if it may be.
    ///
    /// A pipe, a socket, a terminal and a descriptor's name (`/dev/stdin`, `/proc/self/fd/3`) end with the process
    /// that has them open. A file that is missing may come.
    ///
    /// *Cost*: a few system calls.
    package var transience: String? {
        var path = self
        // As many links as the system follows.
        for _ in 0..<40 {
            guard let name = path.lastComponent,
                let folder = path.removingLastComponent().resolved()
            else { break }
            path = folder.appending(name)
            if path.starts(with: "/proc") || path.starts(with: "/dev/fd") {
                return "the name of an open descriptor, which ends with this process"
            }
            guard let target = path.linkTarget else { break }
            path = target
        }
        switch NameCalls.kind(of: self) {
        case S_IFIFO: return "a pipe, which can be read once only"
        case S_IFSOCK: return "a socket, not a file"
        case S_IFCHR, S_IFBLK: return "a device, not a file"
        default: return nil
        }
    }

    private static func workingDirectory() throws(Errno) -> FilePath {
        // SAFETY: without a buffer the system allocates one, which is freed below.
        guard let name = unsafe getcwd(nil, 0) else { throw Errno(rawValue: errno) }
        defer { unsafe free(name) }
        return unsafe FilePath(platformString: name)
    }
}
