public import CDAGStore
internal import DAGStorage

// The library, errors, the log: see `dagstore.h`, whose declarations the compiler compares with these bodies.

/// The release of the library.
private let version = CText("0.1.0")

/// The names of all codes.
private let names: [dagstore_status_t: CText] = {
    var names: [dagstore_status_t: CText] = [:]
    for code in DAGStoreError.Code.allCases { names[code.rawValue] = CText(code.name) }
    names[dagstore_status_t(DAGSTORE_OK)] = CText("ok")
    names[dagstore_status_t(DAGSTORE_DONE)] = CText("done")
    names[dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL)] = CText("bufferTooSmall")
    return names
}()
private let unknownName = CText("unknown")
private let noText = CText("")

/// See `dagstore_abi_version` in `dagstore.h`.
@c @implementation public func dagstore_abi_version() -> UInt32 { UInt32(DAGSTORE_ABI_VERSION) }

/// See `dagstore_version` in `dagstore.h`.
@c @implementation public func dagstore_version() -> UnsafePointer<CChar>! {
    // SAFETY: a static text.
    unsafe version.start
}

/// See `dagstore_status_name` in `dagstore.h`.
@c @implementation public func dagstore_status_name(_ status: dagstore_status_t) -> UnsafePointer<
    CChar
>! {
    // SAFETY: all of them are static texts.
    unsafe (names[status] ?? unknownName).start
}

/// See `dagstore_live_handles` in `dagstore.h`.
@c @implementation public func dagstore_live_handles() -> UInt64 { HandleTable.liveCount }

// MARK: Errors

/// See `dagstore_error_status` in `dagstore.h`.
@c @implementation public func dagstore_error_status(_ error: OpaquePointer!) -> dagstore_status_t {
    // SAFETY: only compared with NULL.
    guard unsafe error != nil else { return dagstore_status_t(DAGSTORE_OK) }
    return HandleTable.with(error, .error, as: ErrorBox.self) { $0.status }
        ?? dagstore_status_t(DAGSTORE_INVALID_ARGUMENT)
}

/// See `dagstore_error_message` in `dagstore.h`.
@c @implementation public func dagstore_error_message(_ error: OpaquePointer!) -> UnsafePointer<
    CChar
>! {
    // SAFETY: valid until the error is released, as the header says; or a static text.
    unsafe HandleTable.with(error, .error, as: ErrorBox.self) { unsafe $0.message.start }
        ?? noText.start
}

/// See `dagstore_error_shard` in `dagstore.h`.
@c @implementation public func dagstore_error_shard(_ error: OpaquePointer!) -> UnsafePointer<
    CChar
>! {
    // SAFETY: valid until the error is released, as the header says.
    unsafe HandleTable.with(error, .error, as: ErrorBox.self) { unsafe $0.shard?.start } ?? nil
}

/// See `dagstore_error_offset` in `dagstore.h`.
@c @implementation public func dagstore_error_offset(
    _ error: OpaquePointer!,
    _ out_offset: UnsafeMutablePointer<UInt64>!
) -> Bool {
    let offset = HandleTable.with(error, .error, as: ErrorBox.self) { $0.offset } ?? nil
    ValuePlace(orNULL: out_offset, 0).fill(offset ?? 0)
    return offset != nil
}

/// See `dagstore_error_new` in `dagstore.h`.
@c @implementation public func dagstore_error_new(
    _ status: dagstore_status_t,
    _ message: UnsafePointer<CChar>!
) -> OpaquePointer! {
    guard status < 0 else { return nil }
    // SAFETY: NULL, or a text that ends with NUL (rule 3); `String` replaces bytes that are not UTF-8.
    let message = unsafe message.map { unsafe String(cString: $0) } ?? ""
    return unsafe HandleTable.add(.error, ErrorBox(Failure(status, message)))
}

/// See `dagstore_error_release` in `dagstore.h`.
@c @implementation public func dagstore_error_release(_ error: OpaquePointer!) {
    release(error, .error, as: ErrorBox.self)
}

/// Takes a handle back, and writes to the log if it is not an open handle of its kind.
@safe func release<Object: AnyObject>(
    _ handle: OpaquePointer?,
    _ kind: HandleKind,
    as type: Object.Type,
    _ body: (Object) -> Void = { _ in }
) {
    // SAFETY: only compared with NULL.
    guard unsafe handle != nil else { return }
    if !HandleTable.remove(handle, kind, as: type, body) {
        Log.write(.error) { "a caller gave back a handle that is not an open \(kind)" }
    }
}

// MARK: The process

/// See `dagstore_log_set` in `dagstore.h`.
@c @implementation public func dagstore_log_set(
    _ level: Int32,
    _ callback: dagstore_log_fn!,
    _ context: UnsafeMutableRawPointer!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        guard (Int32(DAGSTORE_LOG_NONE)...Int32(DAGSTORE_LOG_DEBUG)).contains(level) else {
            throw Failure.argument("level is \(level); it may be 0 to 4")
        }
        Log.setReceiver(callback, Context(context), level: level)
    }
}

/// See `dagstore_mapping_guard_install` in `dagstore.h`.
@c @implementation public func dagstore_mapping_guard_install() -> Bool { MappingGuard.install() }
