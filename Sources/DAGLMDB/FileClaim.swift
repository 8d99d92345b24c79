internal import SharedReads
internal import SystemPackage

/// The right of one environment to a file or directory within this process, given back when it goes.
///
/// LMDB lets one process open an environment twice, and then corrupts it: the POSIX locks of the first
/// opening go when the second is closed. So claims are made before LMDB sees the file.
///
/// A claim keeps its file open. Otherwise a file that was deleted meanwhile could leave its inode to
/// another one, which then seemed to be claimed. LMDB locks `lock.mdb` only, so that closing a claimed
/// `data.mdb` takes no lock away.
///
/// *Concurrency*: claims are made and dropped on any thread.
final class FileClaim: Sendable {
    /// Which file a path leads to, whatever it is called.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    /// Every file this process has in use; two for each open environment.
    private static let claimed = Lock<Set<Identity>>([])

    let identity: Identity
    /// The file, open for reading.
    let descriptor: FileDescriptor

    private init(_ identity: Identity, owning descriptor: FileDescriptor) {
        self.identity = identity
        self.descriptor = descriptor
    }

    deinit {
        _ = Self.claimed.withLock { $0.remove(identity) }
        try? descriptor.close()
    }

    /// Claims what `path` leads to, through symbolic links.
    ///
    /// - Throws: `.alreadyOpen` if another claim stands; `.missing`, `.permission` or `.io` if the file
    ///   cannot be opened.
    static func claim(path: String) throws(LMDBError) -> FileClaim {
        let descriptor = try EnvironmentFiles.open(path)
        do throws(LMDBError) {
            let identity = try identity(of: descriptor)
            guard claimed.withLock({ $0.insert(identity).inserted }) else {
                throw LMDBError(.alreadyOpen, number: Errno.resourceBusy.rawValue)
            }
            return FileClaim(identity, owning: descriptor)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    /// Which file a path leads to; nil if it cannot be looked at.
    static func identity(ofFileAt path: String) -> Identity? {
        guard let descriptor = try? EnvironmentFiles.open(path) else { return nil }
        defer { try? descriptor.close() }
        return try? identity(of: descriptor)
    }

    private static func identity(of descriptor: FileDescriptor) throws(LMDBError) -> Identity {
        let status = try translating { () throws(Errno) in try Stat(descriptor) }
        return Identity(
            device: UInt64(truncatingIfNeeded: status.deviceID.rawValue),
            inode: UInt64(truncatingIfNeeded: status.inode.rawValue)
        )
    }
}
