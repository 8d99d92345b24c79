import Glibc

/// Walks the sections of a CARv1 through one buffer, and never reads what the caller skips over.
///
/// It is a buffered reader like Go's: before a read, the rest of the buffer moves to its front, and a block that does
/// not fit is read past it. A skip beyond the buffer costs no call, because `pread` names its place, where Go's
/// reader must seek.
struct SectionReader: ~Copyable {
    typealias Digest = (UInt64, UInt64, UInt64, UInt64)

    /// The head of a section.
    struct Section {
        /// Where its length varint starts, in bytes.
        let offset: UInt64
        /// The size of the block in bytes.
        let size: Int
        /// The digest in its CID, in memory order.
        let digest: Digest
    }

    // go-car's limits.
    private static let headerSizeMax = 32 << 20
    private static let sectionSizeMax = 8 << 20
    private static let varintSizeMax = 9
    /// 01 55 12 20: version 1, raw, sha2-256, 32 bytes.
    private static let identifierHead: UInt32 = 0x0155_1220
    private static let identifierSize = 36

    private let file: Int32
    private let fileSize: Int
    private let buffer: UnsafeMutableRawPointer
    private let capacity: Int
    /// Which part of the file is in the buffer.
    private var start = 0
    private var end = 0
    /// The place of the walk.
    private var position = 0
    /// For blocks larger than the buffer; grows to the largest.
    private var large = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init(_ path: String, bufferSize: Int) throws(CARScanError) {
        // A head must fit in.
        precondition(bufferSize >= 64)
        file = open(path, O_RDONLY | O_CLOEXEC)
        capacity = bufferSize
        buffer = .allocate(byteCount: bufferSize, alignment: 4096)
        var status = stat()
        let isOpen = file >= 0 && fstat(file, &status) == 0
        fileSize = Int(status.st_size)
        guard isOpen else { throw CARScanError(.system(errno), at: 0) }
        try readHeader()
    }

    deinit {
        if file >= 0 { close(file) }
        buffer.deallocate()
        large.deallocate()
    }

    /// The head of the section here, or nil at the end of the file; the block is next.
    mutating func next() throws(CARScanError) -> Section? {
        guard position < fileSize else { return nil }
        let offset = position
        let available = min(Self.varintSizeMax + Self.identifierSize, fileSize - position)
        var head = try bytes(available)
        let (length, varintSize) = try varint(head, available, at: offset)
        guard length <= Self.sectionSizeMax else { throw failure(.tooLarge, at: offset) }
        guard length >= Self.identifierSize else { throw failure(.unsupportedCID, at: offset) }
        guard length <= fileSize - offset - varintSize else {
            throw failure(.truncated, at: offset)
        }
        head += varintSize
        guard head.loadUnaligned(as: UInt32.self).bigEndian == Self.identifierHead else {
            throw failure(.unsupportedCID, at: offset)
        }
        let digest = (head + 4).loadUnaligned(as: Digest.self)
        position = offset + varintSize + Self.identifierSize
        return Section(offset: UInt64(offset), size: length - Self.identifierSize, digest: digest)
    }

    /// Reads the head of the next section.
    mutating func skipBlock(of section: Section) throws(CARScanError) { position += section.size }

    /// The block of the section read last, valid until the next call; goes on to the next section.
    mutating func block(of section: Section) throws(CARScanError) -> UnsafeRawBufferPointer {
        let size = section.size
        defer { position += size }
        guard size > capacity else {
            return UnsafeRawBufferPointer(start: try bytes(size), count: size)
        }
        if large.count < size {
            large.deallocate()
            large = .allocate(byteCount: size, alignment: 64)
        }
        guard let base = large.baseAddress else { return UnsafeRawBufferPointer(large) }
        // What the buffer has of it, and the rest straight to where it belongs.
        let have = max(0, min(end - position, size))
        base.copyMemory(from: buffer + (position - start), byteCount: have)
        var count = have
        while count < size {
            count += try read(into: base + count, size - count, at: position + count)
        }
        return UnsafeRawBufferPointer(start: base, count: size)
    }

    // MARK: Reading

    /// Makes the next `count` bytes stand in the buffer.
    private mutating func bytes(_ count: Int) throws(CARScanError) -> UnsafeRawPointer {
        if position + count > end || position < start { try fill(count) }
        return UnsafeRawPointer(buffer + (position - start))
    }

    private mutating func fill(_ count: Int) throws(CARScanError) {
        guard count <= fileSize - position else { throw failure(.truncated, at: position) }
        let left = position >= start ? max(0, end - position) : 0
        if left > 0 { memmove(buffer, buffer + (position - start), left) }
        start = position
        end = position + left
        while end - start < count {
            end += try read(into: buffer + (end - start), capacity - (end - start), at: end)
        }
    }

    private func read(
        into target: UnsafeMutableRawPointer,
        _ size: Int,
        at place: Int
    ) throws(CARScanError) -> Int {
        while true {
            let count = pread(file, target, size, place)
            guard count <= 0 else { return count }
            guard count == 0 || errno == EINTR else { throw failure(.system(errno), at: place) }
            // The file has become shorter.
            guard count != 0 else { throw failure(.truncated, at: place) }
        }
    }

    // MARK: Parts

    /// Reads the header, and asks no more of it than that it says version 1.
    private mutating func readHeader() throws(CARScanError) {
        let available = min(Self.varintSizeMax, fileSize)
        guard available > 0 else { throw failure(.truncated, at: 0) }
        let (size, varintSize) = try varint(try bytes(available), available, at: 0)
        guard size <= Self.headerSizeMax else { throw failure(.tooLarge, at: 0) }
        guard size <= fileSize - varintSize else { throw failure(.truncated, at: 0) }
        position = varintSize
        let header = try block(of: Section(offset: 0, size: size, digest: (0, 0, 0, 0)))
        let version: [UInt8] = [0x67] + Array("version".utf8) + [1]
        guard contains(version, in: header) else { throw failure(.notCARv1, at: 0) }
    }

    /// A varint of at most nine bytes, and its size.
    private func varint(
        _ bytes: UnsafeRawPointer,
        _ available: Int,
        at offset: Int
    ) throws(CARScanError) -> (value: Int, size: Int) {
        var value: UInt64 = 0
        for index in 0..<Self.varintSizeMax {
            guard index < available else { throw failure(.truncated, at: offset) }
            let byte = bytes.load(fromByteOffset: index, as: UInt8.self)
            value |= UInt64(byte & 0x7f) << (7 * UInt64(index))
            guard byte & 0x80 == 0 else { continue }
            guard byte != 0 || index == 0 else { break }
            return (Int(value), index + 1)
        }
        throw failure(.malformedVarint, at: offset)
    }

    private func failure(_ code: CARScanError.Code, at offset: Int) -> CARScanError {
        CARScanError(code, at: UInt64(offset))
    }
}
