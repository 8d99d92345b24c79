internal import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage

// Reads the arguments of C callers. Each function checks for NULL and limits, and none traps. For what it cannot
// check it relies on rule 3 and 4 of dagstore.h: memory stays for the call, texts end with NUL, sizes are true.

/// Reads a text.
///
/// - Throws: `INVALID_ARGUMENT` if it is NULL or not UTF-8.
@safe func readText(_ start: UnsafePointer<CChar>?, _ name: String) throws(Failure) -> String {
    guard let start = unsafe start else { throw .argument("\(name) is NULL") }
    // SAFETY: not NULL, and rule 3 says that the caller's text ends with NUL and stays for the call.
    guard let text = unsafe String(validatingCString: start) else {
        throw .argument("\(name) is not UTF-8")
    }
    return text
}

/// Reads a text that may be NULL.
@safe func readOptionalText(
    _ start: UnsafePointer<CChar>?,
    _ name: String
) throws(Failure) -> String? {
    // SAFETY: only compared with NULL.
    guard unsafe start != nil else { return nil }
    return try readText(start, name)
}

/// Reads a shard's key.
@safe func readKey(_ start: UnsafePointer<CChar>?) throws -> ShardKey {
    try ShardKey(readText(start, "key"))
}

/// Reads a path, in whatever bytes the system has it.
///
/// - Throws: `INVALID_ARGUMENT` if it is NULL or empty.
@safe func readPath(_ start: UnsafePointer<CChar>?, _ name: String) throws(Failure) -> FilePath {
    guard let start = unsafe start else { throw .argument("\(name) is NULL") }
    // SAFETY: not NULL, and rule 3 says that the caller's text ends with NUL and stays for the call.
    let path = unsafe FilePath(platformString: start)
    guard !path.isEmpty else { throw .argument("\(name) is empty") }
    return path
}

/// Borrows `size` bytes for the call.
///
/// - Returns: The bytes; `nil` if `start` is NULL.
@safe @inline(__always)
func borrowBytes(_ start: UnsafePointer<UInt8>?, _ size: Int) -> ByteView? {
    guard let start = unsafe start else { return nil }
    // SAFETY: not NULL, and rule 3 says that the caller has `size` bytes there until the call returns. No export
    // keeps the view longer; those that need the bytes later copy them.
    return unsafe ByteView(UnsafeRawBufferPointer(start: start, count: size))
}

/// Borrows the bytes of a CID for the call, and finds its parts.
///
/// - Throws: `INVALID_ARGUMENT` if it is NULL, `INVALID_CID` if the bytes are not exactly one CID.
@safe @inline(__always)
func readCID(
    _ start: UnsafePointer<UInt8>?,
    _ size: Int
) throws(Failure) -> (bytes: ByteView, layout: CIDLayout) {
    guard size > 0, size <= CID.sizeMax, let bytes = borrowBytes(start, size) else {
        // SAFETY: only compared with NULL.
        throw unsafe start == nil ? .argument("cid is NULL") : invalidCID(nil, size)
    }
    if let layout = CIDLayout.common(bytes), layout.size == size { return (bytes, layout) }
    switch CIDLayout.decode(bytes) {
    case .success(let layout) where layout.size == size: return (bytes, layout)
    case .success: throw invalidCID(nil, size)
    case .failure(let fault): throw invalidCID(fault.fault.code.description, size)
    }
}

/// Reads a CID that outlives the call.
@safe func copyCID(_ start: UnsafePointer<UInt8>?, _ size: Int) throws(Failure) -> CID {
    let (bytes, layout) = try readCID(start, size)
    return CID(bytes: bytes.copied, layout: layout)
}

/// Reads a multihash.
///
/// - Throws: `INVALID_ARGUMENT` if it is NULL, `INVALID_CID` if the bytes are not exactly one multihash.
@safe func copyMultihash(_ start: UnsafePointer<UInt8>?, _ size: Int) throws -> Multihash {
    guard size > 0, size <= CID.sizeMax, let bytes = borrowBytes(start, size) else {
        // SAFETY: only compared with NULL.
        guard unsafe start != nil else { throw Failure.argument("multihash is NULL") }
        throw Failure(dagstore_status_t(DAGSTORE_INVALID_CID), "\(size) bytes are no multihash")
    }
    return try Multihash(bytes: bytes.copied)
}

@inline(never)
private func invalidCID(_ fault: String?, _ size: Int) -> Failure {
    Failure(
        dagstore_status_t(DAGSTORE_INVALID_CID),
        "\(size) bytes are not one CID: \(fault ?? "its size is another")"
    )
}

/// Checks that only known bits are set.
///
/// - Throws: `INVALID_ARGUMENT` if others are.
func checkFlags(_ flags: UInt32, _ known: Int...) throws(Failure) {
    let mask = known.reduce(0) { $0 | UInt32($1) }
    guard flags & ~mask == 0 else {
        throw .argument("unknown flags 0x\(String(flags & ~mask, radix: 16))")
    }
}

/// Converts `timeout_ms`.
func patience(_ milliseconds: UInt32) -> DAGStore.Patience {
    switch milliseconds {
    case 0: .none
    case .max: .endless
    default: .until(.now + .milliseconds(Int64(milliseconds)))
    }
}

/// Converts a `size_t` that limits something: one beyond `SSIZE_MAX`, such as `SIZE_MAX`, means no limit.
func sizeLimit(_ size: Int) -> Int { size < 0 ? .max : size }

/// Converts a number for which `DAGSTORE_NO_LIMIT` stands for none.
func limit(_ value: UInt64) -> UInt64? { value == .max ? nil : value }

// MARK: Structs

/// A struct of the header: it starts with its size, and later versions have more fields at its end.
protocol SizedStruct {
    /// The size in bytes that the first version of the library had.
    static var firstSize: Int { get }
    /// Makes a struct with all fields zero.
    init()
}

/// More bytes than a struct of the header will ever have; a caller that sets more has not filled it.
private let structSizeMax = 1 << 16

/// Borrows a caller's struct for the call, with the size that it starts with.
///
/// - Throws: `INVALID_ARGUMENT` if it is NULL, smaller than the first version's, or impossibly large.
@safe func borrowStruct<Struct: SizedStruct>(
    _ start: UnsafePointer<Struct>?,
    _ name: String
) throws(Failure) -> ByteView {
    guard let start = unsafe start else { throw .argument("\(name) is NULL") }
    let raw = unsafe UnsafeRawPointer(start)
    // SAFETY: not NULL, and every struct of the header starts with its size (rule 4).
    let size = Int(unsafe raw.loadUnaligned(as: UInt32.self))
    guard size >= Struct.firstSize, size <= structSizeMax else {
        throw .argument("\(name) has \(size) bytes; it needs \(Struct.firstSize) or more")
    }
    // SAFETY: rule 4 says that the caller has as many bytes as the struct says.
    return unsafe ByteView(UnsafeRawBufferPointer(start: raw, count: size))
}

/// Reads a struct that the caller filled; fields that the caller does not know are zero.
///
/// - Throws: `INVALID_ARGUMENT` as `borrowStruct`, and if it sets a field that this version does not know.
@safe func readStruct<Struct: SizedStruct>(
    _ start: UnsafePointer<Struct>?,
    _ name: String
) throws(Failure) -> Struct {
    let bytes = try borrowStruct(start, name)
    let known = min(bytes.count, MemoryLayout<Struct>.size)
    guard bytes[known..<bytes.count].firstNonzero == nil else {
        throw .argument("\(name) has a field that this version of the library does not know")
    }
    var found = Struct()
    // SAFETY: neither side is shorter than `known`, and every bit pattern of the fields is a value.
    unsafe withUnsafeMutableBytes(of: &found) {
        unsafe $0.copyMemory(from: bytes[0..<known].buffer)
    }
    return found
}

/// Reads a struct that may be NULL.
@safe func readOptionalStruct<Struct: SizedStruct>(
    _ start: UnsafePointer<Struct>?,
    _ name: String
) throws(Failure) -> Struct? {
    // SAFETY: only compared with NULL.
    guard unsafe start != nil else { return nil }
    return try readStruct(start, name)
}
