package import DAGBytes

/// Bytes that a blocking thread can read at any offset: a file, memory, or a remote source.
///
/// *Concurrency*: any thread may read.
package protocol ByteSource: AnyObject, Sendable {
    /// The size in bytes when it was opened.
    var size: UInt64 { get }

    /// What it is called in errors.
    var name: String { get }

    /// Reads into `buffer` until it is full or the bytes end.
    ///
    /// - Returns: The bytes read.
    func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int

    /// Whether it is still what it was when it was opened.
    ///
    /// - Throws: `.changed` if it is not; `.unreachable`.
    func checkUnchanged() throws(MountError)

    /// The first offset from `offset` on that may hold anything but zeros; the largest number if none does.
    func dataOffset(from offset: UInt64) -> UInt64
}

extension ByteSource {
    /// Any byte may be other than zero.
    package func dataOffset(from offset: UInt64) -> UInt64 { offset }

    /// Reads `size` bytes at `offset`.
    ///
    /// - Parameters:
    ///   - offset: Where in the bytes.
    ///   - size: How many; the caller has bounded it.
    /// - Returns: The bytes, copied.
    /// - Throws: `.changed` if the bytes end before; what `read(at:into:)` throws.
    package func read(at offset: UInt64, size: Int) throws(MountError) -> OwnedBytes {
        // A variable of its own: a typed throw is lost when the closure's value is returned at once.
        let bytes = try unsafe OwnedBytes(size: size) { buffer throws(MountError) in
            guard try unsafe read(at: offset, into: buffer) == size else {
                throw MountError(.changed, "\(name): became shorter")
            }
        }
        return bytes
    }
}

/// Memory that is read as a file is.
///
/// *Concurrency*: immutable.
package final class MemoryBytes: ByteSource {
    /// The memory.
    package let memory: MountBytes
    /// What it is called in errors.
    package let name: String

    /// The bytes of `memory`.
    package init(_ memory: MountBytes, name: String) {
        self.memory = memory
        self.name = name
    }

    /// The size in bytes.
    package var size: UInt64 { UInt64(memory.size) }

    /// The bytes; valid while the object lives.
    package var view: ByteView { memory.view }

    package func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int {
        guard let start = Int(exactly: offset), start < memory.size else { return 0 }
        let part = view[start..<start + min(buffer.count, memory.size - start)]
        // SAFETY: `part` is no larger than `buffer`, and the memory is held by `self`.
        unsafe buffer.copyMemory(from: part.buffer)
        return part.count
    }

    /// Memory does not change.
    package func checkUnchanged() throws(MountError) {}
}
