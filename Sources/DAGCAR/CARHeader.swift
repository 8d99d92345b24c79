public import DAGBytes
public import DAGMultiformats

/// The header of a CARv1: one DAG-CBOR map after its length.
///
/// ```
/// uv(size)  a2  65 "roots" 8x (d8 2a 58 size 00 cid)*  67 "version" 01
/// ```
///
/// It is read as in go-car. Keys come in any order. The tag's number is ignored, and so are bytes after the map.
/// Missing or null roots are no roots. An unknown or repeated key is refused.
///
/// Source: ipld.io/specs/transport/car/carv1, "Header".
public struct CARHeader: Equatable, Sendable {
    /// 1, or 2 in the pragma of a CARv2.
    public var version: UInt64
    /// The roots in header order.
    ///
    /// There may be none, and the CAR need not contain their blocks.
    public var roots: [CID]
    /// The size of the header in bytes, with its length.
    public var size: UInt64

    /// Reads the header at byte 0 of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The file or the payload; more bytes may follow the header.
    ///   - limits: The reader checks `headerSizeMax` before it reads further.
    ///   - base: The offset of `bytes` in the file, for errors.
    /// - Throws: `.truncated`, `.malformedVarint`, `.limitExceeded`, `.malformedHeader`.
    public init(
        reading bytes: ByteView,
        limits: CARLimits = CARLimits(),
        base: UInt64 = 0
    ) throws(CARError) {
        let length = Varint.decode(bytes, at: 0)
        guard length.size > 0 else {
            let isTruncated = length.size == Varint.Decoded.truncated
            throw CARError(isTruncated ? .truncated : .malformedVarint, at: base, "header length")
        }
        guard length.value <= limits.headerSizeMax else {
            throw CARError(
                .limitExceeded,
                at: base,
                "a header of \(length.value) bytes, over the limit of \(limits.headerSizeMax)"
            )
        }
        guard length.value <= UInt64(bytes.count - length.size) else {
            throw CARError(.truncated, at: base, "a header of \(length.value) bytes")
        }
        let start = length.size
        var reader = CBORReader(
            bytes: bytes[start..<start + Int(length.value)],
            base: base + UInt64(start)
        )
        (self.version, self.roots) = try reader.readHeader()
        self.size = UInt64(start) + length.value
    }

    /// Returns the bytes of a CARv1 header with `roots` and its length, as go-car writes them.
    public static func encoded(roots: [CID]) -> [UInt8] {
        var map: [UInt8] = [0xa2, 0x65]
        map += "roots".utf8
        appendHead(major: 4, UInt64(roots.count), to: &map)
        for root in roots {
            map += [0xd8, 0x2a]
            appendHead(major: 2, UInt64(root.bytes.count + 1), to: &map)
            map.append(0)
            map += root.bytes
        }
        map.append(0x67)
        map += "version".utf8
        map.append(1)
        var header: [UInt8] = []
        Varint.append(UInt64(map.count), to: &header)
        return header + map
    }

    private static func appendHead(major: UInt8, _ value: UInt64, to bytes: inout [UInt8]) {
        let top = major << 5
        switch value {
        case 0..<24: bytes.append(top | UInt8(value))
        case 24..<0x100: bytes += [top | 24, UInt8(value)]
        case 0x100..<0x1_0000: bytes += [top | 25, UInt8(value >> 8), UInt8(value & 0xff)]
        default:
            bytes.append(top | 26)
            for shift in [24, 16, 8, 0] as [UInt64] {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
    }
}

/// A reader for the part of DAG-CBOR that a CAR header needs.
private struct CBORReader {
    let bytes: ByteView
    let base: UInt64
    var offset = 0

    init(bytes: ByteView, base: UInt64) {
        self.bytes = bytes
        self.base = base
    }

    /// Returns an error at the item that starts at `start`, or at the reader's offset.
    func malformed(_ detail: String, at start: Int? = nil) -> CARError {
        CARError(.malformedHeader, at: base + UInt64(start ?? offset), detail)
    }

    mutating func readHeader() throws(CARError) -> (version: UInt64, roots: [CID]) {
        guard !bytes.isEmpty else { throw malformed("an empty header") }
        guard bytes[0] != 0xf6 else {
            throw CARError(.unsupportedVersion, at: base, "a null header")
        }
        let pairs = try readHead(major: 5, "a map")
        // There are two known keys, so a third pair has an unknown or a repeated one.
        guard pairs <= 2 else { throw malformed("a map of \(pairs) keys", at: 0) }
        var version: UInt64?
        var roots: [CID]?
        for _ in 0..<pairs {
            let start = offset
            let name = try readName()
            if name.elementsEqual("version".utf8), version == nil {
                version = try readHead(major: 0, "a version number")
            } else if name.elementsEqual("roots".utf8), roots == nil {
                roots = try readRoots()
            } else {
                throw malformed("an unknown or repeated key", at: start)
            }
        }
        guard let version, version == 1 || version == 2 else {
            throw CARError(.unsupportedVersion, at: base, "CAR version \(version ?? 0)")
        }
        return (version, roots ?? [])
    }

    mutating func readName() throws(CARError) -> [UInt8] {
        let start = offset
        let size = try readHead(major: 3, "a key")
        guard size <= 16 else { throw malformed("an unknown key", at: start) }
        return try readBytes(size, ofItemAt: start).copied
    }

    mutating func readRoots() throws(CARError) -> [CID] {
        if offset < bytes.count, bytes[offset] == 0xf6 {
            offset += 1
            return []
        }
        let array = offset
        let count = try readHead(major: 4, "an array of roots")
        // A link takes at least five bytes, so this check bounds the allocation below.
        guard count <= UInt64(bytes.count - offset) / 5 else {
            throw malformed("\(count) roots", at: array)
        }
        var roots: [CID] = []
        roots.reserveCapacity(Int(count))
        for _ in 0..<count {
            _ = try readHead(major: 6, "a link")
            let item = offset
            let size = try readHead(major: 2, "a link's bytes")
            let start = offset
            let link = try readBytes(size, ofItemAt: item)
            guard link.count > 1, link[0] == 0 else {
                throw malformed("a link without prefix", at: start)
            }
            do {
                roots.append(try CID(link[1..<link.count]))
            } catch {
                throw malformed("a root is not a CID: \(error.code)", at: start)
            }
        }
        return roots
    }

    mutating func readBytes(_ size: UInt64, ofItemAt item: Int) throws(CARError) -> ByteView {
        guard size <= UInt64(bytes.count - offset) else {
            throw malformed("an item cut short", at: item)
        }
        let start = offset
        offset += Int(size)
        return bytes[start..<offset]
    }

    /// Reads the head of an item of `major` type; refuses indefinite lengths.
    mutating func readHead(major: UInt8, _ what: String) throws(CARError) -> UInt64 {
        guard offset < bytes.count else { throw malformed("\(what) is missing") }
        let initial = bytes[offset]
        guard initial >> 5 == major else { throw malformed("not \(what)") }
        let width: Int
        switch initial & 0x1f {
        case let value where value < 24:
            offset += 1
            return UInt64(value)
        case 24: width = 1
        case 25: width = 2
        case 26: width = 4
        case 27: width = 8
        default: throw malformed("\(what) of indefinite length")
        }
        guard bytes.count - offset > width else { throw malformed("\(what) is cut short") }
        var value: UInt64 = 0
        for index in 1...width {
            value = value << 8 | UInt64(bytes[offset + index])
        }
        offset += 1 + width
        return value
    }
}
