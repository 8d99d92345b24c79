internal import DAGBytes

/// A reader of one protobuf message.
///
/// ```
/// field  uv(number << 3 | wire type)  then, by wire type
///        0: uv(value)   1: 8 bytes   2: uv(size) bytes   5: 4 bytes
/// ```
///
/// Source: protobuf.dev, "Encoding".
struct ProtobufReader {
    enum WireType: UInt64 { case varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 }

    /// One field, with the place of its bytes or with its number.
    struct Field {
        var number: UInt64
        var type: WireType
        /// The value of a varint or of a fixed number.
        var value: UInt64 = 0
        /// The bytes of a field of type `bytes`, in the reader's view.
        var range: Range<Int> = 0..<0
    }

    private let view: ByteView
    private let end: Int
    private var offset: Int
    /// Whether numbers must take as few bytes as they can.
    private let isCanonical: Bool

    init(_ view: ByteView, _ range: Range<Int>, isCanonical: Bool) {
        self.view = view
        offset = range.lowerBound
        end = range.upperBound
        self.isCanonical = isCanonical
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { offset >= end }

    /// Reads the next field; nil at the end.
    @inline(__always)
    mutating func next() throws(IPLDError) -> Field? {
        guard offset < end else { return nil }
        let tag = try varint()
        guard let type = WireType(rawValue: tag & 7), tag >> 3 != 0, tag >> 3 < 1 << 29 else {
            throw malformed("a field of an unknown kind")
        }
        var field = Field(number: tag >> 3, type: type)
        switch type {
        case .varint: field.value = try varint()
        case .bytes:
            let size = try varint()
            guard size <= UInt64(end - offset) else { throw malformed("a field is cut short") }
            field.range = offset..<offset + Int(size)
            offset += Int(size)
        case .fixed32, .fixed64:
            let size = type == .fixed32 ? 4 : 8
            guard size <= end - offset else { throw malformed("a field is cut short") }
            field.value =
                type == .fixed32
                ? UInt64(view.loadUInt32(at: offset)) : view.loadUInt64(at: offset)
            offset += size
        }
        return field
    }

    /// Reads a varint of up to 64 bits.
    @inline(__always)
    mutating func varint() throws(IPLDError) -> UInt64 {
        if offset < end {
            let byte = view[offset]
            if byte < 0x80 {
                offset += 1
                return UInt64(byte)
            }
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(IPLDError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard offset + index < end else { throw malformed("a number is cut short") }
            let byte = view[offset + index]
            guard index < 9 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            guard byte < 0x80 else { continue }
            guard !isCanonical || byte != 0 || index == 0 else {
                throw malformed("a number takes more bytes than it needs")
            }
            offset += index + 1
            return value
        }
        throw malformed("a number has more than 64 bits")
    }

    private func malformed(_ what: String) -> IPLDError {
        IPLDError(.malformedBlock, "\(what), at byte \(offset)")
    }
}
