public import DAGBytes
public import DAGMultiformats

/// A block of dag-pb: links with names, and data.
///
/// ```
/// PBNode  2: PBLink, repeated   1: data                    links first, or data first; each in one piece
/// PBLink  1: CID   2: name, optional   3: size, optional   in this order
/// ```
///
/// All places are offsets in the block, which the caller keeps.
///
/// Source: ipld.io/specs/codecs/dag-pb, "Protobuf Strictness".
public struct DagPBNode: Sendable {
    /// A link.
    public struct Link: Sendable, Hashable {
        private let cidStart: UInt32
        private let cidEnd: UInt32
        private let nameStart: UInt32
        private let nameEnd: UInt32
        private let size: UInt64
        private let hasName: Bool
        private let hasSize: Bool

        fileprivate init(cid: Range<Int>, name: Range<Int>?, size: UInt64?) {
            cidStart = UInt32(cid.lowerBound)
            cidEnd = UInt32(cid.upperBound)
            nameStart = UInt32(name?.lowerBound ?? 0)
            nameEnd = UInt32(name?.upperBound ?? 0)
            hasName = name != nil
            self.size = size ?? 0
            hasSize = size != nil
        }

        /// Where the CID is.
        public var cid: Range<Int> { Int(cidStart)..<Int(cidEnd) }
        /// Where the name is; nil if the link has none.
        public var name: Range<Int>? { hasName ? Int(nameStart)..<Int(nameEnd) : nil }
        /// The size of all that the link leads to, as its maker claims; nil if it claims none.
        public var totalSize: UInt64? { hasSize ? size : nil }
    }

    /// The links in the block's order.
    public private(set) var links: [Link] = []
    /// Where the data are; nil if there are none.
    public private(set) var data: Range<Int>?

    /// Reads a block.
    ///
    /// *Cost*: O(block), with 32 bytes a link.
    ///
    /// - Parameters:
    ///   - block: The block.
    ///   - limits: `blockSizeMax`, `linksMax` and `requiresCanonicalForm` apply.
    /// - Throws: `.malformedBlock`, `.limitExceeded`.
    public init(decoding block: ByteView, limits: DAGLimits = DAGLimits()) throws(IPLDError) {
        try limits.check(block)
        let isCanonical = limits.requiresCanonicalForm
        var reader = ProtobufReader(block, 0..<block.count, isCanonical: isCanonical)
        // Whether the links are complete, because data follow them.
        var isClosed = false
        while let field = try reader.next() {
            guard field.type == .bytes else {
                throw IPLDError(.malformedBlock, "a field of dag-pb that has no bytes")
            }
            switch field.number {
            case 1:
                guard data == nil else { throw IPLDError(.malformedBlock, "data twice") }
                data = field.range
                isClosed = !links.isEmpty
            case 2:
                guard !isClosed else {
                    throw IPLDError(.malformedBlock, "data between links")
                }
                guard links.count < limits.linksMax else { throw limits.tooManyLinks }
                links.append(try Self.link(block, field.range, isCanonical))
            default:
                throw IPLDError(.malformedBlock, "an unknown field \(field.number) of dag-pb")
            }
        }
    }

    @inline(__always)
    private static func link(
        _ block: ByteView,
        _ range: Range<Int>,
        _ isCanonical: Bool
    ) throws(IPLDError) -> Link {
        var reader = ProtobufReader(block, range, isCanonical: isCanonical)
        var cid: Range<Int>?
        var name: Range<Int>?
        var size: UInt64?
        var last: UInt64 = 0
        while let field = try reader.next() {
            guard field.number > last else {
                throw IPLDError(.malformedBlock, "the fields of a link are repeated or unordered")
            }
            last = field.number
            switch (field.number, field.type) {
            case (1, .bytes): cid = field.range
            case (2, .bytes): name = field.range
            case (3, .varint): size = field.value
            default: throw IPLDError(.malformedBlock, "an unknown field of a link")
            }
        }
        guard let cid, !cid.isEmpty else {
            throw IPLDError(.malformedBlock, "a link without a CID")
        }
        if CIDLayout.common(block[cid])?.size != cid.count { _ = try block[cid].wholeCID() }
        return Link(cid: cid, name: name, size: size)
    }

    /// Returns the CID of a link of the block.
    public func cid(of link: Link, in block: ByteView) -> CID {
        let bytes = block[link.cid]
        guard case .success(let layout) = CIDLayout.decode(bytes) else {
            preconditionFailure("the link is of another block")
        }
        return CID(bytes: bytes.copied, layout: layout)
    }

    /// Returns the links of the block without their names.
    func linkList(in block: ByteView) -> LinkList {
        var list = LinkList()
        list.reserve(links: links.count, bytes: links.reduce(0) { $0 + $1.cid.count })
        for link in links { list.append(block[link.cid]) }
        return list
    }

    /// Returns the first link with a name.
    func link(named name: String, in block: ByteView) -> Link? {
        Array(name.utf8).withView { name in
            links.first { link in
                link.name.map { block[$0].elementsEqual(name) } ?? false
            }
        }
    }
}

extension DAGLimits {
    /// Checks the size of a block that is to be decoded.
    func check(_ block: ByteView) throws(IPLDError) {
        // Places in blocks are numbers of 32 bits.
        guard block.count <= min(blockSizeMax, Int(UInt32.max)) else {
            throw IPLDError(
                .limitExceeded,
                "a block of \(block.count) bytes with links, over the limit of \(blockSizeMax)"
            )
        }
    }

    var tooManyLinks: IPLDError {
        IPLDError(.limitExceeded, "a block with more than \(linksMax) links")
    }
}
