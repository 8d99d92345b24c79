package import DAGBytes
package import DAGMultiformats

/// Some sections in CAR order, between the scan and the index.
///
/// *Memory*: some 80 KiB; more where digests are long. *Concurrency*: one thread at a time.
@safe package struct SectionBatch: ~Copyable, @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: a batch has one owner, and only the owner reads and writes its memory.

    /// The largest number of sections in a batch.
    package static let countMax = 2048
    /// The size of digests at which a batch is full.
    private static let digestsSizeSoftMax = 256 << 10
    /// The number of payload bytes at which a batch is full, so that progress reports come often enough.
    private static let spanSoftMax: UInt64 = 16 << 20

    /// Sections whose CIDs differ only in their digests.
    struct Run {
        let layout: CIDLayout
        /// The number of the first section.
        let first: Int
        /// The offset of the first digest.
        let digestStart: Int
    }

    /// The payload offset of the first section.
    private(set) var start: UInt64 = 0
    /// The number of sections.
    package private(set) var count = 0
    /// The runs, by their first sections.
    private(set) var runs: [Run] = []
    private let endsMemory: UnsafeMutablePointer<UInt64>
    private var digestMemory: UnsafeMutableRawBufferPointer
    private var digestsSize = 0

    /// Creates an empty batch.
    package init() {
        // SAFETY: the batch owns the memory, and reads only what `append` has written.
        unsafe endsMemory = .allocate(capacity: Self.countMax)
        unsafe digestMemory = .allocate(byteCount: Self.countMax * 32, alignment: 16)
    }

    deinit {
        // SAFETY: `init` or `append` allocated the memory, and the batch is gone.
        unsafe endsMemory.deallocate()
        unsafe digestMemory.deallocate()
    }

    /// Whether the batch is full.
    package private(set) var isFull = false

    /// The end of the last section; the start of the batch if it is empty.
    package var end: UInt64 {
        // SAFETY: the first `count` ends are written.
        count == 0 ? start : unsafe endsMemory[count - 1]
    }

    /// The end of each section.
    var ends: Span<UInt64> {
        @_lifetime(borrow self)
        get {
            // SAFETY: the first `count` ends are written, and live as long as the batch.
            let buffer = unsafe UnsafeBufferPointer(start: endsMemory, count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// The digests, one after the other; valid until the batch changes.
    var digests: ByteView {
        // SAFETY: the first `digestsSize` bytes are written, and live as long as the batch.
        unsafe ByteView(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digestMemory)[0..<digestsSize])
        )
    }

    /// Adds the section after the last one.
    ///
    /// - Parameters:
    ///   - offset: Its payload offset, which is the end of the section before.
    ///   - size: The size of the section.
    ///   - layout: The parts of its CID.
    ///   - digest: The digest.
    package mutating func append(offset: UInt64, size: UInt64, layout: CIDLayout, digest: ByteView)
    {
        precondition(count < Self.countMax, "the batch is full")
        if count == 0 { start = offset }
        if runs.last?.layout != layout {
            runs.append(Run(layout: layout, first: count, digestStart: digestsSize))
        }
        let newSize = digestsSize + digest.count
        if unsafe newSize > digestMemory.count { grow(to: newSize) }
        // SAFETY: there is room for the digest after `digestsSize`, and for an end after `count`.
        if digest.count == 32 {
            let target = unsafe digestMemory.baseAddress.unsafelyUnwrapped + digestsSize
            for word in 0..<4 {
                let value = digest.loadUInt64(at: 8 &* word).littleEndian
                unsafe target.storeBytes(of: value, toByteOffset: 8 &* word, as: UInt64.self)
            }
        } else if let source = unsafe digest.buffer.baseAddress {
            unsafe (digestMemory.baseAddress.unsafelyUnwrapped + digestsSize)
                .copyMemory(from: source, byteCount: digest.count)
        }
        digestsSize = newSize
        unsafe endsMemory[count] = offset + size
        count += 1
        isFull =
            count == Self.countMax || digestsSize >= Self.digestsSizeSoftMax
            || offset + size - start >= Self.spanSoftMax
    }

    /// Removes the sections and keeps the memory.
    package mutating func removeAll() {
        count = 0
        isFull = false
        digestsSize = 0
        runs.removeAll(keepingCapacity: true)
    }

    private mutating func grow(to size: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: unsafe max(size, 2 * digestMemory.count),
            alignment: 16
        )
        // SAFETY: `larger` has room for the bytes that are written.
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(digestMemory))
        unsafe digestMemory.deallocate()
        unsafe digestMemory = larger
    }
}
