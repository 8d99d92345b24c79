internal import Synchronization

/// A hash table that threads search without a lock, while one thread at a time changes it.
///
/// ```
/// slots   { address of the object, hash }[2^n]     address 0: never used; 1: removed
/// ```
///
/// A search goes from the hash's slot on until it meets one that was never used. A slot is used once: a removed
/// object leaves its slot behind, and when three quarters are used the table is written anew with room for twice
/// what is in it. So a search never sees one object's hash beside another's address. Old slots and removed objects
/// go when their readers have ended.
///
/// *Cost*: a search touches one line, or two, of the slots, and the object.
///
/// *Concurrency*: `find` by any thread within a reading of the mark; everything else by the owner, under the
/// owner's lock.
@safe public final class SharedTable<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: slots are atomic words. An object is written before its address, and lives
    // until readers that may have its address have ended.
    @usableFromInline let slots: SharedReference<TableSlots>
    /// Slots that are not free, removed ones too.
    private var usedCount = 0
    private let objectCount = Atomic<Int>(0)
    private let mark: ReadMark

    /// A table of nothing.
    ///
    /// - Parameter mark: Under which it is read.
    public init(readUnder mark: ReadMark) {
        self.mark = mark
        slots = SharedReference(TableSlots(capacity: 16), readUnder: mark)
    }

    deinit { removeAll() }

    /// An object with a hash, for as long as the reading lasts.
    ///
    /// - Parameters:
    ///   - hash: The hash it was inserted with.
    ///   - isMatch: Tells it from another one with the same hash.
    /// - Returns: The object; nil if there is none.
    @inlinable
    @inline(__always)
    public func find(_ hash: UInt64, where isMatch: (Object) -> Bool) -> Borrowed<Object>? {
        let slots = slots.borrowed
        var place = Int(truncatingIfNeeded: hash)
        while true {
            let address = slots.with { $0.find(hash, from: &place) }
            guard address != 0 else { return nil }
            // SAFETY: the address of an object that lives until this reading has ended.
            let object: Borrowed<Object> = unsafe Borrowed(at: address)
            if object.with(isMatch) { return object }
        }
    }

    /// The number of objects; any thread may ask.
    public var count: Int { objectCount.load(ordering: .relaxed) }

    /// Calls `body` with every object, in no order; within a reading of the mark.
    public func forEach(_ body: (Object) -> Void) {
        slots.borrowed.with { slots in
            slots.forEach { address, _ in
                // SAFETY: as in `find`.
                unsafe Borrowed<Object>(at: address).with(body)
            }
        }
    }

    // MARK: Changing

    /// Adds an object.
    public func insert(_ object: Object, _ hash: UInt64) {
        if usedCount >= slots.object.capacity / 4 * 3 { rewrite() }
        // SAFETY: released when the object is removed.
        _ = unsafe Unmanaged.passRetained(object)
        slots.object.store(Borrowed(object).address, hash)
        usedCount += 1
        objectCount.add(1, ordering: .relaxed)
    }

    private func rewrite() {
        let old = slots.object
        let new = TableSlots(capacity: max(16, 4 * count))
        old.forEach { address, hash in new.store(address, hash) }
        usedCount = count
        slots.exchange(new)
    }

    /// Removes the object that is `object` itself; it goes when its readers have ended.
    ///
    /// - Returns: Whether it was there.
    @discardableResult
    public func remove(_ object: Object, _ hash: UInt64) -> Bool {
        guard slots.object.remove(Borrowed(object).address, hash) else { return false }
        objectCount.subtract(1, ordering: .relaxed)
        retire(object)
        return true
    }

    /// Removes all objects.
    public func removeAll() {
        let old = objects
        slots.exchange(TableSlots(capacity: 16))
        usedCount = 0
        objectCount.store(0, ordering: .relaxed)
        for object in old { retire(object) }
    }

    /// Gives the table's reference to an object to the reclaimer.
    private func retire(_ object: Object) {
        // SAFETY: the reference that `insert` took.
        unsafe Reclaimer.retire(Unmanaged.passUnretained(object).takeRetainedValue(), mark)
    }

    /// The objects, in no order.
    public var objects: [Object] {
        var found: [Object] = []
        found.reserveCapacity(count)
        slots.object.forEach { address, _ in
            // SAFETY: the table keeps its objects alive.
            found.append(unsafe Borrowed<Object>(at: address).object)
        }
        return found
    }
}
