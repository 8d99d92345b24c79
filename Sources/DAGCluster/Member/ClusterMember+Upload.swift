#if Cluster
    internal import DAGBytes
    internal import DAGStorage
    internal import Dispatch
    internal import ShardIndex
    internal import SharedReads

    /// Uploads what a shard's publication names.
    extension ClusterMember {
        /// The largest bundle that stays in memory between hashing and upload, in bytes.
        private static let heldSizeMax = 64 << 20

        /// Uploads the bundle of an indexed shard.
        ///
        /// The name is the hash of all bytes, so the export runs before the upload. A large bundle is exported twice.
        ///
        /// - Throws: The errors of the store; `catalogUnreachable`, `catalogFull`.
        func uploadBundle(of shard: ClusterShard) async throws -> ExportedBundle {
            let exporter = BundleExporter(store)
            let blobs = try blobs
            let held = Lock(HeldPieces(sizeMax: Self.heldSizeMax))
            let exported = try await database.blocking(canceling: { mark in
                try exporter.export(shard.key) { piece in
                    try mark.check()
                    held.withLock { $0.append(piece) }
                }
            })
            let name = try BlobName(exported.name)
            if let pieces = held.withLock({ $0.pieces }) {
                var next = pieces[...]
                try await blobs.put(name, size: exported.size) { next.popFirst() }
            } else {
                let pipe = PiecePipe()
                async let sent: Void = database.blocking {
                    defer { pipe.end() }
                    _ = try exporter.export(shard.key) { try pipe.send($0) }
                }
                do {
                    try await blobs.put(name, size: exported.size) { await pipe.receive() }
                } catch {
                    pipe.cancel()
                    // An export that failed is the reason why bytes are missing.
                    do { try await sent } catch is PiecePipe.Canceled {}
                    throw error
                }
                pipe.cancel()
                // The bytes are there already if the upload asked for none.
                do { try await sent } catch is PiecePipe.Canceled {}
            }
            return exported
        }

        /// Uploads what the publication of an indexed shard names; no run if an available shard has the very bundle.
        ///
        /// - Throws: The errors of the store; `quotaExceeded` while too many runs wait for merges;
        ///   `catalogUnreachable`, `catalogFull`.
        func upload(_ shard: ClusterShard) async throws -> IndexedShard {
            // Each refused publication would leave a run for the sweep.
            if shard.state != .available { try await database.checkRoomForRun() }
            let exported = try await uploadBundle(of: shard)
            let run =
                shard.state == .available && shard.bundle == exported.name
                ? nil
                : try await database.blocking { [self] in
                    try writeRun(of: shard, exported.multihashCount)
                }
            return IndexedShard(
                bundle: try BlobName(exported.name),
                bundleSize: exported.size,
                sourceSize: exported.sourceSize,
                blockCount: exported.sectionCount,
                multihashCount: exported.multihashCount,
                payloadSize: exported.payloadSize,
                rootCount: exported.rootCount,
                run: run
            )
        }

        /// Writes the shard's run of the cluster's inverse index; blocks the thread.
        ///
        /// - Parameters:
        ///   - shard: The shard.
        ///   - count: The number of its multihashes.
        ///   - part: The only partition of the run; nil for all.
        /// - Returns: The run; nil if it would have no entries.
        /// - Throws: The errors of the store; `catalogUnreachable`, `catalogFull`.
        func writeRun(
            of shard: ClusterShard,
            _ count: UInt64,
            part: Int? = nil
        ) throws -> PublishedRun? {
            guard count > 0 else { return nil }
            let bits = part == nil ? 0 : facts?.partitionBits ?? 0
            let writer = try RunWriter(try blobs)
            do {
                var builder = try ChunkedRunBuilder(
                    entries: Self.entryCount(of: count, bits: bits),
                    shards: shard.number...shard.number,
                    partition: part ?? 0,
                    bits: bits
                ) { try writer.append($0) }
                let low = UInt64(InverseEntry.hashBits - bits)
                _ = try BundleExporter(store).writeHashes(of: shard.key) { hash in
                    guard hash >> low == UInt64(part ?? 0) else { return }
                    try builder.append(hash)
                }
                let directory = try builder.finish()
                guard directory.shape.entryCount > 0 else { return nil }
                try writer.finish()
                return PublishedRun(
                    blob: writer.name,
                    size: writer.size,
                    entryCount: directory.shape.entryCount,
                    directory: directory.encoded
                )
            } catch let error as ShardIndexError {
                throw DAGStoreError(.limitExceeded, error.detail, shard: shard.key)
            }
        }

        /// The number of entries in one of 2 to the power `bits` partitions, or a little more.
        private static func entryCount(of count: UInt64, bits: Int) -> UInt64 {
            guard bits > 0 else { return count }
            let mean = Double(count) / Double(UInt64(1) << UInt64(bits))
            // Hashes are spread evenly; four standard deviations more.
            return UInt64(min(mean + 4 * mean.squareRoot(), Double(count))) + 1
        }
    }

    /// The pieces of a bundle, as long as they fit into memory.
    private struct HeldPieces: Sendable {
        let sizeMax: Int
        /// The pieces; nil if they were too many.
        private(set) var pieces: [[UInt8]]? = []
        private var size = 0

        init(sizeMax: Int) { self.sizeMax = sizeMax }

        mutating func append(_ piece: [UInt8]) {
            size += piece.count
            if size > sizeMax { pieces = nil } else { pieces?.append(piece) }
        }
    }

    /// Passes pieces from a thread that blocks to a task, a few at a time.
    ///
    /// *Concurrency*: one thread sends, one task receives.
    final class PiecePipe: Sendable {
        /// The error of a sender whose receiver wants no more.
        struct Canceled: Error {}

        private struct State {
            var pieces: [[UInt8]] = []
            var isOver = false
            var isCanceled = false
            var receiver: CheckedContinuation<[UInt8]?, Never>?
        }

        private let state = Lock(State())
        /// The places that are free.
        private let room = DispatchSemaphore(value: 0)
        private static let roomMax = 4

        /// Creates an empty pipe.
        init() { for _ in 0..<Self.roomMax { room.signal() } }

        /// Sends a piece; waits while the receiver is behind.
        ///
        /// - Throws: `Canceled`.
        func send(_ piece: [UInt8]) throws {
            room.wait()
            let (receiver, isCanceled) = state.withLock { state in
                defer { state.receiver = nil }
                if !state.isCanceled, state.receiver == nil { state.pieces.append(piece) }
                return (state.receiver, state.isCanceled)
            }
            guard !isCanceled else { throw Canceled() }
            receiver?.resume(returning: piece)
            if receiver != nil { room.signal() }
        }

        /// Tells the receiver that no more come.
        func end() {
            let receiver = state.withLock { state in
                state.isOver = true
                defer { state.receiver = nil }
                return state.receiver
            }
            receiver?.resume(returning: nil)
        }

        /// Tells the sender that no more are wanted.
        func cancel() {
            state.withLock { $0.isCanceled = true }
            // Wakes the sender, which waits at most once.
            room.signal()
        }

        /// Receives the next piece; nil at the end.
        func receive() async -> [UInt8]? {
            await withCheckedContinuation { continuation in
                let step: Step = state.withLock { state in
                    if !state.pieces.isEmpty { return .piece(state.pieces.removeFirst()) }
                    if state.isOver { return .end }
                    state.receiver = continuation
                    return .wait
                }
                switch step {
                case .piece(let piece):
                    room.signal()
                    continuation.resume(returning: piece)
                case .end: continuation.resume(returning: nil)
                case .wait: break
                }
            }
        }

        /// The next step of a receiver.
        private enum Step {
            case piece([UInt8])
            case end, wait
        }
    }
#endif
