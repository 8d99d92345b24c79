internal import DAGSystem
package import SystemPackage

/// The attributes that show whether a file is still the indexed one.
package struct FileIdentity: Equatable, Sendable {
    /// The size in bytes.
    package var size: UInt64
    /// The time of the last change of the content, in nanoseconds since 1970.
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

    /// Returns whether the file is unchanged, as far as its attributes show.
    ///
    /// The device is ignored: loop devices, LVM, overlays, NFS, ZFS and btrfs number theirs again at each mount.
    package func isUnchanged(since before: FileIdentity) -> Bool {
        size == before.size && modified == before.modified && inode == before.inode
    }

    /// Reads the identity of an open file.
    ///
    /// - Throws: `.unreachable` if it is not a regular file.
    init(of descriptor: FileDescriptor, path: FilePath) throws(MountError) {
        try self.init(path) { () throws(Errno) in try Stat(descriptor) }
    }

    /// Reads the identity of the file at `path`.
    ///
    /// *Cost*: one system call.
    ///
    /// - Throws: `.gone` if nothing is there; `.unreachable` if it is not a regular file.
    package init(at path: FilePath) throws(MountError) {
        try self.init(path) { () throws(Errno) in try Stat(path) }
    }

    /// Reads the identity of the file at `path`, without following a link.
    ///
    /// *Cost*: one system call.
    ///
    /// - Throws: `.gone` if nothing is there; `.unreachable` if it is not a regular file.
    init(ofLinkAt path: FilePath) throws(MountError) {
        try self.init(path) { () throws(Errno) in try Stat(path, followTargetSymlink: false) }
    }

    private init(_ path: FilePath, _ look: () throws(Errno) -> Stat) throws(MountError) {
        let status: Stat
        do {
            status = try look()
        } catch {
            throw MountError(error, path: path)
        }
        switch status.type {
        case .regular: break
        case .directory: throw MountError(.unreachable, "\(path): is a directory")
        default: throw MountError(.unreachable, "\(path): is not a regular file")
        }
        self.init(
            size: UInt64(status.size),
            modified: status.modifiedNanoseconds,
            inode: UInt64(status.inode.rawValue),
            device: UInt64(status.deviceID.rawValue)
        )
    }
}
