internal import DAGBytes
internal import DAGCAR
internal import DAGMultiformats

/// The offsets of sections, out of an index that exists: a CARv2's own, or a file beside the CAR.
///
/// Such an index knows the digest and the offset of each section. It lacks the codec and version of the CID and the
/// section's size, and many leave the sections of identity CIDs out. The store's index has all of these, so it cannot
/// be made of such an index alone: sizes would be guesses between neighbors, and a wrong index would hide blocks. A
/// sample of the entries could not prove the others right.
///
/// So the index tells where the headers are, and the scan asks for many of them at once. A header counts only when the
/// walk over the sections arrives there, which checks every entry that the scan uses. The store's index is then the
/// same, byte for byte, as that of a local file.
struct SectionHints: Equatable {
    /// The most offsets that are kept; a CAR with more has so small sections that a stream is faster.
    static let countMax = 2 << 20
    /// The wrong hints that are forgiven besides one of eight; sections of identity CIDs may be missing.
    private static let wrongMax = 8

    /// The offsets in the object, in order.
    let offsets: [UInt64]
    private var right = 0
    private var wrong = 0

    /// Creates hints.
    ///
    /// - Parameter offsets: The offsets in the object, in any order.
    init(_ offsets: [UInt64]) { self.offsets = offsets.sorted() }

    /// Returns the first offset after `offset`; nil if there is none.
    func next(after offset: UInt64) -> UInt64? {
        var low = 0
        var high = offsets.count
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] > offset { high = middle } else { low = middle + 1 }
        }
        return low < offsets.count ? offsets[low] : nil
    }

    /// Counts a hint that the walk has reached or missed.
    ///
    /// - Returns: Whether the hints are still worth using.
    mutating func confirm(_ isRight: Bool) -> Bool {
        if isRight { right += 1 } else { wrong += 1 }
        return wrong <= Self.wrongMax + right / 8
    }
}

/// A reader of an index in one of go-car's formats that keeps the offsets alone; see `CARIndex` for the bytes.
///
/// The index is untrusted and comes in parts of any size. *Memory*: a record, and `SectionHints.countMax` offsets.
struct IndexOffsetReader {
    /// The widest record, in bytes; the digests of sections are shorter.
    static let widthMax: UInt64 = 1024
    /// The most buckets, over all hash functions.
    static let bucketsMax = 4096

    private enum Step {
        case codec, codes, code, widths
        case bucket
        case records(width: Int, size: UInt64)
        case end
    }

    private var step = Step.codec
    private var rest: [UInt8] = []
    private var codes: UInt64 = 0
    private var widths: UInt64 = 0
    private var buckets = 0
    private var isSorted = false
    /// The offsets so far, as they stand in the index: from the start of the payload.
    private(set) var offsets: [UInt64] = []

    /// Whether the index is complete; more bytes may follow it.
    var isComplete: Bool {
        guard case .end = step else { return false }
        return true
    }

    /// Reads the next bytes.
    ///
    /// - Throws: `.malformedIndex`; `.limitExceeded` for an index that is too large to be of use.
    mutating func append(_ bytes: [UInt8]) throws(CARError) {
        var view = (rest + bytes)[...]
        while let size = try read(view) { view = view.dropFirst(size) }
        rest = Array(view)
    }

    /// Reads one part.
    ///
    /// - Returns: Its size; nil if it is not there yet, or at the end.
    private mutating func read(_ bytes: ArraySlice<UInt8>) throws(CARError) -> Int? {
        switch step {
        case .codec: return try readCodec(bytes)
        case .codes:
            guard let count = Self.integer(bytes, 4) else { return nil }
            try check(count < 1 << 31, "\(count) codes")
            codes = count
            nextCode()
            return 4
        case .code:
            guard bytes.count >= 8 else { return nil }
            step = .widths
            return 8
        case .widths:
            guard let count = Self.integer(bytes, 4) else { return nil }
            try check(count < 1 << 31, "\(count) widths")
            widths = count
            nextBucket()
            return 4
        case .bucket: return try readBucket(bytes)
        case .records(let width, let size): return try readRecord(bytes, width, size)
        case .end: return nil
        }
    }

    private mutating func readCodec(_ bytes: ArraySlice<UInt8>) throws(CARError) -> Int? {
        let codec = Array(bytes.prefix(Varint.sizeMax)).withView { Varint.decode($0, at: 0) }
        guard codec.size != Varint.Decoded.truncated else { return nil }
        isSorted = codec.value == CARIndex.sorted
        try check(
            codec.size > 0 && (isSorted || codec.value == CARIndex.multihashSorted),
            "an unknown codec"
        )
        codes = 1
        step = isSorted ? .widths : .codes
        return codec.size
    }

    private mutating func readBucket(_ bytes: ArraySlice<UInt8>) throws(CARError) -> Int? {
        guard let width = Self.integer(bytes, 4), let size = Self.integer(bytes.dropFirst(4), 8)
        else { return nil }
        buckets += 1
        guard buckets <= Self.bucketsMax, width <= Self.widthMax,
            size / max(width, 1) <= UInt64(SectionHints.countMax - offsets.count)
        else { throw CARError(.limitExceeded, at: 0, "an index of this size is of no use") }
        try check(width >= 8 && size % width == 0, "\(size) bytes of records of \(width) bytes")
        widths -= 1
        step = .records(width: Int(width), size: size)
        if size == 0 { nextBucket() }
        return 12
    }

    private mutating func readRecord(
        _ bytes: ArraySlice<UInt8>,
        _ width: Int,
        _ size: UInt64
    ) throws(CARError) -> Int? {
        guard let offset = Self.integer(bytes.dropFirst(width - 8), 8) else { return nil }
        offsets.append(offset)
        step = .records(width: width, size: size - UInt64(width))
        if size == UInt64(width) { nextBucket() }
        return width
    }

    private mutating func nextBucket() {
        guard widths == 0 else {
            step = .bucket
            return
        }
        codes -= 1
        nextCode()
    }

    private mutating func nextCode() {
        step = codes == 0 ? .end : isSorted ? .widths : .code
    }

    private static func integer(_ bytes: ArraySlice<UInt8>, _ size: Int) -> UInt64? {
        guard bytes.count >= size else { return nil }
        return bytes.prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func check(_ isRight: Bool, _ problem: @autoclosure () -> String) throws(CARError) {
        guard isRight else { throw CARError(.malformedIndex, at: 0, problem()) }
    }
}
