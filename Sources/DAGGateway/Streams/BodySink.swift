#if Node
    internal import DAGBytes
    internal import DAGMounts
    internal import DAGMultiformats
    internal import DAGStorage
    internal import HummingbirdCore
    internal import NIOCore

    /// Collects the bytes of one body in chunks, and sends each chunk when it is full.
    ///
    /// A send waits until the client has taken most of the chunk before it.
    ///
    /// *Threads*: the connection's event loop runs the sink, so that a chunk reaches the socket without a change of
    /// threads. From other threads NIO would take chunks without end.
    struct BodySink {
        /// The largest block that `collect(sections:)` takes, in bytes.
        ///
        /// For smaller ones a copy on another thread costs less than to ask whether they are in memory.
        static let smallSizeMax = 16 << 10

        private var chunks: ChunkBuffer
        private var sent: UInt64 = 0
        private var prefix: [UInt8] = []
        private let traffic: Traffic
        private let blocking: Blocking

        /// Creates a sink for a body of `size` bytes; nil if the size is unknown.
        init(_ traffic: Traffic, _ blocking: Blocking, size: UInt64? = nil) {
            self.traffic = traffic
            self.blocking = blocking
            chunks = ChunkBuffer(size: size)
        }

        /// Writes bytes.
        ///
        /// - Throws: As `flush(to:)`.
        mutating func write(
            _ bytes: [UInt8],
            to writer: inout any ResponseBodyWriter
        ) async throws {
            var rest = bytes[...]
            rest = rest.dropFirst(chunks.append(rest))
            while !rest.isEmpty {
                try await flush(to: &writer)
                rest = rest.dropFirst(chunks.append(rest))
            }
        }

        /// Writes a part of a block.
        ///
        /// The gateway's own threads copy a part that is not in memory.
        ///
        /// - Throws: As `flush(to:)`; `sourceChanged`.
        mutating func write(
            _ content: BlockBytes,
            _ part: Range<Int>,
            to writer: inout any ResponseBodyWriter
        ) async throws {
            var start = part.lowerBound
            while true {
                let piece = start..<min(part.upperBound, start + chunks.room)
                if content.isResident(piece) {
                    start += try chunks.append(content, piece)
                } else {
                    start += try await blocking.run { try chunks.append(content, piece) }
                }
                guard start < part.upperBound else { return }
                try await flush(to: &writer)
            }
        }

        /// Writes a section of a CAR: the length of all that follows, the CID, the block.
        ///
        /// - Throws: As `flush(to:)`; `sourceChanged`.
        mutating func write(
            section block: Block,
            to writer: inout any ResponseBodyWriter
        ) async throws {
            makePrefix(block)
            try await write(prefix, to: &writer)
            try await write(block.content, 0..<block.size, to: &writer)
        }

        /// Collects sections of CARs, as long as they are small and the chunk has room for them.
        ///
        /// This sends nothing, so any thread may run it.
        ///
        /// - Parameter blocks: The blocks; those whose sections were collected are removed.
        /// - Throws: `sourceChanged`.
        mutating func collect(sections blocks: inout ArraySlice<Block>) throws(DAGStoreError) {
            while let block = blocks.first, block.size <= Self.smallSizeMax {
                makePrefix(block)
                guard prefix.count + block.size <= chunks.room else { return }
                _ = chunks.append(prefix[...])
                _ = try chunks.append(block.content, 0..<block.size)
                blocks.removeFirst()
            }
        }

        private mutating func makePrefix(_ block: Block) {
            let cid = block.cid.bytes
            prefix.removeAll(keepingCapacity: true)
            Varint.append(UInt64(cid.count + block.size), to: &prefix)
            prefix += cid
        }

        /// Writes bytes of a source, which the gateway's own threads read.
        ///
        /// - Throws: As `flush(to:)`; `MountError`.
        mutating func write(
            from source: any ByteSource,
            _ part: Range<UInt64>,
            to writer: inout any ResponseBodyWriter
        ) async throws {
            var offset = part.lowerBound
            while offset < part.upperBound {
                if chunks.isFull { try await flush(to: &writer) }
                let count = Int(min(UInt64(chunks.room), part.upperBound - offset))
                try await blocking.run { try chunks.append(from: source, at: offset, count: count) }
                offset += UInt64(count)
            }
        }

        /// Sends what is collected.
        ///
        /// - Throws: `Traffic.OverBudget`; an error of NIO if the client is gone.
        mutating func flush(to writer: inout any ResponseBodyWriter) async throws {
            guard !chunks.isEmpty else { return }
            let chunk = chunks.take()
            sent += UInt64(chunk.readableBytes)
            guard sent <= traffic.requestBytesMax else {
                throw Traffic.OverBudget(bytesMax: traffic.requestBytesMax)
            }
            traffic.count(chunk.readableBytes)
            try await writer.write(chunk)
        }

        /// Sends what is collected, and waits until the system has taken all of it.
        ///
        /// A server that shuts down closes a connection right after the end of its last answer, and drops what NIO
        /// still holds.
        ///
        /// - Throws: As `flush(to:)`.
        mutating func finish(_ writer: inout any ResponseBodyWriter) async throws {
            try await flush(to: &writer)
            try await writer.write(ByteBuffer())
        }
    }
#endif
