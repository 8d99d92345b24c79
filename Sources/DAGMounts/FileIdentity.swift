package import SystemPackage

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// What tells whether a file is still the one that was indexed.
package struct FileIdentity: Equatable, Sendable {
    /// The size in bytes.
    package var size: UInt64
    /// When the content was last changed, in nanoseconds since 1970.
    package var modified: Int64
    /// The file's number on its device.
    package var inode: UInt64
    /// The device's number.
    package var device: UInt64

    package init(size: UInt64, modified: Int64, inode: UInt64, device: UInt64) {
        self.size = size
        self.modified = modified
        self.inode = inode
        self.device = device
    }

    /// Whether the file is what it was, as far as can be told without reading it.
    ///
    /// The device does not count: loop devices, LVM, overlays, NFS, ZFS and btrfs number theirs anew at each mount.
    package func isUnchanged(since before: FileIdentity) -> Bool {
        size == before.size && modified == before.modified && inode == before.inode
    }

    /// The identity of an open file.
    ///
    /// - Throws: `.unreachable` if it is no regular file.
    init(of descriptor: FileDescriptor, path: FilePath) throws(MountError) {
        var status = stat()
        // SAFETY: `fstat` fills the structure it is given.
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
            throw MountError(Errno(rawValue: errno), path: path)
        }
        try self.init(status, path: path)
    }

    /// The identity of the file at `path`.
    ///
    /// *Cost*: one system call.
    ///
    /// - Throws: `.gone` if nothing is there; `.unreachable` if it is no regular file.
    package init(at path: FilePath) throws(MountError) {
        var status = stat()
        // SAFETY: `stat` fills the structure it is given.
        let code = unsafe path.withPlatformString { unsafe stat($0, &status) }
        guard code == 0 else { throw MountError(Errno(rawValue: errno), path: path) }
        try self.init(status, path: path)
    }

    /// The identity of what `path` itself names, be it a link.
    ///
    /// *Cost*: one system call.
    ///
    /// - Throws: `.gone` if nothing is there; `.unreachable` if it is no regular file.
    init(ofLinkAt path: FilePath) throws(MountError) {
        var status = stat()
        // SAFETY: `lstat` fills the structure it is given.
        let code = unsafe path.withPlatformString { unsafe lstat($0, &status) }
        guard code == 0 else { throw MountError(Errno(rawValue: errno), path: path) }
        try self.init(status, path: path)
    }

    private init(_ status: stat, path: FilePath) throws(MountError) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw MountError(.unreachable, "\(path): is a directory")
        default: throw MountError(.unreachable, "\(path): is no regular file")
        }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        self.init(
            size: UInt64(status.st_size),
            // Compared only; years after 2262 wrap around.
            modified: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec),
            inode: UInt64(status.st_ino),
            device: UInt64(status.st_dev)
        )
    }
}
