/// The value of a `Content-Range` header.
///
/// *Shape*: `bytes first-last/size`, `bytes first-last/*` or `bytes */size`; `last` belongs to the range.
///
/// Source: RFC 9110, section 14.4.
package struct ContentRange: Hashable, Sendable {
    /// The bytes of the body; nil if the range could not be satisfied.
    package let range: Range<UInt64>?
    /// The size of the whole object; nil if the server does not know it.
    package let size: UInt64?

    /// Parses a header's value; nil if it is malformed.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= 64, bytes.prefix(6).elementsEqual("bytes ".utf8),
            let slash = bytes.firstIndex(of: UInt8(ascii: "/"))
        else { return nil }
        let range = bytes[6..<slash]
        let size = bytes[(slash + 1)...]
        let star = [UInt8(ascii: "*")]
        if size.elementsEqual(star) {
            self.size = nil
        } else {
            guard let number = Self.number(size) else { return nil }
            self.size = number
        }
        if range.elementsEqual(star) {
            guard self.size != nil else { return nil }
            self.range = nil
            return
        }
        let ends = range.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]),
            first <= last, last < .max, self.size.map({ last < $0 }) ?? true
        else { return nil }
        self.range = first..<last + 1
    }

    /// Parses decimal digits that fit in 63 bits; nil for anything else.
    static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...19).contains(digits.count), digits.allSatisfy({ $0.isDigit }),
            let number = UInt64(String(decoding: Array(digits), as: UTF8.self)), number <= Int64.max
        else { return nil }
        return number
    }
}
