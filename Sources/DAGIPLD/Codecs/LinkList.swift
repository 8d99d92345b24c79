public import DAGBytes
public import DAGMultiformats

/// The links of a block in its order, without an object each.
///
/// *Cost*: the CIDs' bytes and four bytes a link.
public struct LinkList: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [UInt32] = []

    /// Creates a list without links.
    public init() {}

    /// Reads the links of a block, which is checked to its end.
    ///
    /// *Cost*: O(block).
    ///
    /// - Parameters:
    ///   - block: The block.
    ///   - codec: The codec that its CID names.
    ///   - limits: `blockSizeMax`, `linksMax`, `nestingMax` and `requiresCanonicalForm` apply.
    /// - Throws: `.malformedBlock`, `.limitExceeded`; `.unsupportedCodec` for a codec of which links are unknown.
    public init(
        of block: ByteView,
        codec: UInt64,
        limits: DAGLimits = DAGLimits()
    ) throws(IPLDError) {
        switch codec {
        case Codec.dagPB:
            self = try DagPBNode(decoding: block, limits: limits).linkList(in: block)
        case Codec.dagCBOR:
            var reader = try DagCBORReader(block, limits)
            self = try reader.links(limits)
        case Codec.dagJSON:
            var reader = try DagJSONReader(block, limits)
            self = try reader.links(limits)
        default:
            guard Self.isAlwaysEmpty(for: codec) else { throw Self.unsupported(codec) }
        }
    }

    /// Whether this package finds the links of blocks of a codec: dag-pb, dag-cbor, dag-json.
    public static func areFound(in codec: UInt64) -> Bool {
        codec == Codec.dagPB || codec == Codec.dagCBOR || codec == Codec.dagJSON
    }

    /// Whether blocks of a codec never have links: raw, cbor, json, keys of libp2p.
    public static func isAlwaysEmpty(for codec: UInt64) -> Bool {
        codec == Codec.raw || codec == 0x51 || codec == 0x0200 || codec == 0x72
    }

    static func unsupported(_ codec: UInt64) -> IPLDError {
        IPLDError(
            .unsupportedCodec,
            "the links of blocks of the codec \(Codec.name(of: codec)) are unknown"
        )
    }

    /// The number of links.
    public var count: Int { ends.count }
    /// Whether there are none.
    public var isEmpty: Bool { ends.isEmpty }
    /// The memory it takes in bytes, about.
    public var size: Int { bytes.count + 4 * ends.count }

    /// The CID of a link.
    ///
    /// *Cost*: an allocation.
    public subscript(index: Int) -> CID {
        let start = index == 0 ? 0 : Int(ends[index - 1])
        let end = Int(ends[index])
        return bytes.withView { view in
            let cid = view[start..<end]
            guard case .success(let layout) = CIDLayout.decode(cid) else {
                preconditionFailure("a list of links holds only CIDs")
            }
            return CID(bytes: cid.copied, layout: layout)
        }
    }

    /// Calls `body` with the binary CID of a link.
    @inline(__always)
    func withCID<R>(_ index: Int, _ body: (ByteView) -> R) -> R {
        let start = index == 0 ? 0 : Int(ends[index - 1])
        let end = Int(ends[index])
        return bytes.withView { body($0[start..<end]) }
    }

    /// Appends a binary CID, whose layout the caller has read.
    mutating func append(_ cid: ByteView) {
        bytes.append(cid)
        ends.append(UInt32(bytes.count))
    }

    /// Makes room for links.
    mutating func reserve(links: Int, bytes size: Int) {
        ends.reserveCapacity(links)
        bytes.reserveCapacity(size)
    }
}

extension ByteView {
    /// Returns the layout of the CID that fills the view.
    func wholeCID() throws(IPLDError) -> CIDLayout {
        guard case .success(let layout) = CIDLayout.decode(self), layout.size == count else {
            throw IPLDError(.malformedBlock, "a link is no CID")
        }
        return layout
    }
}
