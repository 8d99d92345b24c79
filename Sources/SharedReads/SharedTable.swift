internal import Synchronization

/// A hash table that threads search without a lock, while one thread at a time changes it.
///
/// ```
/// slots   { address of the object, hash }[2^n]     address 0: never used; 1: removed
/// ```
///
/// A search begins at the hash's slot and ends at a slot that was never used. A slot is used once: a removed object
/// leaves its slot behind. When three quarters of the slots are used, the owner writes a new table with room for
/// twice the objects. So a search never sees one object's hash beside another's address. Old slots and removed
/// objects live until their readers have ended.
///
/// *Cost*: a search touches one or two cache lines of the slots, and the object.
///
/// *Concurrency*: any thread calls `find` within a reading of the mark. The owner calls everything else, under its
/// own lock.
@safe public final class SharedTable<Object: AnyObject & Sendable>: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: slots are atomic words. The owner writes an object before its address, and the
    // object lives until all readers that may have its address have ended.
    @usableFromInline let slots: SharedReference<TableSlots>
    /// The slots that are not free, with those of removed objects.
    private var usedCount = 0
    private let objectCount = Atomic<Int>(0)
    private let mark: ReadMark

    /// Creates an empty table.
    ///
    /// - Parameter mark: The mark under which threads read the table.
    public init(readUnder mark: ReadMark) {
        self.mark = mark
        slots = SharedReference(TableSlots(capacity: 16), readUnder: mark)
    }

    deinit { removeAll() }

    /// Finds an object by its hash; the object stays alive until the reading ends.
    ///
    /// - Parameters:
    ///   - hash: The hash it was inserted with.
    ///   - isMatch: Whether an object with this hash is the wanted one.
    /// - Returns: The object; nil if there is none.
    @inlinable
    @inline(__always)
    public func find(_ hash: UInt64, where isMatch: (Object) -> Bool) -> Borrowed<Object>? {
        let slots = slots.borrowed
        var place = Int(truncatingIfNeeded: hash)
        while true {
            let address = slots.with { $0.find(hash, from: &place) }
            guard address != 0 else { return nil }
            // SAFETY: the address is that of an object which lives until this reading has ended.
            let object: Borrowed<Object> = unsafe Borrowed(at: address)
            if object.with(isMatch) { return object }
        }
    }

    /// The number of objects; any thread may read it.
    public var count: Int { objectCount.load(ordering: .relaxed) }

    /// Calls `body` with every object, unordered; the caller is in a reading of the mark.
    public func forEach(_ body: (Object) -> Void) {
        slots.borrowed.with { slots in
            slots.forEach { address, _ in
                // SAFETY: the address is that of an object which lives until this reading has ended.
                unsafe Borrowed<Object>(at: address).with(body)
            }
        }
    }

    // MARK: Changing

    /// Adds an object.
    public func insert(_ object: Object, _ hash: UInt64) {
        if usedCount >= slots.object.capacity / 4 * 3 { rewrite() }
        // SAFETY: `retire` releases the object after its removal.
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

    /// Removes the object that is identical to `object`; it lives until its readers have ended.
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
        // SAFETY: `insert` retained the object once, for this release.
        unsafe Reclaimer.retire(Unmanaged.passUnretained(object).takeRetainedValue(), mark)
    }

    /// The objects, unordered.
    public var objects: [Object] {
        var found: [Object] = []
        found.reserveCapacity(count)
        slots.object.forEach { address, _ in
            // SAFETY: the table retains its objects, and only the calling owner removes any.
            found.append(unsafe Borrowed<Object>(at: address).object)
        }
        return found
    }
}
