internal import CDAGZstd
package import DAGBytes

/// Compression into single zstd frames whose sizes the caller keeps.
///
/// *Shape*: one frame, as RFC 8878 has it, with neither content size, nor checksum, nor dictionary
/// number: 6 bytes of header, and whoever stores a frame stores both its sizes and a checksum.
///
/// *Limits*: 8 contexts of each kind wait between calls; more calls at once make contexts of their own.
///
/// *Concurrency*: any thread; contexts are shared through a pool.
package enum Zstd {
    /// The level that is used unless another is asked for; zstd's own choice too.
    package static let levelDefault: Int32 = 3

    /// Few, as one that has compressed a megabyte keeps some megabytes of tables.
    private static let idleContextsMax = 8
    /// The most content a block has, and the fewest bytes it takes: a 3-byte header and one to repeat.
    private static let blockContentMax = 128 << 10
    private static let blockSizeMin = 4

    private static let compressors = ContextPool(idleMax: idleContextsMax) {
        guard let pointer = unsafe ZSTD_createCCtx() else { fatalError("no memory for zstd") }
        for parameter in [ZSTD_c_contentSizeFlag, ZSTD_c_checksumFlag, ZSTD_c_dictIDFlag] {
            // SAFETY: the context is new and nobody else's.
            let result = unsafe ZSTD_CCtx_setParameter(pointer, parameter, 0)
            precondition(ZSTD_isError(result) == 0, "zstd refuses a flag it documents")
        }
        return unsafe ContextPool.Context(pointer: pointer)
    } free: { context in
        // SAFETY: the pool has dropped the context.
        _ = unsafe ZSTD_freeCCtx(context.pointer)
    }

    private static let decompressors = ContextPool(idleMax: idleContextsMax) {
        guard let pointer = unsafe ZSTD_createDCtx() else { fatalError("no memory for zstd") }
        return unsafe ContextPool.Context(pointer: pointer)
    } free: { context in
        // SAFETY: the pool has dropped the context.
        _ = unsafe ZSTD_freeDCtx(context.pointer)
    }

    /// Compresses `bytes` into a frame of their own.
    ///
    /// - Parameters:
    ///   - bytes: What to compress; may be empty.
    ///   - level: From `ZSTD_minCLevel()` to `ZSTD_maxCLevel()`, which is 22; higher is smaller and slower.
    /// - Returns: The frame; the array's capacity is that of the worst case.
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
    ///   - bytes: What to compress; may be empty.
    ///   - output: What to append to.
    ///   - level: As for the other `compress`.
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
    /// Before anything is allocated, `size` is held against what the frame says about itself and
    /// against what a frame of its length can hold at all.
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
        guard content.count == size else { throw .mismatch(content.count, size) }
        return content
    }

    /// Decompresses a frame into the beginning of `output`.
    ///
    /// - Parameters:
    ///   - frame: One whole frame and nothing else.
    ///   - output: Where to; after an error its bytes are undefined.
    /// - Returns: The size of the content, in bytes.
    /// - Throws: `.truncated`, `.corrupted`; `.sizeMismatch` if the content is larger than `output`.
    package static func decompress(
        _ frame: ByteView,
        into output: UnsafeMutableRawBufferPointer
    ) throws(ZstdError) -> Int {
        try check(frame, size: nil)
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
            // SAFETY: the context is this call's; both buffers live through it, and do not overlap.
            unsafe ZSTD_CCtx_setParameter(context.pointer, ZSTD_c_compressionLevel, level)
            return unsafe ZSTD_compress2(
                context.pointer,
                output.baseAddress,
                output.count,
                bytes.buffer.baseAddress,
                bytes.count
            )
        }
        // The output has room for the worst case, so that only memory can be missing.
        precondition(ZSTD_isError(result) == 0, "no memory for zstd")
        return result
    }

    private static func decode(
        _ frame: ByteView,
        to output: UnsafeMutableRawBufferPointer,
        _ size: Int
    ) throws(ZstdError) -> Int {
        let result = decompressors.withContext { context in
            // SAFETY: the context is this call's; both buffers live through it, and do not overlap.
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

    /// Checks that `frame` is one frame from end to end, which can hold `size` bytes.
    ///
    /// zstd would take several frames, frames that hold nothing, and no frame at all.
    private static func check(_ frame: ByteView, size: Int?) throws(ZstdError) {
        // SAFETY: the calls read inside the frame, and live no longer than it.
        let frameSize = unsafe ZSTD_findFrameCompressedSize(frame.buffer.baseAddress, frame.count)
        guard ZSTD_isError(frameSize) == 0 else { throw ZstdError(result: frameSize) }
        guard frameSize == frame.count else {
            throw ZstdError(.corrupted, "bytes after the frame")
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

    /// `ZSTD_CONTENTSIZE_UNKNOWN`, a macro that Swift does not see.
    private static let contentSizeUnknown = UInt64.max
}

extension ZstdError {
    fileprivate static func mismatch(_ size: Int, _ expected: Int) -> ZstdError {
        ZstdError(.sizeMismatch, "the content has \(size) bytes, not \(expected)")
    }
}
