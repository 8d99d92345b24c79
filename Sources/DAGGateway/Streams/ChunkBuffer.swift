#if Node
    internal import DAGBytes
    internal import DAGMounts
    internal import DAGStorage
    internal import NIOCore

    /// The buffer of one answer, which is filled and sent again and again.
    ///
    /// Its memory is used again if NIO has sent all of it; else NIO keeps it, and the next chunk gets new memory. A
    /// write to NIO returns when the channel was ready for it; so at most two chunks are on their way while a third
    /// one is filled.
    struct ChunkBuffer {
        /// The size of a chunk, in bytes.
        ///
        /// The chunk that is sent lies in the processor's second cache, so the system's copy of it is fast. Chunks of
        /// 1 MiB would also take a fifth of a gigabyte for 64 streams whose clients are slow.
        static let chunkSize = 256 << 10

        private var chunk = ByteBuffer()
        /// Whether `chunk` was sent.
        private var isSent = true
        private let capacity: Int

        /// Creates a buffer for content of at most `size` bytes; nil if the size is unknown.
        init(size: UInt64? = nil) { capacity = Int(min(size ?? .max, UInt64(Self.chunkSize))) }

        /// The number of bytes that the chunk has room for.
        var room: Int { isSent ? capacity : capacity - chunk.readableBytes }
        var isFull: Bool { room == 0 }
        var isEmpty: Bool { isSent || chunk.readableBytes == 0 }

        /// Appends small bytes.
        ///
        /// - Returns: How many bytes of them had room.
        mutating func append(_ bytes: ArraySlice<UInt8>) -> Int {
            let part = bytes.prefix(room)
            beginChunk()
            chunk.writeBytes(part)
            return part.count
        }

        /// Appends as much of a part of a block as has room.
        ///
        /// - Returns: How many bytes.
        /// - Throws: `sourceChanged`.
        mutating func append(
            _ content: BlockBytes,
            _ part: Range<Int>
        ) throws(DAGStoreError) -> Int {
            let count = min(room, part.count)
            guard count > 0 else { return 0 }
            beginChunk()
            try chunk.append(content, part.lowerBound..<part.lowerBound + count)
            return count
        }

        /// Appends bytes of a source, for which there is room.
        ///
        /// - Throws: `MountError`.
        mutating func append(
            from source: any ByteSource,
            at offset: UInt64,
            count: Int
        ) throws(MountError) {
            beginChunk()
            try chunk.append(from: source, at: offset, count: count)
        }

        private mutating func beginChunk() {
            guard isSent else { return }
            isSent = false
            // Allocates, unless NIO has sent the memory.
            chunk.clear(minimumCapacity: capacity)
        }

        /// Returns the chunk; the next append begins another one.
        mutating func take() -> ByteBuffer {
            isSent = true
            return chunk
        }
    }
#endif
