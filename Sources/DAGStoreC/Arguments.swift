internal import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage
internal import SystemPackage

// What comes from C callers, looked at before it is used; nothing here traps.

/// A text.
///
/// - Throws: `INVALID_ARGUMENT` if it is NULL or not UTF-8.
func text(_ start: UnsafePointer<CChar>?, _ name: String) throws(Failure) -> String {
    guard let start = unsafe start else { throw .argument("\(name) is NULL") }
    // SAFETY: the header asks for a text that ends with NUL.
    guard let text = unsafe String(validatingCString: start) else {
        throw .argument("\(name) is not UTF-8")
    }
    return text
}

/// A shard's key.
func shardKey(_ start: UnsafePointer<CChar>?) throws -> ShardKey {
    try ShardKey(unsafe text(start, "key"))
}

/// A path, in whatever bytes the system has it.
func filePath(_ start: UnsafePointer<CChar>?, _ name: String) throws(Failure) -> FilePath {
    guard let start = unsafe start else { throw .argument("\(name) is NULL") }
    // SAFETY: the header asks for a text that ends with NUL.
    let path = unsafe FilePath(platformString: start)
    guard !path.isEmpty else { throw .argument("\(name) is empty") }
    return path
}

/// The bytes of a CID, borrowed for the call, and its parts.
@inline(__always)
func binaryCID(
    _ start: UnsafePointer<UInt8>?,
    _ size: Int
) throws(Failure) -> (bytes: ByteView, layout: CIDLayout) {
    guard let start = unsafe start else { throw .argument("cid is NULL") }
    guard size > 0, size <= CID.sizeMax else { throw invalidCID(nil, size) }
    // SAFETY: the header asks for `size` bytes that stay for the call.
    let bytes = unsafe ByteView(UnsafeRawBufferPointer(start: start, count: size))
    if let layout = CIDLayout.common(bytes), layout.size == size { return (bytes, layout) }
    switch CIDLayout.decode(bytes) {
    case .success(let layout) where layout.size == size: return (bytes, layout)
    case .success: throw invalidCID(nil, size)
    case .failure(let fault): throw invalidCID(fault.fault.code.description, size)
    }
}

@inline(never)
private func invalidCID(_ fault: String?, _ size: Int) -> Failure {
    Failure(
        dagstore_status_t(DAGSTORE_INVALID_CID),
        "\(size) bytes that are no CID: \(fault ?? "of another size")"
    )
}

/// Bits that may be set.
///
/// - Throws: `INVALID_ARGUMENT` if others are.
func checkFlags(_ flags: UInt32, _ known: Int...) throws(Failure) {
    let mask = known.reduce(0) { $0 | UInt32($1) }
    guard flags & ~mask == 0 else {
        throw .argument("unknown flags 0x\(String(flags & ~mask, radix: 16))")
    }
}

/// How long to wait.
func patience(_ milliseconds: UInt32) -> DAGStore.Patience {
    switch milliseconds {
    case 0: .none
    case .max: .endless
    default: .until(.now + .milliseconds(Int64(milliseconds)))
    }
}

/// A number that stands for itself, or for none.
func limit(_ value: UInt64) -> UInt64? { value == .max ? nil : value }

// MARK: Structs

/// A struct of the header: it starts with its size, and later versions have more fields at its end.
protocol SizedStruct {
    /// The size in bytes that the first version of the library had.
    static var firstSize: Int { get }
    /// All fields zero.
    init()
}

/// No struct of the header will ever be so large; what says so was not filled.
private let structSizeMax = 1 << 16

/// The size that a struct of the caller's says it has.
///
/// - Throws: `INVALID_ARGUMENT` if it is smaller than the first version's, or cannot be.
private func size<Struct: SizedStruct>(
    of _: Struct.Type,
    at start: UnsafeRawPointer,
    _ name: String
) throws(Failure) -> Int {
    // SAFETY: every struct of the header starts with its size.
    let size = Int(unsafe start.loadUnaligned(as: UInt32.self))
    guard size >= Struct.firstSize, size <= structSizeMax else {
        throw .argument("\(name) of \(size) bytes, and not \(Struct.firstSize) or more")
    }
    return size
}

/// A struct that the caller filled; fields that it does not know are zero.
///
/// - Throws: `INVALID_ARGUMENT` if it is smaller than the first version's, or asks for what this version does not know.
func input<Struct: SizedStruct>(
    _ start: UnsafePointer<Struct>?,
    _ name: String
) throws(Failure) -> Struct {
    guard let start = unsafe start else { throw .argument("\(name) is NULL") }
    let raw = unsafe UnsafeRawPointer(start)
    let size = try unsafe size(of: Struct.self, at: raw, name)
    // SAFETY: the caller says that it has `size` bytes.
    let bytes = unsafe UnsafeRawBufferPointer(start: raw, count: size)
    let known = min(size, MemoryLayout<Struct>.size)
    guard unsafe bytes[known...].allSatisfy({ $0 == 0 }) else {
        throw .argument("\(name) has a field that this version of the library does not know")
    }
    var found = Struct()
    unsafe withUnsafeMutableBytes(of: &found) { room in
        // SAFETY: neither is shorter than `known`.
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<known]))
    }
    return found
}

/// A struct that the caller wants filled.
@safe struct Output<Struct: SizedStruct> {
    private let start: UnsafeMutableRawPointer
    /// How many bytes of it the caller knows.
    private let size: Int
    /// Everything but the first field, the size, is ours.
    private static var head: Int { MemoryLayout<UInt32>.size }

    /// Empties it.
    ///
    /// - Throws: `INVALID_ARGUMENT` if it is NULL or smaller than the first version's.
    init(_ start: UnsafeMutablePointer<Struct>?, _ name: String) throws(Failure) {
        guard let start = unsafe start else { throw .argument("\(name) is NULL") }
        unsafe self.start = UnsafeMutableRawPointer(start)
        size = try unsafe DAGStoreC.size(of: Struct.self, at: UnsafeRawPointer(start), name)
        // SAFETY: the caller says that it has `size` bytes.
        let rest = unsafe self.start + Self.head
        unsafe rest.initializeMemory(as: UInt8.self, repeating: 0, count: size - Self.head)
    }

    /// Fills what the caller knows of it.
    func fill(_ value: Struct) {
        unsafe withUnsafeBytes(of: value) { bytes in
            // SAFETY: the caller has room for `size` bytes.
            let known = unsafe bytes[Self.head..<min(size, bytes.count)]
            let rest = unsafe UnsafeRawBufferPointer(rebasing: known)
            unsafe (start + Self.head).copyMemory(
                from: rest.baseAddress.unsafelyUnwrapped,
                byteCount: rest.count
            )
        }
    }
}

/// A place for a handle, empty so far.
func emptied(
    _ place: UnsafeMutablePointer<OpaquePointer?>?,
    _ name: String
) throws(Failure) -> UnsafeMutablePointer<OpaquePointer?> {
    guard let place = unsafe place else { throw .argument("\(name) is NULL") }
    // SAFETY: the header asks for a place for one handle.
    unsafe place.pointee = nil
    return unsafe place
}

/// A place for a value, which is zero so far.
func cleared<Value>(
    _ place: UnsafeMutablePointer<Value>?,
    _ zero: Value,
    _ name: String
) throws(Failure) -> UnsafeMutablePointer<Value> {
    guard let place = unsafe place else { throw .argument("\(name) is NULL") }
    // SAFETY: the header asks for a place for one value.
    unsafe place.pointee = zero
    return unsafe place
}

/// Gives out a handle.
///
/// - Throws: `LIMIT_EXCEEDED` if there are too many.
func giveOut(
    _ kind: HandleKind,
    _ object: AnyObject,
    bytes: UnsafeRawBufferPointer? = nil
) throws(Failure) -> OpaquePointer {
    guard let handle = unsafe HandleTable.add(kind, object, bytes: bytes) else {
        throw Failure(dagstore_status_t(DAGSTORE_LIMIT_EXCEEDED), "too many handles")
    }
    return unsafe handle
}

/// A buffer of the caller's, for bytes or a text.
@safe struct Room {
    private let start: UnsafeMutableRawPointer?
    private let capacity: Int
    private let size: UnsafeMutablePointer<Int>

    /// - Throws: `INVALID_ARGUMENT` if the place for the size is NULL, or the buffer is and has a capacity.
    init(
        _ start: UnsafeMutableRawPointer?,
        _ capacity: Int,
        _ size: UnsafeMutablePointer<Int>?
    ) throws(Failure) {
        unsafe self.size = try cleared(size, 0, "out_size")
        guard unsafe start != nil || capacity == 0 else { throw .argument("buffer is NULL") }
        unsafe self.start = start
        self.capacity = max(0, capacity)
    }

    /// Says how many bytes there are, and gives room for them.
    ///
    /// - Throws: `BUFFER_TOO_SMALL`.
    func take(_ count: Int) throws(Failure) -> UnsafeMutableRawBufferPointer {
        unsafe size.pointee = count
        guard count <= capacity else {
            throw Failure(
                dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL),
                "\(count) bytes, and room for \(capacity)"
            )
        }
        // SAFETY: the caller says that it has `capacity` bytes.
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Says that there is nothing after all.
    func forget() { unsafe size.pointee = 0 }

    /// Copies bytes.
    func fill(_ bytes: ByteView) throws(Failure) {
        unsafe try take(bytes.count).copyMemory(from: bytes.buffer)
    }

    /// Copies a text, with its NUL.
    func fill(_ text: String) throws(Failure) {
        let bytes = Array(text.utf8) + [0]
        try bytes.withView { view throws(Failure) in try fill(view) }
    }
}
