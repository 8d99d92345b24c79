internal import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage
internal import Dispatch
internal import SharedReads
internal import SystemPackage

// What cursor handles stand for. The header says that one thread at a time steps a cursor; a lock keeps those who do
// not heed that from more than seeing a wrong text.

/// Texts and bytes of a step, until the next one.
private struct Kept {
    private var texts: [CText] = []
    private var bytes: OwnedBytes?

    mutating func clear() {
        texts.removeAll(keepingCapacity: true)
        bytes = nil
    }

    mutating func keep(_ text: String) -> UnsafePointer<CChar> {
        let text = CText(text)
        texts.append(text)
        return unsafe text.start
    }

    mutating func keep(_ text: String?) -> UnsafePointer<CChar>? {
        guard let text else { return nil }
        return unsafe keep(text)
    }

    mutating func keep(_ bytes: ByteView) -> dagstore_bytes_t {
        let copy = OwnedBytes(copying: bytes)
        self.bytes = copy
        return unsafe copy.view.forC
    }
}

extension ByteView {
    /// The bytes as C callers see them, for as long as somebody keeps them alive.
    var forC: dagstore_bytes_t {
        let buffer = unsafe self.buffer
        return unsafe dagstore_bytes_t(
            data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
            size: count
        )
    }
}

/// A walk over the entries of a shard.
final class EntriesCursor: Sendable {
    @safe private struct State {
        var walk: IndexWalk
        /// Room for a CID, used again and again.
        var room = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private let state: Lock<State>

    init(_ shard: Shard) { state = Lock(unsafe State(walk: IndexWalk(shard))) }

    deinit { state.withLock { unsafe $0.room.deallocate() } }

    func next() throws -> dagstore_entry_t? {
        unsafe try state.withLock { state in
            var entry = unsafe dagstore_entry_t()
            var room = unsafe state.room
            defer { unsafe state.room = room }
            let isThere = try state.walk.next { cid, location in
                if room.count < cid.count {
                    unsafe room.deallocate()
                    unsafe room = .allocate(byteCount: max(128, cid.count), alignment: 8)
                }
                // SAFETY: the room is as large as the CID, and stays until the next step.
                unsafe room.copyMemory(from: cid.buffer)
                unsafe entry.cid = dagstore_bytes_t(
                    data: room.baseAddress.map {
                        unsafe UnsafePointer($0.assumingMemoryBound(to: UInt8.self))
                    },
                    size: cid.count
                )
                unsafe entry.offset = location.offset
                unsafe entry.block_offset = location.blockOffset
                unsafe entry.block_size = location.size
            }
            return isThere ? unsafe entry : nil
        }
    }
}

/// A walk over shards.
final class ShardsCursor: Sendable {
    private struct State {
        var one: ShardStatus?
        var all: ShardStatuses.Iterator?
        var kept = Kept()
    }

    private let state: Lock<State>

    init(_ one: ShardStatus) { state = Lock(State(one: one)) }
    init(_ all: sending ShardStatuses.Iterator) { state = Lock(State(all: all)) }

    func next() throws -> dagstore_info_t? {
        unsafe try state.withLock { state in
            state.kept.clear()
            var status = state.one
            state.one = nil
            if status == nil { status = try state.all?.next() }
            guard let status else { return nil }
            return unsafe Self.info(status, &state.kept)
        }
    }

    private static func info(_ status: ShardStatus, _ kept: inout Kept) -> dagstore_info_t {
        var info = unsafe dagstore_info_t()
        unsafe info.state = status.state.forC
        unsafe info.flags = status.isLazy ? UInt32(DAGSTORE_INFO_LAZY) : 0
        unsafe info.error_status = status.error?.code.rawValue ?? 0
        unsafe info.key = kept.keep(status.key.text)
        unsafe info.mount_url = kept.keep(status.mountURL)
        unsafe info.transient = kept.keep(status.transient.map { $0.string })
        unsafe info.error_message = kept.keep(status.error?.message)
        unsafe info.references = UInt64(status.references)
        unsafe info.block_count = status.blockCount
        unsafe info.payload_size = status.payloadSize
        unsafe info.index_size = status.indexSize
        unsafe info.state_since = status.stateSince
        return unsafe info
    }
}

extension ShardStatus.State {
    /// The number in the header.
    var forC: UInt32 {
        switch self {
        case .registered: UInt32(DAGSTORE_STATE_REGISTERED)
        case .initializing: UInt32(DAGSTORE_STATE_INITIALIZING)
        case .available: UInt32(DAGSTORE_STATE_AVAILABLE)
        case .serving: UInt32(DAGSTORE_STATE_SERVING)
        case .recovering: UInt32(DAGSTORE_STATE_RECOVERING)
        case .failed: UInt32(DAGSTORE_STATE_FAILED)
        }
    }
}

/// A walk over the places of a block.
final class PlacesCursor: Sendable {
    private let state: Lock<(rest: ArraySlice<FoundBlock>, kept: Kept)>

    init(_ places: [FoundBlock]) { state = Lock((places[...], Kept())) }

    func next() -> dagstore_place_t? {
        unsafe state.withLock { state in
            state.kept.clear()
            guard let found = state.rest.popFirst() else { return nil }
            var place = unsafe dagstore_place_t()
            unsafe place.key = unsafe state.kept.keep(found.key.text)
            unsafe place.offset = found.location.offset
            unsafe place.block_offset = found.location.blockOffset
            unsafe place.block_size = found.location.size
            return unsafe place
        }
    }
}

/// A walk over what a check found.
final class ProblemsCursor: Sendable {
    private let state: Lock<(rest: ArraySlice<CheckProblem>, kept: Kept)>

    init(_ problems: [CheckProblem]) { state = Lock((problems[...], Kept())) }

    func next() -> dagstore_problem_t? {
        unsafe state.withLock { state in
            state.kept.clear()
            guard let found = state.rest.popFirst() else { return nil }
            var problem = unsafe dagstore_problem_t()
            unsafe problem.kind = unsafe state.kept.keep(found.kind.rawValue)
            unsafe problem.key = unsafe state.kept.keep(found.key?.text)
            unsafe problem.detail = unsafe state.kept.keep(found.detail)
            unsafe problem.repair = unsafe state.kept.keep(found.repair?.rawValue)
            return unsafe problem
        }
    }
}

/// A walk over the multihashes of a shard; it keeps the store's handle company, not a lease.
final class MultihashesCursor: Sendable {
    private struct State {
        /// Those that were read and not given out.
        var chunk: [Multihash] = []
        var given = 0
        /// Where the chunk began, and where the next one begins.
        var start: MultihashCursor?
        var next: MultihashCursor?
        var isAtEnd = false
        var kept = Kept()
        var text: CText?
    }

    private static let chunkSize = 1024
    private let store: DAGStore
    private let key: ShardKey
    private let state: Lock<State>

    /// Reads the first chunk, so that what is wrong is said at once.
    init(_ store: DAGStore, _ key: ShardKey, from cursor: MultihashCursor?) throws {
        self.store = store
        self.key = key
        var first = State()
        first.next = cursor
        try Self.read(store, key, &first)
        state = Lock(first)
    }

    private static func read(_ store: DAGStore, _ key: ShardKey, _ state: inout State) throws {
        let chunk = try store.multihashes(of: key, atMost: chunkSize, from: state.next)
        state.start = chunk.start
        state.chunk = chunk.multihashes
        state.given = 0
        state.next = chunk.next
        state.isAtEnd = chunk.next == nil
    }

    func next() throws -> dagstore_bytes_t? {
        unsafe try state.withLock { state in
            state.kept.clear()
            if state.given == state.chunk.count {
                guard !state.isAtEnd else { return nil }
                try Self.read(store, key, &state)
            }
            guard state.given < state.chunk.count else { return nil }
            state.given += 1
            return unsafe state.chunk[state.given - 1].bytes.withView { unsafe state.kept.keep($0) }
        }
    }

    /// Where the walk is; empty at the end.
    func cursor() -> UnsafePointer<CChar> {
        unsafe state.withLock { state in
            let isOver = state.isAtEnd && state.given == state.chunk.count
            let place = isOver ? "" : state.start?.advanced(by: state.given).description ?? ""
            let text = CText(place)
            state.text = text
            return unsafe text.start
        }
    }
}

/// A queue of events.
final class EventsBox: Sendable {
    private let queue: EventQueue
    private let store: DAGStore
    private let sink: Int
    private let kept = Lock(Kept())

    /// - Throws: `CLOSED`.
    init(_ store: DAGStore, capacity: Int) throws {
        queue = EventQueue(capacity: capacity)
        self.store = store
        guard let sink = store.addSink(queue, isReader: true) else {
            throw DAGStoreError(.closed, "the store is closed")
        }
        self.sink = sink
    }

    /// Wakes who waits, for good.
    func close() {
        store.removeSink(sink)
        queue.finish()
    }

    /// The next event; nil if there will be none.
    ///
    /// - Throws: `DEADLINE_EXCEEDED`.
    func next(_ timeout: UInt32) throws -> dagstore_event_t? {
        let deadline: DispatchTime? =
            timeout == .max ? nil : .now() + .milliseconds(Int(timeout))
        switch queue.next(until: deadline) {
        case .end: return nil
        case .nothing: throw DAGStoreError(.deadlineExceeded, "no event within \(timeout) ms")
        case .event(let event):
            return unsafe kept.withLock { kept in
                kept.clear()
                return unsafe Self.convert(event, &kept)
            }
        }
    }

    private static func convert(_ found: ShardEvent, _ kept: inout Kept) -> dagstore_event_t {
        var event = unsafe dagstore_event_t()
        unsafe event.operation = found.operation.forC
        unsafe event.state = found.state?.forC ?? 0
        unsafe event.error_status = found.error?.code.rawValue ?? 0
        unsafe event.number = found.number
        unsafe event.references = UInt64(found.references)
        unsafe event.key = kept.keep(found.key.text)
        unsafe event.error_message = kept.keep(found.error?.message)
        return unsafe event
    }
}

extension ShardEvent.Operation {
    /// The number in the header.
    var forC: UInt32 {
        switch self {
        case .register: UInt32(DAGSTORE_EVENT_REGISTER)
        case .initialize: UInt32(DAGSTORE_EVENT_INITIALIZE)
        case .makeAvailable: UInt32(DAGSTORE_EVENT_MAKE_AVAILABLE)
        case .destroy: UInt32(DAGSTORE_EVENT_DESTROY)
        case .acquire: UInt32(DAGSTORE_EVENT_ACQUIRE)
        case .fail: UInt32(DAGSTORE_EVENT_FAIL)
        case .release: UInt32(DAGSTORE_EVENT_RELEASE)
        case .recover: UInt32(DAGSTORE_EVENT_RECOVER)
        }
    }
}
