package import DAGBytes
internal import DAGSystem
internal import Dispatch
internal import SharedReads
package import SystemPackage

/// Writes a new file from its beginning to its end; other threads write while the caller makes more bytes.
///
/// What comes after the first 64 MiB bypasses the system's cache, if it can: a large file pushes others out of the
/// cache, and on some machines the cache's memory costs more time than the disk. A smaller file stays in the cache for
/// its first reader.
///
/// *Memory*: four pieces of 2 MiB. *Concurrency*: one thread appends.
@safe package final class AppendedFile {
    /// A large page, which the system maps and pins at once.
    private static let pieceSize = 2 << 20
    private static let pieceCount = 4
    private static let writers = 3
    /// The size up to which bytes stay in the cache.
    private static let cachedSize: UInt64 = 64 << 20
    /// The space that is reserved at once.
    private static let reservedSize: UInt64 = 256 << 20

    /// Memory for a part of the file.
    @safe private final class Piece: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: the thread that appends has a piece until it submits it, and again after the
        // writer gave it back. The object owns the memory.
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: AppendedFile.pieceSize,
            alignment: AppendedFile.pieceSize
        )
        var count = 0

        init() {
            // SAFETY: the advice is about the object's own memory, and drops nothing.
            unsafe MemoryAdvice.hugePages.apply(to: UnsafeRawBufferPointer(memory))
        }

        // SAFETY: the object allocated the memory, and no reference to it is left.
        deinit { unsafe memory.deallocate() }

        /// Copies as many bytes as there is room for.
        ///
        /// - Returns: The number of bytes copied.
        func fill(from bytes: ByteView) -> Int {
            // SAFETY: both buffers have `size` bytes at their places, and `bytes` is alive during the call.
            let size = unsafe min(bytes.count, memory.count - count)
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + size])
            unsafe room.copyMemory(from: bytes[0..<size].buffer)
            count += size
            return size
        }

        /// Writes the bytes.
        func write(to file: FileDescriptor, at offset: UInt64) throws(Errno) {
            do {
                // SAFETY: the object keeps the memory alive during the call, which reads the bytes that were filled.
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
                _ = try unsafe file.writeAll(toAbsoluteOffset: Int64(offset), bytes)
            } catch {
                throw error as? Errno ?? .ioError
            }
        }
    }

    /// What the threads share.
    private final class Writer: Sendable {
        private struct State {
            var free: [Piece] = []
            var error: Errno?
        }

        let file: FileDescriptor
        private let state = Lock(State())
        /// Counts the free pieces.
        let freed = DispatchSemaphore(value: 0)

        init(_ file: FileDescriptor) { self.file = file }

        /// The first error of a write.
        var error: Errno? { state.withLock { $0.error } }
        /// Whether `takePiece` need not wait.
        var hasFreePiece: Bool { state.withLock { !$0.free.isEmpty } }

        /// Waits for a free piece.
        func takePiece() -> Piece {
            freed.wait()
            return state.withLock { $0.free.removeLast() }
        }

        func returnPiece(_ piece: Piece) {
            piece.count = 0
            state.withLock { $0.free.append(piece) }
            freed.signal()
        }

        /// Writes a piece, and gives it back.
        func write(_ piece: Piece, at offset: UInt64) {
            do throws(Errno) {
                do throws(Errno) {
                    try piece.write(to: file, at: offset)
                } catch .invalidArgument {
                    // The file system accepts the flag and not the write.
                    _ = file.setBypassesCache(false)
                    try piece.write(to: file, at: offset)
                }
            } catch {
                state.withLock { $0.error = $0.error ?? error }
            }
            returnPiece(piece)
        }
    }

    private let file: FileDescriptor
    private let writer: Writer
    private let pool = JobPool(label: "dagstore.write", width: AppendedFile.writers)
    /// The pieces there are.
    private var made = 0
    private var current: Piece?
    /// The offset of the first byte that is in no submitted piece.
    private var position: UInt64 = 0
    /// Whether the file system bypasses the cache; nil until it is asked.
    private var isDirect: Bool?
    /// The end of the reserved space; 0 before the first reservation.
    private var reserved: UInt64 = 0
    private let isRegular: Bool

    /// Creates a writer for an empty file, which the caller closes after `finish` or `stop`.
    package init(_ file: FileDescriptor) {
        self.file = file
        writer = Writer(file)
        isRegular = (try? Stat(file))?.type == .regular
    }

    /// Appends bytes.
    ///
    /// - Throws: The error of the system, maybe of bytes that came before.
    package func append(_ bytes: ByteView) throws(Errno) {
        var rest = bytes
        while !rest.isEmpty {
            let piece: Piece
            if let current { piece = current } else { piece = try takePiece() }
            current = piece
            rest = rest[piece.fill(from: rest)..<rest.count]
            guard piece.count == Self.pieceSize else { continue }
            current = nil
            submit(piece)
        }
    }

    /// Waits until all bytes are written; the file has its size then.
    ///
    /// The disk may not have them yet.
    ///
    /// - Throws: The error of the system.
    package func finish() throws(Errno) {
        stop()
        if let error = writer.error { throw error }
        _ = file.setBypassesCache(false)
        var end = position
        if let current {
            try current.write(to: file, at: position)
            end += UInt64(current.count)
        }
        guard reserved > 0 else { return }
        do {
            try file.resize(to: Int64(end))
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Waits until no thread writes to the file.
    package func stop() {
        let others = made - (current == nil ? 0 : 1)
        for _ in 0..<others { writer.freed.wait() }
        for _ in 0..<others { writer.freed.signal() }
    }

    private func takePiece() throws(Errno) -> Piece {
        if let error = writer.error { throw error }
        guard made < Self.pieceCount, !writer.hasFreePiece else { return writer.takePiece() }
        made += 1
        return Piece()
    }

    private func submit(_ piece: Piece) {
        let offset = position
        position += UInt64(Self.pieceSize)
        if isRegular, offset >= Self.cachedSize { reserve(from: offset) }
        pool.submit { [writer] in writer.write(piece, at: offset) }
    }

    /// Lets the next pieces bypass the cache, and makes room for them, so that they need not wait for each other.
    private func reserve(from offset: UInt64) {
        guard offset >= reserved, isDirect != false else { return }
        isDirect = isDirect ?? file.setBypassesCache(true)
        guard isDirect == true else { return }
        reserved = offset + Self.reservedSize
        _ = file.reserve(offset..<reserved)
    }
}
