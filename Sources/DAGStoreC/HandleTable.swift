internal import DAGBytes
internal import SharedReads
internal import Synchronization

/// The type of a handle.
enum HandleKind: UInt64 {
    case store = 1
    case shard, block, error, mounts, entries, shards, places, multihashes, problems, events, car
    case indexing
}

/// The handles that C callers hold: numbers that look like pointers and lead into a table.
///
/// ```
/// bit  63        set: no address of a program looks like this
/// bits 59...62   the kind
/// bits 32...58   the generation of the slot
/// bits  4...31   the slot
/// bits  0...3    clear
/// ```
///
/// The generation tells a handle that was given back from a valid one, until its slot was used 2^27 times. A thread
/// may give a handle back while other threads use it: the last use releases the object.
///
/// A use pins the slot, which is a write that all threads with one handle share. From the 64th use on, a
/// handle is read under a mark instead (`Reading`): a use writes to memory of its thread only, and giving the
/// handle back costs a barrier.
///
/// *Safety*: a handle is only compared, never dereferenced, so any value may be passed to the `@safe` functions.
///
/// *Cost*: two atomic operations a use at first, two stores later. Slots are never freed: 128 bytes for each handle
/// of the peak.
///
/// *Concurrency*: any thread may call anything.
enum HandleTable {
    fileprivate static let slots = HandleSlots()

    /// Gives out a handle for `object`.
    ///
    /// - Parameters:
    ///   - kind: The type of the handle.
    ///   - object: Kept until the handle is given back and its last use has ended.
    ///   - bytes: The bytes that `bytes(of:)` returns; they live as long as `object`.
    /// - Returns: The handle; `nil` if there are 2^28 already.
    static func add(_ kind: HandleKind, _ object: AnyObject, bytes: ByteView? = nil)
        -> OpaquePointer?
    {
        guard let number = slots.claimSlot() else { return nil }
        let slot = unsafe slots[number]
        // SAFETY: a slot that was free belongs to this thread until its state says that it is live.
        unsafe slot.pointee.object = Unmanaged.passRetained(object).toOpaque()
        unsafe slot.pointee.bytes = bytes ?? .empty
        let generation = unsafe slot.pointee.nextGeneration
        let tag = kind.rawValue << 27 | generation
        unsafe slot.pointee.state.store(tag << 33 | HandleSlot.live, ordering: .releasing)
        return unsafe OpaquePointer(bitPattern: UInt(1 << 63 | tag << 32 | UInt64(number) << 4))
    }

    /// Calls `body` with the object of a handle, which stays alive meanwhile.
    ///
    /// - Returns: The result of `body`; `nil` if no open handle of this kind has the value.
    @safe @inline(__always)
    static func with<Object: AnyObject, R>(
        _ handle: OpaquePointer?,
        _ kind: HandleKind,
        as type: Object.Type,
        _ body: (Object) throws -> R
    ) rethrows -> R? {
        // SAFETY: `find` gives a slot that was used, and slots are never freed.
        guard let (slot, word) = unsafe slots.find(handle, kind) else { return nil }
        let state = unsafe slot.pointee.state.load(ordering: .acquiring)
        guard state & HandleSlot.isRead != 0 else {
            guard unsafe slot.pointee.pin(word) else { return nil }
            defer { unsafe slots.unpin(slot) }
            return try unsafe call(body, slot, type)
        }
        Reading.begin(mark(of: handle, kind))
        defer { Reading.end() }
        // A thread that gives the handle back looks for the mark after that: a handle seen live now keeps its object.
        guard unsafe slot.pointee.isLive(word) else { return nil }
        return try unsafe call(body, slot, type)
    }

    /// Calls `body` with the object of a slot that is pinned or marked.
    @inline(__always)
    private static func call<Object: AnyObject, R>(
        _ body: (Object) throws -> R,
        _ slot: UnsafeMutablePointer<HandleSlot>,
        _ type: Object.Type
    ) rethrows -> R {
        // SAFETY: pinned or marked, the slot keeps its object; its kind says which type that has.
        let object = unsafe slot.pointee.object.unsafelyUnwrapped
        return try unsafe Unmanaged<AnyObject>.fromOpaque(object)._withUnsafeGuaranteedRef {
            try unsafe body(unsafeDowncast($0, to: type))
        }
    }

    /// Returns the bytes that a handle was given out with; `nil` if no open handle of this kind has the value.
    ///
    /// They stay valid until it is given back.
    @safe static func bytes(of handle: OpaquePointer?, _ kind: HandleKind) -> ByteView? {
        // SAFETY: `find` gives a slot that was used; its bytes were written before the handle was given out.
        guard let (slot, word) = unsafe slots.find(handle, kind) else { return nil }
        guard unsafe slot.pointee.isLive(word) else { return nil }
        return unsafe slot.pointee.bytes
    }

    /// Takes a handle back.
    ///
    /// Calls `body` with the object; the last use of the handle then releases it.
    ///
    /// - Returns: Whether an open handle of this kind had the value.
    @discardableResult
    @safe static func remove<Object: AnyObject>(
        _ handle: OpaquePointer?,
        _ kind: HandleKind,
        as type: Object.Type,
        _ body: (Object) -> Void = { _ in }
    ) -> Bool {
        // SAFETY: `find` gives a slot that was used; `retire` pins it for this call, which unpins it exactly once.
        guard let (slot, word) = unsafe slots.find(handle, kind),
            let state = unsafe slot.pointee.retire(word)
        else { return false }
        unsafe call(body, slot, type)
        let mark = mark(of: handle, kind)
        guard state & HandleSlot.isRead != 0, Reclaimer.isRead(mark) else {
            unsafe slots.unpin(slot)
            return true
        }
        let number = slotNumber(of: handle)
        Reclaimer.after(readersOf: mark) { unsafe slots.unpin(slots[number]) }
        return true
    }

    /// The number of handles that were given out and not given back.
    ///
    /// *Cost*: a look at every slot that was ever used.
    static var liveCount: UInt64 { slots.liveCount }
}

/// The state of one handle, or of one that was given back.
///
/// Padded to two cache lines, so that threads with handles of their own do not meet: processors fetch pairs.
@safe struct HandleSlot: ~Copyable {
    /// Bits 33...63 kind and generation, bit 32 whether it is live, bit 31 whether it is read under a mark, bits
    /// 24...30 how often it was pinned, bits 0...23 calls that have it pinned.
    let state = Atomic<UInt64>(0)
    /// The slot that is free after this one, plus one.
    let next = Atomic<UInt32>(0)
    var object: UnsafeMutableRawPointer?
    var bytes = ByteView.empty
    let number: Int
    private let padding = InlineArray<10, Int>(repeating: 0)

    static let live: UInt64 = 1 << 32
    static let isRead: UInt64 = 1 << 31
    /// One use, and the use from which on a handle is read under a mark.
    private static let use: UInt64 = 1 << 24
    private static let usesMax: UInt64 = 63 << 24
    private static let usesMask: UInt64 = 127 << 24
    private static let pinsMask: UInt64 = 1 << 24 - 1
    private static let generationMask: UInt64 = 1 << 27 - 1

    init(number: Int) { self.number = number }

    /// The generation of the next handle.
    var nextGeneration: UInt64 {
        (state.load(ordering: .relaxed) >> 33 + 1) & Self.generationMask
    }

    /// Whether a handle is open; `word` is the upper half of its state.
    @inline(__always)
    func isLive(_ word: UInt64) -> Bool { state.load(ordering: .acquiring) >> 32 == word }

    /// Begins a use, unless the handle was given back.
    @inline(__always)
    func pin(_ word: UInt64) -> Bool {
        var state = state.load(ordering: .relaxed)
        while state >> 32 == word {
            let isOld = state & Self.usesMask >= Self.usesMax
            let next = state + 1 + (isOld ? 0 : Self.use)
            let (isDone, found) = self.state.weakCompareExchange(
                expected: state,
                desired: isOld ? next | Self.isRead : next,
                ordering: .acquiring
            )
            if isDone { return true }
            state = found
        }
        return false
    }

    /// Ends a use.
    ///
    /// - Returns: Whether it was the last one after the handle was given back.
    @inline(__always)
    func unpin() -> Bool {
        let state = state.subtract(1, ordering: .acquiringAndReleasing).newValue
        return state & (Self.live | Self.pinsMask) == 0
    }

    /// Gives the handle back, and pins the slot.
    ///
    /// - Returns: The state before; `nil` if the handle was given back already.
    func retire(_ word: UInt64) -> UInt64? {
        var state = state.load(ordering: .relaxed)
        while state >> 32 == word {
            let (isDone, found) = self.state.weakCompareExchange(
                expected: state,
                desired: (state & ~Self.live) + 1,
                ordering: .sequentiallyConsistent
            )
            if isDone { return state }
            state = found
        }
        return nil
    }
}

/// The slots, and those among them that are free.
@safe final class HandleSlots: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the fields of a slot that are not atomic are written by the one thread that
    // claimed the slot or that releases its object, and read by the threads that pinned it.

    private static let chunkBits = 12
    private static let chunkSize = 1 << chunkBits
    private static let slotsMax = 1 << 28
    private static let stripeCount = 64

    /// A stack of free slots; threads mostly use different ones.
    private struct Stripe: ~Copyable {
        /// Bits 32...63 a number that grows with each change, bits 0...31 the first free slot, plus one.
        private let head = Atomic<UInt64>(0)
        private let padding = InlineArray<15, Int>(repeating: 0)

        /// Takes the first slot; `next` returns the slot after a slot, plus one.
        func pop(_ next: (Int) -> UInt64) -> Int? {
            var head = head.load(ordering: .acquiring)
            while head & 0xffff_ffff != 0 {
                let number = Int(head & 0xffff_ffff) - 1
                let (isDone, found) = self.head.weakCompareExchange(
                    expected: head,
                    desired: (head >> 32 &+ 1) << 32 | next(number),
                    ordering: .acquiringAndReleasing
                )
                guard !isDone else { return number }
                head = found
            }
            return nil
        }

        /// Puts a slot first.
        func push(_ slot: borrowing HandleSlot) {
            var head = head.load(ordering: .relaxed)
            while true {
                slot.next.store(UInt32(head & 0xffff_ffff), ordering: .relaxed)
                let (isDone, found) = self.head.weakCompareExchange(
                    expected: head,
                    desired: (head >> 32 &+ 1) << 32 | UInt64(slot.number + 1),
                    ordering: .acquiringAndReleasing
                )
                guard !isDone else { return }
                head = found
            }
        }
    }

    // SAFETY: both live as long as the process: the only object of this class is a static one.
    private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<HandleSlot>?>
    private let stripes: UnsafeMutablePointer<Stripe>
    private let used = Atomic<Int>(0)
    private let growth = Lock<Void>(())

    init() {
        let count = Self.slotsMax / Self.chunkSize
        // SAFETY: as many are initialized as were allocated.
        unsafe chunks = .allocate(capacity: count)
        unsafe chunks.initialize(repeating: nil, count: count)
        unsafe stripes = .allocate(capacity: Self.stripeCount)
        for number in 0..<Self.stripeCount { unsafe (stripes + number).initialize(to: Stripe()) }
    }

    /// A slot that was used.
    subscript(number: Int) -> UnsafeMutablePointer<HandleSlot> {
        // SAFETY: its chunk was there before the number was.
        unsafe chunks[number >> Self.chunkBits].unsafelyUnwrapped + (number & (Self.chunkSize - 1))
    }

    /// Finds the slot of a handle, and the upper half of its state while the handle is live.
    @inline(__always)
    func find(
        _ handle: OpaquePointer?,
        _ kind: HandleKind
    ) -> (slot: UnsafeMutablePointer<HandleSlot>, word: UInt64)? {
        let value = UInt64(UInt(bitPattern: handle))
        guard value >> 59 == 16 | kind.rawValue, value & 15 == 0 else { return nil }
        let number = slotNumber(of: handle)
        guard number < used.load(ordering: .acquiring) else { return nil }
        // SAFETY: the slot was used, as just checked.
        return (unsafe self[number], (value >> 32 & 0x7fff_ffff) << 1 | 1)
    }

    // MARK: Free slots

    private var ownStripe: Int { SharedReads.Stripe.own(of: Self.stripeCount) }

    /// Claims a free slot; `nil` if there are too many.
    func claimSlot() -> Int? {
        let own = ownStripe
        if let number = pop(own) { return number }
        for other in 0..<Self.stripeCount where other != own {
            if let number = pop(other) { return number }
        }
        return grow()
    }

    private func pop(_ stripe: Int) -> Int? {
        // SAFETY: `stripe` is less than `stripeCount`, and a slot in a stack was used.
        unsafe stripes[stripe].pop { unsafe UInt64(self[$0].pointee.next.load(ordering: .relaxed)) }
    }

    private func grow() -> Int? {
        growth.withLock { _ in
            let number = used.load(ordering: .relaxed)
            guard number < Self.slotsMax else { return nil }
            // SAFETY: under the lock; no thread looks at the slot before `used` says that it is whole.
            if number & (Self.chunkSize - 1) == 0 {
                unsafe chunks[number >> Self.chunkBits] = .allocate(capacity: Self.chunkSize)
            }
            unsafe self[number].initialize(to: HandleSlot(number: number))
            used.store(number + 1, ordering: .releasing)
            return number
        }
    }

    /// Ends a use; the last one after the handle was given back releases its object.
    @inline(__always)
    func unpin(_ slot: UnsafeMutablePointer<HandleSlot>) {
        // SAFETY: slots are never freed.
        if unsafe slot.pointee.unpin() { unsafe releaseObject(of: slot) }
    }

    private func releaseObject(of slot: UnsafeMutablePointer<HandleSlot>) {
        // SAFETY: no use is left and no new one can begin, so the slot is this thread's until it is pushed.
        let object = unsafe slot.pointee.object
        unsafe slot.pointee.object = nil
        unsafe stripes[ownStripe].push(slot.pointee)
        // Last: the object's `deinit` may claim a slot itself. `add` retained it.
        if let object = unsafe object { unsafe Unmanaged<AnyObject>.fromOpaque(object).release() }
    }

    var liveCount: UInt64 {
        var count: UInt64 = 0
        for number in 0..<used.load(ordering: .acquiring) {
            // SAFETY: the slot was used.
            let state = unsafe self[number].pointee.state.load(ordering: .relaxed)
            count += state & HandleSlot.live != 0 ? 1 : 0
        }
        return count
    }
}

/// The number of the slot that a handle leads to.
@safe @inline(__always)
private func slotNumber(of handle: OpaquePointer?) -> Int {
    Int(UInt64(UInt(bitPattern: handle)) >> 4 & 0xfff_ffff)
}

/// The mark that a handle is read under.
@safe @inline(__always)
private func mark(of handle: OpaquePointer?, _ kind: HandleKind) -> ReadMark {
    ReadMark(kind: UInt32(kind.rawValue), number: UInt32(slotNumber(of: handle)))
}
