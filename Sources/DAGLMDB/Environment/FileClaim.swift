internal import SharedReads
internal import SystemPackage

/// The right of one environment to a file or directory within this process; `deinit` gives it back.
///
/// LMDB lets one process open an environment twice, and then corrupts it: closing the second removes the POSIX locks
/// of the first. So `open` claims the files before LMDB sees them.
///
/// A claim keeps its file open. Otherwise a deleted file could pass its inode on to a new file, which would then
/// appear claimed. LMDB locks only `lock.mdb`, so closing a claimed `data.mdb` removes no lock.
///
/// *Concurrency*: any thread makes and drops claims.
final class FileClaim: Sendable {
    /// The identity of a file, the same under all its paths.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    /// All files that this process has in use; two for each open environment.
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

    /// Claims the file at `path`, through symbolic links.
    ///
    /// - Throws: `.alreadyOpen` if there is another claim; `.missing`, `.permission` or `.io` if the file cannot be
    ///   opened.
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

    /// Returns the identity of the file at a path; nil if the file cannot be opened.
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
