package import DAGBytes
internal import DAGHashing

/// The header of a bundle: a shard's full index as bytes that another store imports without a scan of the CAR.
///
/// ```
///  0  8 bytes                "dagindex"
///  8  u8  version            1
///  9  u8  flags              bits 0 and 1 codec of the origin (0 none, 1 0x0400, 2 0x0401),
///                            bit 2 the origin had identity CIDs
/// 10  6 bytes of zero
/// 16  16 bytes               identifier of the key of the keyed hash, see `HashKey`
/// 32  u64 source size        of the whole CAR file, in bytes
/// 40  u64 content checksum   of all bytes of the source; 0 if it is unknown
/// 48  u64 section size max   the largest section it was registered with, 0 for the usual
/// 56  u64 header size max    the largest header it was registered with, 0 for the usual
/// 64  u32 root page size     in bytes
/// 68  u32 page values
/// 72  u32 segments           of the locator
/// 76  4 bytes of zero
/// 80  u32 size[page values]  in bytes
///  …  u32 size[segments]     in bytes
///  …  u64 checksum           xxh64 of everything before it
/// ```
///
/// After the header come the root page, the values of index pages, and the segments, each as the catalog has it, with
/// a checksum of its own. So a reader needs memory for the header and one value. The sizes equal those in the root
/// page.
///
/// The name of a bundle is the SHA-256 of all its bytes.
package struct IndexBundle: Equatable, Sendable {
    /// The index file of a migrated shard.
    package struct Origin: Equatable, Sendable {
        /// The codec, 0x0400 or 0x0401.
        package let codec: UInt64
        /// Whether the file had identity CIDs.
        package let hasIdentity: Bool

        /// Creates an origin.
        package init(codec: UInt64, hasIdentity: Bool) {
            precondition(codec == 0x0400 || codec == 0x0401)
            self.codec = codec
            self.hasIdentity = hasIdentity
        }
    }

    package static let version: UInt8 = 1
    /// The number of bytes before the sizes.
    package static let headerSize = 80
    /// The size of a key's identifier in bytes.
    package static let keyIDSize = 16
    /// The largest number of page values, and of segments: an index of a terabyte.
    package static let valueCountMax = 1 << 20
    /// The largest root page in bytes.
    package static let rootSizeMax = IndexRoot.headerSize + IndexRoot.contentSizeMax
    /// The largest value in bytes.
    package static let valueSizeMax = IndexPage.pageSizeMax
    private static let magic = Array("dagindex".utf8)
    private static let checksumSize = 8
    private static let segmentSizeMin = LocatorSegment.headerSize + 8 + LocatorSegment.slack

    /// The identifier of the key of the keyed hash.
    package var keyID: [UInt8]
    /// The size of the whole source in bytes.
    package var sourceSize: UInt64
    /// The checksum of all bytes of the source; 0 if it is unknown.
    package var contentChecksum: UInt64 = 0
    /// The largest section that the CAR may have, in bytes; 0 for the default.
    package var sectionSizeMax: UInt64 = 0
    /// The largest header that the CAR may have, in bytes; 0 for the default.
    package var headerSizeMax: UInt64 = 0
    /// The index file of the shard; nil if the shard was never migrated.
    package var origin: Origin?
    /// The size of the root page in bytes.
    package let rootSize: Int
    /// The sizes of the values of index pages, in bytes.
    package let pageValueSizes: [UInt32]
    /// The sizes of the locator's segments, in bytes.
    package let segmentSizes: [UInt32]

    /// Creates the header of an index.
    ///
    /// - Parameters:
    ///   - root: The root page.
    ///   - rootSize: The size of the root page as it is stored, in bytes.
    ///   - keyID: The identifier of the store's key.
    ///   - sourceSize: The size of the whole source in bytes.
    /// - Throws: `.limitExceeded` if the index is too large for a bundle.
    package init(
        of root: IndexRoot,
        rootSize: Int,
        keyID: [UInt8],
        sourceSize: UInt64
    ) throws(ShardIndexError) {
        precondition(keyID.count == Self.keyIDSize, "an identifier of another size")
        self.keyID = keyID
        self.sourceSize = sourceSize
        self.rootSize = rootSize
        pageValueSizes = root.pageValueSizes
        segmentSizes = root.segmentSizes
        guard Self.isRootSize(rootSize), sourceSize < 1 << 62,
            pageValueSizes.count <= Self.valueCountMax, segmentSizes.count <= Self.valueCountMax
        else { throw ShardIndexError(.limitExceeded, "the index is too large for a bundle") }
    }

    /// The size of the encoded header in bytes.
    package var encodedSize: Int {
        Self.encodedSize(values: pageValueSizes.count + segmentSizes.count)
    }

    /// The size of the whole bundle in bytes.
    package var bundleSize: UInt64 {
        (pageValueSizes + segmentSizes).reduce(UInt64(encodedSize + rootSize)) { $0 + UInt64($1) }
    }

    private static func encodedSize(values: Int) -> Int { headerSize + 4 * values + checksumSize }

    private static func isRootSize(_ size: Int) -> Bool {
        size > IndexRoot.headerSize && size <= rootSizeMax
    }

    /// Returns the encoded header.
    package func encoded() -> [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(encodedSize)
        let codec: UInt8 = origin.map { $0.codec == 0x0400 ? 1 : 2 } ?? 0
        bytes += [Self.version, codec | (origin?.hasIdentity == true ? 4 : 0), 0, 0, 0, 0, 0, 0]
        bytes += keyID
        for value in [sourceSize, contentChecksum, sectionSizeMax, headerSizeMax] {
            bytes.append(littleEndian: value)
        }
        for count in [rootSize, pageValueSizes.count, segmentSizes.count, 0] {
            bytes.append(littleEndian: UInt32(count))
        }
        for size in pageValueSizes + segmentSizes { bytes.append(littleEndian: size) }
        let checksum = bytes.withView { Checksum.xxh64($0) }
        bytes.append(littleEndian: checksum)
        return bytes
    }

    /// Returns the size of an encoded header from its first `headerSize` bytes.
    ///
    /// - Parameter bytes: At least the first `headerSize` bytes.
    /// - Returns: The size in bytes, with the sizes and the checksum.
    /// - Throws: `.malformed` if the bytes are no header; `.unsupportedVersion` if a newer version wrote them.
    package static func encodedSize(reading bytes: ByteView) throws(ShardIndexError) -> Int {
        guard bytes.count >= headerSize else {
            throw ShardIndexError(.malformed, "a bundle of \(bytes.count) bytes")
        }
        guard bytes[0..<8].copied == magic else {
            throw ShardIndexError(.malformed, "the bytes are not a bundle")
        }
        guard bytes[8] <= version else {
            throw ShardIndexError(.unsupportedVersion, "a bundle has version \(bytes[8])")
        }
        let pageValues = Int(bytes.loadUInt32(at: 68))
        let segments = Int(bytes.loadUInt32(at: 72))
        guard bytes[8] == version, pageValues <= valueCountMax, segments <= valueCountMax else {
            throw ShardIndexError(.malformed, "the counts of a bundle are impossible")
        }
        return encodedSize(values: pageValues + segments)
    }

    /// Reads an encoded header.
    ///
    /// - Parameter bytes: Exactly the bytes of the header, with the sizes and the checksum.
    /// - Throws: `.malformed` if the checksum is wrong or the content is impossible; `.unsupportedVersion` if a newer
    ///   version wrote it.
    package init(reading bytes: ByteView) throws(ShardIndexError) {
        let size = try Self.encodedSize(reading: bytes)
        guard bytes.count == size else {
            throw ShardIndexError(.malformed, "the header of a bundle has \(bytes.count) bytes")
        }
        let end = size - Self.checksumSize
        guard Checksum.xxh64(bytes[0..<end]) == bytes.loadUInt64(at: end) else {
            throw ShardIndexError(.malformed, "the checksum of a bundle's header is wrong")
        }
        let codec = bytes[9] & 3
        guard bytes[9] <= 7, codec < 3, codec != 0 || bytes[9] == 0,
            bytes[10..<16].firstNonzero == nil, bytes.loadUInt32(at: 76) == 0
        else { throw ShardIndexError(.malformed, "the flags of a bundle are impossible") }
        keyID = bytes[16..<32].copied
        sourceSize = bytes.loadUInt64(at: 32)
        contentChecksum = bytes.loadUInt64(at: 40)
        sectionSizeMax = bytes.loadUInt64(at: 48)
        headerSizeMax = bytes.loadUInt64(at: 56)
        rootSize = Int(bytes.loadUInt32(at: 64))
        guard Self.isRootSize(rootSize), sourceSize < 1 << 62, sectionSizeMax < 1 << 62,
            headerSizeMax < 1 << 62
        else { throw ShardIndexError(.malformed, "the sizes of a bundle are impossible") }
        if codec != 0 {
            origin = Origin(codec: codec == 1 ? 0x0400 : 0x0401, hasIdentity: bytes[9] & 4 != 0)
        }
        let segments = Self.headerSize + 4 * Int(bytes.loadUInt32(at: 68))
        pageValueSizes = try Self.sizes(
            bytes[Self.headerSize..<segments],
            atLeast: IndexPage.headerSize
        )
        segmentSizes = try Self.sizes(bytes[segments..<end], atLeast: Self.segmentSizeMin)
    }

    private static func sizes(
        _ bytes: ByteView,
        atLeast sizeMin: Int
    ) throws(ShardIndexError) -> [UInt32] {
        var sizes: [UInt32] = []
        sizes.reserveCapacity(bytes.count / 4)
        for offset in stride(from: 0, to: bytes.count, by: 4) {
            let size = bytes.loadUInt32(at: offset)
            guard Int(size) >= sizeMin, Int(size) <= valueSizeMax else {
                throw ShardIndexError(.malformed, "a bundle has a value of \(size) bytes")
            }
            sizes.append(size)
        }
        return sizes
    }

    /// Reads the root page of the bundle, and checks that it describes the same index as this header.
    ///
    /// - Parameter bytes: The root page as it is stored.
    /// - Returns: The root page.
    /// - Throws: `.malformed`; `.unsupportedVersion` if a newer version wrote it.
    package func root(reading bytes: ByteView) throws(ShardIndexError) -> IndexRoot {
        guard bytes.count == rootSize, bytes.loadUInt32(at: 8) <= rootContentSizeMax else {
            throw ShardIndexError(.malformed, "the root page of a bundle has an impossible size")
        }
        let root = try IndexRoot(reading: bytes)
        guard root.pageValueSizes == pageValueSizes, root.segmentSizes == segmentSizes else {
            throw ShardIndexError(.malformed, "the sizes of a bundle differ from its root page")
        }
        guard root.dataOffset <= sourceSize, root.payloadSize <= sourceSize - root.dataOffset else {
            throw ShardIndexError(.malformed, "the payload of a bundle's CAR ends after its file")
        }
        return root
    }

    /// The largest root page when decoded, in bytes, which bounds the output of zstd.
    ///
    /// The values bound the number of pages, and the CAR's header bounds the size of the roots.
    private var rootContentSizeMax: UInt64 {
        let pages = pageValueSizes.reduce(0) { $0 + UInt64($1) } / UInt64(IndexPage.headerSize)
        return UInt64(IndexRoot.contentHeaderSize) + 14 * pages + 4 * UInt64(segmentSizes.count)
            + max(Self.rootsSizeMin, headerSizeMax)
    }

    /// The size of roots that every bundle may have, in bytes: twice the largest header by default.
    private static let rootsSizeMin: UInt64 = 64 << 20
}

extension IndexRoot {
    /// The sizes of the values of index pages, in bytes.
    package var pageValueSizes: [UInt32] {
        var sizes: [UInt32] = []
        for page in pages {
            if Int(page.value) == sizes.count { sizes.append(0) }
            sizes[sizes.count - 1] = page.start + page.size
        }
        return sizes
    }
}
