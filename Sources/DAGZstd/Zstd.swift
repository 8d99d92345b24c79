internal import CDAGZstd
package import DAGBytes

/// Compression into single zstd frames; the caller keeps their sizes.
///
/// *Shape*: one frame as in RFC 8878, without content size, checksum or dictionary number. The header has 6 bytes.
/// The caller stores both sizes of the frame and a checksum.
///
/// *Limits*: 8 contexts of each kind stay idle between calls; more calls at once make more contexts.
///
/// *Concurrency*: any thread; a pool shares the contexts.
package enum Zstd {
    /// The version of zstd that this process has loaded.
    package static var engineVersion: String {
        let number = ZSTD_versionNumber()
        return "\(number / 10_000).\(number / 100 % 100).\(number % 100)"
    }

    /// The default level, which is also zstd's own.
    package static let levelDefault: Int32 = 3

    /// The number is small, because a context that has compressed a megabyte keeps some megabytes of tables.
    private static let idleContextsMax = 8
    /// The largest content of a block, and the fewest bytes of a block: a 3-byte header and one byte to repeat.
    private static let blockContentMax = 128 << 10
    private static let blockSizeMin = 4

    private static let compressors = ContextPool(idleMax: idleContextsMax) {
        guard let pointer = unsafe ZSTD_createCCtx() else { fatalError("no memory for zstd") }
        for parameter in [ZSTD_c_contentSizeFlag, ZSTD_c_checksumFlag, ZSTD_c_dictIDFlag] {
            // SAFETY: the context is new, and only this closure uses it.
            let result = unsafe ZSTD_CCtx_setParameter(pointer, parameter, 0)
            precondition(ZSTD_isError(result) == 0, "zstd refuses a documented flag")
        }
        return unsafe ContextPool.Context(pointer: pointer)
    } free: { context in
        // SAFETY: the pool has dropped the context.
        _ = unsafe ZSTD_freeCCtx(context.pointer)
    }

    private static let decompressors = ContextPool(idleMax: idleContextsMax) {
        // SAFETY: the pool owns the new context, and frees it once.
        guard let pointer = unsafe ZSTD_createDCtx() else { fatalError("no memory for zstd") }
        return unsafe ContextPool.Context(pointer: pointer)
    } free: { context in
        // SAFETY: the pool has dropped the context.
        _ = unsafe ZSTD_freeDCtx(context.pointer)
    }

    /// Compresses `bytes` into a frame of their own.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to compress; may be empty.
    ///   - level: From `ZSTD_minCLevel()` to `ZSTD_maxCLevel()`, which is 22; a higher level is smaller and slower.
    /// - Returns: The frame; the array has the capacity of the worst case.
    package static func compress(_ bytes: ByteView, level: Int32 = levelDefault) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            // SAFETY: the call writes the first `count` bytes.
            count = unsafe compress(bytes, to: UnsafeMutableRawBufferPointer(buffer), level)
        }
    }

    /// Compresses `bytes` and appends the frame to `output`.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to compress; may be empty.
    ///   - output: Receives the frame at its end.
    ///   - level: As in the other `compress`.
    package static func compress(
        _ bytes: ByteView,
        into output: inout [UInt8],
        level: Int32 = levelDefault
    ) {
        let bound = ZSTD_compressBound(bytes.count)
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: bound))
        let count = unsafe output.withUnsafeMutableBytes { buffer in
            // SAFETY: the slice lies inside the buffer, which lives through the call.
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
            return unsafe compress(bytes, to: free, level)
        }
        output.removeLast(bound - count)
    }

    /// Decompresses a frame whose content size the caller knows.
    ///
    /// Before it allocates, the call compares `size` with the frame's header and with the most that a frame of its
    /// length can hold.
    ///
    /// - Parameters:
    ///   - frame: One whole frame and nothing else.
    ///   - size: The exact size of the content, in bytes.
    /// - Returns: The content.
    /// - Throws: `.truncated`, `.corrupted`; `.sizeMismatch` if the content is not of `size` bytes.
    package static func decompress(
        _ frame: ByteView,
        size: Int
    ) throws(ZstdError) -> [UInt8] {
        precondition(size >= 0, "a size is negative")
        try check(frame, size: size)
        var failure: ZstdError?
        let content = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            do throws(ZstdError) {
                // SAFETY: the call writes the first `count` bytes.
                count = unsafe try decode(frame, to: UnsafeMutableRawBufferPointer(buffer), size)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        guard content.count == size else {
            throw ZstdError(.sizeMismatch, "the content has \(content.count) bytes, not \(size)")
        }
        return content
    }

    /// Decompresses a frame into the beginning of `output`.
    ///
    /// - Parameters:
    ///   - frame: One whole frame and nothing else.
    ///   - output: Receives the content; after an error its bytes are undefined.
    /// - Returns: The size of the content, in bytes.
    /// - Throws: `.truncated`, `.corrupted`; `.sizeMismatch` if the content is larger than `output`.
    package static func decompress(
        _ frame: ByteView,
        into output: UnsafeMutableRawBufferPointer
    ) throws(ZstdError) -> Int {
        try check(frame, size: nil)
        // SAFETY: the caller's buffer has `output.count` bytes and lives through the call.
        return unsafe try decode(frame, to: output, output.count)
    }

    private static func compress(
        _ bytes: ByteView,
        to output: UnsafeMutableRawBufferPointer,
        _ level: Int32
    ) -> Int {
        precondition(level >= ZSTD_minCLevel(), "a level is too low")
        precondition(level <= ZSTD_maxCLevel(), "a level is too high")
        let result = compressors.withContext { context in
            // SAFETY: only this call has the context; both buffers live through it, and do not overlap.
            unsafe ZSTD_CCtx_setParameter(context.pointer, ZSTD_c_compressionLevel, level)
            return unsafe ZSTD_compress2(
                context.pointer,
                output.baseAddress,
                output.count,
                bytes.buffer.baseAddress,
                bytes.count
            )
        }
        // The output has room for the worst case, so the only possible error is missing memory.
        precondition(ZSTD_isError(result) == 0, "no memory for zstd")
        return result
    }

    private static func decode(
        _ frame: ByteView,
        to output: UnsafeMutableRawBufferPointer,
        _ size: Int
    ) throws(ZstdError) -> Int {
        let result = decompressors.withContext { context in
            // SAFETY: only this call has the context; both buffers live through it, and do not overlap.
            unsafe ZSTD_decompressDCtx(
                context.pointer,
                output.baseAddress,
                size,
                frame.buffer.baseAddress,
                frame.count
            )
        }
        guard ZSTD_isError(result) == 0 else { throw ZstdError(result: result) }
        return result
    }

    /// Checks that `frame` is exactly one frame, which can hold `size` bytes.
    ///
    /// zstd itself accepts several frames, empty frames, and no frame at all.
    private static func check(_ frame: ByteView, size: Int?) throws(ZstdError) {
        // SAFETY: the calls read only inside the frame, which lives through them.
        let frameSize = unsafe ZSTD_findFrameCompressedSize(frame.buffer.baseAddress, frame.count)
        guard ZSTD_isError(frameSize) == 0 else { throw ZstdError(result: frameSize) }
        guard frameSize == frame.count else {
            throw ZstdError(.corrupted, "bytes follow the frame")
        }
        guard let size else { return }
        let stated = unsafe ZSTD_getFrameContentSize(frame.buffer.baseAddress, frame.count)
        guard stated == contentSizeUnknown || stated == UInt64(size) else {
            throw ZstdError(.sizeMismatch, "the frame states another size")
        }
        guard size / blockContentMax <= frame.count / blockSizeMin else {
            throw ZstdError(.sizeMismatch, "the frame is too short for the size")
        }
    }

    /// `ZSTD_CONTENTSIZE_UNKNOWN`, a macro that Swift cannot import.
    private static let contentSizeUnknown = UInt64.max
}
