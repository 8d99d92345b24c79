internal import SharedReads
internal import Synchronization

/// What a handle stands for.
enum HandleKind: UInt64 {
    case store = 1
    case shard, block, error, mounts, entries, shards, places, multihashes, problems, events, car
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
/// A handle that was given back, or that never was one, is recognised by its generation, until its slot
/// was used 2^27 times. A handle may be given back while other threads use it: what it stands for goes with
/// the last of them.
///
/// A use pins the slot, which is a write that threads with one handle would all make. From the 64th use on, a
/// handle is read under a mark instead (`Reading`): a use writes to memory of its thread only, and giving the
/// handle back costs a barrier.
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
    ///   - kind: What it stands for.
    ///   - object: Kept until the handle is given back and nobody uses it.
    ///   - bytes: What `bytes(of:)` answers.
    /// - Returns: The handle; nil if there are 2^28 already.
    static func add(
        _ kind: HandleKind,
        _ object: AnyObject,
        bytes: UnsafeRawBufferPointer? = nil
    ) -> OpaquePointer? {
        guard let number = slots.takeFree() else { return nil }
        let slot = unsafe slots[number]
        // SAFETY: a slot that was free belongs to this thread until its state says that it is live.
        unsafe slot.pointee.object = Unmanaged.passRetained(object).toOpaque()
        unsafe slot.pointee.start = bytes?.baseAddress
        unsafe slot.pointee.count = bytes?.count ?? 0
        let generation =
            unsafe (slot.pointee.state.load(ordering: .relaxed) >> 33 + 1)
            & HandleSlots.generationMask
        let tag = kind.rawValue << 27 | generation
        unsafe slot.pointee.state.store(tag << 33 | HandleSlots.live, ordering: .releasing)
        return unsafe OpaquePointer(
            bitPattern: UInt(1 << 63 | tag << 32 | UInt64(number) << 4)
        )
    }

    /// Calls `body` with what a handle stands for, which stays alive meanwhile.
    ///
    /// - Returns: What `body` returns; nil if the handle is none of this kind.
    @inline(__always)
    static func with<Object: AnyObject, R>(
        _ handle: OpaquePointer?,
        _ kind: HandleKind,
        as type: Object.Type,
        _ body: (Object) throws -> R
    ) rethrows -> R? {
        guard let (slot, word) = unsafe slots.find(handle, kind) else { return nil }
        let state = unsafe slot.pointee.state.load(ordering: .acquiring)
        guard state & HandleSlots.isRead != 0 else {
            guard unsafe slots.pin(slot, word) else { return nil }
            defer { unsafe slots.unpin(slot) }
            return try unsafe call(body, slot, type)
        }
        Reading.begin(unsafe mark(of: handle, kind))
        defer { Reading.end() }
        // Who takes the handle back looks for the mark after that: seen live now, it is kept.
        guard unsafe slot.pointee.state.load(ordering: .acquiring) >> 32 == word else { return nil }
        return try unsafe call(body, slot, type)
    }

    /// Calls `body` with what a slot keeps.
    @inline(__always)
    private static func call<Object: AnyObject, R>(
        _ body: (Object) throws -> R,
        _ slot: UnsafeMutablePointer<HandleSlot>,
        _ type: Object.Type
    ) rethrows -> R {
        // SAFETY: pinned or marked, the slot keeps its object; its kind says what that is.
        let object = unsafe slot.pointee.object.unsafelyUnwrapped
        return try unsafe Unmanaged<AnyObject>.fromOpaque(object)._withUnsafeGuaranteedRef {
            try unsafe body(unsafeDowncast($0, to: type))
        }
    }

    /// The bytes that a handle was given out with; nil if it is none of this kind.
    ///
    /// They stay valid until it is given back.
    static func bytes(of handle: OpaquePointer?, _ kind: HandleKind) -> UnsafeRawBufferPointer? {
        guard let (slot, word) = unsafe slots.find(handle, kind) else { return nil }
        guard unsafe slot.pointee.state.load(ordering: .acquiring) >> 32 == word else { return nil }
        // SAFETY: written before the handle was given out.
        return unsafe UnsafeRawBufferPointer(start: slot.pointee.start, count: slot.pointee.count)
    }

    /// Takes a handle back.
    ///
    /// What it stands for is let go of with the last call that uses it, and `body` is called with it before.
    ///
    /// - Returns: Whether it was a handle of this kind.
    @discardableResult
    static func remove<Object: AnyObject>(
        _ handle: OpaquePointer?,
        _ kind: HandleKind,
        as type: Object.Type,
        _ body: (Object) -> Void = { _ in }
    ) -> Bool {
        guard let (slot, word) = unsafe slots.find(handle, kind) else { return false }
        // Dead from now on, and pinned by this call.
        guard let state = unsafe slots.kill(slot, word) else { return false }
        unsafe call(body, slot, type)
        guard state & HandleSlots.isRead != 0 else {
            unsafe slots.unpin(slot)
            return true
        }
        let mark = unsafe mark(of: handle, kind)
        guard Reclaimer.isRead(mark) else {
            unsafe slots.unpin(slot)
            return true
        }
        let number = unsafe slotNumber(of: handle)
        Reclaimer.after(readersOf: mark) { unsafe slots.unpin(slots[number]) }
        return true
    }

    /// Handles that were given out and not given back.
    ///
    /// *Cost*: a look at every slot that was ever used.
    static var liveCount: UInt64 { slots.liveCount }
}

/// What is known of a handle, or of one that was given back.
///
/// Padded to two cache lines, so that threads with handles of their own do not meet: processors fetch pairs.
@safe struct HandleSlot: ~Copyable {
    /// Bits 33...63 kind and generation, bit 32 whether it is live, bit 31 whether it is read under a mark, bits
    /// 24...30 how often it was pinned, bits 0...23 calls that have it pinned.
    let state = Atomic<UInt64>(0)
    /// The slot that is free after this one, plus one.
    let next = Atomic<UInt32>(0)
    var object: UnsafeMutableRawPointer?
    var start: UnsafeRawPointer?
    var count = 0
    let number: Int
    private let padding = InlineArray<10, Int>(repeating: 0)

    init(number: Int) { self.number = number }
}

/// The slots, and those among them that are free.
@safe final class HandleSlots: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: what is not atomic in a slot is written by the one thread that took it from
    // the free ones or that lets its object go, and read by those who pinned it.

    static let live: UInt64 = 1 << 32
    static let isRead: UInt64 = 1 << 31
    /// One use, and the use from which on a handle is read under a mark.
    private static let use: UInt64 = 1 << 24
    private static let usesMax: UInt64 = 63 << 24
    private static let usesMask: UInt64 = 127 << 24
    private static let pinsMask: UInt64 = 1 << 24 - 1
    static let generationMask: UInt64 = 1 << 27 - 1
    private static let chunkBits = 12
    private static let chunkSize = 1 << chunkBits
    private static let slotsMax = 1 << 28
    private static let stripeCount = 64

    /// A stack of free slots; threads mostly use different ones.
    private struct Stripe: ~Copyable {
        /// Bits 32...63 a number that grows with each change, bits 0...31 the first free slot, plus one.
        let head = Atomic<UInt64>(0)
        private let padding = InlineArray<15, Int>(repeating: 0)
    }

    private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<HandleSlot>?>
    private let stripes: UnsafeMutablePointer<Stripe>
    private let used = Atomic<Int>(0)
    private let growth = Lock<Void>(())

    init() {
        let count = Self.slotsMax / Self.chunkSize
        // SAFETY: both live as long as the process: the only object of this class is a static one.
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

    /// The slot of a handle, and the upper half of its state while the handle is live.
    @inline(__always)
    func find(
        _ handle: OpaquePointer?,
        _ kind: HandleKind
    ) -> (slot: UnsafeMutablePointer<HandleSlot>, word: UInt64)? {
        let value = UInt64(UInt(bitPattern: handle))
        guard value >> 59 == 16 | kind.rawValue, value & 15 == 0 else { return nil }
        let number = unsafe slotNumber(of: handle)
        guard number < used.load(ordering: .acquiring) else { return nil }
        return (unsafe self[number], (value >> 32 & 0x7fff_ffff) << 1 | 1)
    }

    // MARK: Free slots

    private var ownStripe: Int { SharedReads.Stripe.own(of: Self.stripeCount) }

    /// A slot that is the caller's; nil if there are too many.
    func takeFree() -> Int? {
        let own = ownStripe
        if let number = pop(own) { return number }
        for other in 0..<Self.stripeCount where other != own {
            if let number = pop(other) { return number }
        }
        return grow()
    }

    private func pop(_ stripe: Int) -> Int? {
        var head = unsafe stripes[stripe].head.load(ordering: .acquiring)
        while head & 0xffff_ffff != 0 {
            let number = Int(head & 0xffff_ffff) - 1
            let next = unsafe UInt64(self[number].pointee.next.load(ordering: .relaxed))
            let (isDone, found) = unsafe stripes[stripe].head.weakCompareExchange(
                expected: head,
                desired: (head >> 32 &+ 1) << 32 | next,
                ordering: .acquiringAndReleasing
            )
            guard !isDone else { return number }
            head = found
        }
        return nil
    }

    private func push(_ slot: UnsafeMutablePointer<HandleSlot>, _ number: Int) {
        let stripe = ownStripe
        var head = unsafe stripes[stripe].head.load(ordering: .relaxed)
        while true {
            unsafe slot.pointee.next.store(UInt32(head & 0xffff_ffff), ordering: .relaxed)
            let (isDone, found) = unsafe stripes[stripe].head.weakCompareExchange(
                expected: head,
                desired: (head >> 32 &+ 1) << 32 | UInt64(number + 1),
                ordering: .acquiringAndReleasing
            )
            guard !isDone else { return }
            head = found
        }
    }

    private func grow() -> Int? {
        growth.withLock { _ in
            let number = used.load(ordering: .relaxed)
            guard number < Self.slotsMax else { return nil }
            if number & (Self.chunkSize - 1) == 0 {
                unsafe chunks[number >> Self.chunkBits] = .allocate(capacity: Self.chunkSize)
            }
            unsafe self[number].initialize(to: HandleSlot(number: number))
            // Nobody looks at the slot before it is whole.
            used.store(number + 1, ordering: .releasing)
            return number
        }
    }

    // MARK: Pins

    /// Begins a use, unless the handle was given back.
    @inline(__always)
    func pin(_ slot: UnsafeMutablePointer<HandleSlot>, _ word: UInt64) -> Bool {
        var state = unsafe slot.pointee.state.load(ordering: .relaxed)
        while state >> 32 == word {
            let isOld = state & Self.usesMask >= Self.usesMax
            let next = state + 1 + (isOld ? 0 : Self.use)
            let (isDone, found) = unsafe slot.pointee.state.weakCompareExchange(
                expected: state,
                desired: isOld ? next | Self.isRead : next,
                ordering: .acquiring
            )
            if isDone { return true }
            state = found
        }
        return false
    }

    /// Makes a handle dead, and pins its slot.
    ///
    /// - Returns: The state before; nil if the handle was given back already.
    func kill(_ slot: UnsafeMutablePointer<HandleSlot>, _ word: UInt64) -> UInt64? {
        var state = unsafe slot.pointee.state.load(ordering: .relaxed)
        while state >> 32 == word {
            let (isDone, found) = unsafe slot.pointee.state.weakCompareExchange(
                expected: state,
                desired: (state & ~Self.live) + 1,
                ordering: .sequentiallyConsistent
            )
            if isDone { return state }
            state = found
        }
        return nil
    }

    /// Ends a use; the last one after the handle was given back lets its object go.
    @inline(__always)
    func unpin(_ slot: UnsafeMutablePointer<HandleSlot>) {
        let state = unsafe slot.pointee.state.subtract(1, ordering: .acquiringAndReleasing).newValue
        if state & (Self.live | Self.pinsMask) == 0 { unsafe letGo(slot) }
    }

    private func letGo(_ slot: UnsafeMutablePointer<HandleSlot>) {
        let object = unsafe slot.pointee.object
        unsafe slot.pointee.object = nil
        unsafe push(slot, slot.pointee.number)
        // Last: what it does may take a handle itself.
        if let object = unsafe object { unsafe Unmanaged<AnyObject>.fromOpaque(object).release() }
    }

    var liveCount: UInt64 {
        var count: UInt64 = 0
        for number in 0..<used.load(ordering: .acquiring)
        where unsafe self[number].pointee.state.load(ordering: .relaxed) & Self.live != 0 {
            count += 1
        }
        return count
    }
}

/// The number of the slot that a handle leads to.
@inline(__always)
private func slotNumber(of handle: OpaquePointer?) -> Int {
    Int(UInt64(UInt(bitPattern: handle)) >> 4 & 0xfff_ffff)
}

/// What a handle is read under.
@inline(__always)
private func mark(of handle: OpaquePointer?, _ kind: HandleKind) -> ReadMark {
    ReadMark(kind: UInt32(kind.rawValue), number: UInt32(unsafe slotNumber(of: handle)))
}
