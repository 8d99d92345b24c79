#if Cluster
    internal import DAGMounts
    internal import Dispatch
    internal import SharedReads

    /// Reads a blob from its beginning, for a thread that may block.
    ///
    /// *Concurrency*: one thread, which is none of Swift's cooperative threads.
    final class BlobReader: Sendable {
        private struct State {
            var offset: UInt64 = 0
            /// The read that runs ahead of the caller.
            var next: PendingRead?
        }

        private let blobs: Blobs
        private let blob: StoredBlob
        private let state = Lock(State())
        /// The bytes of one read: four rows of the database.
        private static let readSize: UInt64 = 4 << 20

        /// Creates a reader.
        init(blobs: Blobs, blob: StoredBlob) {
            self.blobs = blobs
            self.blob = blob
        }

        /// Returns the next bytes, at most 4 MiB; nil at the end.
        ///
        /// - Throws: As `Blobs.bytes`.
        func next() throws -> [UInt8]? {
            guard let read = state.withLock({ $0.next }) ?? begin() else { return nil }
            let bytes = try read.wait()
            let following = begin()
            state.withLock { $0.next = following }
            return bytes
        }

        /// Begins the next read; nil at the end.
        private func begin() -> PendingRead? {
            let range = state.withLock { state -> Range<UInt64>? in
                guard state.offset < blob.size else { return nil }
                let end = min(blob.size, state.offset + Self.readSize)
                defer { state.offset = end }
                return state.offset..<end
            }
            return range.map { PendingRead($0, blobs, blob) }
        }
    }

    /// One read, which runs while its caller does something else.
    private final class PendingRead: Sendable {
        private let outcome = Lock<Result<[UInt8], any Error>?>(nil)
        private let done = DispatchSemaphore(value: 0)
        private let task = Lock<OwnedTask<Void>?>(nil)

        init(_ range: Range<UInt64>, _ blobs: Blobs, _ blob: StoredBlob) {
            let task = OwnedTask<Void> { [outcome, done] in
                let result: Result<[UInt8], any Error>
                do {
                    result = .success(try await blobs.bytes(range, of: blob))
                } catch {
                    result = .failure(error)
                }
                outcome.withLock { $0 = result }
                done.signal()
            }
            self.task.withLock { $0 = task }
        }

        /// Waits for the bytes; called once.
        func wait() throws -> [UInt8] {
            done.wait()
            guard let result = outcome.withLock({ $0 }) else {
                preconditionFailure("a read ended without a result")
            }
            return try result.get()
        }
    }
#endif
