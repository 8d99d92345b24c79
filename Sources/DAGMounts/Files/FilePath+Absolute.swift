internal import DAGSystem
package import SystemPackage

extension FilePath {
    /// Returns a path to the same file from every working directory.
    ///
    /// *Shape*: `.` is removed. The system resolves the folders up to the last `..`, because only it knows where `..`
    /// leads behind a link; later links stay. If one of those folders is missing, its `..` stays.
    ///
    /// *Cost*: one system call for a relative path, and a few more for `..`.
    ///
    /// - Throws: The error of `getcwd` if the path is relative and the working directory is gone.
    package func madeAbsolute() throws(Errno) -> FilePath {
        isAbsolute ? madeAbsolute(in: self) : madeAbsolute(in: try FileSystem.workingDirectory())
    }

    /// As `madeAbsolute()`, in a directory instead of the working directory.
    package func madeAbsolute(in directory: FilePath) -> FilePath {
        var path = isAbsolute ? self : directory
        if isAbsolute { path.components.removeAll() }
        var rest = Array(components.filter { $0.kind != .currentDirectory })
        if let last = rest.lastIndex(where: { $0.kind == .parentDirectory }) {
            var folder = path
            folder.components.append(contentsOf: rest[...last])
            if let found = FileSystem.resolved(folder) {
                path = found
                rest.removeFirst(last + 1)
            }
        }
        path.components.append(contentsOf: rest)
        return path
    }

    /// The target of a symbolic link, absolute if its folder's path is absolute; nil if the path is no link.
    private var linkTarget: FilePath? {
        guard let target = FileSystem.linkTarget(of: self) else { return nil }
        return removingLastComponent().pushing(FilePath(bytes: target))
    }

    /// Why another process will not find the file under this path; nil if it may.
    ///
    /// A pipe, a socket, a terminal and a descriptor's name (`/dev/stdin`, `/proc/self/fd/3`) end with the process
    /// that has them open. A missing file may appear later.
    ///
    /// *Cost*: a few system calls.
    package var transience: String? {
        var path = self
        // The system follows 40 links at most.
        for _ in 0..<40 {
            guard let name = path.lastComponent,
                let folder = FileSystem.resolved(path.removingLastComponent())
            else { break }
            path = folder.appending(name)
            if path.starts(with: "/proc") || path.starts(with: "/dev/fd") {
                return "the name of an open descriptor, which ends with this process"
            }
            guard let target = path.linkTarget else { break }
            path = target
        }
        switch (try? Stat(self))?.type {
        case .fifo: return "a pipe, which can be read once only"
        case .socket: return "a socket, not a file"
        case .characterSpecial, .blockSpecial: return "a device, not a file"
        default: return nil
        }
    }
}
