internal import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage

// Writes the results of a call. Each type checks its place for NULL once, empties it, and writes through it until the
// call returns. Rules 1 and 3 of dagstore.h ask the caller for a place of the parameter's type that stays for the
// call.

/// A place for one value.
@safe struct ValuePlace<Value: BitwiseCopyable> {
    // SAFETY: NULL, or a place of the caller's for the call; no export keeps this struct longer.
    private let start: UnsafeMutablePointer<Value>?

    /// Takes a place that must be there, and sets it to zero.
    ///
    /// - Throws: `INVALID_ARGUMENT` if it is NULL.
    @safe init(
        _ start: UnsafeMutablePointer<Value>?,
        _ zero: Value,
        _ name: String
    ) throws(Failure) {
        // SAFETY: only compared with NULL; `fill` writes.
        guard unsafe start != nil else { throw .argument("\(name) is NULL") }
        self.init(orNULL: start, zero)
    }

    /// Takes a place that may be NULL, and sets it to zero.
    @safe init(orNULL start: UnsafeMutablePointer<Value>?, _ zero: Value) {
        // SAFETY: only kept; `fill` writes.
        unsafe self.start = start
        fill(zero)
    }

    /// Writes the value; does nothing if the place is NULL.
    func fill(_ value: Value) {
        // SAFETY: NULL, or a place for one value.
        unsafe start?.pointee = value
    }
}

/// A place for one handle.
@safe struct HandlePlace {
    // SAFETY: NULL, or a place of the caller's for the call; no export keeps this struct longer.
    private let start: UnsafeMutablePointer<OpaquePointer?>?

    /// Takes a place, and empties it; without a name it may be NULL.
    ///
    /// - Throws: `INVALID_ARGUMENT` if it is NULL.
    @safe init(_ start: UnsafeMutablePointer<OpaquePointer?>?, _ name: String?) throws(Failure) {
        // SAFETY: NULL, or a place for one handle.
        if let name, unsafe start == nil { throw .argument("\(name) is NULL") }
        unsafe self.start = start
        unsafe start?.pointee = nil
    }

    /// Gives out a handle; does nothing if the place is NULL.
    ///
    /// - Throws: `LIMIT_EXCEEDED` if there are too many handles.
    func fill(_ kind: HandleKind, _ object: AnyObject, bytes: ByteView? = nil) throws(Failure) {
        // SAFETY: NULL, or a place for one handle.
        guard let start = unsafe start else { return }
        unsafe start.pointee = try makeHandle(kind, object, bytes: bytes)
    }

    /// Gives out a block.
    @inline(__always)
    func fill(_ block: BlockBytes) throws(Failure) {
        try fill(.block, block.owner, bytes: block.view)
    }
}

/// Makes a handle for the caller.
///
/// - Throws: `LIMIT_EXCEEDED` if there are too many.
func makeHandle(
    _ kind: HandleKind,
    _ object: AnyObject,
    bytes: ByteView? = nil
) throws(Failure) -> OpaquePointer {
    // SAFETY: a handle is a number; nothing reads memory through it.
    guard let handle = unsafe HandleTable.add(kind, object, bytes: bytes) else {
        throw Failure(dagstore_status_t(DAGSTORE_LIMIT_EXCEEDED), "too many handles")
    }
    return unsafe handle
}

/// A place for a struct.
@safe struct StructPlace<Struct: SizedStruct> {
    // SAFETY: not NULL, and `size` bytes of the caller's for the call; no export keeps this struct longer.
    private let start: UnsafeMutableRawPointer
    /// The bytes of it that the caller knows.
    private let size: Int
    /// The bytes of the first field, the size, which stays as the caller set it.
    private static var headSize: Int { MemoryLayout<UInt32>.size }

    /// Takes the place, and sets all fields to zero.
    ///
    /// - Throws: `INVALID_ARGUMENT` if it is NULL or smaller than the first version's.
    @safe init(_ start: UnsafeMutablePointer<Struct>?, _ name: String) throws(Failure) {
        // SAFETY: `borrowStruct` throws for NULL, and rule 4 says that the caller has `size` bytes.
        size = try unsafe borrowStruct(UnsafePointer(start), name).count
        unsafe self.start = UnsafeMutableRawPointer(start.unsafelyUnwrapped)
        let rest = unsafe self.start + Self.headSize
        unsafe rest.initializeMemory(as: UInt8.self, repeating: 0, count: size - Self.headSize)
    }

    /// Writes the fields that the caller knows.
    func fill(_ value: Struct) {
        // SAFETY: both sides have `size` bytes or the struct's, whichever is less.
        unsafe withUnsafeBytes(of: value) { bytes in
            let known = min(size, bytes.count) - Self.headSize
            guard let source = bytes.baseAddress else { return }
            unsafe (start + Self.headSize).copyMemory(
                from: source + Self.headSize,
                byteCount: known
            )
        }
    }
}

/// A buffer of the caller's, for bytes or a text, with a place for their size.
@safe struct CallerBuffer {
    // SAFETY: NULL with a capacity of 0, or `capacity` bytes of the caller's for the call.
    private let start: UnsafeMutableRawPointer?
    private let capacity: Int
    private let size: ValuePlace<Int>

    /// Takes the buffer, and sets the size to zero.
    ///
    /// - Throws: `INVALID_ARGUMENT` if the place for the size is NULL, or the buffer is and has a capacity.
    @safe init<Byte: BitwiseCopyable>(
        _ start: UnsafeMutablePointer<Byte>?,
        _ capacity: Int,
        _ size: UnsafeMutablePointer<Int>?
    ) throws(Failure) {
        self.size = try ValuePlace(size, 0, "out_size")
        // SAFETY: only compared with NULL and kept.
        guard unsafe start != nil || capacity == 0 else { throw .argument("buffer is NULL") }
        unsafe self.start = UnsafeMutableRawPointer(start)
        self.capacity = sizeLimit(capacity)
    }

    /// Says how many bytes there are, and gives room for them.
    ///
    /// - Throws: `BUFFER_TOO_SMALL`.
    private func reserve(_ count: Int) throws(Failure) -> UnsafeMutableRawBufferPointer {
        size.fill(count)
        guard count <= capacity else {
            throw Failure(
                dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL),
                "\(count) bytes need more room than the buffer's \(capacity)"
            )
        }
        // SAFETY: the caller has `capacity` bytes, and `count` is no more.
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Copies bytes.
    func fill(_ bytes: ByteView) throws(Failure) {
        // SAFETY: the room is exactly as large as the bytes.
        try unsafe reserve(bytes.count).copyMemory(from: bytes.buffer)
    }

    /// Copies a block; the size is zero again if its bytes are gone.
    ///
    /// - Throws: `BUFFER_TOO_SMALL`, `SOURCE_CHANGED`.
    func fill(_ block: BlockBytes) throws {
        guard block.isMapped else { return try fill(block.view) }
        // SAFETY: the room is exactly as large as the block; the copy is guarded against a file that shrinks.
        guard try unsafe GuardedCopy.copy(block.view, into: reserve(block.view.count)) else {
            size.fill(0)
            throw BlockBytes.areGone
        }
    }

    /// Copies a text, with its NUL.
    func fill(_ text: String) throws(Failure) {
        let bytes = Array(text.utf8) + [0]
        try bytes.withView { view throws(Failure) in try fill(view) }
    }

    /// Copies a root.
    func fill(root index: Int, of roots: [CID]) throws(Failure) {
        guard roots.indices.contains(index) else {
            throw .argument("root \(index) of \(roots.count) does not exist")
        }
        try roots[index].bytes.withView { view throws(Failure) in try fill(view) }
    }
}
