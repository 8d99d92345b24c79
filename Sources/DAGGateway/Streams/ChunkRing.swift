#if Node
    internal import DAGBytes
    internal import DAGMounts
    internal import DAGStorage
    internal import NIOCore

    /// The buffers of one answer: a chunk that is being filled, and those that NIO may still be sending.
    ///
    /// A write to NIO returns when the channel has taken the bytes and was ready to take more before that; so at most
    /// two chunks are on their way while a third one is filled, and their memory is used again.
    struct ChunkRing {
        /// The size of a chunk, in bytes.
        ///
        /// A chunk that fits into the processor's second cache is copied once from memory and once from the cache.
        /// Three chunks of 1 MiB would take a fifth of a gigabyte for 64 streams.
        static let chunkSize = 256 << 10
        private static let count = 3

        private var buffers: [ByteBuffer]
        private var place = 0
        /// The chunk that is being filled.
        private(set) var chunk: ByteBuffer
        private let capacity: Int

        /// Creates a ring for content of at most `size` bytes; nil if the size is unknown.
        init(size: UInt64? = nil) {
            capacity = Int(min(size ?? .max, UInt64(Self.chunkSize)))
            chunk = ByteBufferAllocator().buffer(capacity: capacity)
            buffers = [ByteBuffer](repeating: ByteBuffer(), count: Self.count - 1)
        }

        /// The number of bytes that the chunk has room for.
        var room: Int { capacity - chunk.readableBytes }
        var isFull: Bool { room == 0 }
        var isEmpty: Bool { chunk.readableBytes == 0 }

        /// Appends small bytes.
        ///
        /// - Returns: How many bytes of them had room.
        mutating func append(_ bytes: ArraySlice<UInt8>) -> Int {
            let part = bytes.prefix(room)
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
            try chunk.append(from: source, at: offset, count: count)
        }

        /// Returns the chunk, and begins the next one in memory that was sent before.
        mutating func take() -> ByteBuffer {
            let full = chunk
            if capacity < Self.chunkSize {
                // All of the content is in it.
                chunk = ByteBuffer()
                return full
            }
            // Out of the array, the ring has the only reference, unless NIO is still sending.
            var next = ByteBuffer()
            swap(&next, &buffers[place])
            if next.capacity == 0 {
                next = ByteBufferAllocator().buffer(capacity: capacity)
            } else {
                next.clear(minimumCapacity: capacity)
            }
            buffers[place] = full
            place = (place + 1) % buffers.count
            chunk = next
            return full
        }
    }
#endif
