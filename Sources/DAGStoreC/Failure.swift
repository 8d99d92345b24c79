internal import CDAGStore
internal import DAGStorage
internal import DAGSystem

/// Why a call failed, as the caller is told.
struct Failure: Error {
    let status: dagstore_status_t
    let message: String
    var shard: String?
    var offset: UInt64?

    init(_ status: dagstore_status_t, _ message: String) {
        self.status = status
        self.message = message
    }

    /// Any error, as the store would tell it.
    init(_ error: any Error) {
        if let failure = error as? Failure {
            self = failure
            return
        }
        let error = DAGStoreError(any: error)
        status = error.code.rawValue
        message = error.message
        shard = error.shard?.text
        offset = error.offset
    }

    /// An argument that cannot be.
    static func argument(_ message: String) -> Failure {
        Failure(dagstore_status_t(DAGSTORE_INVALID_ARGUMENT), message)
    }

    /// A store that the process has from the one it was forked from.
    static var forked: Failure {
        Failure(dagstore_status_t(DAGSTORE_CLOSED), "opened before the process was forked")
    }

    /// A handle that is none of its kind.
    static func handle(_ type: String) -> Failure {
        let message = "not an open \(type)"
        Log.tell(.error) { message }
        return argument(message)
    }
}

/// A text for C, which lives as long as the object.
@safe final class CText: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: written in `init` only and freed in `deinit` only.
    let start: UnsafePointer<CChar>

    init(_ text: String) {
        let copy = unsafe text.withCString { unsafe strdup($0) }
        guard let copy = unsafe copy else { fatalError("out of memory") }
        unsafe start = UnsafePointer(copy)
    }

    deinit { unsafe free(UnsafeMutablePointer(mutating: start)) }
}

/// What an error handle stands for.
final class ErrorBox: Sendable {
    let status: dagstore_status_t
    let message: CText
    let shard: CText?
    let offset: UInt64?

    init(_ failure: Failure) {
        status = failure.status
        message = CText(failure.message.isEmpty ? "failed" : failure.message)
        shard = failure.shard.map { CText($0) }
        offset = failure.offset
    }
}

/// Where a function leaves its error.
typealias ErrorPointer = UnsafeMutablePointer<OpaquePointer?>

/// Leaves an error with the caller, if it wants one.
///
/// - Returns: The status.
@inline(never)
func fail(_ error: any Error, _ place: ErrorPointer?) -> dagstore_status_t {
    let failure = Failure(error)
    // SAFETY: the header asks for NULL or a place for one handle.
    if let place = unsafe place {
        unsafe place.pointee = HandleTable.add(.error, ErrorBox(failure))
    }
    return failure.status
}

/// Runs the body of a function that can fail.
///
/// - Parameters:
///   - place: Where its error goes; empty afterwards if there is none.
///   - body: The body.
/// - Returns: The status.
@inline(__always)
func answering(_ place: ErrorPointer?, _ body: () throws -> Void) -> dagstore_status_t {
    // SAFETY: the header asks for NULL or a place for one handle.
    if let place = unsafe place { unsafe place.pointee = nil }
    do {
        try body()
        return dagstore_status_t(DAGSTORE_OK)
    } catch {
        return unsafe fail(error, place)
    }
}

/// The same for a function that steps: `body` says whether there was something.
func stepping(_ place: ErrorPointer?, _ body: () throws -> Bool) -> dagstore_status_t {
    var isStep = false
    let status = unsafe answering(place) { isStep = try body() }
    guard status == DAGSTORE_OK, !isStep else { return status }
    return dagstore_status_t(DAGSTORE_DONE)
}
