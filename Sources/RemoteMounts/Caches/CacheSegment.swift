internal import DAGBytes
internal import DAGFailpoints
internal import DAGHashing
internal import DAGSystem
internal import SharedReads
internal import SystemPackage

/// A file of cache entries.
///
/// *Shape* of an entry; integers are little-endian:
///
/// ```
///  0   8  the text DAGBLK01
///  8  32  SHA-256 of bytes 40 to 84 and of the bytes behind the header
/// 40  32  the key of the object's version
/// 72   8  the offset in the object
/// 80   4  the size of the bytes, 1 to 65,536
/// 84   4  the first bytes of the SHA-256 of bytes 0 to 84
/// 88      the bytes
/// ```
///
/// The first entry that is torn ends the segment.
///
/// *Concurrency*: any thread reads; one appends at a time. The end of the object closes the file.
final class CacheSegment: Sendable {
    /// The entry of a segment, without its bytes.
    struct Entry {
        let key: CacheKey
        let start: UInt64
        let size: Int
        let position: UInt64
    }

    private static let magic = Array("DAGBLK01".utf8)
    private static let headerSize = 88
    private static let prefix = "segment-"

    /// The number in the file's name; later segments have larger ones.
    let number: UInt64
    /// Whether this process created the segment; earlier ones may have a torn end.
    let isWritable: Bool
    private let path: FilePath
    private let file: FileDescriptor
    private let end: Lock<UInt64>

    /// The bytes of the file.
    var size: UInt64 { end.withLock { $0 } }

    /// Creates an empty segment.
    convenience init(creating number: UInt64, in folder: FilePath) throws(Errno) {
        let path = Self.path(number, folder)
        let file = try FileDescriptor.opening(
            path,
            .readWrite,
            options: [.create, .exclusiveCreate, .append],
            permissions: .ownerReadWrite
        )
        self.init(number, path, file, isWritable: true)
    }

    /// Opens a segment of an earlier process.
    convenience init(opening number: UInt64, in folder: FilePath) throws(Errno) {
        let path = Self.path(number, folder)
        self.init(number, path, try FileDescriptor.opening(path), isWritable: false)
    }

    private init(_ number: UInt64, _ path: FilePath, _ file: FileDescriptor, isWritable: Bool) {
        self.number = number
        self.path = path
        self.file = file
        self.isWritable = isWritable
        end = Lock(0)
    }

    deinit { try? file.close() }

    /// Removes the file; open readers keep its bytes.
    func remove() { try? FileSystem.removeFile(path) }

    /// Returns the number in a segment's name; nil for other names.
    static func number(ofName name: String) -> UInt64? {
        guard name.hasPrefix(prefix) else { return nil }
        return UInt64(name.dropFirst(prefix.count), radix: 16)
    }

    private static func path(_ number: UInt64, _ folder: FilePath) -> FilePath {
        let digits = String(number, radix: 16)
        return folder.appending(
            prefix + String(repeating: "0", count: 16 - digits.count) + digits
        )
    }

    // MARK: Entries

    /// Appends an entry.
    ///
    /// - Returns: The position of the entry.
    func append(_ bytes: [UInt8], _ key: CacheKey, _ start: UInt64) throws(Errno) -> UInt64 {
        precondition((1...DiskCache.pieceSizeMax).contains(bytes.count))
        let entry = Self.header(bytes, key, start) + bytes
        #if DAGSTORE_FAILPOINTS
            // In two parts, so that a test can end the process between them.
            let middle = Self.headerSize + bytes.count / 2
            try file.writeAll(entry, 0..<middle)
            Failpoint.cacheEntryTorn.pass()
            try file.writeAll(entry, middle..<entry.count)
        #else
            try file.writeAll(entry, entry.indices)
        #endif
        Failpoint.cacheEntryWritten.pass()
        return end.withLock { end in
            defer { end += UInt64(entry.count) }
            return end
        }
    }

    /// Reads an entry, and checks its key, its offset and its digest; nil if anything differs.
    func entry(_ key: CacheKey, _ start: UInt64, size: Int, at position: UInt64) -> [UInt8]? {
        guard let all = read(at: position, size: Self.headerSize + size) else { return nil }
        let bytes = Array(all[Self.headerSize...])
        return all.starts(with: Self.header(bytes, key, start)) ? bytes : nil
    }

    /// Reads the headers from the first entry to the first torn one.
    func entries() -> [Entry] {
        var entries: [Entry] = []
        var position: UInt64 = 0
        while let header = read(at: position, size: Self.headerSize) {
            guard header.starts(with: Self.magic),
                Self.digest(Array(header[..<84])).starts(with: header[84...])
            else { break }
            let size = Int(header.withView { $0.loadUInt32(at: 80) })
            guard (1...DiskCache.pieceSizeMax).contains(size),
                read(at: position + UInt64(Self.headerSize + size) - 1, size: 1) != nil
            else { break }
            entries.append(
                Entry(
                    key: CacheKey(bytes: Array(header[40..<72])),
                    start: header.withView { $0.loadUInt64(at: 72) },
                    size: size,
                    position: position
                )
            )
            position += UInt64(Self.headerSize + size)
        }
        end.withLock { $0 = position }
        return entries
    }

    private func read(at position: UInt64, size: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: size)
        guard let count = try? file.read(at: position, into: &bytes, 0..<size), count == size else {
            return nil
        }
        return bytes
    }

    private static func header(_ bytes: [UInt8], _ key: CacheKey, _ start: UInt64) -> [UInt8] {
        var fields = key.bytes
        fields.append(littleEndian: start)
        fields.append(littleEndian: UInt32(bytes.count))
        // The check covers the digest, and the digest covers the fields, so it leaves the check out.
        let header = magic + digest(fields + bytes) + fields
        return header + digest(header)[..<4]
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withView { BlockHash.digest(0x12, of: $0) } ?? []
    }
}
