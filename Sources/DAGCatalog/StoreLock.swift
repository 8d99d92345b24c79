internal import DAGSystem
internal import SharedReads
internal import SystemPackage

/// The lock that makes one process the owner of a store.
///
/// The system lets go of it when the process ends, however it ends.
final class StoreLock: Sendable {
    private let descriptor: Lock<FileDescriptor?>

    /// Takes the lock on the file at `path`, which is made if it is missing.
    ///
    /// - Throws: `.locked` if somebody has it; `.readOnly` without permission; `.io`, `.full`.
    init(at path: FilePath) throws(CatalogError) {
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

    /// Gives the lock back.
    func release() {
        descriptor.withLock { file in
            // A process that is being started may have a copy of the descriptor, so that closing ours
            // would not free the lock yet.
            file?.unlock()
            try? file?.close()
            file = nil
        }
    }
}
