#if Node
    internal import DAGMounts
    internal import ObjectStorage
    internal import SharedReads

    /// One version of a remote object, from its first byte to its last.
    ///
    /// A task reads the object ahead of the reader, at most `bufferSizeMax` bytes.
    ///
    /// *Concurrency*: one task reads at a time; any thread may close.
    final class WholeStream: SequentialSource, VersionedSource {
        /// The bytes that wait for the reader.
        static let bufferSizeMax = 4 << 20

        private let buffer = ByteQueue(sizeMax: bufferSizeMax)
        private let pump: OwnedTask<Void>
        let validator: String?

        /// Starts to read `object`.
        init(_ object: RemoteObject, _ stat: ObjectStat) {
            validator = stat.version.validator
            pump = OwnedTask { [buffer] in
                do {
                    try await MountError.translating {
                        try await object.remote.client.stream(object.target, of: stat) { bytes in
                            try await buffer.append(bytes)
                        }
                    }
                    buffer.end(.success(()))
                } catch {
                    buffer.end(.failure(error))
                }
            }
        }

        deinit { close() }

        func read(upTo size: Int) async throws -> [UInt8] {
            guard size > 0 else { return [] }
            return try await withTaskCancellationHandler {
                try await buffer.next(upTo: size)
            } onCancel: {
                buffer.end(.failure(CancellationError()))
                pump.cancel()
            }
        }

        func close() {
            buffer.end(.failure(CancellationError()))
            pump.cancel()
        }
    }

    /// Bytes between a task that writes and a task that reads.
    final class ByteQueue: Sendable {
        private struct State {
            var parts: [ArraySlice<UInt8>] = []
            var size = 0
            var end: Result<Void, any Error>?
            var reader: CheckedContinuation<Void, Never>?
            var writer: CheckedContinuation<Void, Never>?
        }

        private let sizeMax: Int
        private let state = Lock(State())

        /// Creates an empty queue.
        ///
        /// - Parameter sizeMax: The bytes from which on a writer waits.
        init(sizeMax: Int) { self.sizeMax = sizeMax }

        /// Adds bytes, and waits while the queue is full.
        ///
        /// - Throws: `CancellationError` if the queue has ended.
        func append(_ bytes: [UInt8]) async throws {
            guard !bytes.isEmpty else { return }
            let (reader, isOpen) = state.withLock { state in
                guard state.end == nil else {
                    return (nil as CheckedContinuation<Void, Never>?, false)
                }
                state.parts.append(bytes[...])
                state.size += bytes.count
                defer { state.reader = nil }
                return (state.reader, true)
            }
            reader?.resume()
            guard isOpen else { throw CancellationError() }
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.size < sizeMax || state.end != nil { return true }
                    state.writer = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        }

        /// Ends the queue; the first end counts.
        ///
        /// After a success the reader still gets the bytes that are there.
        func end(_ result: Result<Void, any Error>) {
            let waiters = state.withLock { state in
                if state.end == nil { state.end = result }
                defer { (state.reader, state.writer) = (nil, nil) }
                return [state.reader, state.writer]
            }
            for waiter in waiters { waiter?.resume() }
        }

        /// Returns the next bytes, and waits for them; none at the end.
        ///
        /// - Throws: The failure that ended the queue.
        func next(upTo size: Int) async throws -> [UInt8] {
            while true {
                let (bytes, writer) = try state.withLock { state in
                    try Self.take(size, from: &state)
                }
                writer?.resume()
                if let bytes { return bytes }
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        if !state.parts.isEmpty || state.end != nil { return true }
                        state.reader = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            }
        }

        private static func take(
            _ size: Int,
            from state: inout State
        ) throws -> ([UInt8]?, CheckedContinuation<Void, Never>?) {
            if case .failure(let error) = state.end { throw error }
            guard let part = state.parts.first else { return (state.end == nil ? nil : [], nil) }
            let bytes = Array(part.prefix(size))
            if bytes.count == part.count {
                state.parts.removeFirst()
            } else {
                state.parts[0] = part.dropFirst(size)
            }
            state.size -= bytes.count
            defer { state.writer = nil }
            return (bytes, state.writer)
        }
    }
#endif
