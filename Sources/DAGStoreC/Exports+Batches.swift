public import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage

// Many blocks of a shard at once: see `dagstore.h`.

/// The CIDs and the places for results of a batch.
@safe private struct Batch {
    // SAFETY: the caller's arrays, which stay for the call; no export keeps this struct longer.
    private let cids: UnsafePointer<UInt8>?
    private let sizes: UnsafePointer<UInt32>?
    private let items: UnsafeMutablePointer<dagstore_batch_item_t>?
    /// The offsets of the CIDs, and the end of the last one.
    private let starts: [Int]
    let count: Int

    /// Takes the arrays, and empties the results.
    ///
    /// - Throws: `INVALID_ARGUMENT` if an array is NULL, or the batch is too large.
    @safe init(
        _ cids: UnsafePointer<UInt8>?,
        _ sizes: UnsafePointer<UInt32>?,
        _ count: Int,
        _ items: UnsafeMutablePointer<dagstore_batch_item_t>?
    ) throws(Failure) {
        guard (0...Int(DAGSTORE_BATCH_MAX)).contains(count) else {
            throw .argument("count is \(count); it may be 0 to \(DAGSTORE_BATCH_MAX)")
        }
        // SAFETY: only compared with NULL here.
        guard unsafe count == 0 || (cids != nil && sizes != nil && items != nil) else {
            throw .argument("cids, cid_sizes or out_items is NULL")
        }
        unsafe self.cids = cids
        unsafe self.sizes = sizes
        unsafe self.items = items
        self.count = count
        var starts = [0]
        starts.reserveCapacity(count + 1)
        var end = 0
        for index in 0..<count {
            // SAFETY: `sizes` has `count` numbers, and `items` has as many places.
            let size = unsafe sizes.unsafelyUnwrapped[index]
            unsafe items.unsafelyUnwrapped[index] = dagstore_batch_item_t()
            end += Int(size)
            starts.append(end)
        }
        self.starts = starts
    }

    /// Returns a CID, and its parts; nil, with the result written, if it is malformed.
    func cid(_ index: Int) -> (ByteView, CIDLayout)? {
        let start = starts[index]
        do {
            // SAFETY: the CIDs lie one directly after the other, as the header says.
            return try unsafe readCID(cids.map { unsafe $0 + start }, starts[index + 1] - start)
        } catch {
            fill(index, error)
            return nil
        }
    }

    /// Writes the result of a CID.
    func fill(_ index: Int, _ item: dagstore_batch_item_t) {
        precondition(index < count, "a result outside the batch")
        // SAFETY: `items` has `count` places.
        unsafe items.unsafelyUnwrapped[index] = item
    }

    /// Writes the error of a CID.
    func fill(_ index: Int, _ error: any Error) {
        var item = dagstore_batch_item_t()
        item.status = Failure(error).status
        fill(index, item)
    }

    /// Writes that the shard lacks the block of a CID.
    func fillMissing(_ index: Int) {
        var item = dagstore_batch_item_t()
        item.status = dagstore_status_t(DAGSTORE_BLOCK_NOT_FOUND)
        fill(index, item)
    }
}

/// The owners of the blocks of a batch.
private final class BatchOwners: Sendable {
    private let owners: [any AnyObject & Sendable]

    init(_ owners: [any AnyObject & Sendable]) { self.owners = owners }
}

/// See `dagstore_shard_get_many` in `dagstore.h`.
@c @implementation public func dagstore_shard_get_many(
    _ shard: OpaquePointer!,
    _ cids: UnsafePointer<UInt8>!,
    _ cid_sizes: UnsafePointer<UInt32>!,
    _ count: Int,
    _ out_items: UnsafeMutablePointer<dagstore_batch_item_t>!,
    _ out_blocks: UnsafeMutablePointer<OpaquePointer?>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let place = try HandlePlace(out_blocks, "out_blocks")
        let batch = try Batch(cids, cid_sizes, count, out_items)
        var owners: [any AnyObject & Sendable] = []
        try withShard(shard) { shard in
            shard.findBlocks(count: count, cid: batch.cid) { index, cid, block, error in
                do {
                    if let error { throw error }
                    guard let block else { return batch.fillMissing(index) }
                    let bytes = try shard.bytes(of: block, cid)
                    let view = bytes.view.forC
                    var item = dagstore_batch_item_t()
                    // SAFETY: the address of bytes that `owners` keeps.
                    unsafe item.data = view.data
                    item.size = block.size
                    batch.fill(index, item)
                    // All blocks of a mapped shard that one thread reads have one owner.
                    if owners.last !== bytes.owner { owners.append(bytes.owner) }
                } catch {
                    batch.fill(index, error)
                }
            }
        }
        do {
            try place.fill(.block, BatchOwners(owners))
        } catch {
            // The batch has no handle that keeps the blocks, so no result may name their bytes.
            for index in 0..<count { batch.fill(index, error) }
            throw error
        }
    }
}

/// The buffer that receives the blocks of a batch, one directly after the other.
@safe private struct BatchBuffer {
    // SAFETY: NULL with a capacity of 0, or `capacity` bytes of the caller's for the call.
    private let start: UnsafeMutableRawPointer?
    private let capacity: Int
    private let size: ValuePlace<Int>
    private let batch: Batch
    /// The bytes that all blocks need.
    private var needed: UInt64 = 0
    private var isFull = false
    /// Whether the file of a block has become shorter.
    private(set) var isLost = false
    /// The end of the blocks in the buffer.
    private var end = 0
    /// Blocks of a mapped file whose copy waits, so that many share a system call; the lease keeps them.
    private var waiting: [ByteView] = []
    /// The numbers of their CIDs.
    private var waitingIndices: [Int] = []
    private let sharesCalls = !GuardedCopy.isInstalled

    /// Takes the buffer, and sets the size to zero.
    ///
    /// - Throws: `INVALID_ARGUMENT` if the place for the size is NULL, or the buffer is and has a capacity.
    @safe init(
        _ start: UnsafeMutablePointer<UInt8>?,
        _ capacity: Int,
        _ size: UnsafeMutablePointer<Int>?,
        for batch: Batch
    ) throws(Failure) {
        self.size = try ValuePlace(size, 0, "out_size")
        // SAFETY: only compared with NULL and kept.
        guard unsafe start != nil || capacity == 0 else { throw .argument("buffer is NULL") }
        unsafe self.start = UnsafeMutableRawPointer(start)
        self.capacity = sizeLimit(capacity)
        self.batch = batch
    }

    /// Makes room for a block, and writes its result.
    ///
    /// - Returns: Whether the block fits; then `copy` follows.
    mutating func reserve(_ index: Int, _ blockSize: UInt64) -> Bool {
        needed += blockSize
        isFull = isFull || blockSize > UInt64(capacity - end)
        var item = dagstore_batch_item_t()
        item.size = blockSize
        if isFull {
            item.status = dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL)
        } else {
            item.offset = UInt64(end)
        }
        batch.fill(index, item)
        return !isFull
    }

    /// Writes that a block cannot be had, and gives its room back.
    mutating func cancel(_ index: Int, _ blockSize: UInt64, _ error: any Error) {
        needed -= blockSize
        batch.fill(index, error)
    }

    /// Copies a block of a mapped file, now or together with the next ones.
    mutating func copy(mapped view: ByteView, _ index: Int) {
        waiting.append(view)
        waitingIndices.append(index)
        end += view.count
        if !sharesCalls { copyWaiting() }
    }

    /// Copies a block that no other program can change.
    mutating func copy(_ view: ByteView) {
        copyWaiting()
        // SAFETY: `reserve` made sure that the block fits behind `end`.
        unsafe room(at: end, view.count).copyMemory(from: view.buffer)
        end += view.count
    }

    /// Copies the blocks that wait, which end at `end`; writes which ones are gone.
    mutating func copyWaiting() {
        guard !waiting.isEmpty else { return }
        let count = waiting.reduce(0) { $0 + $1.count }
        var lost: [Int] = []
        // SAFETY: `reserve` made sure that these blocks fit before `end`.
        unsafe GuardedCopy.copy(waiting, into: room(at: end - count, count)) { lost.append($0) }
        for place in lost { batch.fill(waitingIndices[place], BlockBytes.areGone) }
        isLost = isLost || !lost.isEmpty
        waiting.removeAll(keepingCapacity: true)
        waitingIndices.removeAll(keepingCapacity: true)
    }

    private func room(at offset: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(offset >= 0 && count <= capacity - offset, "a block outside the buffer")
        // SAFETY: the caller has `capacity` bytes, and the range lies inside.
        return unsafe UnsafeMutableRawBufferPointer(
            start: start.map { unsafe $0 + offset },
            count: count
        )
    }

    /// Tells the size, after all copies.
    ///
    /// - Throws: `BUFFER_TOO_SMALL`.
    func finish() throws(Failure) {
        size.fill(Int(clamping: needed))
        guard !isFull else {
            throw Failure(
                dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL),
                "\(needed) bytes need more room than the buffer's \(capacity)"
            )
        }
    }
}

/// See `dagstore_shard_read_many` in `dagstore.h`.
@c @implementation public func dagstore_shard_read_many(
    _ shard: OpaquePointer!,
    _ cids: UnsafePointer<UInt8>!,
    _ cid_sizes: UnsafePointer<UInt32>!,
    _ count: Int,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_items: UnsafeMutablePointer<dagstore_batch_item_t>!,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        _ = try ValuePlace(out_size, 0, "out_size")
        let batch = try Batch(cids, cid_sizes, count, out_items)
        var output = try BatchBuffer(buffer, capacity, out_size, for: batch)
        try withShard(shard) { shard in
            shard.findBlocks(count: count, cid: batch.cid) { index, cid, block, error in
                if let error { return batch.fill(index, error) }
                guard let block else { return batch.fillMissing(index) }
                guard output.reserve(index, block.size) else { return }
                do {
                    if let view = try shard.viewInMemory(of: block) {
                        output.copy(mapped: view, index)
                    } else {
                        let bytes = try shard.bytes(of: block, cid)
                        withExtendedLifetime(bytes) { output.copy(bytes.view) }
                    }
                } catch {
                    output.cancel(index, block.size, error)
                }
            }
            output.copyWaiting()
            if output.isLost { shard.reportLoss() }
        }
        try output.finish()
    }
}

/// See `dagstore_shard_offsets` in `dagstore.h`.
@c @implementation public func dagstore_shard_offsets(
    _ shard: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ offsets: UnsafeMutablePointer<UInt64>!,
    _ capacity: Int,
    _ out_count: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runLookup(out_error) {
        let count = try ValuePlace(out_count, 0, "out_count")
        // SAFETY: only compared with NULL.
        guard unsafe offsets != nil || capacity == 0 else {
            throw Failure.argument("offsets is NULL")
        }
        let (bytes, layout) = try readCID(cid, cid_size)
        let found = try withShard(shard) { try $0.offsets(of: bytes, layout) }
        guard !found.isEmpty else { return false }
        count.fill(found.count)
        guard found.count <= sizeLimit(capacity) else {
            throw Failure(
                dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL),
                "\(found.count) sections need more room than for \(capacity)"
            )
        }
        // SAFETY: not NULL, because the capacity is at least the count, which is not zero.
        for (place, offset) in found.enumerated() { unsafe offsets[place] = offset }
        return true
    }
}
