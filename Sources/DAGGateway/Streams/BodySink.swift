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
    struct BodySink {
        private var ring: ChunkRing
        private var sent: UInt64 = 0
        private var prefix: [UInt8] = []
        private let traffic: Traffic
        private let channel: any Channel

        /// Creates a sink for a body of `size` bytes; nil if the size is unknown.
        init(_ channel: any Channel, _ traffic: Traffic, size: UInt64? = nil) {
            self.channel = channel
            self.traffic = traffic
            ring = ChunkRing(size: size)
        }

        /// Writes bytes.
        ///
        /// - Throws: As `flush(to:)`.
        mutating func write(
            _ bytes: [UInt8],
            to writer: inout any ResponseBodyWriter
        ) async throws {
            var rest = bytes[...]
            rest = rest.dropFirst(ring.append(rest))
            while !rest.isEmpty {
                try await flush(to: &writer)
                rest = rest.dropFirst(ring.append(rest))
            }
        }

        /// Writes a part of a block.
        ///
        /// - Throws: As `flush(to:)`; `sourceChanged`.
        mutating func write(
            _ content: BlockBytes,
            _ part: Range<Int>,
            to writer: inout any ResponseBodyWriter
        ) async throws {
            var start = part.lowerBound + (try ring.append(content, part))
            while start < part.upperBound {
                try await flush(to: &writer)
                start += try ring.append(content, start..<part.upperBound)
            }
        }

        /// Writes a section of a CAR: the length of all that follows, the CID, the block.
        ///
        /// - Throws: As `flush(to:)`; `sourceChanged`.
        mutating func write(
            section block: Block,
            to writer: inout any ResponseBodyWriter
        ) async throws {
            let content = block.content
            let cid = block.cid.bytes
            prefix.removeAll(keepingCapacity: true)
            Varint.append(UInt64(cid.count + content.view.count), to: &prefix)
            prefix += cid
            try await write(prefix, to: &writer)
            try await write(content, 0..<content.view.count, to: &writer)
        }

        /// Writes bytes of a source.
        ///
        /// - Throws: As `flush(to:)`; `MountError`.
        mutating func write(
            from source: any ByteSource,
            _ part: Range<UInt64>,
            to writer: inout any ResponseBodyWriter
        ) async throws {
            var offset = part.lowerBound
            while offset < part.upperBound {
                if ring.isFull { try await flush(to: &writer) }
                let count = Int(min(UInt64(ring.room), part.upperBound - offset))
                try ring.append(from: source, at: offset, count: count)
                offset += UInt64(count)
            }
        }

        /// Sends what is collected.
        ///
        /// - Throws: `Traffic.OverBudget`; an error of NIO if the client is gone.
        mutating func flush(to writer: inout any ResponseBodyWriter) async throws {
            guard !ring.isEmpty else { return }
            let chunk = ring.take()
            sent += UInt64(chunk.readableBytes)
            guard sent <= traffic.requestBytesMax else {
                throw Traffic.OverBudget(bytesMax: traffic.requestBytesMax)
            }
            traffic.count(chunk.readableBytes)
            try await writer.write(chunk)
            // NIO takes chunks of other threads at once, and says that it has too many only after its event loop ran.
            // This waits for the loop, so that the next chunk waits for the client.
            try await channel.eventLoop.submit {}.get()
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
