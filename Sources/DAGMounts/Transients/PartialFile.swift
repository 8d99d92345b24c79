internal import DAGSystem
internal import SharedReads
package import SystemPackage

/// A transient that is being written.
///
/// *Concurrency*: any thread may write, one at a time.
package final class PartialFile: Sendable {
    /// The path of the file.
    package let path: FilePath
    private let descriptor: Lock<FileDescriptor?>

    /// Creates the file, which must not exist.
    ///
    /// - Throws: `.unreachable`, `.full`.
    package init(creating path: FilePath) throws(MountError) {
        self.path = path
        do {
            let descriptor = try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
            )
            self.descriptor = Lock(descriptor)
        } catch {
            throw Self.error(error, path)
        }
    }

    deinit { descriptor.withLock { try? $0?.close() } }

    /// Appends `bytes`.
    ///
    /// - Throws: `.full`, `.unreachable`.
    package func write(_ bytes: [UInt8]) throws(MountError) {
        do {
            try descriptor.withLock { descriptor in
                guard let descriptor else { throw Errno.badFileDescriptor }
                _ = try descriptor.writeAll(bytes)
            }
        } catch {
            throw Self.error(error, path)
        }
    }

    /// Waits until the disk has the file, if `isDurable`.
    ///
    /// - Throws: `.full`, `.unreachable`.
    package func synchronize(isDurable: Bool) throws(MountError) {
        guard isDurable else { return }
        do {
            try descriptor.withLock { descriptor in
                guard let descriptor else { throw Errno.badFileDescriptor }
                try descriptor.synchronize()
            }
        } catch {
            throw Self.error(error, path)
        }
    }

    /// Closes the file; some file systems report a failed write only now.
    ///
    /// - Throws: `.full`, `.unreachable`.
    package func close() throws(MountError) {
        do {
            try descriptor.withLock { descriptor in
                guard let open = descriptor.take() else { return }
                try open.close()
            }
        } catch {
            throw Self.error(error, path)
        }
    }

    private static func error(_ error: any Error, _ path: FilePath) -> MountError {
        guard let errno = error as? Errno else {
            return MountError(.unreachable, "\(path): \(error)")
        }
        return MountError(errno, own: path)
    }
}
