internal import SharedReads

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

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
    let descriptor: Int32

    private init(_ identity: Identity, owning descriptor: Int32) {
        self.identity = identity
        self.descriptor = descriptor
    }

    deinit {
        _ = Self.claimed.withLock { $0.remove(identity) }
        _ = close(descriptor)
    }

    /// Claims what `path` leads to, through symbolic links.
    ///
    /// - Throws: `.alreadyOpen` if another claim stands; `.missing`, `.permission` or `.io` if the file
    ///   cannot be opened.
    static func claim(path: String) throws(LMDBError) -> FileClaim {
        // SAFETY: the string lives through the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LMDBError(number: errno) }
        do throws(LMDBError) {
            let identity = try identity(of: descriptor)
            guard claimed.withLock({ $0.insert(identity).inserted }) else {
                throw LMDBError(.alreadyOpen, number: EBUSY)
            }
            return FileClaim(identity, owning: descriptor)
        } catch {
            _ = close(descriptor)
            throw error
        }
    }

    /// Which file a path leads to; nil if it cannot be looked at.
    static func identity(ofFileAt path: String) -> Identity? {
        guard let descriptor = try? EnvironmentFiles.open(path) else { return nil }
        defer { NewFile.close(descriptor) }
        return try? identity(of: descriptor)
    }

    private static func identity(of descriptor: Int32) throws(LMDBError) -> Identity {
        var status = stat()
        // SAFETY: the call fills `status`.
        guard unsafe fstat(descriptor, &status) == 0 else { throw LMDBError(number: errno) }
        return Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev),
            inode: UInt64(truncatingIfNeeded: status.st_ino)
        )
    }
}
