public import DAGBytes
public import DAGMultiformats

/// The places of the parts of a CAR file, version 1 or 2.
///
/// ```
/// CARv2:  0   11  pragma  0a a1 67 "version" 02
///         11  16  characteristics
///         27   8  data offset    from byte 0, little-endian as all below
///         35   8  data size
///         43   8  index offset   from byte 0; 0 = no index
///         51      padding, a complete CARv1, padding, index to the end of the file
/// ```
///
/// Source: ipld.io/specs/transport/car/carv2.
public struct CARLayout: Equatable, Sendable {
    /// The smallest data offset: pragma and header.
    public static let dataOffsetMin: UInt64 = 51
    /// The first bytes of every CARv2.
    public static let pragma: [UInt8] = [0x0a, 0xa1, 0x67] + Array("version".utf8) + [0x02]

    /// 1 or 2.
    public var version: UInt64
    /// The roots of the CARv1 header.
    public var roots: [CID]
    /// The offset of the CARv1 payload in the file; 0 in a CARv1.
    public var dataOffset: UInt64
    /// The size of the CARv1 payload, with its header.
    public var dataSize: UInt64
    /// The size of the CARv1 header, with its length.
    ///
    /// This is the payload offset of the first section.
    public var headerSize: UInt64
    /// The offset of the index in the file, or nil if there is none.
    public var indexOffset: UInt64?
    /// Whether the CARv2 header claims that the index lists every section; readers cannot trust it.
    public var isFullyIndexed: Bool

    /// Reads the headers of a CAR file.
    ///
    /// *Cost*: touches only the headers.
    ///
    /// - Parameters:
    ///   - file: The whole file.
    ///   - limits: `headerSizeMax` applies.
    /// - Throws: `.truncated` if the file ends in a header or before the payload does; `.malformedHeader` for
    ///   impossible offsets; `.unsupportedVersion`, `.limitExceeded`, `.malformedVarint`.
    public init(reading file: ByteView, limits: CARLimits = CARLimits()) throws(CARError) {
        do {
            try self.init(fileSize: UInt64(file.count), limits: limits) { offset, size in
                file[Int(offset)..<Int(offset) + size].copied
            }
        } catch let error as CARError {
            throw error
        } catch {
            preconditionFailure("a read of memory failed: \(error)")
        }
    }

    /// The size of the first read of a header; nearly all headers are smaller.
    private static let headReadSize: UInt64 = 4096

    /// Reads the headers of a CAR file through a closure.
    ///
    /// - Parameters:
    ///   - fileSize: The size of the file.
    ///   - limits: `headerSizeMax` applies, before `read` reads a header.
    ///   - read: Reads bytes: an offset in the file and a size, both inside the file.
    /// - Throws: The errors of `init(reading:limits:)`, and those of `read`.
    package init(
        fileSize: UInt64,
        limits: CARLimits,
        read: (UInt64, Int) throws -> [UInt8]
    ) throws {
        func header(_ range: Range<UInt64>) throws -> CARHeader {
            let available = range.upperBound - range.lowerBound
            var bytes = try read(range.lowerBound, Int(min(available, Self.headReadSize)))
            let length = bytes.withView { Varint.decode($0, at: 0) }
            let needed = length.value + UInt64(max(0, length.size))
            if length.size > 0, length.value <= limits.headerSizeMax, needed <= available,
                needed > UInt64(bytes.count)
            {
                bytes = try read(range.lowerBound, Int(needed))
            }
            return try bytes.withView { view throws(CARError) in
                try CARHeader(reading: view, limits: limits, base: range.lowerBound)
            }
        }
        let outer = try Self.explaining(fileSize, read) { try header(0..<fileSize) }
        guard outer.version == 2 else {
            self.version = 1
            self.roots = outer.roots
            self.dataOffset = 0
            self.dataSize = fileSize
            self.headerSize = outer.size
            self.indexOffset = nil
            self.isFullyIndexed = false
            return
        }
        guard fileSize >= Self.dataOffsetMin else {
            throw CARError(.truncated, at: 11, "a CARv2 header")
        }
        let head = try read(0, Int(Self.dataOffsetMin))
        let (dataOffset, dataSize, indexOffset) = head.withView {
            ($0.loadUInt64(at: 27), $0.loadUInt64(at: 35), $0.loadUInt64(at: 43))
        }
        guard dataOffset >= Self.dataOffsetMin, dataOffset < 1 << 63 else {
            throw CARError(.malformedHeader, at: 27, "data offset \(dataOffset)")
        }
        guard dataSize > 0, dataSize < 1 << 63 else {
            throw CARError(.malformedHeader, at: 35, "data size \(dataSize)")
        }
        guard indexOffset < 1 << 63 else {
            throw CARError(.malformedHeader, at: 43, "index offset \(indexOffset)")
        }
        guard dataOffset <= fileSize, dataSize <= fileSize - dataOffset else {
            throw CARError(
                .truncated,
                at: 27,
                "\(dataSize) bytes of data from byte \(dataOffset) in a file of \(fileSize)"
            )
        }
        let inner = try header(dataOffset..<dataOffset + dataSize)
        guard inner.version == 1 else {
            throw CARError(.unsupportedVersion, at: dataOffset, "a CARv2 inside a CARv2")
        }
        self.version = 2
        self.roots = inner.roots
        self.dataOffset = dataOffset
        self.dataSize = dataSize
        self.headerSize = inner.size
        self.indexOffset = indexOffset == 0 ? nil : indexOffset
        self.isFullyIndexed = head[11] & 0x80 != 0
    }

    /// Reads the first header; its error says which other format the file has, if this is known.
    private static func explaining(
        _ fileSize: UInt64,
        _ read: (UInt64, Int) throws -> [UInt8],
        _ header: () throws -> CARHeader
    ) throws -> CARHeader {
        do {
            return try header()
        } catch let error as CARError {
            let head = try read(0, Int(min(fileSize, UInt64(ForeignFormat.headSize))))
            guard let detail = head.withView({ ForeignFormat.explanation(of: $0) }) else {
                throw error
            }
            throw CARError(error.code, at: error.offset, detail)
        }
    }

    /// Returns the bytes of the index in `file`; nil if the header names none, or a place after the end.
    public func index(in file: ByteView) -> ByteView? {
        guard let indexOffset, indexOffset < UInt64(file.count) else { return nil }
        return file[Int(indexOffset)..<file.count]
    }
}
