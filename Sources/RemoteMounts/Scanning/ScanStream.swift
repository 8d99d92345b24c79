#if Node
    internal import DAGMounts
    internal import Dispatch
    internal import ObjectStorage
    internal import SharedReads

    /// The bytes of a range in one request, for a thread that waits for them.
    ///
    /// A task reads ahead of the thread, at most `bufferSizeMax` bytes.
    ///
    /// *Concurrency*: one thread reads; any thread may cancel.
    final class ScanStream: Sendable {
        /// The bytes that wait for the reader.
        static let bufferSizeMax = 4 << 20

        private struct State {
            var parts = FIFOQueue<ArraySlice<UInt8>>()
            /// The first part; its front is what the reader has not passed.
            var front: ArraySlice<UInt8> = []
            /// The offset of the front's first byte.
            var start: UInt64
            /// The bytes of the parts without the front.
            var size = 0
            var end: Result<Void, any Error>?
            var reader: DispatchSemaphore?
            var writer: CheckedContinuation<Void, Never>?
            var roundTrip: Double?
            var meter = RateMeter()
        }

        private let state: Lock<State>
        private let pump = Lock<OwnedTask<Void>?>(nil)

        /// Starts to read a range of `object`.
        init(_ object: RemoteObject, _ stat: ObjectStat, _ range: Range<UInt64>) {
            state = Lock(State(start: range.lowerBound))
            let clock = ContinuousClock()
            let start = clock.now
            let task = OwnedTask { [weak self] in
                do {
                    try await MountError.translating {
                        object.remote.learn(.refused, of: object.url)
                    } _: {
                        try await object.remote.client.stream(
                            object.target,
                            of: stat,
                            .index,
                            range: range
                        ) { bytes in
                            guard let self else { throw CancellationError() }
                            await self.append(bytes, at: start.duration(to: clock.now).seconds)
                        }
                    }
                    self?.end(.success(()))
                } catch {
                    self?.end(.failure(error))
                }
            }
            pump.withLock { $0 = task }
        }

        /// Ends the request; the reader gets `.cancelled`.
        func cancel() {
            end(.failure(MountError(.cancelled, "scan: cancelled")))
            pump.withLock { $0 }?.cancel()
        }

        /// The time to the first byte and the bytes a second, as far as they are known.
        var measures: (roundTrip: Double?, bandwidth: Double?) {
            state.withLock { ($0.roundTrip, $0.meter.bandwidth) }
        }

        /// Returns bytes at `offset`; the thread blocks.
        ///
        /// - Parameters:
        ///   - offset: The offset; at least that of the call before.
        ///   - size: The bytes that must be there; they lie in the range.
        ///   - sizeMax: The most bytes to return; at least `size`.
        /// - Returns: The bytes that are there, from `offset` on.
        /// - Throws: The failure that ended the stream.
        func bytes(
            at offset: UInt64,
            needs size: Int,
            upTo sizeMax: Int
        ) throws(MountError) -> ArraySlice<UInt8> {
            while true {
                let bell = DispatchSemaphore(value: 0)
                let (answer, writer) = state.withLock { state in
                    Self.skip(to: offset, &state)
                    let found = Self.take(size, upTo: sizeMax, &state)
                    if found == nil { state.reader = bell }
                    defer { if state.size < Self.bufferSizeMax { state.writer = nil } }
                    return (found, state.size < Self.bufferSizeMax ? state.writer : nil)
                }
                writer?.resume()
                switch answer {
                case .success(let bytes): return bytes
                case .failure(let error): throw error
                case nil: bell.wait()
                }
            }
        }

        /// Drops the bytes before `offset`.
        private static func skip(to offset: UInt64, _ state: inout State) {
            while state.start < offset {
                let count = Int(min(UInt64(state.front.count), offset - state.start))
                state.front = state.front.dropFirst(count)
                state.start += UInt64(count)
                guard state.front.isEmpty else { return }
                guard let next = state.parts.popFirst() else { return }
                state.size -= next.count
                state.front = next
            }
        }

        /// Returns the bytes at the front; nil if too few are there.
        private static func take(
            _ size: Int,
            upTo sizeMax: Int,
            _ state: inout State
        ) -> Result<ArraySlice<UInt8>, MountError>? {
            while state.front.count < size, let next = state.parts.popFirst() {
                state.size -= next.count
                state.front = state.front.isEmpty ? next : ArraySlice(state.front + next)
            }
            if state.front.count >= size { return .success(state.front.prefix(sizeMax)) }
            switch state.end {
            case nil: return nil
            case .success: return .failure(MountError(.shortRead, "scan: bytes are missing"))
            case .failure(let error as MountError): return .failure(error)
            case .failure(is CancellationError):
                return .failure(MountError(.cancelled, "scan: cancelled"))
            case .failure(let error): return .failure(MountError(.unreachable, "scan: \(error)"))
            }
        }

        private func append(_ bytes: [UInt8], at time: Double) async {
            let reader = state.withLock { state in
                if state.roundTrip == nil { state.roundTrip = time }
                state.meter.record(bytes.count, at: time)
                state.parts.append(bytes[...])
                state.size += bytes.count
                defer { state.reader = nil }
                return state.reader
            }
            reader?.signal()
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.size < Self.bufferSizeMax || state.end != nil { return true }
                    state.writer = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        }

        /// Ends the stream; the first end counts.
        private func end(_ outcome: Result<Void, any Error>) {
            let (reader, writer) = state.withLock { state in
                if state.end == nil { state.end = outcome }
                defer { (state.reader, state.writer) = (nil, nil) }
                return (state.reader, state.writer)
            }
            reader?.signal()
            writer?.resume()
        }
    }

    extension Duration {
        /// The duration in seconds.
        var seconds: Double {
            Double(components.seconds) + Double(components.attoseconds) / 1e18
        }
    }
#endif
