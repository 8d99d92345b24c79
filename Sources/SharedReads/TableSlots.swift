public import Synchronization

/// The slots of a `SharedTable`.
@safe public final class TableSlots: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the words are atomic.
    @usableFromInline struct Slot: ~Copyable {
        @usableFromInline let address = Atomic<UInt>(0)
        @usableFromInline let hash = Atomic<UInt64>(0)
    }

    @usableFromInline static var removed: UInt { 1 }

    @usableFromInline let start: UnsafeMutablePointer<Slot>
    @usableFromInline let mask: Int
    var capacity: Int { mask + 1 }

    /// Creates at least `capacity` free slots.
    init(capacity: Int) {
        let count = 1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount)
        mask = count - 1
        // SAFETY: the loop initializes each of the `count` allocated slots once.
        unsafe start = .allocate(capacity: count)
        for index in 0..<count { unsafe (start + index).initialize(to: Slot()) }
    }

    deinit {
        // SAFETY: `init` initialized all slots.
        unsafe start.deinitialize(count: capacity)
        unsafe start.deallocate()
    }

    /// Returns the words of a slot.
    ///
    /// It loads the address first, because the owner wrote the hash before it.
    @inlinable
    @inline(__always)
    func load(_ place: Int) -> (address: UInt, hash: UInt64) {
        // SAFETY: the mask keeps the place inside the slots.
        let slot = unsafe start + (place & mask)
        let address = unsafe slot.pointee.address.load(ordering: .acquiring)
        return unsafe (address, slot.pointee.hash.load(ordering: .relaxed))
    }

    /// Returns the address of the next object with a hash.
    ///
    /// - Parameters:
    ///   - hash: The hash.
    ///   - place: The first place to look at. On return, the place after the one found.
    /// - Returns: The address; 0 if there is no such object.
    @inlinable
    @inline(__always)
    func find(_ hash: UInt64, from place: inout Int) -> UInt {
        while true {
            let found = load(place)
            place &+= 1
            if found.address == 0 { return 0 }
            if found.hash == hash, found.address != Self.removed { return found.address }
        }
    }

    /// Writes into the next free slot; the caller ensures that there is one.
    func store(_ address: UInt, _ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash)
        while load(place).address != 0 { place &+= 1 }
        // SAFETY: the mask keeps the place inside the slots.
        let slot = unsafe start + (place & mask)
        unsafe slot.pointee.hash.store(hash, ordering: .relaxed)
        unsafe slot.pointee.address.store(address, ordering: .releasing)
    }

    /// Marks the slot of an object as removed.
    ///
    /// - Returns: Whether the object was there.
    func remove(_ address: UInt, _ hash: UInt64) -> Bool {
        var place = Int(truncatingIfNeeded: hash)
        while true {
            let found = load(place)
            if found.address == 0 { return false }
            if found.address == address {
                // SAFETY: the mask keeps the place inside the slots.
                unsafe (start + (place & mask)).pointee.address
                    .store(Self.removed, ordering: .releasing)
                return true
            }
            place &+= 1
        }
    }

    /// Calls `body` for every object.
    func forEach(_ body: (_ address: UInt, _ hash: UInt64) -> Void) {
        for place in 0..<capacity {
            let (address, hash) = load(place)
            if address > Self.removed { body(address, hash) }
        }
    }
}
