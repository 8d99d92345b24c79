package import DAGBytes
internal import DAGCAR
package import DAGIPLD
internal import DAGMounts
internal import DAGMultiformats

/// Makes the CAR of a part of a DAG: every block is hashed, on several threads, and handed on in order.
///
/// The walk names the blocks; parcels of them are copied, hashed and framed beside each other. The bytes of a mapped
/// file are copied first, so what was hashed is what is handed on.
///
/// *Memory*: two parcels a thread and two more, each of 1 MiB or of one larger block.
package struct CARExporter: Sendable {
    /// What was made.
    package struct Summary: Sendable, Equatable {
        /// The number of blocks.
        package var blocks: UInt64 = 0
        /// The size of the CAR, with its headers and index.
        package var bytes: UInt64 = 0
    }

    /// The bytes that a parcel gathers, and the blocks.
    private static let parcelSize = 1 << 20
    private static let parcelCount = 2048

    private let walk: DAGWalk
    private let version: UInt64
    private let indexCodec: UInt64?
    private let pool: JobPool
    private let width: Int

    /// Prepares an export.
    ///
    /// - Parameters:
    ///   - store: Has the blocks.
    ///   - request: What to export; its root becomes the CAR's.
    ///   - version: 1 or 2.
    ///   - indexCodec: The codec of the index of a version 2; nil for none.
    ///   - width: The number of threads that hash.
    package init(
        _ store: DAGStore,
        _ request: DAGRequest,
        version: UInt64 = 1,
        indexCodec: UInt64? = nil,
        width: Int = JobPool.processorCount
    ) {
        // What links follow from is hashed at once, the rest beside the walk.
        walk = DAGWalk(store: store, request: request, .decoded)
        self.version = version
        self.indexCodec = indexCodec
        self.width = width
        pool = JobPool(label: "dagstore.export", width: width + 1)
    }

    /// Some blocks with their bytes in a CAR.
    private struct Parcel: Sendable {
        var blocks: [Block] = []
        /// The bytes before each block's.
        var prefixes: [[UInt8]] = []
        var size = 0

        var isFull: Bool { size >= parcelSize || blocks.count >= parcelCount }
    }

    /// Makes the CAR.
    ///
    /// - Parameter write: Takes the next bytes of the CAR, on a thread that may block; one call at a time.
    /// - Returns: The summary, and the CARv2 header to write over byte `CARWriter.Ending.headerOffset`; empty in
    ///   version 1.
    /// - Throws: As a walk that verifies; what `write` throws. Whatever was written before is no CAR then.
    package func run(
        _ write: @escaping @Sendable (ByteView) throws -> Void
    ) async throws -> (summary: Summary, header: [UInt8]) {
        var writer = CARWriter(version: version, roots: [walk.request.root], indexCodec: indexCodec)
        var iterator = walk.makeAsyncIterator()
        var summary = Summary()
        // The first block decides whether there is anything to write.
        var waiting: ArraySlice<Block> = try await iterator.nextBatch(limit: Self.parcelCount)[...]
        try await hand(writer.start(), to: write, &summary)
        try await withThrowingTaskGroup(of: (Int, CopyBuffer).self) { group in
            var free: [CopyBuffer] = []
            var made: [Int: CopyBuffer] = [:]
            var begun = 0
            var written = 0
            var isAtEnd = false
            while true {
                while !isAtEnd, begun - written < 2 * width + 2 {
                    var parcel = Parcel()
                    try await fill(&parcel, from: &iterator, &waiting, &writer)
                    guard !parcel.blocks.isEmpty else {
                        isAtEnd = true
                        break
                    }
                    summary.blocks += UInt64(parcel.blocks.count)
                    let buffer = Self.buffer(for: parcel, &free)
                    let number = begun
                    begun += 1
                    let full = parcel
                    group.addTask { (number, try await make(full, in: buffer)) }
                }
                guard let (number, buffer) = try await group.next() else { break }
                made[number] = buffer
                while let next = made.removeValue(forKey: written) {
                    summary.bytes += UInt64(next.count)
                    try await pool.run { try write(next.view) }
                    next.removeAll()
                    free.append(next)
                    written += 1
                }
            }
        }
        let ending = writer.finish()
        try await hand(ending.trailer, to: write, &summary)
        return (summary, ending.header)
    }

    private func hand(
        _ bytes: [UInt8],
        to write: @escaping @Sendable (ByteView) throws -> Void,
        _ summary: inout Summary
    ) async throws {
        guard !bytes.isEmpty else { return }
        summary.bytes += UInt64(bytes.count)
        try await pool.run { try bytes.withView(write) }
    }

    /// Gathers the blocks of a parcel; none at the end of the walk.
    private func fill(
        _ parcel: inout Parcel,
        from iterator: inout DAGWalk.Iterator,
        _ waiting: inout ArraySlice<Block>,
        _ writer: inout CARWriter
    ) async throws {
        while true {
            while !parcel.isFull, let block = waiting.popFirst() {
                let prefix = writer.prefix(for: block.cid, dataSize: block.size)
                parcel.size += prefix.count + block.size
                parcel.prefixes.append(prefix)
                parcel.blocks.append(block)
            }
            guard !parcel.isFull else { return }
            waiting = try await iterator.nextBatch(limit: Self.parcelCount)[...]
            guard !waiting.isEmpty else { return }
        }
    }

    /// Returns a buffer with room for a parcel.
    private static func buffer(for parcel: Parcel, _ free: inout [CopyBuffer]) -> CopyBuffer {
        while let buffer = free.popLast() {
            guard buffer.capacity < parcel.size else { return buffer }
        }
        return CopyBuffer(capacity: max(parcel.size, 2 * parcelSize))
    }

    /// Copies, hashes and frames the blocks of a parcel.
    private func make(_ parcel: Parcel, in buffer: CopyBuffer) async throws -> CopyBuffer {
        var parcel = parcel
        while true {
            let current = parcel
            let wrong = try await pool.run { try Self.frame(current, in: buffer) }
            guard let wrong else { return buffer }
            // Another shard may have the right bytes.
            parcel.blocks[wrong] = try await walk.store.verified(
                parcel.blocks[wrong],
                until: nil
            )
            buffer.removeAll()
        }
    }

    /// Copies and hashes all blocks of a parcel.
    ///
    /// - Returns: The first block whose bytes have another hash; nil if there is none.
    private static func frame(_ parcel: Parcel, in buffer: CopyBuffer) throws -> Int? {
        for (index, block) in parcel.blocks.enumerated() {
            guard parcel.prefixes[index].withView({ buffer.append($0) }) else {
                preconditionFailure("memory of our own is gone")
            }
            let start = buffer.count
            guard buffer.append(block.view) else { throw BlockBytes.areGone }
            let outcome = block.cid.bytes.withView { cid in
                let bytes = buffer.view[start..<buffer.count]
                return Result { try BlockBytes.verify(bytes, as: cid, block.cid.layout) }
            }
            guard case .failure(let error) = outcome else { continue }
            let isMismatch = (error as? DAGStoreError)?.code == .hashMismatch
            guard isMismatch else { throw error }
            return index
        }
        return nil
    }
}
