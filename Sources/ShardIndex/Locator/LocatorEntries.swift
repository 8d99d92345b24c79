internal import DAGBytes

/// A section's entry while the locator is built.
struct LocatorEntry {
    /// The hash of the digest, which determines bucket and fingerprint.
    var hash: UInt64
    /// 64 more bits of the keyed hash, mixed with hash function and digest size.
    ///
    /// Two sections with the same `hash` and `check` have the same multihash: the key of these 128 bits is random and
    /// secret.
    var check: UInt64
    /// The payload offset of the section.
    var offset: UInt64
}

/// A growing buffer of entries.
@safe struct LocatorEntries: ~Copyable {
    private var memory: UnsafeMutablePointer<LocatorEntry>?
    private(set) var count = 0
    private(set) var capacity = 0

    init(capacity: Int = 0) {
        // SAFETY: nil points nowhere.
        unsafe self.memory = nil
        if capacity > 0 { grow(to: capacity) }
    }

    // SAFETY: `reserve` allocated the memory, and the buffer's owner is gone.
    deinit { unsafe memory?.deallocate() }

    private mutating func grow(to newCapacity: Int) {
        let larger = UnsafeMutablePointer<LocatorEntry>.allocate(capacity: newCapacity)
        if let old = unsafe memory {
            // SAFETY: `old` has `count` entries, `larger` has room for more, and entries may be copied as bytes.
            unsafe larger.update(from: old, count: count)
            unsafe old.deallocate()
        }
        unsafe memory = larger
        capacity = newCapacity
    }

    subscript(index: Int) -> LocatorEntry {
        get {
            precondition(index >= 0 && index < count)
            // SAFETY: the precondition keeps the index below `count`, and all entries below it are written.
            return unsafe memory.unsafelyUnwrapped[index]
        }
        set {
            precondition(index >= 0 && index < count)
            // SAFETY: the precondition keeps the index below `count`.
            unsafe memory.unsafelyUnwrapped[index] = newValue
        }
    }

    mutating func append(_ entry: LocatorEntry) {
        if count == capacity { grow(to: max(64, capacity * 2)) }
        // SAFETY: `reserve` made `capacity` larger than `count`.
        unsafe memory.unsafelyUnwrapped[count] = entry
        count += 1
    }

    /// Removes the entries and keeps the memory.
    mutating func removeAll() { count = 0 }

    /// Removes the entries and frees the memory.
    mutating func free() {
        // SAFETY: `reserve` allocated the memory, and `count` and `capacity` say that none is left.
        unsafe memory?.deallocate()
        unsafe memory = nil
        count = 0
        capacity = 0
    }

    /// Makes room for `capacity` entries; a larger buffer grows by more than that.
    mutating func reserve(_ capacity: Int) {
        if capacity > self.capacity { grow(to: max(capacity, 2 * self.capacity, 64)) }
    }

    /// Appends `added` entries.
    @unsafe mutating func append(copying source: UnsafePointer<LocatorEntry>, count added: Int) {
        reserve(count + added)
        // SAFETY: `reserve` made room after `count`, and the caller ensures that `source` has `added` entries.
        unsafe (memory.unsafelyUnwrapped + count).update(from: source, count: added)
        count += added
    }

    /// Appends entries from their bytes.
    mutating func append(copying bytes: ByteView) {
        let stride = MemoryLayout<LocatorEntry>.stride
        precondition(bytes.count % stride == 0)
        let added = bytes.count / stride
        if count + added > capacity { grow(to: max(capacity * 2, count + added)) }
        guard added > 0, let source = unsafe bytes.buffer.baseAddress else { return }
        // SAFETY: `reserve` made room for `added` entries after `count`, and entries may be copied as bytes.
        unsafe UnsafeMutableRawPointer(memory.unsafelyUnwrapped + count)
            .copyMemory(from: source, byteCount: bytes.count)
        count += added
    }

    /// Calls `body` with the entries as bytes.
    func withBytes<E: Error>(
        _ body: (ByteView) throws(E) -> Void
    ) throws(E) {
        // SAFETY: all `count` entries are written, and the buffer stays inside `body`.
        let size = count * MemoryLayout<LocatorEntry>.stride
        try unsafe body(ByteView(UnsafeRawBufferPointer(start: memory, count: size)))
    }

    /// Sorts by hash, check and offset, and keeps the first entry of each multihash.
    ///
    /// Hashes are uniform. So one counting pass, over as many buckets as there are entries, leaves each entry a few
    /// places from its own. Insertion does the rest. Equal multihashes keep their order.
    ///
    /// *Cost*: O(count), with `scratch` as large as the entries.
    ///
    /// - Parameters:
    ///   - sharedBits: The number of high bits that all hashes share.
    ///   - scratch: Memory that the call overwrites.
    mutating func sortAndDeduplicate(sharedBits: Int, scratch: inout LocatorEntries) {
        guard count > 1 else { return }
        if count > 32 { scatter(sharedBits: sharedBits, scratch: &scratch) }
        // SAFETY: both loops keep every index in 0..<count.
        let entries = unsafe memory.unsafelyUnwrapped
        for index in 1..<count {
            let entry = unsafe entries[index]
            var hole = index
            while hole > 0, unsafe Self.isBefore(entry, entries[hole - 1]) {
                unsafe entries[hole] = unsafe entries[hole - 1]
                hole -= 1
            }
            if hole != index { unsafe entries[hole] = entry }
        }
        var kept = 1
        for index in 1..<count {
            let entry = unsafe entries[index]
            let last = unsafe entries[kept - 1]
            if entry.hash == last.hash, entry.check == last.check { continue }
            unsafe entries[kept] = entry
            kept += 1
        }
        count = kept
    }

    /// A bucket with more entries than this has them not by chance.
    private static let crowdSizeMin = 64

    private static func isBefore(_ one: LocatorEntry, _ other: LocatorEntry) -> Bool {
        if one.hash != other.hash { return one.hash < other.hash }
        if one.check != other.check { return one.check < other.check }
        return one.offset < other.offset
    }

    private mutating func scatter(sharedBits: Int, scratch: inout LocatorEntries) {
        let bucketCount = UInt64(count)
        var starts = [UInt32](repeating: 0, count: count + 1)
        scratch.removeAll()
        if scratch.capacity < count { scratch.grow(to: count) }
        let shift = UInt64(sharedBits)
        // SAFETY: indices into entries are in 0..<count, and so are the places, because the histogram of `count`
        // entries sums up to `count`. The multiplication keeps buckets below `count`.
        let entries = unsafe memory.unsafelyUnwrapped
        let target = unsafe scratch.memory.unsafelyUnwrapped
        unsafe starts.withUnsafeMutableBufferPointer { starts in
            for index in 0..<count {
                let bucket = unsafe (entries[index].hash << shift)
                    .multipliedFullWidth(by: bucketCount).high
                unsafe starts[Int(bucket) + 1] += 1
            }
            for bucket in 1...count { unsafe starts[bucket] += unsafe starts[bucket - 1] }
            for index in 0..<count {
                let entry = unsafe entries[index]
                let bucket = Int((entry.hash << shift).multipliedFullWidth(by: bucketCount).high)
                unsafe target[Int(starts[bucket])] = entry
                unsafe starts[bucket] += 1
            }
            // One digest with many hash functions falls into one bucket, where insertion would take quadratic time.
            var start = 0
            for bucket in 0..<count {
                let end = unsafe Int(starts[bucket])
                if end - start > Self.crowdSizeMin {
                    var crowd = unsafe UnsafeMutableBufferPointer(
                        start: target + start,
                        count: end - start
                    )
                    unsafe crowd.sort(by: Self.isBefore)
                }
                start = end
            }
        }
        scratch.count = count
        swap(&self, &scratch)
    }
}
