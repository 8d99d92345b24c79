internal import CDAGStore
internal import DAGBytes
internal import DAGMultiformats
internal import DAGStorage
internal import Dispatch
internal import SharedReads
internal import SystemPackage

// The objects of cursor handles. The header says that one thread at a time steps a cursor. If several do, a lock
// limits the damage to a wrong text.

/// The texts and bytes of a step, kept until the next one.
private struct StepStorage {
    private var texts: [CText] = []
    private var bytes: OwnedBytes?

    /// Frees the texts and bytes of the step before.
    mutating func clear() {
        texts.removeAll(keepingCapacity: true)
        bytes = nil
    }

    /// Copies a text.
    mutating func copy(_ text: String?) -> UnsafePointer<CChar>? {
        guard let text else { return nil }
        let copy = CText(text)
        texts.append(copy)
        // SAFETY: `texts` keeps it until `clear`.
        return unsafe copy.start
    }

    /// Copies bytes.
    mutating func copy(_ bytes: ByteView) -> dagstore_bytes_t {
        let copy = OwnedBytes(copying: bytes)
        self.bytes = copy
        return copy.view.forC
    }
}

extension ByteView {
    /// The bytes for C callers, valid while their owner lives.
    var forC: dagstore_bytes_t {
        // SAFETY: start and size of one buffer; a C caller may read them as long as the header says.
        let buffer = unsafe self.buffer
        return unsafe dagstore_bytes_t(
            data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
            size: count
        )
    }
}

/// A walk over the sections of a shard.
final class EntriesCursor: Sendable {
    @safe private struct State {
        var walk: IndexWalk
        // SAFETY: allocated in `next` and freed by it or by `deinit`; it holds the CID of the last step.
        var room = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private let state: Lock<State>

    init(_ shard: Shard) {
        // SAFETY: no room yet.
        state = Lock(unsafe State(walk: IndexWalk(shard)))
    }

    deinit {
        // SAFETY: `next` allocated it, or it has no bytes; no step is under way any more.
        state.withLock { unsafe $0.room.deallocate() }
    }

    func next() throws -> dagstore_entry_t? {
        try state.withLock { state in
            var entry = dagstore_entry_t()
            // SAFETY: the room is at least as large as the CID, and stays until the next step.
            var room = unsafe state.room
            defer { unsafe state.room = room }
            let isThere = try state.walk.next { cid, location in
                if room.count < cid.count {
                    unsafe room.deallocate()
                    unsafe room = .allocate(byteCount: max(128, cid.count), alignment: 8)
                }
                unsafe room.copyMemory(from: cid.buffer)
                unsafe entry.cid.data = UnsafePointer(
                    room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                )
                entry.cid.size = cid.count
                entry.offset = location.offset
                entry.block_offset = location.blockOffset
                entry.block_size = location.size
            }
            return isThere ? entry : nil
        }
    }
}

/// A walk over shards.
final class ShardsCursor: Sendable {
    private struct State {
        var one: ShardStatus?
        var all: ShardStatuses.Iterator?
        var storage = StepStorage()
    }

    private let state: Lock<State>

    init(_ one: ShardStatus) { state = Lock(State(one: one)) }
    init(_ all: sending ShardStatuses.Iterator) { state = Lock(State(all: all)) }

    func next() throws -> dagstore_info_t? {
        try state.withLock { state in
            state.storage.clear()
            var status = state.one
            state.one = nil
            if status == nil { status = try state.all?.next() }
            guard let status else { return nil }
            return Self.info(status, &state.storage)
        }
    }

    private static func info(_ status: ShardStatus, _ storage: inout StepStorage) -> dagstore_info_t
    {
        // SAFETY: `storage` keeps the texts until the next step.
        var info = dagstore_info_t()
        info.state = status.state.forC
        info.flags = status.isLazy ? UInt32(DAGSTORE_INFO_LAZY) : 0
        info.error_status = status.error?.code.rawValue ?? 0
        unsafe info.key = storage.copy(status.key.text)
        unsafe info.mount_url = storage.copy(status.mountURL)
        unsafe info.transient = storage.copy(status.transient.map { $0.string })
        unsafe info.error_message = storage.copy(status.error?.message)
        info.references = UInt64(status.references)
        info.block_count = status.blockCount
        info.payload_size = status.payloadSize
        info.index_size = status.indexSize
        info.state_since = status.stateSince
        info.policy = status.policy.forC
        info.remote_requests = status.traffic?.requests ?? 0
        info.remote_bytes = status.traffic?.bytes ?? 0
        return info
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

extension MountPolicy {
    /// The number in the header.
    var forC: UInt32 {
        switch self {
        case .automatic: UInt32(DAGSTORE_POLICY_AUTOMATIC)
        case .remote: UInt32(DAGSTORE_POLICY_REMOTE)
        case .cache: UInt32(DAGSTORE_POLICY_CACHE)
        case .copy: UInt32(DAGSTORE_POLICY_COPY)
        }
    }

    /// Returns the policy of a number in the header; nil for other numbers.
    init?(forC number: UInt32) {
        guard let policy = Self.allCases.first(where: { $0.forC == number }) else { return nil }
        self = policy
    }
}

/// A walk over the places of a block.
final class PlacesCursor: Sendable {
    private let state: Lock<(rest: ArraySlice<FoundBlock>, storage: StepStorage)>

    init(_ places: [FoundBlock]) { state = Lock((places[...], StepStorage())) }

    func next() -> dagstore_place_t? {
        state.withLock { state in
            state.storage.clear()
            guard let found = state.rest.popFirst() else { return nil }
            // SAFETY: `storage` keeps the texts until the next step.
            var place = dagstore_place_t()
            unsafe place.key = state.storage.copy(found.key.text)
            place.offset = found.location.offset
            place.block_offset = found.location.blockOffset
            place.block_size = found.location.size
            return place
        }
    }
}

/// A walk over the problems of a check.
final class ProblemsCursor: Sendable {
    private let state: Lock<(rest: ArraySlice<CheckProblem>, storage: StepStorage)>

    init(_ problems: [CheckProblem]) { state = Lock((problems[...], StepStorage())) }

    func next() -> dagstore_problem_t? {
        state.withLock { state in
            state.storage.clear()
            guard let found = state.rest.popFirst() else { return nil }
            // SAFETY: `storage` keeps the texts until the next step.
            var problem = dagstore_problem_t()
            unsafe problem.kind = state.storage.copy(found.kind.rawValue)
            unsafe problem.key = state.storage.copy(found.key?.text)
            unsafe problem.detail = state.storage.copy(found.detail)
            unsafe problem.repair = state.storage.copy(found.repair?.rawValue)
            return problem
        }
    }
}

/// A walk over the multihashes of a shard; it retains the store and holds no lease.
final class MultihashesCursor: Sendable {
    private struct State {
        /// The multihashes that were read last, and how many of them were given out.
        var chunk: [Multihash] = []
        var offsets: [UInt64] = []
        var given = 0
        /// Where the chunk began, and where the next one begins.
        var start: MultihashCursor?
        var next: MultihashCursor?
        var isAtEnd = false
        var storage = StepStorage()
        var text: CText?
    }

    /// A multihash, and the offset of its section in the payload.
    struct Step {
        let multihash: dagstore_bytes_t
        let offset: UInt64
    }

    private static let chunkSize = 1024
    private let store: DAGStore
    private let key: ShardKey
    private let state: Lock<State>

    /// Reads the first chunk, so that it reports errors.
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
        state.offsets = chunk.offsets
        state.given = 0
        state.next = chunk.next
        state.isAtEnd = chunk.next == nil
    }

    func next() throws -> Step? {
        try state.withLock { state in
            state.storage.clear()
            if state.given == state.chunk.count {
                guard !state.isAtEnd else { return nil }
                try Self.read(store, key, &state)
            }
            guard state.given < state.chunk.count else { return nil }
            let place = state.given
            state.given += 1
            return Step(
                multihash: state.chunk[place].bytes.withView { state.storage.copy($0) },
                offset: state.offsets[place]
            )
        }
    }

    /// The place of the walk; empty at the end.
    func cursor() -> UnsafePointer<CChar> {
        // SAFETY: `state` keeps the text until the next call or the end of the walk.
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
    private let storage = Lock(StepStorage())

    /// - Throws: `CLOSED`.
    init(_ store: DAGStore, capacity: Int) throws {
        queue = EventQueue(capacity: capacity)
        self.store = store
        guard let sink = store.addSink(queue, isReader: true) else {
            throw DAGStoreError(.closed, "the store is closed")
        }
        self.sink = sink
    }

    /// Ends the queue, and wakes the threads that wait for an event.
    func close() {
        store.removeSink(sink)
        queue.finish()
    }

    /// The next event; `nil` if the queue ended.
    ///
    /// - Throws: `DEADLINE_EXCEEDED`.
    func next(_ timeout: UInt32) throws -> dagstore_event_t? {
        let deadline: DispatchTime? =
            timeout == .max ? nil : .now() + .milliseconds(Int(timeout))
        switch queue.next(until: deadline) {
        case .end: return nil
        case .nothing: throw DAGStoreError(.deadlineExceeded, "no event within \(timeout) ms")
        case .event(let event):
            return storage.withLock { storage in
                storage.clear()
                return Self.convert(event, &storage)
            }
        }
    }

    private static func convert(_ found: ShardEvent, _ storage: inout StepStorage)
        -> dagstore_event_t
    {
        // SAFETY: `storage` keeps the texts until the next step.
        var event = dagstore_event_t()
        event.operation = found.operation.forC
        event.state = found.state?.forC ?? 0
        event.error_status = found.error?.code.rawValue ?? 0
        event.number = found.number
        event.references = UInt64(found.references)
        unsafe event.key = storage.copy(found.key.text)
        unsafe event.error_message = storage.copy(found.error?.message)
        return event
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
