internal import DAGBytes
internal import DAGMultiformats

/// A non-decreasing sequence of numbers in Elias-Fano, read in place.
///
/// `IndexPage` draws the bytes.
///
/// *Limits*: at most 256 values below 2^62. A column of unchecked bytes may return any value, but it loads
/// only bytes of its view.
struct EliasFanoColumn: Sendable {
    /// The bytes that contain the column.
    private let bytes: ByteView
    private let count: Int
    /// The largest value that a checked column may have.
    let span: UInt64
    /// The number of low bits of each value that are stored apart.
    let low: Int
    /// The first byte of the low parts.
    let start: Int
    /// The first byte of the high parts.
    let highsStart: Int
    /// The bits of the high parts, in whole bytes.
    private let highsCount: Int

    /// Reads the column's size and takes its bytes.
    ///
    /// The result is nil if the column does not fit `bytes`, or the sum of base and span reaches 2^62.
    ///
    /// - Parameters:
    ///   - bytes: The decoded body of a page, or the page.
    ///   - offset: The byte after the column's tag. On return, the byte after the column.
    ///   - base: The caller's summand of each value; below 2^62.
    ///   - count: The number of values, 1 to 256.
    @inline(__always)
    init?(reading bytes: ByteView, at offset: inout Int, base: UInt64, count: Int) {
        let decoded = Varint.decode(bytes, at: offset)
        let span = decoded.value
        let low = min(IndexPage.lowBits(span: span, count: count), ByteView.bitWidthMax)
        guard decoded.size > 0, span < 1 << 62 &- base, span &>> UInt64(low) < 1 << 16 else {
            return nil
        }
        let lowsSize = (low &* count &+ 7) >> 3
        let highsSize = (Int(truncatingIfNeeded: span &>> UInt64(low)) &+ count &+ 7) >> 3
        let start = offset &+ decoded.size
        guard lowsSize &+ highsSize <= bytes.count &- start else { return nil }
        offset = start &+ lowsSize &+ highsSize
        self.init(
            bytes,
            count: count,
            span: span,
            low: low,
            start: start,
            highs: start &+ lowsSize..<offset
        )
    }

    /// Creates a column from its known places.
    ///
    /// - Parameters:
    ///   - bytes: The bytes that contain the column.
    ///   - count: The number of values.
    ///   - span: The largest value that the column may have.
    ///   - low: The number of low bits of each value that are stored apart.
    ///   - start: The first byte of the low parts.
    ///   - highs: The bytes of the high parts, after those of all low parts.
    @inline(__always)
    init(_ bytes: ByteView, count: Int, span: UInt64, low: Int, start: Int, highs: Range<Int>) {
        self.bytes = bytes
        self.count = count
        self.span = span
        self.low = low
        self.start = start
        self.highsStart = highs.lowerBound
        self.highsCount = 8 &* highs.count
    }

    /// Calls `body` with every value, in order.
    ///
    /// - Throws: `.malformed` if there are fewer values than `count`, or a value falls or exceeds the span.
    func forEachValue(_ body: (UInt64) -> Void) throws(ShardIndexError) {
        var bit = 0
        var last: UInt64 = 0
        for index in 0..<count {
            bit = firstSetBit(from: bit)
            guard bit < highsCount else {
                throw ShardIndexError(.malformed, "an offset column has too few values")
            }
            let value = value(index, at: bit)
            bit += 1
            guard value >= last, value <= span else {
                throw ShardIndexError(.malformed, "an offset column is not in order")
            }
            last = value
            body(value)
        }
    }

    /// Returns value number `index`, or 0 if an unchecked column has fewer values.
    func value(_ index: Int) -> UInt64 {
        let bit = position(of: index, flipping: 0)
        return bit < highsCount ? value(index, at: bit) : 0
    }

    /// Returns the difference of value `index` and the value before it; the first value as it is.
    func difference(_ index: Int) -> UInt64 {
        guard index > 0 else { return value(0) }
        let before = position(of: index - 1, flipping: 0)
        let bit = firstSetBit(from: before + 1)
        guard bit < highsCount else { return 0 }
        return value(index, at: bit) &- value(index - 1, at: before)
    }

    /// Finds the number of the first value that equals `value`.
    ///
    /// *Cost*: counts the bits of the high parts, 64 at a time, then reads the low parts of all values
    /// that share the high part of `value`.
    @inline(__always)
    func firstIndex(of value: UInt64) -> Int? {
        guard value <= span else { return nil }
        let high = Int(truncatingIfNeeded: value &>> UInt64(low))
        // The values with this high part follow as many zeros.
        var bit = high == 0 ? 0 : position(of: high - 1, flipping: ~0) + 1
        var index = bit - high
        let rest = value & ((1 &<< UInt64(low)) &- 1)
        while index < count, bit < highsCount {
            guard bytes[highsStart &+ bit >> 3] &>> UInt8(bit & 7) & 1 == 1 else { return nil }
            let found = lowPart(index)
            guard found < rest else { return found == rest ? index : nil }
            bit &+= 1
            index &+= 1
        }
        return nil
    }

    // MARK: Bits

    private func value(_ index: Int, at bit: Int) -> UInt64 {
        let high = UInt64(truncatingIfNeeded: bit &- index) &<< UInt64(low)
        return high | lowPart(index)
    }

    @inline(__always)
    private func lowPart(_ index: Int) -> UInt64 {
        let bit = index &* low
        let word = bytes.loadWord(at: start &+ bit >> 3) &>> UInt64(bit & 7)
        return word & ((1 &<< UInt64(low)) &- 1)
    }

    /// Returns the position of bit number `rank` among those set after an exclusive or with `mask`.
    ///
    /// A position from `highsCount` on means that there is none.
    @inline(__always)
    private func position(of rank: Int, flipping mask: UInt64) -> Int {
        var rank = rank
        var start = 0
        while start < highsCount {
            let word = bytes.loadWord(at: highsStart &+ start >> 3) ^ mask
            let ones = word.nonzeroBitCount
            if rank < ones { return start &+ word.position(ofSetBit: rank) }
            rank &-= ones
            start &+= 64
        }
        return highsCount
    }

    /// Returns the first set bit from `bit` on; any position from `highsCount` on means none.
    private func firstSetBit(from bit: Int) -> Int {
        var start = bit
        while start < highsCount {
            let word = bytes.loadWord(at: highsStart &+ start >> 3) &>> UInt64(start & 7)
            if word != 0 { return start &+ word.trailingZeroBitCount }
            start = (start &+ 64) & ~7
        }
        return highsCount
    }
}
