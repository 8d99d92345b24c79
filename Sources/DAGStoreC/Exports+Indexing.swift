public import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage
internal import SharedReads

// Indexing by a function of the caller's: see `dagstore.h`.

/// Lets a caller's function supply the sections of a CAR.
@safe struct CIndexer: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: immutable; the header says that it is called on threads of the library.
    private let supply: dagstore_index_fn
    private let context: Context

    @safe init(_ supply: @escaping dagstore_index_fn, _ context: Context) {
        // SAFETY: only kept.
        unsafe self.supply = supply
        self.context = context
    }

    /// The indexer of a configuration.
    func index(_ source: IndexerSource, _ add: (IndexerEntry) throws -> Void) throws -> Bool {
        let key = CText(source.key.text)
        let url = CText(source.mountURL)
        var info = dagstore_indexing_info_t()
        info.size = UInt32(MemoryLayout<dagstore_indexing_info_t>.size)
        // SAFETY: the texts stay for the call.
        unsafe info.key = key.start
        unsafe info.mount_url = url.start
        info.bytes = source.size
        info.payload_offset = source.payloadOffset
        info.payload_size = source.payloadSize
        return try withExtendedLifetime((key, url)) {
            try withoutActuallyEscaping(add) { add in
                let box = IndexingBox(source, add)
                // The callback may keep the handle; the box keeps nothing of this call after it.
                defer { box.end() }
                // SAFETY: a handle is a number.
                let handle = try unsafe makeHandle(.indexing, box)
                defer { HandleTable.remove(handle, .indexing, as: IndexingBox.self) }
                return try unsafe call(handle, &info, box)
            }
        }
    }

    private func call(
        _ handle: OpaquePointer,
        _ info: inout dagstore_indexing_info_t,
        _ box: IndexingBox
    ) throws -> Bool {
        var error: OpaquePointer?
        // SAFETY: the caller's function with its context; the struct and the place stay for the call.
        let status = runCallback {
            unsafe supply(context.pointer, handle, &info, &error)
        }
        defer { HandleTable.remove(error, .error, as: ErrorBox.self) }
        // A wrong section fails the shard, even if the callback ignores its error.
        if let failure = box.failure { throw failure }
        switch status {
        case dagstore_status_t(DAGSTORE_OK): return true
        case dagstore_status_t(DAGSTORE_DONE): return false
        default:
            throw DAGStoreError(
                DAGStoreError.Code(rawValue: status) ?? .malformedIndex,
                messageOfCallback(error) ?? "index returned \(status)"
            )
        }
    }
}

/// The object of a handle for a CAR that is being indexed.
final class IndexingBox: Sendable {
    private struct State: @unchecked Sendable {
        // SAFETY: `@unchecked Sendable`: the lock of the box guards the closure. `end` drops it before the call ends
        // that it belongs to.
        var add: ((IndexerEntry) throws -> Void)?
        var failure: (any Error)?
    }

    private let source: IndexerSource
    private let state: Lock<State>

    init(_ source: IndexerSource, _ add: @escaping (IndexerEntry) throws -> Void) {
        self.source = source
        state = Lock(State(add: add))
    }

    /// The first error of `add`.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// Refuses all later calls.
    func end() { state.withLock { $0.add = nil } }

    func add(_ entry: IndexerEntry) throws {
        try state.withLock { state in
            guard let add = state.add else { throw Failure.handle("dagstore_indexing_t") }
            do {
                try add(entry)
            } catch {
                state.failure = state.failure ?? error
                throw error
            }
        }
    }

    func read(at offset: UInt64, size: Int) throws -> [UInt8] {
        guard state.withLock({ $0.add != nil }) else {
            throw Failure.handle("dagstore_indexing_t")
        }
        return try source.read(at: offset, size: size)
    }
}

/// See `dagstore_indexing_add` in `dagstore.h`.
@c @implementation public func dagstore_indexing_add(
    _ indexing: OpaquePointer!,
    _ cid: UnsafePointer<UInt8>!,
    _ cid_size: Int,
    _ offset: UInt64,
    _ section_size: UInt64,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let entry = IndexerEntry(
            cid: try copyCID(cid, cid_size),
            offset: offset,
            size: section_size
        )
        try withIndexing(indexing) { try $0.add(entry) }
    }
}

/// The largest number of bytes that one call reads.
private let readSizeMax = 64 << 20

/// See `dagstore_indexing_read` in `dagstore.h`.
@c @implementation public func dagstore_indexing_read(
    _ indexing: OpaquePointer!,
    _ offset: UInt64,
    _ buffer: UnsafeMutablePointer<UInt8>!,
    _ capacity: Int,
    _ out_size: UnsafeMutablePointer<Int>!,
    _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> dagstore_status_t {
    runCall(out_error) {
        let output = try CallerBuffer(buffer, capacity, out_size)
        let size = min(sizeLimit(capacity), readSizeMax)
        let bytes = try withIndexing(indexing) { try $0.read(at: offset, size: size) }
        try bytes.withView { view throws(Failure) in try output.fill(view) }
    }
}

@safe private func withIndexing<R>(
    _ handle: OpaquePointer?,
    _ body: (IndexingBox) throws -> R
) throws -> R {
    guard let result = try HandleTable.with(handle, .indexing, as: IndexingBox.self, body) else {
        throw Failure.handle("dagstore_indexing_t")
    }
    return result
}
