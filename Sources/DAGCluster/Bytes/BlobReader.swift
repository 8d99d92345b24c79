#if Cluster
    internal import SharedReads

    /// Reads a blob from its beginning, for a thread that may block.
    ///
    /// *Concurrency*: one thread, which is none of Swift's cooperative threads.
    final class BlobReader: Sendable {
        private struct State {
            var offset: UInt64 = 0
            /// The read that runs ahead of the caller.
            var next: BlockingTask<[UInt8]>?
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
        private func begin() -> BlockingTask<[UInt8]>? {
            let range = state.withLock { state -> Range<UInt64>? in
                guard state.offset < blob.size else { return nil }
                let end = min(blob.size, state.offset + Self.readSize)
                defer { state.offset = end }
                return state.offset..<end
            }
            return range.map { range in
                BlockingTask { [blobs, blob] in try await blobs.bytes(range, of: blob) }
            }
        }
    }
#endif
