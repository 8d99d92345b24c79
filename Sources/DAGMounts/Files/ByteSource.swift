package import DAGBytes

/// Bytes that a blocking thread can read at any offset: a file, memory, or a remote source.
///
/// *Concurrency*: any thread may read.
package protocol ByteSource: AnyObject, Sendable {
    /// The size in bytes, at opening.
    var size: UInt64 { get }

    /// The name in errors.
    var name: String { get }

    /// Reads into `buffer` until it is full or the bytes end.
    ///
    /// - Returns: The number of bytes read.
    func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int

    /// Checks that the source is unchanged since its opening.
    ///
    /// - Throws: `.changed` if it has changed; `.unreachable`.
    func checkUnchanged() throws(MountError)

    /// Returns the first offset from `offset` on that may have a byte other than zero; the largest number if there is
    /// none.
    func dataOffset(from offset: UInt64) -> UInt64
}

extension ByteSource {
    /// Returns `offset`: any byte may differ from zero.
    package func dataOffset(from offset: UInt64) -> UInt64 { offset }

    /// Reads `size` bytes at `offset`.
    ///
    /// - Parameters:
    ///   - offset: The offset of the first byte.
    ///   - size: The number of bytes; the caller has bounded it.
    /// - Returns: A copy of the bytes.
    /// - Throws: `.changed` if the bytes end earlier; the errors of `read(at:into:)`.
    package func read(at offset: UInt64, size: Int) throws(MountError) -> OwnedBytes {
        // The variable keeps the error's type: a closure that returns its value at once would lose it.
        // SAFETY: the buffer lives through the call, which writes only inside it.
        let bytes = try unsafe OwnedBytes(size: size) { buffer throws(MountError) in
            guard try unsafe read(at: offset, into: buffer) == size else {
                throw MountError(.changed, "\(name): became shorter")
            }
        }
        return bytes
    }
}

/// Memory, as a source of bytes.
///
/// *Concurrency*: immutable.
package final class MemoryBytes: ByteSource {
    /// The memory.
    package let memory: MountBytes
    /// The name in errors.
    package let name: String

    /// Creates a source over `memory`.
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
        // SAFETY: `part` is at most as large as `buffer`, and `self` holds the memory.
        unsafe buffer.copyMemory(from: part.buffer)
        return part.count
    }

    /// Returns at once: memory never changes.
    package func checkUnchanged() throws(MountError) {}
}
