internal import DAGIPLD
internal import DAGStorage
internal import UnixFSFiles

/// The errors of making CARs of files, and of the way back, as the program reports them.
enum UnixFSFailure {
    /// Runs `body`, and gives its errors their codes and next steps.
    static func translating<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as UnixFSFilesError where error.code == .outputFailed {
            throw OutputError.failed(error.message)
        } catch let error as UnixFSFilesError {
            let (code, advice) = report(error.code)
            throw DAGStoreError(code, error.message, advice: advice)
        }
    }

    private static func report(
        _ code: UnixFSFilesError.Code
    ) -> (code: DAGStoreError.Code, advice: String) {
        switch code {
        case .unsupportedFile: (.invalidArgument, "remove it, or name the folders beside it")
        case .invalidPaths: (.invalidArgument, Advice.help)
        case .limitExceeded: (.limitExceeded, "name a smaller part of it")
        case .noRoot: (.invalidArgument, "name a CID after the file")
        case .pathNotFound: (.pathNotFound, "name a path that is below the root")
        case .blockNotFound: (.blockNotFound, "get the CAR again from where it was made")
        case .hashMismatch: (.hashMismatch, "get an intact copy of the file")
        case .unsupportedHash: (.unsupportedHash, "extract another part of it")
        case .notUnixFS: (.unsupportedCodec, "read its blocks with 'dagstore get'")
        case .malformedBlock: (.malformedBlock, "get the CAR again from where it was made")
        case .exists: (.invalidArgument, "name a folder that is empty or new")
        case .outputFailed: (.invalidArgument, Advice.output)
        }
    }
}
