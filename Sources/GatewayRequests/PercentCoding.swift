/// Percent-encoding of addresses: RFC 3986, section 2.1.
package enum PercentCoding {
    /// Decodes text of an address.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - plusIsSpace: Whether `+` stands for a space, as in queries.
    /// - Returns: The text; nil if two hexadecimal digits are missing after a `%`, or if the result is not UTF-8 or
    ///   has a zero.
    package static func decoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> String? {
        let percent = UInt8(ascii: "%")
        let plus = UInt8(ascii: "+")
        guard bytes.contains(where: { $0 == percent || plusIsSpace && $0 == plus }) else {
            return String(validating: bytes, as: UTF8.self)
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let byte = bytes[place]
            place += 1
            if byte == percent {
                guard place + 1 < bytes.endIndex, let high = digit(bytes[place]),
                    let low = digit(bytes[place + 1])
                else { return nil }
                let value = high << 4 | low
                guard value != 0 else { return nil }
                plain.append(value)
                place += 2
            } else {
                plain.append(plusIsSpace && byte == plus ? 0x20 : byte)
            }
        }
        return String(validating: plain, as: UTF8.self)
    }

    /// Encodes every byte of `text` that `isKept` does not keep.
    package static func encoded(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        encoded(Array(text.utf8)[...], keeping: isKept)
    }

    /// Encodes every byte that `isKept` does not keep.
    package static func encoded(_ bytes: ArraySlice<UInt8>, keeping isKept: (UInt8) -> Bool)
        -> String
    {
        guard !bytes.allSatisfy(isKept) else { return String(decoding: bytes, as: UTF8.self) }
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            if isKept(byte) {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a byte stands for itself everywhere: RFC 3986, section 2.3.
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
