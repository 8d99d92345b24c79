/// What a `Range` field asks for.
///
/// A range of several parts, another unit and malformed text ask for everything: RFC 9110, section 14.2, lets a
/// server ignore the field.
package enum ByteRange: Sendable, Equatable {
    /// From `first` to `last`, inclusive.
    case between(first: UInt64, last: UInt64)
    /// The last `count` bytes.
    case last(count: UInt64)

    /// What to send of a representation.
    package enum Selection: Sendable, Equatable {
        /// A part that is not empty.
        case part(Range<UInt64>)
        /// No byte of the range exists: status 416.
        case unsatisfiable
    }

    /// Reads the value of a `Range` field.
    ///
    /// Numbers beyond 64 bits count as the largest one.
    ///
    /// - Returns: The range; nil if the field asks for everything.
    package init?(field text: String) {
        let bytes = Array(text.utf8)
        let unit = Array("bytes=".utf8)
        guard bytes.count > unit.count,
            bytes.prefix(unit.count).lazy.map(Self.lowercased).elementsEqual(unit)
        else { return nil }
        let range = Self.trimmed(bytes[unit.count...])
        guard let dash = range.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let first = range[..<dash]
        let last = range[(dash + 1)...]
        if first.isEmpty {
            guard let count = Self.number(last) else { return nil }
            self = .last(count: count)
            return
        }
        guard let start = Self.number(first) else { return nil }
        guard !last.isEmpty else {
            self = .between(first: start, last: .max)
            return
        }
        guard let end = Self.number(last), end >= start else { return nil }
        self = .between(first: start, last: end)
    }

    /// Returns the part of a representation of `size` bytes.
    package func selection(of size: UInt64) -> Selection {
        switch self {
        case .between(let first, let last):
            guard first < size else { return .unsatisfiable }
            return .part(first..<min(last, size - 1) + 1)
        case .last(let count):
            guard count > 0, size > 0 else { return .unsatisfiable }
            return .part(size - min(count, size)..<size)
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (tens, isLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            value = isLarge || isLarger ? .max : sum
        }
        return value
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let byte = bytes.first, byte == 0x20 || byte == 0x09 { bytes.removeFirst() }
        while let byte = bytes.last, byte == 0x20 || byte == 0x09 { bytes.removeLast() }
        return bytes
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
