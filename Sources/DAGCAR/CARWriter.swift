internal import DAGBytes
public import DAGMultiformats

/// Produces a CAR, version 1 or 2, as a stream of bytes; it does no I/O.
///
/// The owner writes `start()` at byte 0. For each block it then writes `prefix(for:dataSize:)` and the data. At the
/// end it writes the result of `finish()`: bytes to append and, in version 2, the header to write over byte 11. Until
/// then the CARv2 header is zero, so every reader refuses the file.
public struct CARWriter: Sendable {
    /// The bytes that complete a CAR.
    public struct Ending: Equatable, Sendable {
        /// The bytes to append: the index, if there is one.
        public let trailer: [UInt8]
        /// The CARv2 header, for `headerOffset`; empty in version 1.
        public let header: [UInt8]
        /// The offset of the CARv2 header.
        public static let headerOffset = 11
    }

    /// 1 or 2.
    public let version: UInt64
    /// The payload's size so far.
    public private(set) var payloadSize: UInt64
    private let header: [UInt8]
    private let indexCodec: UInt64?
    private var index: CARIndexBuilder

    /// Creates a writer without blocks.
    ///
    /// - Parameters:
    ///   - version: 1 or 2.
    ///   - roots: The roots, in header order.
    ///   - indexCodec: The codec of the index to append in version 2, or nil for none.
    ///   - storesIdentity: Whether that index lists sections with identity CIDs.
    public init(
        version: UInt64 = 1,
        roots: [CID],
        indexCodec: UInt64? = nil,
        storesIdentity: Bool = false
    ) {
        precondition(version == 1 || version == 2)
        precondition(version == 2 || indexCodec == nil, "a CARv1 has no index")
        self.version = version
        self.header = CARHeader.encoded(roots: roots)
        self.payloadSize = UInt64(header.count)
        self.indexCodec = indexCodec
        self.index = CARIndexBuilder(storesIdentity: storesIdentity)
    }

    /// Returns the bytes before the first section.
    public func start() -> [UInt8] {
        version == 1 ? header : CARLayout.pragma + [UInt8](repeating: 0, count: 40) + header
    }

    /// Begins a section, and returns the bytes before its data.
    ///
    /// - Parameters:
    ///   - cid: The block's CID; the writer does not hash the data.
    ///   - dataSize: The number of bytes that follow.
    /// - Returns: The section's length and the CID.
    public mutating func prefix(for cid: CID, dataSize: Int) -> [UInt8] {
        if indexCodec != nil {
            cid.withDigest { digest in
                index.append(hashCode: cid.hashCode, digest: digest, offset: payloadSize)
            }
        }
        let length = UInt64(cid.bytes.count + dataSize)
        var bytes: [UInt8] = []
        Varint.append(length, to: &bytes)
        payloadSize += UInt64(bytes.count) + length
        return bytes + cid.bytes
    }

    /// Ends the CAR.
    public consuming func finish() -> Ending {
        guard version == 2 else { return Ending(trailer: [], header: []) }
        let payloadSize = payloadSize
        let dataOffset = CARLayout.dataOffsetMin
        var header = [UInt8](repeating: 0, count: 16)
        let storesAll = index.storesIdentity && indexCodec != nil
        header[0] = storesAll ? 0x80 : 0
        header.append(littleEndian: dataOffset)
        header.append(littleEndian: payloadSize)
        header.append(littleEndian: indexCodec == nil ? UInt64(0) : dataOffset + payloadSize)
        guard let indexCodec else { return Ending(trailer: [], header: header) }
        return Ending(trailer: index.encoded(codec: indexCodec), header: header)
    }
}
