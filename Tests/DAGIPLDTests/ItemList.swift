import DAGBytes
import DAGMultiformats
import Foundation

@testable import DAGIPLD

/// The items of a block with their content, and what encodes them again; made for tests alone.
struct ItemList: Equatable {
    enum Item: Equatable {
        case map(Int), list(Int), end
        case key([UInt8]), string([UInt8]), bytes([UInt8])
        case link(CID)
        case integer(UInt64, isNegative: Bool)
        case float(UInt64)
        case bool(Bool)
        case null
    }

    var items: [Item] = []

    var links: [CID] {
        items.compactMap { if case .link(let cid) = $0 { cid } else { nil } }
    }

    init(dagCBOR bytes: [UInt8], limits: DAGLimits = DAGLimits()) throws {
        try bytes.withView { view in
            var reader = try DagCBORReader(view, limits)
            try read(&reader) {
                view[$0].copied
            } bytes: {
                view[$0].copied
            }
        }
    }

    init(dagJSON bytes: [UInt8], limits: DAGLimits = DAGLimits()) throws {
        try bytes.withView { view in
            var reader = try DagJSONReader(view, limits)
            try read(&reader) { range in
                // Foundation's reader of JSON is another one.
                let quoted = Data([0x22] + view[range].copied + [0x22])
                return Array(try JSONDecoder().decode(String.self, from: quoted).utf8)
            } bytes: { range in
                let text = String(decoding: view[range].copied, as: UTF8.self)
                let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
                guard let data = Data(base64Encoded: text + padding) else {
                    throw IPLDError(.malformedBlock, "no base64")
                }
                return [UInt8](data)
            }
        }
    }

    private mutating func read<Reader: ItemReader>(
        _ reader: inout Reader,
        text: (Range<Int>) throws -> [UInt8],
        bytes: (Range<Int>) throws -> [UInt8]
    ) throws {
        while let item = try reader.next() {
            switch item.kind {
            case .map: items.append(.map(0))
            case .list: items.append(.list(0))
            case .end: items.append(.end)
            case .key: items.append(.key(try text(item.range)))
            case .string: items.append(.string(try text(item.range)))
            case .bytes: items.append(.bytes(try bytes(item.range)))
            case .link:
                let cid = try reader.withCID(of: item) { view throws(IPLDError) in view.copied }
                items.append(.link(try CID(bytes: cid)))
            case .integer: items.append(.integer(item.value, isNegative: item.isNegative))
            case .float: items.append(.float(item.value))
            case .bool: items.append(.bool(item.value == 1))
            case .null: items.append(.null)
            }
        }
        countEntries()
    }

    /// Sets the counts of maps and lists, which dag-json does not tell.
    private mutating func countEntries() {
        var open: [(index: Int, count: Int, isMap: Bool)] = []
        for (index, item) in items.enumerated() {
            if case .end = item {
                let last = open.removeLast()
                items[last.index] = last.isMap ? .map(last.count) : .list(last.count)
                continue
            }
            if case .key = item {} else if !open.isEmpty { open[open.count - 1].count += 1 }
            if case .map = item { open.append((index, 0, true)) }
            if case .list = item { open.append((index, 0, false)) }
        }
    }

    // MARK: Encoding

    var dagCBOR: [UInt8] {
        var bytes: [UInt8] = []
        for item in items {
            switch item {
            case .map(let count): bytes += Self.head(5, UInt64(count))
            case .list(let count): bytes += Self.head(4, UInt64(count))
            case .end: break
            case .key(let text), .string(let text):
                bytes += Self.head(3, UInt64(text.count)) + text
            case .bytes(let content): bytes += Self.head(2, UInt64(content.count)) + content
            case .link(let cid):
                bytes += [0xd8, 0x2a] + Self.head(2, UInt64(cid.bytes.count + 1)) + [0] + cid.bytes
            case .integer(let value, let isNegative): bytes += Self.head(isNegative ? 1 : 0, value)
            case .float(let bits):
                bytes.append(0xfb)
                bytes += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
            case .bool(let isTrue): bytes.append(isTrue ? 0xf5 : 0xf4)
            case .null: bytes.append(0xf6)
            }
        }
        return bytes
    }

    private static func head(_ major: UInt8, _ value: UInt64) -> [UInt8] {
        let top = major << 5
        let width: Int
        switch value {
        case 0..<24: return [top | UInt8(value)]
        case 24..<0x100: width = 1
        case 0x100..<0x1_0000: width = 2
        case 0x1_0000..<0x1_0000_0000: width = 4
        default: width = 8
        }
        return [top | UInt8(24 + width.trailingZeroBitCount)]
            + (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - $0))) }
    }

    var dagJSON: [UInt8] {
        var text = ""
        var open: [Bool] = []
        var needsComma = false
        for item in items {
            if case .end = item {
                text += open.removeLast() ? "}" : "]"
                needsComma = true
                continue
            }
            if needsComma { text += "," }
            needsComma = true
            switch item {
            case .map, .list:
                let isMap = if case .map = item { true } else { false }
                open.append(isMap)
                text += isMap ? "{" : "["
                needsComma = false
            case .key(let key):
                text += Self.quoted(key) + ":"
                needsComma = false
            case .string(let string): text += Self.quoted(string)
            case .bytes(let bytes):
                let base64 = Data(bytes).base64EncodedString().filter { $0 != "=" }
                text += "{\"/\":{\"bytes\":\"\(base64)\"}}"
            case .link(let cid): text += "{\"/\":\"\(cid)\"}"
            case .integer(let value, false): text += "\(value)"
            case .integer(.max, true): text += "-18446744073709551616"
            case .integer(let value, true): text += "-\(value + 1)"
            case .float(let bits): text += "\(Double(bitPattern: bits))"
            case .bool(let isTrue): text += "\(isTrue)"
            case .null: text += "null"
            case .end: break
            }
        }
        return Array(text.utf8)
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
