internal import CDAGSystem

/// A bounds-checked, read-only view of bytes that another object owns.
///
/// The zero-copy readers of this package take a `ByteView` over a mapping, a read buffer or a database page, and
/// return ranges of it. Each load compares its bounds with `count`; a load out of bounds is a bug of the caller and
/// traps. The code that creates a view keeps the bytes alive and unchanged while the view is used.
///
/// *Concurrency*: a view is two words; any thread may read through it.
@safe public struct ByteView: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: a view never writes, and its creator promises that the bytes stay alive and
    // unchanged while the view is used.

    /// The first byte.
    @usableFromInline let start: UnsafeRawPointer
    /// The number of bytes.
    public let count: Int

    /// Views the bytes of `buffer`.
    ///
    /// - Parameter buffer: The bytes; alive and unchanged for as long as the view is used.
    @inlinable
    @unsafe
    public init(_ buffer: UnsafeRawBufferPointer) {
        self.count = buffer.count
        // SAFETY: a view without bytes never dereferences its start, so any address is valid for it.
        unsafe self.start = buffer.baseAddress ?? Self.nowhere
    }

    @usableFromInline static var nowhere: UnsafeRawPointer {
        // SAFETY: one is not zero, so the pointer is not null. No code dereferences it, because `count` is 0.
        unsafe UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
    }

    /// A view of nothing.
    @inlinable public static var empty: ByteView {
        // SAFETY: the view has no bytes that must stay alive.
        unsafe ByteView(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Whether there are no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// The bytes as a buffer pointer.
    ///
    /// - Returns: A pointer that is valid while the view's creator keeps the bytes alive.
    @inlinable
    @unsafe
    public var buffer: UnsafeRawBufferPointer {
        // SAFETY: the view's creator keeps the `count` bytes from `start` on alive; the caller answers for the
        // pointer's use.
        unsafe UnsafeRawBufferPointer(start: start, count: count)
    }

    /// One byte.
    @inlinable public subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "a byte outside the view")
        // SAFETY: the precondition keeps the byte inside the view.
        return unsafe start.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// A view of `range`, which lies inside this one.
    @inlinable public subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a range outside the view")
        // SAFETY: the precondition keeps the range inside this view, whose creator keeps the bytes alive.
        return unsafe ByteView(
            UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
        )
    }

    /// Returns a little-endian 16-bit integer at any alignment.
    @inlinable public func loadUInt16(at offset: Int) -> UInt16 {
        precondition(offset >= 0 && offset <= count - 2, "a load outside the view")
        // SAFETY: the precondition keeps both bytes inside the view.
        return unsafe UInt16(
            littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        )
    }

    /// Returns a little-endian 32-bit integer at any alignment.
    @inlinable public func loadUInt32(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset <= count - 4, "a load outside the view")
        // SAFETY: the precondition keeps all four bytes inside the view.
        return unsafe UInt32(
            littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        )
    }

    /// Returns a little-endian 64-bit integer at any alignment.
    @inlinable public func loadUInt64(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8, "a load outside the view")
        // SAFETY: the precondition keeps all eight bytes inside the view.
        return unsafe UInt64(
            littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        )
    }

    /// Returns whether the bytes of two views are the same.
    ///
    /// *Cost*: O(count), eight bytes a step.
    @inline(__always)
    @inlinable public func elementsEqual(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else { return shortElementsEqual(other) }
        var difference: UInt64 = 0
        var offset = 0
        while offset <= count &- 8 {
            difference |= loadUInt64(at: offset) ^ other.loadUInt64(at: offset)
            guard difference == 0 else { return false }
            offset &+= 8
        }
        // The last eight bytes; the loop has compared some of them already.
        return loadUInt64(at: count &- 8) == other.loadUInt64(at: count &- 8)
    }

    /// The offset of the first byte that is not zero; nil if all bytes are zero.
    ///
    /// *Cost*: O(count), 32 bytes a step.
    public var firstNonzero: Int? {
        var offset = 0
        while offset <= count &- 32 {
            let bits =
                loadUInt64(at: offset) | loadUInt64(at: offset &+ 8)
                | loadUInt64(at: offset &+ 16) | loadUInt64(at: offset &+ 24)
            guard bits == 0 else { break }
            offset &+= 32
        }
        return (offset..<count).first { self[$0] != 0 }
    }

    @usableFromInline func shortElementsEqual(_ other: ByteView) -> Bool {
        var offset = 0
        while offset < count {
            guard self[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }

    /// Returns whether the bytes come before those of `other`, compared as unsigned bytes from the left.
    public func lexicographicallyPrecedes(_ other: ByteView) -> Bool {
        let shared = min(count, other.count)
        var offset = 0
        while offset + 8 <= shared {
            let mine = loadUInt64(at: offset).byteSwapped
            let theirs = other.loadUInt64(at: offset).byteSwapped
            guard mine == theirs else { return mine < theirs }
            offset += 8
        }
        while offset < shared {
            guard self[offset] == other[offset] else { return self[offset] < other[offset] }
            offset += 1
        }
        return count < other.count
    }

    /// Asks the processor to load the cache line at `offset`; any offset is valid.
    public func prefetch(at offset: Int) {
        let address = unsafe UInt(bitPattern: start) &+ UInt(bitPattern: offset)
        // SAFETY: a prefetch reads nothing and never faults, whatever the address.
        unsafe dagstore_prefetch(UnsafeRawPointer(bitPattern: address))
    }

    /// Asks the system to read the bytes of a mapped file ahead, without waiting for them.
    ///
    /// *Cost*: a system call, and some 15 ns for each page that is in memory already.
    public func willNeed() {
        guard count > 0 else { return }
        // SAFETY: the advice is about the view's own bytes, and changes none of them.
        unsafe dagstore_will_need(start, count)
    }

    /// The bytes as a span, for as long as the view is borrowed.
    public var span: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeBytes: buffer)
            // SAFETY: the view's creator keeps the bytes alive while the view is used.
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A copy of the bytes.
    public var copied: [UInt8] {
        // SAFETY: the view's creator keeps the bytes alive during the call.
        unsafe [UInt8](buffer)
    }

    /// The bytes in lower-case hexadecimal, two digits a byte.
    public var hexadecimal: String {
        let text = [UInt8](capacity: 2 * count) { (text: inout OutputSpan<UInt8>) in
            for offset in 0..<count {
                text.append(Self.hexadecimalDigit(self[offset] >> 4))
                text.append(Self.hexadecimalDigit(self[offset] & 15))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    @inline(__always)
    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &- 10 &+ value
    }
}

extension [UInt8] {
    /// Calls `body` with a view of the elements, valid inside `body` only.
    @inlinable public func withView<R, E: Error>(
        _ body: (ByteView) throws(E) -> R
    ) throws(E) -> R {
        try unsafe span.bytes.withUnsafeBytes { (buffer) throws(E) -> R in
            // SAFETY: the array is borrowed for the call, so its bytes stay alive and unchanged.
            try unsafe body(ByteView(buffer))
        }
    }
}
