internal import DAGSystem
internal import SharedReads
package import SystemPackage

/// The lock that makes one process the owner of a store.
///
/// The system releases it when the process ends, in any way.
package final class StoreLock: Sendable {
    private let descriptor: Lock<FileDescriptor?>

    /// Locks the file at `path`; creates it if it is missing.
    ///
    /// - Throws: `.locked` if another process or object has the lock; `.readOnly` without permission; `.io`, `.full`.
    package init(at path: FilePath) throws(CatalogError) {
        let file: FileDescriptor
        do {
            file = try .opening(path, .readWrite, options: .create, permissions: .allReadWrite)
        } catch {
            let code: CatalogError.Code =
                switch error {
                case .permissionDenied, .readOnlyFileSystem, .notPermitted: .readOnly
                case .noSpace, .diskQuotaExceeded: .full
                case .noSuchFileOrDirectory, .notDirectory: .missing
                default: .io
                }
            throw CatalogError(code, "\(path): \(error)")
        }
        do {
            try file.lockWithoutWaiting()
        } catch {
            try? file.close()
            let isTaken = error == .wouldBlock
            throw CatalogError(
                isTaken ? .locked : .io,
                isTaken ? "\(path): another process has the store open" : "\(path): \(error)"
            )
        }
        descriptor = Lock(file)
    }

    deinit { release() }

    /// Releases the lock.
    package func release() {
        descriptor.withLock { file in
            // A process that starts at this moment may have a copy of the descriptor, so closing ours might not
            // release the lock yet.
            file?.unlock()
            try? file?.close()
            file = nil
        }
    }
}
