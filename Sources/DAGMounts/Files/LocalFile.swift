package import DAGBytes
internal import DAGSystem
package import SystemPackage

/// A regular file, open for reading.
///
/// *Concurrency*: any thread may read, because each read has its own offset.
package final class LocalFile: ByteSource {
    /// The path at opening.
    package let path: FilePath
    /// The identity at opening.
    package let identity: FileIdentity
    let descriptor: FileDescriptor

    /// Opens the file at `path`.
    ///
    /// - Throws: `.gone`, `.unreachable`.
    package init(opening path: FilePath) throws(MountError) {
        do {
            // Without the flag, opening a pipe would wait for a writer.
            descriptor = try .opening(path, options: .nonBlocking)
        } catch {
            throw MountError(error, path: path)
        }
        self.path = path
        do throws(MountError) {
            identity = try FileIdentity(of: descriptor, path: path)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    /// Creates a file from all bytes of a descriptor.
    ///
    /// A regular file is read in place, from its beginning. The bytes of a pipe or a socket are copied to a file
    /// without a name, which ends with the object.
    ///
    /// *Cost*: a copy of all bytes. Blocks the thread until they end.
    ///
    /// - Parameters:
    ///   - source: The descriptor, which stays open.
    ///   - name: The name in errors.
    ///   - folder: The folder of the copy.
    /// - Throws: `.unreachable`, `.full`.
    package init(
        readingAll source: FileDescriptor,
        name: FilePath,
        copyingTo folder: FilePath
    ) throws(MountError) {
        path = name
        let isFile = (try? Stat(source))?.type == .regular
        do {
            descriptor =
                isFile
                ? try source.duplicate() : try Self.copied(source, to: folder)
        } catch {
            let errno = error as? Errno ?? .ioError
            throw MountError(errno, path: name)
        }
        do throws(MountError) {
            identity = try FileIdentity(of: descriptor, path: name)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    private static func copied(
        _ source: FileDescriptor,
        to folder: FilePath
    ) throws -> FileDescriptor {
        let path = folder.appending(
            "dagstore-\(ThisProcess.number)-\(UInt64.random(in: 0...UInt64.max))"
        )
        let copy = try FileDescriptor.open(
            path,
            .readWrite,
            options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: .ownerReadWrite
        )
        try? FileSystem.removeFile(path)
        do {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { unsafe buffer.deallocate() }
            while true {
                // SAFETY: the buffer has room for each read, and the code writes only the bytes that were read.
                let count = try unsafe source.read(into: buffer)
                guard count > 0 else { return copy }
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
                _ = try unsafe copy.writeAll(bytes)
            }
        } catch {
            try? copy.close()
            throw error
        }
    }

    deinit { try? descriptor.close() }

    /// The size in bytes, at opening.
    package var size: UInt64 { identity.size }

    /// The path, for errors.
    package var name: String { path.string }

    /// Returns the first offset from `offset` on that is outside the holes of a sparse file.
    ///
    /// *Cost*: one system call. On a file system without holes it returns `offset`.
    package func dataOffset(from offset: UInt64) -> UInt64 {
        descriptor.dataOffset(from: offset)
    }

    /// Checks that the open file is unchanged since its opening.
    ///
    /// - Throws: `.changed` if it has changed; `.unreachable`.
    package func checkUnchanged() throws(MountError) {
        guard try FileIdentity(of: descriptor, path: path) == identity else {
            throw MountError(.changed, "\(path): changed while it was read")
        }
    }

    /// Reads into `buffer` until it is full or the file ends.
    ///
    /// - Returns: The number of bytes read.
    /// - Throws: `.unreachable`.
    package func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(MountError) -> Int {
        do {
            // SAFETY: the caller's buffer lives through the call.
            return try unsafe descriptor.read(at: offset, filling: buffer)
        } catch {
            throw MountError(error, path: path)
        }
    }
}

/// A window that slides over a source; it has the bytes of one read.
///
/// *Concurrency*: one thread at a time.
@safe package final class FileWindow {
    private let source: any ByteSource
    private var memory: UnsafeMutableRawBufferPointer
    /// The offset of the bytes in the source.
    package private(set) var offset: UInt64 = 0
    private var count = 0

    /// Creates an empty window for at most `capacity` bytes.
    package init(on source: any ByteSource, capacity: Int) {
        precondition(capacity > 0)
        self.source = source
        // SAFETY: the window owns the memory, and shows only the bytes that `read` has filled.
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
    }

    // SAFETY: the window allocated the memory, and no view of it outlives the window.
    deinit { unsafe memory.deallocate() }

    // SAFETY: reads the size, and follows no pointer.
    /// The largest number of bytes in the window.
    package var capacity: Int { unsafe memory.count }

    /// The bytes; valid until the next `read` and while the window lives.
    package var bytes: ByteView {
        // SAFETY: `read` filled the first `count` bytes, and the caller holds the window.
        unsafe ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[0..<count]))
    }

    /// Makes the window larger; it is then empty.
    package func grow(to capacity: Int) {
        // SAFETY: the window owns the memory, and no view is valid after `grow`.
        unsafe memory.deallocate()
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
        count = 0
    }

    /// Reads exactly `size` bytes at `offset`, and makes the window larger if necessary.
    ///
    /// - Throws: `.changed` if the bytes end earlier; the errors of the source.
    package func fill(at offset: UInt64, size: Int) throws(MountError) {
        if size > capacity { grow(to: size) }
        try read(at: offset, size: size)
        guard count == size else {
            throw MountError(.changed, "\(source.name): became shorter while it was read")
        }
    }

    /// Copies bytes that a scan read ahead, and makes the window larger if necessary.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - offset: Their offset in the source.
    package func fill(with bytes: ArraySlice<UInt8>, at offset: UInt64) {
        if bytes.count > capacity { grow(to: bytes.count) }
        // SAFETY: the memory has room for the bytes, and the window owns it.
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        self.offset = offset
        count = bytes.count
    }

    /// Reads `size` bytes at `offset`; fewer where the bytes end.
    ///
    /// - Throws: The errors of the source.
    package func read(at offset: UInt64, size: Int) throws(MountError) {
        precondition(size <= capacity)
        count = 0
        self.offset = offset
        // SAFETY: the precondition keeps `size` inside the memory, which the source fills.
        count = try unsafe source.read(
            at: offset,
            into: UnsafeMutableRawBufferPointer(rebasing: memory[0..<size])
        )
    }
}
