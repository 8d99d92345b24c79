package import DAGBytes
internal import DAGSystem
package import SystemPackage

/// A file without a name, for data that does not fit in memory.
///
/// It ends with the object.
///
/// *Concurrency*: one thread at a time.
package final class SpillFile {
    private let descriptor: FileDescriptor
    private let path: FilePath
    private var size: UInt64 = 0

    /// Removes files of processes that ended between creating and unlinking them.
    ///
    /// - Parameter directory: The folder of the files; only this store uses it.
    package static func removeLeftovers(in directory: FilePath) {
        guard let names = try? FileSystem.names(in: directory) else { return }
        for name in names where name.hasPrefix("spill-") {
            try? FileSystem.removeFile(directory.appending(name))
        }
    }

    /// Creates a file in `directory`.
    ///
    /// - Throws: `.gone`, `.unreachable`, `.full`.
    package init(in directory: FilePath) throws(MountError) {
        path = directory.appending(
            "spill-\(ThisProcess.number)-\(UInt64.random(in: 0...UInt64.max))"
        )
        do {
            descriptor = try FileDescriptor.open(
                path,
                .readWrite,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            )
        } catch {
            throw Self.error(error, path)
        }
        try? FileSystem.removeFile(path)
    }

    deinit { try? descriptor.close() }

    /// Appends `bytes` and returns their offset.
    package func append(_ bytes: ByteView) throws(MountError) -> UInt64 {
        let start = size
        do {
            // SAFETY: the view's creator keeps the bytes alive during the call.
            _ = try unsafe descriptor.writeAll(toAbsoluteOffset: Int64(start), bytes.buffer)
        } catch {
            throw Self.error(error, path)
        }
        size += UInt64(bytes.count)
        return start
    }

    /// Calls `body` with appended bytes.
    package func read(
        at offset: UInt64,
        size: Int,
        _ body: (ByteView) -> Void
    ) throws(MountError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { unsafe buffer.deallocate() }
        var done = 0
        while done < size {
            let count: Int
            do {
                // SAFETY: the rest of the buffer has room for this read.
                count = try unsafe descriptor.read(
                    fromAbsoluteOffset: Int64(offset) + Int64(done),
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                )
            } catch {
                throw Self.error(error, path)
            }
            guard count > 0 else { throw MountError(.unreachable, "\(path): ends early") }
            done += count
        }
        // SAFETY: the loop filled all `size` bytes, and the view stays inside `body`.
        unsafe body(ByteView(UnsafeRawBufferPointer(buffer)))
    }

    private static func error(_ error: any Error, _ path: FilePath) -> MountError {
        guard let errno = error as? Errno else {
            return MountError(.unreachable, "\(path): \(error)")
        }
        return MountError(errno, path: path)
    }
}
