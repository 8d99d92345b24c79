/// A file with options: lines `key = value`, empty lines, and comments that begin with `#`.
///
/// *Shape*: UTF-8. Blanks around key and value do not count; double quotes around a value keep its blanks. A `#`
/// begins a comment only at the start of a line. Only keys of several values stand more than once.
package struct OptionFile: Equatable, Sendable {
    /// The largest file in bytes.
    package static let sizeMax = 1 << 20

    /// The values of each option.
    package private(set) var values: [NodeOption: [String]] = [:]

    /// Reads the bytes of a file.
    ///
    /// - Parameters:
    ///   - bytes: The bytes, at most `sizeMax`.
    ///   - name: The file's name, for errors.
    /// - Throws: An error with the line and the key.
    package init(_ bytes: [UInt8], name: String) throws(OptionError) {
        guard bytes.count <= Self.sizeMax else {
            throw OptionError(name, "has more than \(Self.sizeMax) bytes")
        }
        var rest = bytes[...]
        if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
        let lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let place = "\(name), line \(index + 1)"
            guard let text = String(validating: line, as: UTF8.self) else {
                throw OptionError(place, "is not UTF-8")
            }
            try add(text.trimmingBlanks, place)
        }
    }

    private mutating func add(_ line: Substring, _ place: String) throws(OptionError) {
        guard !line.isEmpty, !line.hasPrefix("#") else { return }
        guard !line.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" }) else {
            throw OptionError(place, "has a control character")
        }
        guard let sign = line.firstIndex(of: "=") else {
            throw OptionError(place, "is not 'key = value', and not a comment with #")
        }
        let key = line[..<sign].trimmingBlanks
        var value = line[line.index(after: sign)...].trimmingBlanks
        if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
            value = value.dropFirst().dropLast()
        }
        guard let option = NodeOption.all.first(where: { $0.name == key && $0.isInFile }) else {
            throw OptionError(place, "has the unknown key \(key.isEmpty ? "''" : key)")
        }
        if let fault = option.fault(in: String(value)) {
            throw OptionError(place, "\(key) \(fault)")
        }
        guard option.isList || values[option] == nil else {
            throw OptionError(place, "has \(key) a second time")
        }
        values[option, default: []].append(String(value))
    }
}

extension Substring {
    /// The text without blanks, tabs and carriage returns at both ends.
    fileprivate var trimmingBlanks: Substring {
        func isBlank(_ character: Character) -> Bool {
            character == " " || character == "\t" || character == "\r"
        }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}

extension String {
    fileprivate var trimmingBlanks: Substring { self[...].trimmingBlanks }
}
