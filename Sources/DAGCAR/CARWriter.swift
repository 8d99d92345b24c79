internal import DAGBytes
public import DAGMultiformats

/// Writes a CAR as a stream of bytes, version 1 or 2; it does no I/O.
///
/// The owner writes `start()` at byte 0, then for each block `prefix(for:dataSize:)` and the data, then
/// what `finish()` returns: bytes to append, and in version 2 the header to write over byte 11. Until
/// then the CARv2 header is zero, and every reader refuses the file.
public struct CARWriter: Sendable {
    /// What ends a CAR.
    public struct Ending: Equatable, Sendable {
        /// Bytes to append: the index, if one was asked for.
        public let trailer: [UInt8]
        /// The CARv2 header, to be written at `headerOffset`; empty in version 1.
        public let header: [UInt8]
        /// Where the CARv2 header goes.
        public static let headerOffset = 11
    }

    /// 1 or 2.
    public let version: UInt64
    /// The payload's size so far.
    public private(set) var payloadSize: UInt64
    private let header: [UInt8]
    private let indexCodec: UInt64?
    private var index: CARIndexBuilder

    /// A writer that has written nothing.
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

    /// The bytes before the first section.
    public func start() -> [UInt8] {
        version == 1 ? header : CARLayout.pragma + [UInt8](repeating: 0, count: 40) + header
    }

    /// Begins a section, and returns the bytes that go before its data.
    ///
    /// - Parameters:
    ///   - cid: The block's CID; the data are not hashed here.
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
