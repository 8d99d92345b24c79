internal import DAGBytes

/// A reader of one block of dag-cbor.
///
/// ```
/// head   major type << 5 | argument      0 to 23, or 24 to 27: the argument follows in 1, 2, 4 or 8 bytes
/// item   0 uint   1 negative   2 bytes   3 text   4 list   5 map   6 tag 42 over bytes: 00, CID   7 simple, float64
/// ```
///
/// Refused are indefinite lengths, other tags, other simple values than false, true and null, floats of fewer than 64
/// bits, infinities and NaN, keys that are no text, keys twice, and bytes after the item. In canonical form, heads are
/// as short as can be, and the keys of a map are ordered by length, then by bytes. Text is not checked to be UTF-8,
/// because the blocks of some chains have other bytes there.
///
/// Source: ipld.io/specs/codecs/dag-cbor, "Strictness".
struct DagCBORReader: ItemReader {
    /// A map or list that is being read.
    private struct Container {
        var isMap: Bool
        /// How many values are left.
        var left: UInt64
        /// Whether a value follows its key.
        var isAtValue = false
        var lastKey: Range<Int>?
        /// The keys, where they come in any order.
        var keys: Set<[UInt8]> = []
    }

    private let view: ByteView
    private let isCanonical: Bool
    private let nestingMax: Int
    private var offset = 0
    private var containers: [Container] = []
    private var isComplete = false

    init(_ view: ByteView, _ limits: DAGLimits) throws(IPLDError) {
        try limits.check(view)
        self.view = view
        isCanonical = limits.requiresCanonicalForm
        nestingMax = limits.nestingMax
    }

    mutating func next() throws(IPLDError) -> IPLDItem? {
        guard !containers.isEmpty else {
            guard !isComplete else {
                guard offset == view.count else { throw malformed("bytes after the block's item") }
                return nil
            }
            isComplete = true
            return try item()
        }
        let last = containers.count - 1
        if containers[last].isMap, !containers[last].isAtValue, containers[last].left > 0 {
            return try key()
        }
        guard containers[last].left > 0 else {
            containers.removeLast()
            return IPLDItem(kind: .end)
        }
        containers[last].left -= 1
        containers[last].isAtValue = false
        return try item()
    }

    private mutating func key() throws(IPLDError) -> IPLDItem {
        let last = containers.count - 1
        let (major, size) = try head()
        guard major == 3 else { throw malformed("a key that is no text") }
        let range = try content(size)
        if isCanonical {
            if let before = containers[last].lastKey {
                guard isOrdered(before, range) else {
                    throw malformed("the keys of a map are unordered or repeated")
                }
            }
            containers[last].lastKey = range
        } else {
            guard containers[last].keys.insert(view[range].copied).inserted else {
                throw malformed("a key twice")
            }
        }
        containers[last].isAtValue = true
        return IPLDItem(kind: .key, range: range)
    }

    private func isOrdered(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return one.count < other.count }
        return view[one].lexicographicallyPrecedes(view[other])
    }

    private mutating func item() throws(IPLDError) -> IPLDItem {
        let (major, value) = try head()
        switch major {
        case 0: return IPLDItem(kind: .integer, value: value)
        case 1: return IPLDItem(kind: .integer, value: value, isNegative: true)
        case 2: return IPLDItem(kind: .bytes, range: try content(value))
        case 3: return IPLDItem(kind: .string, range: try content(value))
        case 4, 5:
            // An entry takes a byte, a pair two: this bounds what a count can claim.
            guard value <= UInt64(view.count - offset) / UInt64(major - 3) else {
                throw malformed("a list or map that is cut short")
            }
            guard containers.count < nestingMax else {
                throw IPLDError(.limitExceeded, "a block nested deeper than \(nestingMax)")
            }
            containers.append(Container(isMap: major == 5, left: value))
            return IPLDItem(kind: major == 5 ? .map : .list, value: value)
        case 6: return try link(tag: value)
        default: return try simple(value)
        }
    }

    private mutating func link(tag: UInt64) throws(IPLDError) -> IPLDItem {
        guard tag == 42 else { throw malformed("tag \(tag), which is no link") }
        let (major, size) = try head()
        guard major == 2 else { throw malformed("a link that is not of bytes") }
        let range = try content(size)
        guard range.count > 1, view[range.lowerBound] == 0 else {
            throw malformed("a link without its prefix")
        }
        let cid = range.lowerBound + 1..<range.upperBound
        _ = try view[cid].wholeCID()
        return IPLDItem(kind: .link, range: cid)
    }

    /// The item of major type 7, whose head has been read: `value` is its argument.
    private mutating func simple(_ value: UInt64) throws(IPLDError) -> IPLDItem {
        // `head` reads the eight bytes of a float64 as its argument.
        guard !isFloat else {
            let number = Double(bitPattern: value)
            guard number.isFinite else { throw malformed("an infinity, or no number") }
            return IPLDItem(kind: .float, value: value)
        }
        switch value {
        case 20, 21: return IPLDItem(kind: .bool, value: value - 20)
        case 22: return IPLDItem(kind: .null)
        default: throw malformed("the simple value \(value)")
        }
    }

    /// Whether the head that was read last is that of a float64.
    private var isFloat = false

    /// Reads the head of an item: its major type and its argument.
    private mutating func head() throws(IPLDError) -> (major: UInt8, value: UInt64) {
        guard offset < view.count else { throw malformed("an item is cut short") }
        let initial = view[offset]
        let major = initial >> 5
        isFloat = false
        let short = initial & 0x1f
        guard short >= 24 else {
            offset += 1
            return (major, UInt64(short))
        }
        guard short <= 27 else { throw malformed("an indefinite length") }
        let width = 1 << Int(short - 24)
        guard view.count - offset > width else { throw malformed("a head is cut short") }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(view[offset + index]) }
        if major == 7 {
            guard short == 27 else {
                throw malformed("a float of fewer than 64 bits, or an unknown simple value")
            }
            isFloat = true
        } else if isCanonical {
            // The smallest argument that needs so many bytes.
            let least: UInt64 = width == 1 ? 24 : 1 << UInt64(4 * width)
            guard value >= least else { throw malformed("a head takes more bytes than it needs") }
        }
        offset += 1 + width
        return (major, value)
    }

    private mutating func content(_ size: UInt64) throws(IPLDError) -> Range<Int> {
        guard size <= UInt64(view.count - offset) else { throw malformed("an item is cut short") }
        let start = offset
        offset += Int(size)
        return start..<offset
    }

    func withCID<R>(
        of link: IPLDItem,
        _ body: (ByteView) throws(IPLDError) -> R
    ) throws(IPLDError) -> R {
        try body(view[link.range])
    }

    func key(_ key: IPLDItem, equals text: [UInt8]) -> Bool {
        text.withView { view[key.range].elementsEqual($0) }
    }

    private func malformed(_ what: String) -> IPLDError {
        IPLDError(.malformedBlock, "dag-cbor: \(what), at byte \(offset)")
    }
}
