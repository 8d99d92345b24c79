/// Why a value of an option is refused.
package struct OptionError: Error, Equatable, CustomStringConvertible {
    /// The flag, the variable, or the file with line and key.
    package let place: String
    /// What is wrong.
    package let fault: String

    package init(_ place: String, _ fault: String) {
        self.place = place
        self.fault = fault
    }

    /// The place and the fault.
    package var description: String { "\(place): \(fault)" }
}

/// A host and a port.
package struct NodeAddress: Equatable, Sendable, CustomStringConvertible {
    /// A name or an address, without brackets.
    package let host: String
    /// The port; 0 for a free one.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`; an IPv6 address has brackets.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(digits: text[text.index(after: colon)...]), port <= 0xffff
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        if isBracketed { host = host.dropFirst().dropLast() }
        let isPlain = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"), UInt8(ascii: "%"): isBracketed
            default: false
            }
        }
        guard !host.isEmpty, isPlain else { return nil }
        self.init(host: String(host), port: port)
    }

    /// `HOST:PORT`.
    package var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension NodeOption {
    /// Checks a value.
    ///
    /// - Parameter value: The value, as text.
    /// - Returns: What the option takes, if this value is wrong; nil if it is right.
    package func fault(in value: String) -> String? {
        guard !isRight(value) else { return nil }
        return "takes \(expectation), not \(value.isEmpty ? "an empty value" : value)"
    }

    private func isRight(_ value: String) -> Bool {
        switch kind {
        case .address: NodeAddress(value) != nil
        case .path, .paths, .text:
            !value.isEmpty && value.utf8.allSatisfy { $0 >= 0x20 || $0 == UInt8(ascii: "\t") }
        case .names: NodeAddress("\(value):1")?.host == value
        case .flag: value == "true" || value == "false"
        case .count(let range): Int(digits: value[...]).map { range.contains($0) } ?? false
        case .size: Self.bytes(value) != nil
        case .limit: value == Self.none || Self.bytes(value) != nil
        case .duration: Self.duration(value) != nil
        case .timeout: (Self.duration(value) ?? .zero) > .zero
        case .pause: value == Self.none || (Self.duration(value) ?? .zero) > .zero
        case .choice(let words): words.contains(value)
        }
    }

    private var expectation: String {
        let size = "a number of bytes such as 64MiB"
        let time = "a time such as 10s, 250ms, 5min or 1h"
        return switch kind {
        case .address: "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"
        case .path, .paths: "a path without control characters"
        case .names: "the name of a host without a port"
        case .flag: "true or false"
        case .count(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .size: size
        case .limit: "\(size), or none"
        case .duration, .timeout: time
        case .pause: "\(time), or none"
        case .text: "a text without control characters"
        case .choice(let words):
            words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        }
    }

    /// The word for no limit.
    static let none = "none"

    private static let byteUnits: [(String, Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("kB", 1000),
        ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1), ("", 1),
    ]

    /// Reads a number of bytes; nil unless it is right and at least 1.
    package static func bytes(_ text: String) -> Int? {
        guard let number = number(text, byteUnits), number > 0 else { return nil }
        return number
    }

    private static let timeUnits: [(String, Int)] = [
        ("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000), ("", 1000),
    ]

    /// Reads a time of at most 1,000 days, in whole milliseconds; nil unless it is right.
    static func duration(_ text: String) -> Duration? {
        guard let number = number(text, timeUnits), number <= 1000 * 86_400_000 else { return nil }
        return .milliseconds(number)
    }

    /// Reads digits with a unit behind them.
    private static func number(_ text: String, _ units: [(String, Int)]) -> Int? {
        guard let unit = units.first(where: { text.hasSuffix($0.0) }),
            let count = Int(digits: text.dropLast(unit.0.count))
        else { return nil }
        let (value, isTooLarge) = count.multipliedReportingOverflow(by: unit.1)
        return isTooLarge ? nil : value
    }
}

extension Int {
    /// Reads decimal digits, without a sign.
    fileprivate init?(digits text: Substring) {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        self.init(text)
    }
}
