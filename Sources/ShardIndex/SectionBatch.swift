package import DAGBytes
package import DAGMultiformats

/// Some sections in CAR order, on their way from the scan to the index.
///
/// *Memory*: some 80 KiB; more where digests are long. *Concurrency*: one thread at a time.
@safe package struct SectionBatch: ~Copyable, @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: a batch has one owner, which alone reads and writes its memory.

    /// The most sections in a batch.
    package static let countMax = 2048
    /// A batch takes no more sections when its digests reach this size.
    private static let digestsSizeSoftMax = 256 << 10
    /// A batch takes no more sections when they reach over so many bytes of payload: the one who waits hears of it.
    private static let spanSoftMax: UInt64 = 16 << 20

    /// Sections whose CIDs differ in their digests only.
    struct Run {
        let layout: CIDLayout
        /// The first of them.
        let first: Int
        /// Where their digests start.
        let digestStart: Int
    }

    /// Where the first section starts in the payload.
    private(set) var start: UInt64 = 0
    /// The sections.
    package private(set) var count = 0
    /// The runs, by their first sections.
    private(set) var runs: [Run] = []
    private let endsMemory: UnsafeMutablePointer<UInt64>
    private var digestMemory: UnsafeMutableRawBufferPointer
    private var digestsSize = 0

    /// An empty batch.
    package init() {
        unsafe endsMemory = .allocate(capacity: Self.countMax)
        unsafe digestMemory = .allocate(byteCount: Self.countMax * 32, alignment: 16)
    }

    deinit {
        unsafe endsMemory.deallocate()
        unsafe digestMemory.deallocate()
    }

    /// Whether the batch takes no more sections.
    package private(set) var isFull = false

    /// Where the last section ends; where the first starts if there is none.
    package var end: UInt64 {
        // SAFETY: the first `count` were written.
        count == 0 ? start : unsafe endsMemory[count - 1]
    }

    /// Where each section ends.
    var ends: Span<UInt64> {
        @_lifetime(borrow self)
        get {
            // SAFETY: the first `count` were written, and live as long as the batch.
            let buffer = unsafe UnsafeBufferPointer(start: endsMemory, count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// The digests, one after the other; valid until the batch changes.
    var digests: ByteView {
        // SAFETY: the first `digestsSize` bytes were written, and live as long as the batch.
        unsafe ByteView(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digestMemory)[0..<digestsSize])
        )
    }

    /// Adds the section after the last one.
    ///
    /// - Parameters:
    ///   - offset: Where it starts in the payload; where the one before it ends.
    ///   - size: Its whole size.
    ///   - layout: Its CID's parts.
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

    /// Forgets the sections and keeps the memory.
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
        // SAFETY: `larger` has room for what was written.
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(digestMemory))
        unsafe digestMemory.deallocate()
        unsafe digestMemory = larger
    }
}
