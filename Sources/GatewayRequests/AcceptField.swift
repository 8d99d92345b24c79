/// What an `Accept` field asks for, as far as a gateway can send it.
struct AcceptField {
    /// One media range that a gateway knows.
    struct Entry: Equatable {
        var format: ContentFormat
        /// The weight in thousandths: 1 to 1000.
        var weight: Int
        /// The parameters beside the weight, in lower case.
        var parameters: [String: String]
    }

    /// The most media ranges that are read of one field.
    static let entriesMax = 128

    /// The known media ranges with a weight above zero; the heaviest first, and of equal ones the earlier.
    let entries: [Entry]

    /// Reads the value of an `Accept` field; media ranges that are malformed or unknown are left out.
    init(field text: String) {
        var found: [Entry] = []
        for part in Self.split(Array(text.utf8)[...], at: UInt8(ascii: ",")).prefix(Self.entriesMax)
        {
            if let entry = Self.entry(part) { found.append(entry) }
        }
        // Sorting by position too keeps it stable.
        entries = found.enumerated()
            .sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
            .map(\.element)
    }

    private static func entry(_ text: ArraySlice<UInt8>) -> Entry? {
        let parts = split(text, at: UInt8(ascii: ";"))
        guard let type = parts.first,
            let format = ContentFormat(mediaType: lowercased(trimmed(type)))
        else { return nil }
        var entry = Entry(format: format, weight: 1000, parameters: [:])
        for part in parts.dropFirst() {
            let part = trimmed(part)
            guard !part.isEmpty else { continue }
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = lowercased(trimmed(part[..<equals]))
            let value = lowercased(unquoted(trimmed(part[(equals + 1)...])))
            guard name == "q" else {
                entry.parameters[name] = value
                continue
            }
            guard let weight = Self.weight(value) else { return nil }
            entry.weight = weight
        }
        return entry.weight > 0 ? entry : nil
    }

    /// Reads a weight, `0` to `1` with at most three digits after the point: RFC 9110, section 12.4.2.
    private static func weight(_ text: String) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, whole == "0" || whole == "1" else { return nil }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        guard fraction.utf8.count <= 3, fraction.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else {
            return nil
        }
        fraction += String(repeating: "0", count: 3 - fraction.utf8.count)
        guard let thousandths = Int(fraction) else { return nil }
        let weight = (whole == "1" ? 1000 : 0) + thousandths
        return weight <= 1000 ? weight : nil
    }

    /// Splits at a separator outside of quotation marks.
    private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>]
    {
        var parts: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var isQuoted = false
        for place in text.indices {
            if text[place] == UInt8(ascii: "\"") { isQuoted.toggle() }
            guard text[place] == separator, !isQuoted else { continue }
            parts.append(text[start..<place])
            start = place + 1
        }
        parts.append(text[start...])
        return parts
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while let byte = text.first, byte == 0x20 || byte == 0x09 { text.removeFirst() }
        while let byte = text.last, byte == 0x20 || byte == 0x09 { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let quote = UInt8(ascii: "\"")
        guard text.count >= 2, text.first == quote, text.last == quote else { return text }
        return text.dropFirst().dropLast()
    }

    private static func lowercased(_ text: ArraySlice<UInt8>) -> String {
        String(decoding: text, as: UTF8.self).lowercased()
    }
}

/// The formats in which a gateway sends content.
package enum ContentFormat: String, Sendable, Equatable {
    /// One block.
    case raw
    /// The blocks of a DAG.
    case car

    init?(mediaType: String) {
        switch mediaType {
        case "application/vnd.ipld.raw": self = .raw
        case "application/vnd.ipld.car": self = .car
        default: return nil
        }
    }

    /// The extension of a file with such content.
    var fileExtension: String { self == .raw ? "bin" : "car" }
}
