internal import DAGBytes
internal import DAGMultiformats

/// A piece of a block of dag-cbor or dag-json, in the block's order.
struct IPLDItem {
    enum Kind: UInt8 {
        /// The start of a map or list; `end` follows its items.
        case map, list
        case end
        /// The key of the map's next value.
        case key
        case link
        case string, bytes
        case integer, float, bool, null
    }

    var kind: Kind
    /// The content: of a link the CID, of a key or string its bytes as they stand in the block.
    var range: Range<Int> = 0..<0
    /// The number, its bits, or whether it is true; of a map or list the number of entries, if the codec says it.
    var value: UInt64 = 0
    /// Whether an integer is negative: then it is -1 - `value`.
    var isNegative = false
}

/// A decoder that reads a block from its start to its end without recursion.
protocol ItemReader {
    /// Reads the next item; nil after the last, when the block is complete.
    mutating func next() throws(IPLDError) -> IPLDItem?
    /// Calls `body` with the binary CID of a link.
    func withCID<R>(of link: IPLDItem, _ body: (ByteView) throws(IPLDError) -> R)
        throws(IPLDError) -> R
    /// Returns whether a key is a text.
    func key(_ key: IPLDItem, equals text: [UInt8]) throws(IPLDError) -> Bool
}

/// Where a path leads inside of one block.
enum PathStep {
    /// A link, after `count` segments.
    case link(CID, count: Int)
    /// The path ends at a value that is no link.
    case value
    /// The segment at `index` names nothing.
    case nothing(index: Int)
    /// The segment at `index` would be inside a value that has no parts.
    case leaf(index: Int)
}

extension ItemReader {
    /// Reads the block to its end and returns its links.
    mutating func links(_ limits: DAGLimits) throws(IPLDError) -> LinkList {
        var list = LinkList()
        while let item = try next() {
            guard item.kind == .link else { continue }
            guard list.count < limits.linksMax else { throw limits.tooManyLinks }
            try withCID(of: item) { cid throws(IPLDError) in list.append(cid) }
        }
        return list
    }

    /// Follows a path through the block, and reads it to its end.
    mutating func follow(_ segments: ArraySlice<String>) throws(IPLDError) -> PathStep {
        let step = try find(segments)
        // The rest must be in order too.
        while try next() != nil {}
        return step
    }

    private mutating func find(_ segments: ArraySlice<String>) throws(IPLDError) -> PathStep {
        var index = segments.startIndex
        while let item = try next() {
            if item.kind == .link {
                let cid = try withCID(of: item) { bytes throws(IPLDError) in
                    CID(bytes: bytes.copied, layout: try bytes.wholeCID())
                }
                return .link(cid, count: index - segments.startIndex)
            }
            guard index < segments.endIndex else { return .value }
            let isFound: Bool
            switch item.kind {
            case .map: isFound = try enterMap(Array(segments[index].utf8))
            case .list: isFound = try enterList(segments[index])
            default: return .leaf(index: index)
            }
            guard isFound else { return .nothing(index: index) }
            index += 1
        }
        return .nothing(index: index)
    }

    /// Reads on to the value of a key.
    private mutating func enterMap(_ segment: [UInt8]) throws(IPLDError) -> Bool {
        while let item = try next(), item.kind == .key {
            if try key(item, equals: segment) { return true }
            try skipValue()
        }
        return false
    }

    /// Reads on to the entry at a position.
    private mutating func enterList(_ segment: String) throws(IPLDError) -> Bool {
        guard let position = Int(segment), "\(position)" == segment, position >= 0 else {
            return false
        }
        for _ in 0..<position {
            guard try skipValue() else { return false }
        }
        // An end instead of a value is found by the caller, which reads it: so it is looked for here.
        return try !isAtEnd()
    }

    /// Reads over one value with all its parts.
    ///
    /// - Returns: Whether there was one; not at the end of a list.
    @discardableResult
    private mutating func skipValue() throws(IPLDError) -> Bool {
        var depth = 0
        repeat {
            guard let item = try next() else { return false }
            switch item.kind {
            case .map, .list: depth += 1
            case .end: depth -= 1
            default: break
            }
            guard depth >= 0 else { return false }
        } while depth > 0
        return true
    }

    /// Returns whether the list that is being read ends here.
    private func isAtEnd() throws(IPLDError) -> Bool {
        var copy = self
        return try copy.next()?.kind == .end
    }
}
