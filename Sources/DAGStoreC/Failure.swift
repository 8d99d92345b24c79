internal import CDAGStore
internal import DAGStorage

/// The reason why a call failed, as its caller gets it.
struct Failure: Error {
    let status: dagstore_status_t
    let message: String
    var shard: String?
    var offset: UInt64?

    init(_ status: dagstore_status_t, _ message: String) {
        self.status = status
        self.message = message
    }

    /// Converts any error, as the store does.
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

    /// An argument that the function rejects.
    static func argument(_ message: String) -> Failure {
        Failure(dagstore_status_t(DAGSTORE_INVALID_ARGUMENT), message)
    }

    /// A store that the parent process opened.
    static var forked: Failure {
        Failure(
            dagstore_status_t(DAGSTORE_CLOSED),
            "the store was opened before the process forked"
        )
    }

    /// A handle that was given back, or that has another type.
    static func handle(_ type: String) -> Failure {
        let message = "the handle is not an open \(type)"
        Log.write(.error) { message }
        return argument(message)
    }
}

/// A text for C, which lives as long as the object.
@safe final class CText: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: written in `init` only and freed in `deinit` only.
    let start: UnsafePointer<CChar>

    init(_ text: String) {
        let count = text.utf8.count + 1
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: count)
        // SAFETY: both have `count` bytes: the text and the NUL that `withCString` ends it with.
        unsafe text.withCString { unsafe copy.initialize(from: $0, count: count) }
        unsafe start = UnsafePointer(copy)
    }

    deinit {
        // SAFETY: `init` allocated it, and nothing else frees it.
        unsafe start.deallocate()
    }
}

/// The object of an error handle.
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

/// The place for the error of a call: NULL, or a place for one handle that stays for the call (rule 1 of dagstore.h).
typealias ErrorPointer = UnsafeMutablePointer<OpaquePointer?>

/// Writes an error to its place, if the caller wants one.
///
/// - Returns: The error's status.
@safe @inline(never)
func report(_ error: any Error, to place: ErrorPointer?) -> dagstore_status_t {
    let failure = Failure(error)
    // SAFETY: NULL, or a place for one handle.
    if let place = unsafe place {
        unsafe place.pointee = HandleTable.add(.error, ErrorBox(failure))
    }
    return failure.status
}

/// Calls `body` with the status and the handle of an error, and takes the handle back.
func withHandle(of error: any Error, _ body: (dagstore_status_t, OpaquePointer?) -> Void) {
    var handle: OpaquePointer?
    let status = report(error, to: &handle)
    // SAFETY: a handle is a number, and it stays open until `body` returns.
    unsafe body(status, handle)
    // A callback that released it by mistake is forgiven.
    HandleTable.remove(handle, .error, as: ErrorBox.self)
}

/// Runs the body of a function that can fail, and reports its error.
///
/// - Parameters:
///   - place: The place for the error; empty afterwards on success.
///   - body: The body.
/// - Returns: The status.
@safe @inline(__always)
func runCall(_ place: ErrorPointer?, _ body: () throws -> Void) -> dagstore_status_t {
    // SAFETY: NULL, or a place for one handle.
    unsafe place?.pointee = nil
    do {
        try body()
        return dagstore_status_t(DAGSTORE_OK)
    } catch {
        return report(error, to: place)
    }
}

/// Runs the body of a function that steps; `body` returns whether there was something.
@safe func runStep(_ place: ErrorPointer?, _ body: () throws -> Bool) -> dagstore_status_t {
    var isStep = false
    let status = runCall(place) { isStep = try body() }
    guard status == DAGSTORE_OK, !isStep else { return status }
    return dagstore_status_t(DAGSTORE_DONE)
}

/// Runs the body of a function that looks for a block; `body` returns whether there is one.
///
/// *Cost*: a miss makes an error only for a caller that has a place for it.
@safe @inline(__always)
func runLookup(_ place: ErrorPointer?, _ body: () throws -> Bool) -> dagstore_status_t {
    // SAFETY: NULL, or a place for one handle.
    unsafe place?.pointee = nil
    do {
        if try body() { return dagstore_status_t(DAGSTORE_OK) }
        guard unsafe place != nil else { return dagstore_status_t(DAGSTORE_BLOCK_NOT_FOUND) }
        return report(
            Failure(dagstore_status_t(DAGSTORE_BLOCK_NOT_FOUND), "the block is not here"),
            to: place
        )
    } catch {
        return report(error, to: place)
    }
}

/// Steps a cursor: `next` returns its next value, or `nil` at the end.
@safe func stepCursor<Cursor: AnyObject, Value: SizedStruct>(
    _ handle: OpaquePointer?,
    _ kind: HandleKind,
    as type: Cursor.Type,
    _ place: UnsafeMutablePointer<Value>?,
    _ error: ErrorPointer?,
    _ next: (Cursor) throws -> Value?
) -> dagstore_status_t {
    runStep(error) {
        let output = try StructPlace(place, "the place for the result")
        guard let found = try HandleTable.with(handle, kind, as: type, next) else {
            throw Failure.handle("cursor of \(kind)")
        }
        guard let found else { return false }
        output.fill(found)
        return true
    }
}
