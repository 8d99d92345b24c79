package import DAGBytes
internal import DAGSystem
package import SystemPackage

/// A regular file, open for reading.
///
/// *Concurrency*: reads carry their offset, so that any thread may read.
package final class LocalFile: ByteSource {
    /// Where the file was found.
    package let path: FilePath
    /// What it was when it was opened.
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

    /// Makes a file of all bytes that come from a descriptor.
    ///
    /// A regular file is read in place, from its beginning. What else there is, a pipe or a socket, is copied to a file
    /// without a name, which is gone when the object is.
    ///
    /// *Cost*: a copy of all bytes. Blocks the calling thread until they end.
    ///
    /// - Parameters:
    ///   - source: Where the bytes come from; stays open.
    ///   - name: What errors call it.
    ///   - folder: Where the copy is made.
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
                // SAFETY: the buffer has room for what is read, and is written as far as it was read.
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

    /// The size in bytes when it was opened.
    package var size: UInt64 { identity.size }

    /// The path, as errors say it.
    package var name: String { path.string }

    /// The first offset from `offset` on that is in no hole of a sparse file.
    ///
    /// *Cost*: one system call. A file system that knows no holes answers `offset`.
    package func dataOffset(from offset: UInt64) -> UInt64 {
        descriptor.dataOffset(from: offset)
    }

    /// Whether the open file is still what it was when it was opened.
    ///
    /// - Throws: `.changed` if it is not; `.unreachable`.
    package func checkUnchanged() throws(MountError) {
        guard try FileIdentity(of: descriptor, path: path) == identity else {
            throw MountError(.changed, "\(path): changed while it was read")
        }
    }

    /// Reads into `buffer` until it is full or the file ends.
    ///
    /// - Returns: The bytes read.
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

/// A window that slides over a file or another source: the bytes of one read.
///
/// *Concurrency*: one thread at a time.
@safe package final class FileWindow {
    private let source: any ByteSource
    private var memory: UnsafeMutableRawBufferPointer
    /// Where the bytes stand in the source.
    package private(set) var offset: UInt64 = 0
    private var count = 0

    /// A window of at most `capacity` bytes that shows nothing yet.
    package init(on source: any ByteSource, capacity: Int) {
        precondition(capacity > 0)
        self.source = source
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
    }

    deinit { unsafe memory.deallocate() }

    /// The most bytes the window shows.
    package var capacity: Int { unsafe memory.count }

    /// The bytes; valid until the next `show` and while the window lives.
    package var bytes: ByteView {
        // SAFETY: the first `count` bytes were read, and the caller holds the window.
        unsafe ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[0..<count]))
    }

    /// Makes the window larger; it shows nothing then.
    package func grow(to capacity: Int) {
        unsafe memory.deallocate()
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
        count = 0
    }

    /// Reads exactly `size` bytes at `offset`, and makes the window larger if it must.
    ///
    /// - Throws: `.changed` if the bytes end before; what the source throws.
    package func fill(at offset: UInt64, size: Int) throws(MountError) {
        if size > capacity { grow(to: size) }
        try show(at: offset, size: size)
        guard count == size else {
            throw MountError(.changed, "\(source.name): became shorter while it was read")
        }
    }

    /// Reads `size` bytes at `offset`; fewer where the bytes end.
    ///
    /// - Throws: What the source throws.
    package func show(at offset: UInt64, size: Int) throws(MountError) {
        precondition(size <= capacity)
        count = 0
        self.offset = offset
        count = try unsafe source.read(
            at: offset,
            into: UnsafeMutableRawBufferPointer(rebasing: memory[0..<size])
        )
    }
}
